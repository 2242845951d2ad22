/// What a route answers: a status, a body, and headers beside the ones that every answer gets.
package struct Answer: Sendable {
    package var status: Int
    package var contentType: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// False where the body is compressed already or must not be.
    package var mayCompress = true

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
}
