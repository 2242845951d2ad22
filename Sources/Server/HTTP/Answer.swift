import Codecs

/// What a route answers: a status, a body, and headers beside the ones that every answer gets.
package struct Answer: Sendable {
    package var status: Int
    package var contentType: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// False where the body is compressed already or must not be.
    package var mayCompress = true
    /// Writes the body piece by piece, as it is made, instead of ``body``. An error cuts the connection, so that the client sees that the
    /// body is not whole.
    package var stream: BodyStream?
    /// Turns the connection into a WebSocket: then nothing else here counts.
    package var session: WebSocketSession?

    package init(
        status: Int = 200, contentType: String = "application/json", headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A JSON body.
    package static func json(_ body: [UInt8], status: Int = 200) -> Answer {
        Answer(status: status, contentType: "application/json", body: body)
    }

    /// A body of plain text.
    package static func text(_ text: String, status: Int = 200) -> Answer {
        Answer(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// An answer without a body.
    package static func empty(status: Int) -> Answer {
        Answer(status: status, contentType: "")
    }

    /// A body that is written piece by piece.
    package static func stream(contentType: String, _ stream: @escaping BodyStream) -> Answer {
        var answer = Answer(contentType: contentType)
        answer.stream = stream
        return answer
    }

    /// A WebSocket, for a call that asks for one.
    package static func webSocket(_ session: @escaping WebSocketSession) -> Answer {
        var answer = Answer(status: 101, contentType: "")
        answer.session = session
        return answer
    }

    /// The answer as gzip, where it is long enough and the caller takes it.
    func compressed(for call: Call) -> Answer {
        guard mayCompress, body.count >= Limits.compressedAnswerByteCountMin else { return self }
        var answer = self
        answer.headers.append((name: "Vary", value: "Accept-Encoding"))
        if AcceptEncoding.allowsGzip(call.headers["accept-encoding"]) {
            // The fastest level: it takes away nine tenths of what the slowest does.
            answer.body = Compression.gzip.compress(body.span, level: 1)
            answer.headers.append((name: "Content-Encoding", value: "gzip"))
        }
        return answer
    }
}

/// Makes the next piece of a body, once the client has taken the one before; nil at the end.
package typealias BodyStream = @Sendable () async throws -> [UInt8]?
