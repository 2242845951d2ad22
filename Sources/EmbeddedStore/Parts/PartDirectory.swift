import Codecs
import Telemetry

/// Where each stream's blocks lie in a part. Byte for byte: docs/format/parts.md, "Directory".
struct PartDirectory: Sendable {
    /// One block: rows of one stream and one kind.
    struct Block: Sendable, Hashable {
        var kind: RowKind
        var rowCount: UInt32
        var byteCount: UInt32
        var checksum: UInt32
        var offset: Int
        var minTime: Int64
        var maxTime: Int64

        var range: TimeRange { TimeRange(minTime, maxTime) }
    }

    /// The day's ids of the streams, ascending.
    private(set) var streamIDs: [UInt64] = []
    /// Where each stream's blocks begin in ``blocks``, and where the last one's end.
    private(set) var starts: [UInt32] = [0]
    /// By stream, kind and time.
    private(set) var blocks: [Block] = []

    init() {}

    /// Adds a block, whose stream is the last one's or a later one.
    mutating func append(_ block: Block, stream: UInt64) {
        if streamIDs.last != stream {
            precondition(streamIDs.last.map { $0 < stream } ?? true, "streams come in order")
            streamIDs.append(stream)
            starts.append(UInt32(blocks.count))
        }
        blocks.append(block)
        starts[starts.count - 1] = UInt32(blocks.count)
    }

    /// The blocks of a stream.
    func blocks(of stream: UInt64) -> Range<Int> {
        var (low, high) = (0, streamIDs.count)
        while low < high {
            let middle = (low + high) / 2
            if streamIDs[middle] < stream { low = middle + 1 } else { high = middle }
        }
        guard low < streamIDs.count, streamIDs[low] == stream else { return 0..<0 }
        return blocks(at: low)
    }

    func blocks(at streamIndex: Int) -> Range<Int> {
        Int(starts[streamIndex])..<Int(starts[streamIndex + 1])
    }

    func encode() -> [UInt8] {
        var plain: [UInt8] = []
        plain.append(count: streamIDs.count)
        var (previous, time) = (UInt64(0), Int64(0))
        for (index, stream) in streamIDs.enumerated() {
            plain.append(varint: stream &- previous)
            previous = stream
            let range = blocks(at: index)
            plain.append(count: range.count)
            for block in blocks[range] {
                plain.append(block.kind.rawValue)
                plain.append(varint: UInt64(block.rowCount))
                plain.append(varint: UInt64(block.byteCount))
                plain.append(fixed32: block.checksum)
                plain.append(signed: block.minTime &- time)
                plain.append(signed: block.maxTime &- block.minTime)
                time = block.minTime
            }
        }
        var bytes: [UInt8] = []
        bytes.append(count: plain.count)
        return bytes + Compression.zstd.compress(plain.span, level: 1)
    }

    /// Reads a directory whose blocks begin at `offset` of the file and end at or before `end`.
    init(_ bytes: [UInt8], offset: Int, end: Int) throws(DecodeError) {
        var header = ByteReader(bytes)
        let byteCount = try header.count("directory", byteCountMin: 0)
        let plain: [UInt8]
        do {
            plain = try Compression.zstd.decompress(bytes.span.extracting(header.offset..<bytes.count), byteCountMax: byteCount)
        } catch {
            throw DecodeError(offset: header.offset, field: "directory", error.description)
        }
        var reader = ByteReader(plain)
        let streamCount = try reader.count("streams", byteCountMin: 2)
        streamIDs.reserveCapacity(streamCount)
        starts.reserveCapacity(streamCount + 1)
        var (stream, time, offset) = (UInt64(0), Int64(0), offset)
        for index in 0..<streamCount {
            let delta = try reader.varint("stream")
            let (next, overflow) = stream.addingReportingOverflow(delta)
            guard !overflow, index == 0 || delta > 0 else { throw DecodeError(offset: reader.offset, field: "stream", "not ascending") }
            stream = next
            let blockCount = try reader.count("blocks", byteCountMin: 9)
            for _ in 0..<blockCount {
                guard let kind = RowKind(rawValue: try reader.byte("kind")) else {
                    throw DecodeError(offset: reader.offset, field: "kind", "unknown")
                }
                let rowCount = try reader.uint32("rows")
                let blockByteCount = try reader.uint32("bytes")
                let checksum = try reader.fixed32("checksum")
                let minTime = time &+ (try reader.signed("first time"))
                let maxTime = minTime &+ (try reader.signed("last time"))
                guard minTime <= maxTime, rowCount > 0, rowCount <= Limits.floatRowCountMax, Int(blockByteCount) <= end - offset else {
                    throw DecodeError(offset: reader.offset, field: "block", "\(rowCount) rows, \(blockByteCount) bytes at \(offset) of \(end)")
                }
                append(
                    Block(
                        kind: kind, rowCount: rowCount, byteCount: blockByteCount, checksum: checksum, offset: offset, minTime: minTime,
                        maxTime: maxTime),
                    stream: stream)
                time = minTime
                offset += Int(blockByteCount)
            }
        }
    }
}
