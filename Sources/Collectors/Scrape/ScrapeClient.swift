import Codecs
import NIOHTTP1
import Settings

/// Fetches expositions and profiles over HTTP.
///
/// It must be shut down with ``shutdown()``.
struct ScrapeClient: Sendable {
    /// A target's answer.
    struct Answer: Sendable {
        /// Uncompressed.
        var body: [UInt8]
        var contentType: String?
    }

    /// What Prometheus 3 asks for while it wants no protobuf (scrape.go, `acceptHeader`).
    static let acceptHeader =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"

    /// Where a configuration sets no `body_size_limit`: more than the largest exporters in use answer, little enough to hold.
    static let bodyByteCountMax = 256 << 20

    private let transport: HTTPTransport

    init(userAgent: String) {
        self.init(transport: HTTPTransport(userAgent: userAgent))
    }

    init(transport: HTTPTransport) {
        self.transport = transport
    }

    func shutdown() async {
        await transport.shutdown()
    }

    /// Fetches `url` within `timeout`, redirects and the whole body included.
    func get(
        _ url: String, accept: String, timeout: Duration, options: ScrapeOptions
    ) async throws(ScrapeError) -> Answer {
        let headers: HTTPHeaders = [
            "Accept": accept, "X-Prometheus-Scrape-Timeout-Seconds": Self.seconds(timeout),
            "Accept-Encoding": options.enableCompression ? "gzip" : "identity",
        ]
        let limit = options.limits.bodyByteCountMax > 0 ? options.limits.bodyByteCountMax : Self.bodyByteCountMax
        let answer: HTTPTransport.Answer
        do throws(HTTPFailure) {
            answer = try await transport.send(
                HTTPTransport.Request(.GET, url, headers: headers), options: options.http, timeout: timeout, byteCountMax: limit)
        } catch {
            throw error.kind == .tooLarge ? .bodyTooLarge(limit) : ScrapeError(error.description)
        }
        guard answer.status == 200 else { throw .status(UInt(answer.status), answer.reason) }
        return Answer(
            body: try Self.decompress(answer, byteCountMax: limit), contentType: answer.headers.first(name: "Content-Type"))
    }

    private static func decompress(_ answer: HTTPTransport.Answer, byteCountMax: Int) throws(ScrapeError) -> [UInt8] {
        guard let encoding = answer.headers.first(name: "Content-Encoding"), encoding != "identity" else { return answer.body }
        guard let compression = Compression.named(contentEncoding: encoding) else {
            throw ScrapeError("the answer has the unknown Content-Encoding \(encoding.debugDescription): expected gzip")
        }
        do {
            return try compression.decompress(answer.body.span, byteCountMax: byteCountMax)
        } catch {
            if case .tooLarge = error { throw .bodyTooLarge(byteCountMax) }
            throw ScrapeError("the answer's \(encoding) body is damaged: \(error)")
        }
    }

    /// Seconds without needless digits: `10`, `2.5`.
    static func seconds(_ duration: Duration) -> String {
        let seconds = duration.seconds
        return seconds == seconds.rounded() ? String(Int64(seconds)) : "\(seconds)"
    }
}
