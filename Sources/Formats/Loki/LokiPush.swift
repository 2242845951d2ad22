import Codecs
package import Telemetry

/// Loki's push API (grafana.com/docs/loki, "Ingest logs"): `POST /loki/api/v1/push` and the older `POST /api/prom/push`.
package enum LokiPush {
    static let format = "Loki push"

    /// Decodes an uncompressed `logproto.PushRequest`.
    ///
    /// Lines that are no UTF-8 get U+FFFD for what is none: a log line is never refused for its bytes.
    ///
    /// - Throws: ``FormatError``.
    package static func decodeProtobuf(_ bytes: Span<UInt8>) throws(FormatError) -> LogBatch {
        var batch = LogBatch()
        do throws(DecodeError) {
            var reader = ProtobufReader(bytes)
            while let field = try reader.next(in: bytes) {
                guard field.number == 1 else { continue }
                batch.streams.append(try stream(try field.message("PushRequest.streams"), bytes))
            }
        } catch {
            throw FormatError(format, error)
        }
        return batch
    }

    /// Encodes a batch as an uncompressed `logproto.PushRequest`.
    package static func encodeProtobuf(_ batch: LogBatch) -> [UInt8] {
        var writer = ProtobufWriter()
        for stream in batch.streams {
            writer.message(1) { writer in
                writer.string(1, stream.labels.description)
                for entry in stream.entries {
                    writer.message(2) { writer in
                        writer.message(1) { writer in
                            let (seconds, nanoseconds) = floorDivide(entry.timestamp, 1_000_000_000)
                            writer.int64(1, seconds)
                            writer.int64(2, nanoseconds)
                        }
                        writer.string(2, entry.line)
                        for label in entry.metadata.pairs {
                            writer.message(3) { writer in
                                writer.string(1, label.name)
                                writer.string(2, label.value)
                            }
                        }
                    }
                }
            }
        }
        return writer.bytes
    }

    private static func stream(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> LogBatch.Stream {
        var reader = message
        var stream = LogBatch.Stream(labels: .empty)
        stream.entries.reserve(lineByteCount: message.end - message.offset)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1:
                let range = try field.range("Stream.labels")
                stream.labels = try LokiLabelCache.labels(
                    try field.validString("Stream.labels", in: bytes), offset: range.lowerBound)
            case 2: try appendEntry(try field.message("Stream.entries"), bytes, to: &stream.entries)
            default: break
            }
        }
        guard !stream.labels.isEmpty else {
            throw DecodeError(offset: message.offset, field: "Stream.labels", "a stream must have at least one label")
        }
        return stream
    }

    private static func appendEntry(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, to rows: inout LogRows
    ) throws(DecodeError) {
        var reader = message
        var (timestamp, line) = (Int64(0), 0..<0)
        var metadata: [Label] = []
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: timestamp = try Self.timestamp(try field.message("Entry.timestamp"), bytes)
            case 2: line = try field.range("Entry.line")
            case 3:
                var pair = try field.message("Entry.structuredMetadata")
                var label = Label("", "")
                while let field = try pair.next(in: bytes) {
                    switch field.number {
                    case 1: label.name = try field.string("LabelPair.name", in: bytes)
                    case 2: label.value = try field.string("LabelPair.value", in: bytes)
                    default: break
                    }
                }
                metadata.append(label)
            default: break
            }
        }
        // The line goes from the request's bytes into the rows without a stop between.
        guard metadata.isEmpty, bytes.firstInvalidUTF8(line) == nil else {
            var entry = LogEntry(timestamp: timestamp, line: bytes.text(line), metadata: Labels(metadata))
            entry.adoptTraceContext()
            return rows.append(entry)
        }
        let text = bytes.extracting(line)
        rows.append(timestamp: timestamp, line: text)
    }

    /// A `google.protobuf.Timestamp` in nanoseconds.
    private static func timestamp(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        var reader = message
        var (seconds, nanoseconds) = (Int64(0), Int64(0))
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: seconds = try field.int64("Timestamp.seconds")
            case 2: nanoseconds = Int64(try field.int32("Timestamp.nanos"))
            default: break
            }
        }
        let (product, hasOverflown) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, hasOverflownToo) = product.addingReportingOverflow(nanoseconds)
        if hasOverflown || hasOverflownToo {
            throw DecodeError(offset: message.offset, field: "Entry.timestamp", "\(seconds) s is beyond what nanoseconds hold")
        }
        return sum
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
