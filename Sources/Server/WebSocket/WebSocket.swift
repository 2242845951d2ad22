import NIOCore
import NIOWebSocket

/// The server's end of an open WebSocket (RFC 6455): sends whole messages; what a client sends besides pings and a close is not read.
///
package final class WebSocket: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>

    private init(channel: any Channel, handler: NIOLoopBound<WebSocketHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// Puts the frames' decoder before everything else in the pipeline, so that no byte behind the handshake is lost. The answer to the
    /// handshake still leaves as HTTP; ``begin()`` ends that.
    static func install(on channel: any Channel) async throws -> WebSocket {
        try await channel.eventLoop.submit {
            let handler = WebSocketHandler()
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
            let decoder = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: Limits.webSocketFrameByteCountMax))
            try channel.pipeline.syncOperations.addHandler(decoder, position: .first)
            return WebSocket(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }.get()
    }

    /// From here on HTTP writes nothing more.
    func begin() async throws {
        try await channel.eventLoop.submit { [handler] in handler.value.isSwitched = true }.get()
    }

    /// Sends a text message; returns when the operating system has taken it.
    package func send(text: [UInt8]) async throws {
        try await send(.text, text)
    }

    /// Sends a ping, which keeps proxies from closing a quiet connection and finds out that a client is gone.
    package func ping() async throws {
        try await send(.ping, [])
    }

    /// Says why and closes the connection.
    func close(_ code: WebSocketErrorCode, reason: String) async {
        var buffer = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        buffer.write(webSocketErrorCode: code)
        // A control frame holds at most 125 bytes (section 5.5).
        buffer.writeBytes(reason.utf8.prefix(123))
        try? await send(.connectionClose, Array(buffer.readableBytesView))
        try? await channel.close().get()
    }

    private func send(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) async throws {
        try await channel.eventLoop.flatSubmit { [handler, channel] in handler.value.send(opcode, bytes, on: channel) }.get()
    }
}
