import Codecs
import Telemetry

/// Log rows as a block holds them, behind their timestamps. Byte for byte: docs/format/parts.md, "Blocks".
enum LogBlock {
    static func encode(_ columns: LogColumns, to bytes: inout [UInt8]) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(columns.ends.count)
        for row in columns.ends.indices { lengths.append(Int64(columns.range(row).count)) }
        IntegerColumn.append(lengths, to: &bytes)
        BlockCodec.appendFrame(columns.bytes, to: &bytes)
        if columns.metadata.allSatisfy(\.isEmpty) {
            BlockCodec.appendFrame([], to: &bytes)
        } else {
            BlockCodec.append(columns.metadata, to: &bytes) { labels, writer in writer.append(labels) }
        }
        var ids: [UInt8] = []
        if !columns.traceIDs.allSatisfy(\.isNone) || !columns.spanIDs.allSatisfy(\.isNone) {
            ids.reserveCapacity(columns.traceIDs.count * 24)
            for id in columns.traceIDs {
                ids.append(fixed64: id.high)
                ids.append(fixed64: id.low)
            }
            for id in columns.spanIDs { ids.append(fixed64: id.value) }
        }
        BlockCodec.appendFrame(ids, to: &bytes)
    }

    static func decode(
        _ reader: inout ByteReader, _ rowCount: Int, _ wanted: ScanRequest.Columns
    ) throws(DecodeError) -> LogColumns {
        var columns = LogColumns()
        let lengths = try reader.integers(rowCount)
        if let lines = try BlockCodec.frame(&reader, isWanted: wanted.contains(.line)) {
            columns.ends.reserveCapacity(rowCount)
            var end = 0
            for length in lengths {
                guard length >= 0, length <= lines.count - end else {
                    throw DecodeError(offset: reader.offset, field: "line length", "\(length) bytes where \(lines.count - end) are left")
                }
                end += Int(length)
                columns.ends.append(end)
            }
            columns.bytes = lines
        }
        if let metadata = try BlockCodec.frame(&reader, isWanted: wanted.contains(.metadata)) {
            if metadata.isEmpty {
                columns.metadata = Array(repeating: .empty, count: rowCount)
            } else {
                columns.metadata = try BlockCodec.rows(metadata, rowCount) { table throws(DecodeError) in try table.labels() }
            }
        }
        if let ids = try BlockCodec.frame(&reader, isWanted: wanted.contains(.identifiers)) {
            if ids.isEmpty {
                columns.traceIDs = Array(repeating: .none, count: rowCount)
                columns.spanIDs = Array(repeating: .none, count: rowCount)
            } else {
                var reader = ByteReader(ids)
                for _ in 0..<rowCount {
                    columns.traceIDs.append(TraceID(high: try reader.fixed64("trace id"), low: try reader.fixed64("trace id")))
                }
                for _ in 0..<rowCount { columns.spanIDs.append(SpanID(try reader.fixed64("span id"))) }
            }
        }
        return columns
    }
}
