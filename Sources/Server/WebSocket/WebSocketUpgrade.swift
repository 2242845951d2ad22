import Codecs
import Crypto
import Hummingbird
import NIOCore
import NIOWebSocket
import Query

/// The opening handshake of a WebSocket (RFC 6455, section 4).
enum WebSocketUpgrade {
    /// What the server adds to a client's key before it is hashed (section 1.3).
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Whether the call asks for a WebSocket.
    static func isAsked(_ call: Call) -> Bool {
        call.headers["upgrade"]?.lowercased() == "websocket"
            && (call.headers["connection"] ?? "").lowercased().split(separator: ",").contains { $0.trimmed == "upgrade" }
    }

    /// The key of a handshake.
    ///
    /// - Throws: ``APIError`` (400) where the call is none.
    static func key(_ call: Call) throws(APIError) -> String {
        guard isAsked(call) else {
            throw APIError(.badRequest, "this endpoint speaks WebSocket: send Connection: Upgrade and Upgrade: websocket")
        }
        guard call.headers["sec-websocket-version"] == "13" else {
            throw APIError(.badRequest, "unsupported WebSocket version \"\(call.headers["sec-websocket-version"] ?? "")\": only 13 is spoken")
        }
        guard let key = call.headers["sec-websocket-key"], Base64.decode(key)?.count == 16 else {
            throw APIError(.badRequest, "Sec-WebSocket-Key must be 16 bytes in base64")
        }
        return key
    }

    static func accept(_ key: String) -> String {
        Base64.encode(Array(Insecure.SHA1.hash(data: Array((key + suffix).utf8))))
    }

    /// Answers the handshake, and runs `session` on the open socket until it ends or the client goes.
    static func response(_ key: String, on channel: any Channel, _ session: @escaping WebSocketSession) async throws -> Response {
        let socket = try await WebSocket.install(on: channel)
        var headers = HTTPFields()
        headers[.upgrade] = "websocket"
        headers[.connection] = "Upgrade"
        headers[.secWebSocketAccept] = accept(key)
        return Response(
            status: .switchingProtocols, headers: headers,
            body: ResponseBody { writer in
                try await socket.begin()
                do {
                    try await withTaskExecutorPreference(WorkerThreads.requests) { try await session(socket) }
                    await socket.close(.normalClosure, reason: "")
                } catch {
                    await socket.close(.unexpectedServerError, reason: APIError(error).message)
                }
                try await writer.finish(nil)
            })
    }
}

/// What runs on an open WebSocket.
package typealias WebSocketSession = @Sendable (WebSocket) async throws -> Void
