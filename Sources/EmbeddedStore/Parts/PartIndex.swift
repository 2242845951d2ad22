import Codecs
import Telemetry

/// Where the pages of a part lie. All of a part that stays in memory: some 40 bytes for each page, whatever number of streams it
/// holds. Byte for byte: docs/format/parts.md, "Page index".
struct PartIndex: Sendable {
    /// Where pages of one sort lie, column by column.
    struct Pages: Sendable {
        /// Value pages: the stream of the first chunk. Time pages: the number of the first column.
        fileprivate(set) var firsts: [UInt64] = []
        fileprivate(set) var offsets: [Int64] = []
        fileprivate(set) var byteCounts: [UInt32] = []
        fileprivate(set) var checksums: [UInt32] = []

        var count: Int { firsts.count }

        mutating func append(first: UInt64, offset: Int, byteCount: Int, checksum: UInt32) {
            firsts.append(first)
            offsets.append(Int64(offset))
            byteCounts.append(UInt32(byteCount))
            checksums.append(checksum)
        }
    }

    private(set) var values = Pages()
    /// Of each value page.
    private(set) var minTimes: [Int64] = []
    private(set) var maxTimes: [Int64] = []
    /// Of each value page: how many of its first bytes tell where the rest lies, with their checksum; 0: it is read as a whole. Empty
    /// where all are.
    private(set) var outlines: [UInt32] = []
    private(set) var outlineChecksums: [UInt32] = []
    var times = Pages()

    init() {}

    mutating func appendValuePage(
        stream: UInt64, range: TimeRange, offset: Int, byteCount: Int, checksum: UInt32, outline: Int, outlineChecksum: UInt32
    ) {
        outlines.append(UInt32(outline))
        outlineChecksums.append(outlineChecksum)
        values.append(first: stream, offset: offset, byteCount: byteCount, checksum: checksum)
        minTimes.append(range.start)
        maxTimes.append(range.end)
    }

    func range(_ page: Int) -> TimeRange { TimeRange(minTimes[page], maxTimes[page]) }

    /// The value pages that may hold chunks of a stream: the last one that begins before it, and those that begin with it.
    func pages(of stream: UInt64) -> Range<Int> {
        let start = values.firsts.partitioningIndex { $0 >= stream }
        var end = start
        while end < values.count, values.firsts[end] == stream { end += 1 }
        return max(0, start - 1)..<end
    }

    /// The last stream that a page may hold a chunk of.
    func lastStream(_ page: Int) -> UInt64 {
        page + 1 < values.count ? values.firsts[page + 1] : .max
    }

    // MARK: Bytes

    func encode(_ version: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        for pages in [times, values] {
            bytes.append(count: pages.count)
            IntegerColumn.append(pages.firsts.map { Int64(bitPattern: $0) }, to: &bytes)
            IntegerColumn.append(pages.offsets, to: &bytes)
            IntegerColumn.append(pages.byteCounts.map { Int64($0) }, to: &bytes)
            IntegerColumn.append(pages.checksums.map { Int64($0) }, to: &bytes)
        }
        IntegerColumn.append(minTimes, to: &bytes)
        IntegerColumn.append(zip(maxTimes, minTimes).map { $0 &- $1 }, to: &bytes)
        if version >= PartFooter.logVersion {
            IntegerColumn.append(outlines.map { Int64($0) }, to: &bytes)
            IntegerColumn.append(outlineChecksums.map { Int64($0) }, to: &bytes)
        }
        return bytes
    }

    /// Reads the index of a part whose pages lie between `start` and `end` of the file.
    init(_ bytes: [UInt8], start: Int, end: Int, _ version: UInt8) throws(DecodeError) {
        var reader = ByteReader(bytes)
        times = try Self.pages(&reader, start: start, end: end)
        values = try Self.pages(&reader, start: start, end: end)
        minTimes = try reader.integers(values.count)
        maxTimes = try reader.integers(values.count)
        for page in 0..<values.count {
            maxTimes[page] = minTimes[page] &+ maxTimes[page]
            guard minTimes[page] <= maxTimes[page] else {
                throw DecodeError(offset: reader.offset, field: "times", "page \(page) ends before it begins")
            }
        }
        guard version >= PartFooter.logVersion else { return }
        let byteCounts = try reader.integers(values.count)
        let checksums = try reader.integers(values.count)
        for page in 0..<values.count {
            guard let byteCount = UInt32(exactly: byteCounts[page]), let checksum = UInt32(exactly: checksums[page]),
                byteCount <= values.byteCounts[page]
            else { throw DecodeError(offset: reader.offset, field: "outline", "of \(byteCounts[page]) bytes in page \(page)") }
            outlines.append(byteCount)
            outlineChecksums.append(checksum)
        }
    }

    private static func pages(_ reader: inout ByteReader, start: Int, end: Int) throws(DecodeError) -> Pages {
        let count = try reader.varint("pages")
        // A frame of 1,024 takes at least 3 bytes.
        guard count <= UInt64(reader.left * IntegerColumn.frameValueCountMax) else {
            throw DecodeError(offset: reader.offset, field: "pages", "\(count) do not fit")
        }
        var pages = Pages()
        pages.firsts = try reader.integers(Int(count)).map { UInt64(bitPattern: $0) }
        pages.offsets = try reader.integers(Int(count))
        let byteCounts = try reader.integers(Int(count))
        let checksums = try reader.integers(Int(count))
        for page in 0..<Int(count) {
            guard let byteCount = UInt32(exactly: byteCounts[page]), let checksum = UInt32(exactly: checksums[page]),
                pages.offsets[page] >= start, pages.offsets[page] <= end, Int(byteCount) <= end - Int(pages.offsets[page]),
                page == 0 || pages.firsts[page - 1] <= pages.firsts[page]
            else { throw DecodeError(offset: reader.offset, field: "page", "page \(page) lies at \(pages.offsets[page]) of \(end)") }
            pages.byteCounts.append(byteCount)
            pages.checksums.append(checksum)
        }
        return pages
    }
}

extension [UInt64] {
    /// The first index whose element satisfies `condition`, which holds from there on.
    func partitioningIndex(_ condition: (UInt64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
