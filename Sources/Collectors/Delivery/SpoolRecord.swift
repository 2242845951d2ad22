import Codecs
import Telemetry

/// What a record of a spool holds: the lines of one batch, under the number of the commit that they belong to.
struct SpoolRecord: Sendable {
    var sequence: UInt64
    var batch: DeliveryBatch

    /// `sequence, entry count, bytes of the lines, streams`: protobuf, since it is read by one process and written by another version.
    var encoded: [UInt8] {
        var writer = ProtobufWriter()
        writer.uint64(1, sequence)
        writer.uint64(2, UInt64(batch.entryCount))
        writer.uint64(3, UInt64(batch.lineByteCount))
        for stream in batch.streams {
            writer.message(4) { writer in
                writer.string(1, stream.tenant)
                for label in stream.labels.pairs { Self.write(label, 2, &writer) }
                for entry in stream.entries {
                    writer.message(3) { writer in
                        writer.int64(1, entry.timestamp)
                        writer.string(2, entry.line)
                        for label in entry.metadata.pairs { Self.write(label, 3, &writer) }
                    }
                }
            }
        }
        return writer.bytes
    }

    private static func write(_ label: Label, _ number: Int, _ writer: inout ProtobufWriter) {
        writer.message(number) { writer in
            writer.string(1, label.name)
            writer.string(2, label.value)
        }
    }

    /// The number, and how much is in it, without reading the lines.
    static func head(_ bytes: [UInt8]) throws(DecodeError) -> (sequence: UInt64, entryCount: Int, lineByteCount: Int) {
        let span = bytes.span
        var head = (sequence: UInt64(0), entryCount: 0, lineByteCount: 0)
        var reader = ProtobufReader(span)
        while let field = try reader.next(in: span) {
            switch field.number {
            case 1: head.sequence = try field.uint64("sequence")
            case 2: head.entryCount = Int(clamping: try field.uint64("entries"))
            case 3: head.lineByteCount = Int(clamping: try field.uint64("bytes"))
            default: return head
            }
        }
        return head
    }

    init(sequence: UInt64, batch: DeliveryBatch) {
        self.sequence = sequence
        self.batch = batch
    }

    init(_ bytes: [UInt8]) throws(DecodeError) {
        let span = bytes.span
        sequence = 0
        batch = DeliveryBatch()
        var reader = ProtobufReader(span)
        while let field = try reader.next(in: span) {
            switch field.number {
            case 1: sequence = try field.uint64("sequence")
            case 4: try Self.readStream(try field.message("stream"), span, &batch)
            default: break
            }
        }
    }

    private static func readStream(
        _ message: ProtobufReader, _ span: Span<UInt8>, _ batch: inout DeliveryBatch
    ) throws(DecodeError) {
        var reader = message
        var tenant = ""
        var pairs: [Label] = []
        var labels: Labels?
        while let field = try reader.next(in: span) {
            switch field.number {
            case 1: tenant = try field.validString("tenant", in: span)
            case 2: pairs.append(try label(try field.message("label"), span))
            case 3:
                let known = labels ?? Labels(pairs)
                labels = known
                batch.append(try entry(try field.message("entry"), span), labels: known, tenant: tenant)
            default: break
            }
        }
    }

    private static func entry(_ message: ProtobufReader, _ span: Span<UInt8>) throws(DecodeError) -> LogEntry {
        var reader = message
        var entry = LogEntry(timestamp: 0, line: "")
        var metadata: [Label] = []
        while let field = try reader.next(in: span) {
            switch field.number {
            case 1: entry.timestamp = try field.int64("timestamp")
            case 2: entry.line = try field.validString("line", in: span)
            case 3: metadata.append(try label(try field.message("metadata"), span))
            default: break
            }
        }
        entry.metadata = Labels(metadata)
        return entry
    }

    private static func label(_ message: ProtobufReader, _ span: Span<UInt8>) throws(DecodeError) -> Label {
        var reader = message
        var (name, value) = ("", "")
        while let field = try reader.next(in: span) {
            switch field.number {
            case 1: name = try field.validString("name", in: span)
            case 2: value = try field.validString("value", in: span)
            default: break
            }
        }
        return Label(name, value)
    }
}
