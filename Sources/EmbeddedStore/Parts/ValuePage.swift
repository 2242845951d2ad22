import Codecs
import Telemetry

/// A page of chunks as a reader has it: its bytes, and what its header says of each chunk.
final class ValuePage: Sendable {
    /// Rows of one stream and kind that are encoded together.
    struct Chunk: Sendable {
        var stream: UInt64
        var minTime: Int64
        var maxTime: Int64
        /// The number of its time column within the part; ``ownTimes`` where its bytes begin with its own.
        var times: UInt32
        var rowCount: UInt32
        /// Where its bytes lie in the page.
        var offset: UInt32
        var byteCount: UInt32
        var kind: RowKind

        var range: TimeRange { TimeRange(minTime, maxTime) }
        var bytes: Range<Int> { Int(offset)..<Int(offset) + Int(byteCount) }
    }

    static let ownTimes = UInt32.max

    /// What it takes in memory.
    var memoryByteCount: Int { bytes.count + chunks.count * MemoryLayout<Chunk>.stride }

    /// The page; or only its outline: its header and the head of its only block.
    let bytes: [UInt8]
    let isWhole: Bool
    /// Where it lies in the file.
    let fileOffset: Int
    /// By stream, kind and time.
    let chunks: [Chunk]
    /// Why some of its chunks are missing: the pages with their times cannot be read.
    let failures: [PartFailure]

    /// Reads the header of a page whose checksum was right.
    ///
    /// - Parameters:
    ///   - byteCount: of the whole page, where `bytes` is only its outline.
    ///   - time: what is known of a time column without decoding it.
    init(_ bytes: [UInt8], at fileOffset: Int, byteCount: Int? = nil, time: (UInt32) throws(PartFailure) -> TimePage.Entry) throws(DecodeError) {
        self.bytes = bytes
        self.fileOffset = fileOffset
        let pageByteCount = byteCount ?? bytes.count
        isWhole = pageByteCount == bytes.count
        var reader = ByteReader(bytes)
        let count = try reader.count("chunks", byteCountMin: 3)
        var chunks = [Chunk](
            repeating: Chunk(stream: 0, minTime: 0, maxTime: 0, times: 0, rowCount: 0, offset: 0, byteCount: 0, kind: .floats), count: count)
        var position = 0
        while position < count {
            guard let kind = RowKind(rawValue: try reader.byte("kind")) else {
                throw DecodeError(offset: reader.offset, field: "kind", "unknown")
            }
            let length = try reader.varint("kinds")
            guard length > 0, length <= UInt64(count - position) else {
                throw DecodeError(offset: reader.offset, field: "kinds", "\(length) of \(count - position)")
            }
            for index in position..<position + Int(length) { chunks[index].kind = kind }
            position += Int(length)
        }
        var stream: UInt64 = 0
        for index in 0..<count {
            let (next, overflow) = stream.addingReportingOverflow(try reader.varint("stream"))
            if overflow { throw DecodeError(offset: reader.offset, field: "stream", "not ascending") }
            stream = next
            chunks[index].stream = stream
        }
        let failures = try Self.readTimes(&reader, &chunks, time)
        for index in 0..<count { chunks[index].byteCount = try reader.uint32("bytes") }
        var offset = reader.offset
        for index in 0..<count {
            guard Int(chunks[index].byteCount) <= pageByteCount - offset else {
                throw DecodeError(
                    offset: offset, field: "chunk", "\(chunks[index].byteCount) bytes where \(pageByteCount - offset) are left")
            }
            chunks[index].offset = UInt32(offset)
            offset += Int(chunks[index].byteCount)
        }
        guard offset == pageByteCount else {
            throw DecodeError(offset: offset, field: "page", "\(pageByteCount - offset) bytes too many")
        }
        if !failures.isEmpty { chunks.removeAll { $0.rowCount == 0 } }
        self.chunks = chunks
        self.failures = failures
    }

    private static func readTimes(
        _ reader: inout ByteReader, _ chunks: inout [Chunk], _ time: (UInt32) throws(PartFailure) -> TimePage.Entry
    ) throws(DecodeError) -> [PartFailure] {
        var failures: [PartFailure] = []
        var (expected, previous) = (Int64(0), Int64(0))
        for index in chunks.indices {
            if chunks[index].kind.sharesTimes {
                guard let number = UInt32(exactly: expected &+ (try reader.signed("time column"))), number != ownTimes else {
                    throw DecodeError(offset: reader.offset, field: "time column", "beyond 32 bits")
                }
                expected = Int64(number) + 1
                chunks[index].times = number
                do throws(PartFailure) {
                    let entry = try time(number)
                    (chunks[index].rowCount, chunks[index].minTime, chunks[index].maxTime) = (entry.rowCount, entry.first, entry.last)
                } catch {
                    // It stays without rows, and is left out at the end.
                    failures.append(error)
                }
            } else {
                let rowCount = try reader.uint32("rows")
                let first = previous &+ (try reader.signed("first time"))
                let length = try reader.varint("last time")
                let last = first &+ Int64(bitPattern: length)
                guard rowCount > 0, rowCount <= UInt32(Limits.chunkRowCountMax), first <= last else {
                    throw DecodeError(offset: reader.offset, field: "chunk", "\(rowCount) rows from \(first) to \(last)")
                }
                previous = first
                chunks[index].times = ownTimes
                (chunks[index].rowCount, chunks[index].minTime, chunks[index].maxTime) = (rowCount, first, last)
            }
        }
        return failures
    }

    /// The chunks of a stream.
    func chunks(of stream: UInt64) -> Range<Int> {
        var (low, high) = (0, chunks.count)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].stream < stream { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < chunks.count, chunks[end].stream == stream { end += 1 }
        return low..<end
    }
}

extension RowKind {
    /// Whether chunks refer to time columns of the part. Scrapes share theirs; lines, spans and profiles have each their own.
    var sharesTimes: Bool { self == .floats || self == .histograms }
}
