import AsyncHTTPClient
import Codecs
import NIOCore
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

    private let following: HTTPClient
    private let staying: HTTPClient
    private let userAgent: String

    init(userAgent: String) {
        self.userAgent = userAgent
        var configuration = HTTPClient.Configuration()
        // The scrape's own deadline covers connecting and reading; the body is decompressed here, up to a limit.
        configuration.timeout = .init(connect: nil, read: nil)
        configuration.decompression = .disabled
        configuration.redirectConfiguration = .follow(max: 10, allowCycles: false)
        // A target is scraped by one request at a time; a dead connection costs a scrape if it is kept for long.
        configuration.connectionPool.retryConnectionEstablishment = false
        following = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        configuration.redirectConfiguration = .disallow
        staying = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async {
        try? await following.shutdown()
        try? await staying.shutdown()
    }

    /// Fetches `url` within `timeout`, redirects and the whole body included.
    func get(
        _ url: String, accept: String, timeout: Duration, options: ScrapeOptions
    ) async throws(ScrapeError) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: accept)
        request.headers.add(name: "User-Agent", value: userAgent)
        request.headers.add(name: "X-Prometheus-Scrape-Timeout-Seconds", value: Self.seconds(timeout))
        request.headers.add(name: "Accept-Encoding", value: options.enableCompression ? "gzip" : "identity")
        if let authorization = try options.authorization.header {
            request.headers.add(name: "Authorization", value: authorization)
        }
        let limit = options.limits.bodyByteCountMax > 0 ? options.limits.bodyByteCountMax : Self.bodyByteCountMax
        let client = options.followRedirects ? following : staying
        let prepared = request
        do {
            return try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask { try await Self.fetch(prepared, client, timeout: timeout, byteCountMax: limit) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw ScrapeError.timedOut(url, after: timeout)
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw ScrapeError.timedOut(url, after: timeout) }
                return answer
            }
        } catch let error as ScrapeError {
            throw error
        } catch {
            throw .unreachable(url, Self.isConnectionRefused(error) ? ScrapeError("connection refused") : error)
        }
    }

    @concurrent
    private static func fetch(
        _ request: HTTPClientRequest, _ client: HTTPClient, timeout: Duration, byteCountMax: Int
    ) async throws -> Answer {
        // The caller's own timer covers the body too; the client's is only there so that its request ends as well.
        let response = try await client.execute(request, timeout: .milliseconds(timeout.milliseconds &+ 1_000))
        guard response.status == .ok else {
            throw ScrapeError.status(response.status.code, response.status.reasonPhrase)
        }
        var bytes: [UInt8] = []
        for try await chunk in response.body {
            guard bytes.count + chunk.readableBytes <= byteCountMax else {
                throw ScrapeError.bodyTooLarge(byteCountMax)
            }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        let contentType = response.headers.first(name: "Content-Type")
        guard let encoding = response.headers.first(name: "Content-Encoding"), encoding != "identity" else {
            return Answer(body: bytes, contentType: contentType)
        }
        guard let compression = Compression.named(contentEncoding: encoding) else {
            throw ScrapeError("the answer has the unknown Content-Encoding \(encoding.debugDescription): expected gzip")
        }
        do {
            return Answer(
                body: try compression.decompress(bytes.span, byteCountMax: byteCountMax), contentType: contentType)
        } catch {
            if case .tooLarge = error { throw ScrapeError.bodyTooLarge(byteCountMax) }
            throw ScrapeError("the answer's \(encoding) body is damaged: \(error)")
        }
    }

    private static func isConnectionRefused(_ error: any Error) -> Bool {
        "\(error)".contains("errno: 111") || "\(error)".contains("ECONNREFUSED")
            || "\(error)".contains("Connection refused")
    }

    /// Seconds without needless digits: `10`, `2.5`.
    static func seconds(_ duration: Duration) -> String {
        let seconds = duration.seconds
        return seconds == seconds.rounded() ? String(Int64(seconds)) : "\(seconds)"
    }
}

extension ScrapeAuthorization {
    /// The value of the header `Authorization`.
    var header: String? {
        get throws(ScrapeError) {
            switch self {
            case .none: return nil
            case .basic(let username, let password):
                let text = try username.text + ":" + password.text
                return "Basic " + Base64Text.encode(Array(text.utf8))
            case .credentials(let scheme, let secret): return scheme + " " + (try secret.text)
            }
        }
    }
}

extension ScrapeAuthorization.Secret {
    var text: String {
        get throws(ScrapeError) {
            switch self {
            case .text(let text): return text
            case .file(let path):
                do {
                    let text = try ConfigurationFile.text(path: path)
                    let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex
                    return String(text[..<end].drop { $0.isWhitespace })
                } catch {
                    throw ScrapeError("unable to read the credentials: \(error)")
                }
            }
        }
    }
}

/// Base64 with padding (RFC 4648).
enum Base64Text {
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            word <<= 8
            for position in 0..<4 {
                text.append(position > group.count ? UInt8(ascii: "=") : alphabet[Int(word >> 26)])
                word <<= 6
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
