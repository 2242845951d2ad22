import Codecs
import Formats
import NIOHTTP1
import Patterns

/// Whether an answer is what a module wants.
struct HTTPProbeVerdict {
    let options: HTTPProbeOptions
    let isSecure: Bool

    /// Sets the series of the answer.
    ///
    /// - Throws: the first reason why it does not do.
    func judge(_ answer: HTTPExchange.Answer, _ results: inout ProbeResults) throws {
        let head = answer.head
        results.set(HTTPProbeGauges.status, Double(head.status.code))
        results.set(HTTPProbeGauges.version, Double(head.version.major) + Double(head.version.minor) / 10)
        results.set(HTTPProbeGauges.contentLength, head.headers.first(name: "Content-Length").flatMap { Double($0) } ?? -1)
        if let text = head.headers.first(name: "Last-Modified"), let seconds = HTTPDate.seconds(text) {
            results.set(HTTPProbeGauges.lastModified, seconds)
        }
        // Looked at even where the status is wrong: the length is of interest all the same.
        let body = Result { try self.body(answer) }
        if case .success(let bytes) = body { results.set(HTTPProbeGauges.bodyLength, Double(bytes.count)) }
        try status(head)
        try headers(head.headers, &results)
        try content(try body.get(), &results)
        try version(head)
        if options.failsIfSSL, isSecure { throw ProbeFailure("the final answer came over TLS, and fail_if_ssl is set") }
        if options.failsIfNotSSL, !isSecure { throw ProbeFailure("the final answer did not come over TLS, and fail_if_not_ssl is set") }
    }

    private func status(_ head: HTTPResponseHead) throws {
        let code = Int(head.status.code)
        if options.validStatusCodes.isEmpty {
            guard (200..<300).contains(code) else { throw ProbeFailure("the status is \(code), expected one of 200 to 299") }
        } else {
            guard options.validStatusCodes.contains(code) else {
                throw ProbeFailure("the status is \(code), expected one of \(options.validStatusCodes.map(String.init).joined(separator: ", "))")
            }
        }
    }

    private func version(_ head: HTTPResponseHead) throws {
        let version = "HTTP/\(head.version.major).\(head.version.minor)"
        guard options.validVersions.isEmpty || options.validVersions.contains(version) else {
            throw ProbeFailure("the answer is \(version), expected \(options.validVersions.joined(separator: " or "))")
        }
    }

    private func headers(_ headers: HTTPHeaders, _ results: inout ProbeResults) throws {
        for match in options.failIfHeaderMatches {
            let values = headers[match.name]
            if values.isEmpty, !match.allowsMissing { throw byRegex("the header \(match.name) is missing", &results) }
            if values.contains(where: { match.expression.pattern.matchesPart($0) }) {
                throw byRegex("the header \(match.name) matches \(match.expression.text.debugDescription)", &results)
            }
        }
        for match in options.failIfHeaderNotMatches {
            let values = headers[match.name]
            if values.isEmpty {
                if match.allowsMissing { continue }
                throw byRegex("the header \(match.name) is missing", &results)
            }
            guard values.contains(where: { match.expression.pattern.matchesPart($0) }) else {
                throw byRegex("the header \(match.name) does not match \(match.expression.text.debugDescription)", &results)
            }
        }
    }

    private func content(_ body: [UInt8], _ results: inout ProbeResults) throws {
        for expression in options.failIfBodyMatches where expression.pattern.matchesPart(body.span) {
            throw byRegex("the body matches \(expression.text.debugDescription)", &results)
        }
        for expression in options.failIfBodyNotMatches where !expression.pattern.matchesPart(body.span) {
            throw byRegex("the body does not match \(expression.text.debugDescription)", &results)
        }
    }

    private func byRegex(_ reason: String, _ results: inout ProbeResults) -> ProbeFailure {
        results.set(HTTPProbeGauges.failedByRegex, 1)
        return ProbeFailure(reason)
    }

    /// The body, uncompressed as the module says it is compressed, whatever the answer says of itself.
    private func body(_ answer: HTTPExchange.Answer) throws -> [UInt8] {
        guard !options.compression.isEmpty, options.compression != "identity", !answer.body.isEmpty else { return answer.body }
        let limit = options.bodyByteCountMax > 0 ? options.bodyByteCountMax : HTTPProbeLimits.bodyByteCountMax
        guard let compression = Compression.named(contentEncoding: options.compression) else { return answer.body }
        do {
            return try compression.decompress(answer.body.span, byteCountMax: limit)
        } catch {
            throw ProbeFailure("the body is not \(options.compression) as the module expects: \(error)")
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since the Unix epoch; nil for anything else.
    static func seconds(_ text: String) -> Double? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else { return nil }
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        guard let day = Int(words[1]), (1...31).contains(day) else { return nil }
        let date = "\(words[3])-\(two(month + 1))-\(two(day))T\(words[4])Z"
        return RFC3339.nanoseconds(date.utf8).map { Double($0 / 1_000_000_000) }
    }
}
