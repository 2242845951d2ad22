import Codecs
import Telemetry

/// A chunk's rows as bytes, but for times that it shares with others. Byte for byte: docs/format/parts.md, "Chunks".
enum BlockCodec {
    /// At which zstd level frames are compressed here and in what is called from here: a flush and the merges of a day that still
    /// grows are quick about it, the one part of a sealed day is written once and takes its time.
    @TaskLocal static var level = 3
    /// Three times the work of level 3; higher ones take ten times and save hardly a hundredth more.
    static let sealedLevel = 9

    static func encode(_ run: Run, to bytes: inout [UInt8]) {
        switch run.rows {
        case .floats(let values): FloatColumn.append(values, to: &bytes)
        case .histograms(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        case .exemplars(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        case .logs(let columns):
            LogBlock.encode(columns, timestamps: run.timestamps, takesApart: run.count >= LogBlock.takenApartRowCountMin, to: &bytes)
        case .spans(let spans): SpanBlock.encode(spans, to: &bytes)
        case .profiles(let values): append(values, to: &bytes) { value, writer in writer.append(value) }
        }
    }

    /// Reads the rows with the columns wanted; the others are left empty.
    static func decode(
        _ reader: inout ByteReader, _ kind: RowKind, _ timestamps: [Int64], columns: ScanRequest.Columns
    ) throws(DecodeError) -> Run.Rows {
        let rowCount = timestamps.count
        return switch kind {
        case .floats: .floats(try reader.floats(rowCount))
        case .histograms: .histograms(try decode(&reader, rowCount) { table throws(DecodeError) in try table.histogram() })
        case .exemplars: .exemplars(try decode(&reader, rowCount) { table throws(DecodeError) in try table.exemplar() })
        case .logs: .logs(try LogBlock.decode(&reader, timestamps, columns))
        case .spans: .spans(try SpanBlock.decode(&reader, timestamps, columns))
        case .profiles: .profiles(try decode(&reader, rowCount) { table throws(DecodeError) in try table.profile() })
        }
    }

    // MARK: A chunk's own times

    /// Size of the column (varint), what divides all differences to the first time, and those; the first one, and the last of two, are known.
    static func appendTimes(_ times: [Int64], to bytes: inout [UInt8]) {
        guard times.count > 2, let first = times.first else {
            bytes.append(count: 0)
            return
        }
        var differences = times.map { $0 &- first }
        let divisor = CommonDivisor.of(differences)
        if divisor > 1 { for index in differences.indices { differences[index] /= divisor } }
        var column: [UInt8] = []
        column.append(varint: UInt64(divisor))
        IntegerColumn.append(differences, to: &column)
        bytes.append(count: column.count)
        bytes += column
    }

    /// Reads the times, and moves behind them.
    static func times(_ reader: inout ByteReader, _ chunk: ValuePage.Chunk) throws(DecodeError) -> [Int64] {
        try times(&reader, Int(chunk.rowCount), first: chunk.minTime, last: chunk.maxTime)
    }

    /// Reads the times, and moves behind them.
    static func times(_ reader: inout ByteReader, _ count: Int, first: Int64, last: Int64) throws(DecodeError) -> [Int64] {
        let column = try reader.take(try reader.count("size of times"), "times")
        switch count {
        case 0: return []
        case 1: return [first]
        case 2: return [first, last]
        default:
            var inner = ByteReader(reader.bytes, column)
            let divisor = Int64(truncatingIfNeeded: try inner.varint("divisor"))
            var times = try inner.integers(count)
            times.withUnsafeMutableBufferPointer { times in
                for index in times.indices { times[index] = times[index] &* divisor &+ first }
            }
            return times
        }
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
        let compressed = plain.count < 64 ? plain : Compression.zstd.compress(plain.span, level: level)
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
