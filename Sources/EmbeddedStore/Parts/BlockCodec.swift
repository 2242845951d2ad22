import Codecs
import Telemetry

/// A block's rows as bytes: the timestamps, then the columns of the kind. Byte for byte: docs/format/parts.md, "Blocks".
enum BlockCodec {
    static func encode(_ run: Run) -> [UInt8] {
        var bytes: [UInt8] = []
        IntegerColumn.append(run.timestamps, to: &bytes)
        switch run.rows {
        case .floats(let values): FloatColumn.append(values, to: &bytes)
        case .histograms(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        case .exemplars(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        case .logs(let columns): encode(columns, to: &bytes)
        case .spans(let spans):
            append(spans, to: &bytes) { span, writer in writer.appendIntrinsics(span) }
            append(spans, to: &bytes) { span, writer in writer.append(span.attributes) }
            append(spans, to: &bytes) { span, writer in writer.appendDetails(span) }
        case .profiles(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        }
        return bytes
    }

    /// Reads the timestamps alone.
    static func decodeTimestamps(_ bytes: [UInt8], rowCount: Int) throws(DecodeError) -> [Int64] {
        var reader = ByteReader(bytes)
        return try reader.integers(rowCount)
    }

    /// Reads the rows with the columns wanted; the others are left empty.
    static func decode(
        _ bytes: [UInt8], _ kind: RowKind, rowCount: Int, columns: ScanRequest.Columns
    ) throws(DecodeError) -> Run {
        var reader = ByteReader(bytes)
        let timestamps = try reader.integers(rowCount)
        let rows: Run.Rows =
            switch kind {
            case .floats: .floats(try reader.floats(rowCount))
            case .histograms: .histograms(try decode(&reader, rowCount) { table throws(DecodeError) in try table.histogram() })
            case .exemplars: .exemplars(try decode(&reader, rowCount) { table throws(DecodeError) in try table.exemplar() })
            case .logs: .logs(try decodeLogs(&reader, rowCount, columns))
            case .spans: .spans(try decodeSpans(&reader, timestamps, columns))
            case .profiles: .profiles(try decode(&reader, rowCount) { table throws(DecodeError) in try table.profile() })
            }
        return Run(timestamps: timestamps, rows: rows)
    }

    // MARK: Logs

    private static func encode(_ columns: LogColumns, to bytes: inout [UInt8]) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(columns.ends.count)
        for row in columns.ends.indices { lengths.append(Int64(columns.range(row).count)) }
        IntegerColumn.append(lengths, to: &bytes)
        appendFrame(columns.bytes, to: &bytes)
        if columns.metadata.allSatisfy(\.isEmpty) {
            appendFrame([], to: &bytes)
        } else {
            append(columns.metadata, to: &bytes) { labels, writer in writer.append(labels) }
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
        appendFrame(ids, to: &bytes)
    }

    private static func decodeLogs(
        _ reader: inout ByteReader, _ rowCount: Int, _ wanted: ScanRequest.Columns
    ) throws(DecodeError) -> LogColumns {
        var columns = LogColumns()
        let lengths = try reader.integers(rowCount)
        if let lines = try frame(&reader, isWanted: wanted.contains(.line)) {
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
        if let metadata = try frame(&reader, isWanted: wanted.contains(.metadata)) {
            if metadata.isEmpty {
                columns.metadata = Array(repeating: .empty, count: rowCount)
            } else {
                columns.metadata = try rows(metadata, rowCount) { table throws(DecodeError) in try table.labels() }
            }
        }
        if let ids = try frame(&reader, isWanted: wanted.contains(.identifiers)) {
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

    // MARK: Spans

    private static func decodeSpans(
        _ reader: inout ByteReader, _ timestamps: [Int64], _ wanted: ScanRequest.Columns
    ) throws(DecodeError) -> [TraceSpan] {
        var spans: [TraceSpan] = []
        spans.reserveCapacity(timestamps.count)
        // Identifiers and intrinsics lie together: they are small, and nearly every reader wants them.
        if let intrinsics = try frame(&reader, isWanted: true) {
            var table = try TextTableReader(ByteReader(intrinsics))
            for start in timestamps { spans.append(try table.spanIntrinsics(start: start)) }
        }
        if let attributes = try frame(&reader, isWanted: wanted.contains(.attributes)) {
            var table = try TextTableReader(ByteReader(attributes))
            for row in spans.indices { spans[row].attributes = try table.attributes() }
        }
        if let details = try frame(&reader, isWanted: wanted.contains(.details)) {
            var table = try TextTableReader(ByteReader(details))
            for row in spans.indices { try table.spanDetails(into: &spans[row]) }
        }
        return spans
    }

    // MARK: Frames

    private static func append<Row>(_ rows: [Row], to bytes: inout [UInt8], _ write: (Row, inout TextTableWriter) -> Void) {
        var writer = TextTableWriter()
        for row in rows { write(row, &writer) }
        appendFrame(writer.bytes, to: &bytes)
    }

    private static func decode<Row>(
        _ reader: inout ByteReader, _ rowCount: Int, _ read: (inout TextTableReader) throws(DecodeError) -> Row
    ) throws(DecodeError) -> [Row] {
        try rows(try frame(&reader, isWanted: true) ?? [], rowCount, read)
    }

    private static func rows<Row>(
        _ bytes: [UInt8], _ rowCount: Int, _ read: (inout TextTableReader) throws(DecodeError) -> Row
    ) throws(DecodeError) -> [Row] {
        var table = try TextTableReader(ByteReader(bytes))
        var rows: [Row] = []
        rows.reserveCapacity(rowCount)
        for _ in 0..<rowCount { rows.append(try read(&table)) }
        return rows
    }

    /// `plain size, stored size, bytes`: zstd where that is smaller, as they are where the two sizes are the same.
    private static func appendFrame(_ plain: [UInt8], to bytes: inout [UInt8]) {
        let compressed = plain.count < 64 ? plain : Compression.zstd.compress(plain.span, level: 3)
        let stored = compressed.count < plain.count ? compressed : plain
        bytes.append(count: plain.count)
        bytes.append(count: stored.count)
        bytes += stored
    }

    /// Reads a frame; nil where it is not wanted.
    private static func frame(_ reader: inout ByteReader, isWanted: Bool) throws(DecodeError) -> [UInt8]? {
        let plainByteCount = try reader.varint("plain size")
        guard plainByteCount <= UInt64(Limits.blockContentByteCountMax) else {
            throw DecodeError(offset: reader.offset, field: "plain size", "\(plainByteCount) bytes")
        }
        let stored = try reader.take(try reader.count("stored size"), "frame")
        guard isWanted else { return nil }
        if stored.count == Int(plainByteCount) { return Array(reader.bytes[stored]) }
        do {
            let plain = try Compression.zstd.decompress(reader.bytes.span.extracting(stored), byteCountMax: Int(plainByteCount))
            guard plain.count == Int(plainByteCount) else {
                throw DecodeError(offset: stored.lowerBound, field: "frame", "\(plain.count) bytes, not \(plainByteCount)")
            }
            return plain
        } catch let error as DecompressionError {
            throw DecodeError(offset: stored.lowerBound, field: "frame", error.description)
        } catch let error as DecodeError {
            throw error
        } catch {
            throw DecodeError(offset: stored.lowerBound, field: "frame", "\(error)")
        }
    }
}
