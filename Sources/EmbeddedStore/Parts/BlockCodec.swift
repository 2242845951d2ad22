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
        case .logs(let columns): LogBlock.encode(columns, timestamps: run.timestamps, to: &bytes)
        case .spans(let spans): SpanBlock.encode(spans, to: &bytes)
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
            case .logs: .logs(try LogBlock.decode(&reader, timestamps, columns))
            case .spans: .spans(try SpanBlock.decode(&reader, timestamps, columns))
            case .profiles: .profiles(try decode(&reader, rowCount) { table throws(DecodeError) in try table.profile() })
            }
        return Run(timestamps: timestamps, rows: rows)
    }

    // MARK: Frames

    static func append<Row>(_ rows: [Row], to bytes: inout [UInt8], _ write: (Row, inout TextTableWriter) -> Void) {
        var writer = TextTableWriter()
        for row in rows { write(row, &writer) }
        appendFrame(writer.bytes, to: &bytes)
    }

    private static func decode<Row>(
        _ reader: inout ByteReader, _ rowCount: Int, _ read: (inout TextTableReader) throws(DecodeError) -> Row
    ) throws(DecodeError) -> [Row] {
        try rows(try frame(&reader, isWanted: true) ?? [], rowCount, read)
    }

    static func rows<Row>(
        _ bytes: [UInt8], _ rowCount: Int, _ read: (inout TextTableReader) throws(DecodeError) -> Row
    ) throws(DecodeError) -> [Row] {
        var table = try TextTableReader(ByteReader(bytes))
        var rows: [Row] = []
        rows.reserveCapacity(rowCount)
        for _ in 0..<rowCount { rows.append(try read(&table)) }
        return rows
    }

    /// `plain size, stored size, bytes`: zstd where that is smaller, as they are where the two sizes are the same.
    static func appendFrame(_ plain: [UInt8], to bytes: inout [UInt8]) {
        let compressed = plain.count < 64 ? plain : Compression.zstd.compress(plain.span, level: 3)
        let stored = compressed.count < plain.count ? compressed : plain
        bytes.append(count: plain.count)
        bytes.append(count: stored.count)
        bytes += stored
    }

    /// Reads a frame; nil where it is not wanted.
    static func frame(_ reader: inout ByteReader, isWanted: Bool) throws(DecodeError) -> [UInt8]? {
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
