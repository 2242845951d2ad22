import Codecs

/// The formats in which targets expose metrics: Prometheus' text 0.0.4 and 1.0.0 (with its quoted UTF-8 names), OpenMetrics 1.0, and
/// the protobuf messages of `io.prometheus.client`.
package enum Exposition {
    /// Reads a whole answer. Labels are read only where ``ExpositionResult/labels(of:)`` is asked for them, and mistakes in them are found
    /// then.
    ///
    /// - Throws: ``FormatError`` with the line or the field.
    package static func read(
        _ body: [UInt8], as format: ExpositionFormat, options: ExpositionOptions
    ) throws(FormatError) -> ExpositionResult {
        do throws(DecodeError) {
            if format == .protobuf {
                var decoder = ProtobufExposition(options: options)
                return try decoder.decode(body.span)
            }
            var parser = ExpositionParser(byteCount: body.count, format: format, options: options)
            try parser.parse(body.span)
            return parser.finish(body)
        } catch {
            throw formatError(error, format, body)
        }
    }

    /// Reads a whole answer, its labels too: an answer of another type than OpenMetrics or protobuf is taken for Prometheus' text.
    ///
    /// - Throws: ``FormatError`` with the line or the field.
    package static func parse(
        _ body: [UInt8], contentType: String?, defaultTimestamp: Int64, honorTimestamps: Bool
    ) throws(FormatError) -> ExpositionResult {
        var options = ExpositionOptions(defaultTimestamp: defaultTimestamp)
        options.honorTimestamps = honorTimestamps
        let format = (try? ExpositionFormat(contentType: contentType, fallback: .prometheusText004)) ?? .prometheusText
        let result = try read(body, as: format, options: options)
        for sample in result.samples { _ = try result.labels(of: sample) }
        return result
    }

    /// A decoder's error in the words of its format, with the line where it has lines.
    static func formatError(_ error: DecodeError, _ format: ExpositionFormat, _ body: [UInt8]) -> FormatError {
        var formatError = FormatError(format.name, error)
        if format != .protobuf {
            formatError.line = 1 + body.prefix(max(0, error.offset)).reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        }
        return formatError
    }
}
