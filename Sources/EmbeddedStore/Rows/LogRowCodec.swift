import Codecs
import Telemetry

/// Log rows in a record of the write-ahead log: column by column, the lines as they are. Byte for byte: docs/format/wal.md, "Logs".
enum LogRowCodec {
    private static let hasMetadata: UInt8 = 1

    static func encode(_ groups: [PreparedBatch.LogGroup]) -> [UInt8] {
        var bytes: [UInt8] = []
        // A row takes a timestamp and a length beside its line.
        bytes.reserveCapacity(groups.reduce(16) { $0 + $1.rows.bytes.count + 12 * $1.rows.count + 16 })
        bytes.append(count: groups.count)
        for group in groups {
            let rows = group.rows
            let isPlain = rows.metadata.isEmpty && rows.traceIDs.isEmpty
            bytes.append(varint: UInt64(group.slot))
            bytes.append(count: rows.count)
            bytes.append(isPlain ? 0 : hasMetadata)
            var previous: Int64 = 0
            for timestamp in rows.timestamps {
                bytes.append(signed: timestamp &- previous)
                previous = timestamp
            }
            var start = 0
            for end in rows.ends {
                bytes.append(count: end - start)
                start = end
            }
            bytes += rows.bytes
            if isPlain { continue }
            var writer = TextTableWriter()
            for row in rows.timestamps.indices {
                writer.append(rows.metadata.isEmpty ? .empty : rows.metadata[row])
                writer.append(rows.traceIDs.isEmpty ? .none : rows.traceIDs[row], rows.spanIDs.isEmpty ? .none : rows.spanIDs[row])
            }
            bytes.append(counted: writer.bytes)
        }
        return bytes
    }

    static func decode(_ body: ByteReader) throws(DecodeError) -> [PreparedBatch.LogGroup] {
        var reader = body
        var groups: [PreparedBatch.LogGroup] = []
        for _ in 0..<(try reader.count("streams", byteCountMin: 3)) {
            let slot = try reader.uint32("slot")
            groups.append(PreparedBatch.LogGroup(slot: slot, rows: try rows(&reader)))
        }
        return groups
    }

    private static func rows(_ reader: inout ByteReader) throws(DecodeError) -> LogRows {
        let count = try reader.count("rows", byteCountMin: 2)
        let flags = try reader.byte("flags")
        guard flags <= hasMetadata else { throw DecodeError(offset: reader.offset, field: "flags", "\(flags)") }
        var timestamps: [Int64] = []
        timestamps.reserveCapacity(count)
        var timestamp: Int64 = 0
        for _ in 0..<count {
            timestamp = timestamp &+ (try reader.signed("timestamp"))
            timestamps.append(timestamp)
        }
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        var total = 0
        for _ in 0..<count {
            let length = try reader.count("line")
            lengths.append(length)
            // Each is at most what is left of the record, so that the sum cannot overflow before it is refused.
            total += length
            guard total <= reader.left else { throw DecodeError(offset: reader.offset, field: "line", "\(total) bytes of \(reader.left)") }
        }
        let lines = try reader.take(total, "lines")
        var table: TextTableReader?
        if flags == hasMetadata {
            let range = try reader.take(try reader.count("metadata"), "metadata")
            table = try TextTableReader(ByteReader(reader.bytes, range))
        }
        var rows = LogRows()
        rows.reserve(lineByteCount: total)
        var start = lines.lowerBound
        for (timestamp, length) in zip(timestamps, lengths) {
            let metadata = try table?.labels() ?? .empty
            let ids = try table?.identifiers() ?? (trace: .none, span: .none)
            let line = reader.bytes.span.extracting(start..<start + length)
            rows.append(timestamp: timestamp, line: line, metadata: metadata, traceID: ids.trace, spanID: ids.span)
            start += length
        }
        return rows
    }
}
