import NIOHTTP1
import Settings

/// Posts to Loki push endpoints, by the HTTP options of an entry of `clients`.
package struct LokiPushClient: Sendable {
    private let settings: PromtailClient
    private let transport: HTTPTransport
    private static let answerByteCountMax = 1 << 20

    /// - Parameter transport: may be shared; whoever made it shuts it down.
    package init(_ settings: PromtailClient, transport: HTTPTransport) {
        self.settings = settings
        self.transport = transport
    }

    /// What a ``SpoolSender`` sends with.
    package var post: SpoolSender.Post {
        { body, headers in
            var fields = HTTPHeaders()
            for (name, value) in headers { fields.replaceOrAdd(name: name, value: value) }
            let answer = try await transport.send(
                HTTPTransport.Request(.POST, settings.url, headers: fields, body: body), options: settings.http, timeout: settings.timeout,
                byteCountMax: Self.answerByteCountMax)
            return SpoolSender.Answer(status: answer.status, body: answer.body)
        }
    }
}
