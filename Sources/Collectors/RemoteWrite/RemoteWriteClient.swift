import Codecs
import NIOHTTP1
import Settings

/// Posts requests of remote write and says what became of them.
struct RemoteWriteClient: Sendable {
    enum Outcome: Sendable {
        case stored
        /// Nothing to be gained by another attempt.
        case refused(status: Int, String)
        /// The receiver does not know the message.
        case unsupported(String)
        /// Try again, after that time where the receiver names one.
        case unavailable(String, after: Duration?)
    }

    /// What is shown of a refusal.
    private static let messageByteCountMax = 1_024
    private static let answerByteCountMax = 1 << 20

    private let configuration: RemoteWriteConfiguration
    private let transport: HTTPTransport

    init(_ configuration: RemoteWriteConfiguration, transport: HTTPTransport) {
        self.configuration = configuration
        self.transport = transport
    }

    /// Posts a compressed request.
    ///
    /// - Parameter attempt: 0 for the first.
    func post(_ body: [UInt8], as message: RemoteWriteConfiguration.Message, attempt: Int) async -> Outcome {
        var headers = HTTPHeaders()
        for header in configuration.headers { headers.add(name: header.name, value: header.value) }
        headers.add(name: "Content-Encoding", value: "snappy")
        let type = "application/x-protobuf"
        headers.add(name: "Content-Type", value: message == .v1 ? type : "\(type);proto=\(message.rawValue)")
        headers.add(name: "X-Prometheus-Remote-Write-Version", value: message == .v1 ? "0.1.0" : "2.0.0")
        if attempt > 0 { headers.add(name: "Retry-Attempt", value: String(attempt)) }
        let answer: HTTPTransport.Answer
        do {
            answer = try await transport.send(
                HTTPTransport.Request(.POST, configuration.url, headers: headers, body: body), options: configuration.http,
                timeout: configuration.timeout, byteCountMax: Self.answerByteCountMax)
        } catch {
            return .unavailable(error.description, after: nil)
        }
        let text = String(decoding: answer.body.prefix(Self.messageByteCountMax), as: UTF8.self).split(separator: "\n").joined(separator: " ")
        let complaint = "server returned HTTP status \(answer.status): \(text)"
        switch answer.status {
        case 200..<300: return .stored
        case 415: return .unsupported(complaint)
        case 429 where configuration.queue.retriesOnTooManyRequests, 500..<600:
            return .unavailable(complaint, after: Self.retryAfter(answer.headers.first(name: "Retry-After")))
        default: return .refused(status: answer.status, complaint)
        }
    }

    /// Seconds, which is what servers of remote write send; a date counts as none.
    private static func retryAfter(_ text: String?) -> Duration? {
        guard let text, let seconds = Int(text), seconds > 0, seconds <= 86_400 else { return nil }
        return .seconds(seconds)
    }
}
