import Codecs
import Telemetry

/// Spans as a block holds them, behind their start times. Byte for byte: docs/format/parts.md, "Blocks".
enum SpanBlock {
    static func encode(_ spans: [TraceSpan], to bytes: inout [UInt8]) {
        BlockCodec.append(spans, to: &bytes) { span, writer in writer.appendIntrinsics(span) }
        BlockCodec.append(spans, to: &bytes) { span, writer in writer.append(span.attributes) }
        BlockCodec.append(spans, to: &bytes) { span, writer in writer.appendDetails(span) }
    }

    static func decode(
        _ reader: inout ByteReader, _ timestamps: [Int64], _ wanted: ScanRequest.Columns
    ) throws(DecodeError) -> [TraceSpan] {
        var spans: [TraceSpan] = []
        spans.reserveCapacity(timestamps.count)
        // Identifiers and intrinsics lie together: they are small, and nearly every reader wants them.
        if let intrinsics = try BlockCodec.frame(&reader, isWanted: true) {
            var table = try TextTableReader(ByteReader(intrinsics))
            for start in timestamps { spans.append(try table.spanIntrinsics(start: start)) }
        }
        if let attributes = try BlockCodec.frame(&reader, isWanted: wanted.contains(.attributes)) {
            var table = try TextTableReader(ByteReader(attributes))
            for row in spans.indices { spans[row].attributes = try table.attributes() }
        }
        if let details = try BlockCodec.frame(&reader, isWanted: wanted.contains(.details)) {
            var table = try TextTableReader(ByteReader(details))
            for row in spans.indices { try table.spanDetails(into: &spans[row]) }
        }
        return spans
    }
}
