import Codecs

/// The text formats in which targets expose metrics: Prometheus' 0.0.4 (and 1.0.0 with its quoted UTF-8 names) and
/// OpenMetrics 1.0.
package enum Exposition {
    /// The two grammars. OpenMetrics is the stricter one.
    package enum Dialect: Sendable, Hashable {
        case prometheus
        case openMetrics

        /// The dialect of a `Content-Type`; Prometheus' where none or another is named, as Prometheus falls back.
        package init(contentType: String?) {
            let mediaType = (contentType ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
            self = mediaType == "application/openmetrics-text" ? .openMetrics : .prometheus
        }
    }

    /// Parses a whole answer.
    ///
    /// - Parameters:
    ///   - contentType: the answer's `Content-Type`.
    ///   - defaultTimestamp: the scrape's time in milliseconds, for samples without their own.
    ///   - honorTimestamps: whether samples may bring their own time.
    /// - Throws: ``FormatError`` with the line.
    package static func parse(
        _ bytes: Span<UInt8>, contentType: String?, defaultTimestamp: Int64, honorTimestamps: Bool
    ) throws(FormatError) -> ExpositionResult {
        let dialect = Dialect(contentType: contentType)
        var parser = ExpositionParser(
            byteCount: bytes.count, dialect: dialect, defaultTimestamp: defaultTimestamp, honorTimestamps: honorTimestamps)
        do throws(DecodeError) {
            try parser.parse(bytes)
        } catch {
            var formatError = FormatError(dialect == .openMetrics ? "OpenMetrics" : "Prometheus text", error)
            formatError.line = line(of: error.offset, bytes)
            throw formatError
        }
        return parser.result
    }

    /// The line, from 1, in which a byte stands.
    private static func line(of offset: Int, _ bytes: Span<UInt8>) -> Int {
        var line = 1
        for index in 0..<min(offset, bytes.count) where bytes[index] == UInt8(ascii: "\n") { line += 1 }
        return line
    }
}
