import Codecs
import Telemetry

/// An open part: reads, checks and decodes its pages, one at a time. Belongs to one scan or merge.
final class PartReader {
    let part: Part
    let index: PartIndex
    /// What was read so far.
    private(set) var statistics = ScanStatistics.Values()
    private let file: any StoreFile
    /// Pages are read as a whole even where an outline would tell where their sections lie: whoever merges needs all of them.
    private let readsWhole: Bool
    /// Why the disk did not give what a decoder asked for.
    private var loadFailure: PartFailure?
    /// The rows wanted: ``times(_:)`` leaves out the others.
    private let range: TimeRange
    private let cacheByteCountMax: Int
    private let shared: PageCache?
    /// Pages of times, and the columns decoded of them, may take four times as much each: many value pages share them.
    private var timesByteCountMax: Int { max(1 << 20, 4 * cacheByteCountMax) }
    /// The value pages read last, the last one at the end.
    private var pages: [(number: Int, page: ValuePage)] = []
    private var pagesByteCount = 0
    /// Time pages by their numbers, and the one used last.
    private var timePages: [Int: TimePage] = [:]
    private var lastTimePage: TimePage?
    private var timePagesByteCount = 0
    private var timeColumnsByteCount = 0
    /// Time columns of which the range leaves something out.
    private var clippedTimes: [UInt32: Times] = [:]

    /// A time column, without what lies outside of the range.
    struct Times {
        var times: [Int64]
        /// The rows that are left.
        var rows: Range<Int>
    }

    init(
        part: Part, file: any StoreFile, index: PartIndex, range: TimeRange, cacheByteCountMax: Int, shared: PageCache?, readsWhole: Bool
    ) {
        self.readsWhole = readsWhole
        self.part = part
        self.file = file
        self.index = index
        self.range = range
        self.cacheByteCountMax = cacheByteCountMax
        self.shared = shared
        statistics.partsRead = 1
    }

    // MARK: Value pages

    func page(_ number: Int) throws(PartFailure) -> ValuePage {
        if let last = pages.last, last.number == number { return last.page }
        if let position = pages.lastIndex(where: { $0.number == number }) {
            let found = pages.remove(at: position)
            pages.append(found)
            return found.page
        }
        let page = try sharedPage(number)
        pagesByteCount += page.memoryByteCount
        while let first = pages.first, pagesByteCount > cacheByteCountMax {
            pagesByteCount -= first.page.memoryByteCount
            pages.removeFirst()
        }
        pages.append((number, page))
        return page
    }

    private func sharedPage(_ number: Int) throws(PartFailure) -> ValuePage {
        guard let shared else { return try readPage(number) }
        let key = PageCache.Key(part: part.number, page: number)
        if let page = shared.page(key) { return page }
        let page = try readPage(number)
        if page.failures.isEmpty { shared.insert(page, for: key) }
        return page
    }

    private func readPage(_ number: Int) throws(PartFailure) -> ValuePage {
        let outline = readsWhole || index.outlines.isEmpty ? 0 : Int(index.outlines[number])
        if !readsWhole, part.footer.signal == .logs, let known = part.logPage(number) { return known }
        let bytes: [UInt8]
        if outline > 0 {
            statistics.pagesRead += 1
            statistics.bytesRead += outline
            bytes = try part.read(
                file, Int(index.values.offsets[number]), outline, index.outlineChecksums[number], "outline of page \(number)")
        } else {
            bytes = try self.bytes(index.values, number, "page \(number)")
        }
        let page: ValuePage
        do throws(DecodeError) {
            page = try ValuePage(bytes, at: Int(index.values.offsets[number]), byteCount: Int(index.values.byteCounts[number])) { number throws(PartFailure) in try self.timeEntry(number) }
        } catch {
            throw part.damaged("page \(number)", Int(index.values.offsets[number]), error.description)
        }
        for failure in page.failures where !failure.isDamage { throw failure }
        return page
    }

    private func bytes(_ pages: PartIndex.Pages, _ number: Int, _ what: @autoclosure () -> String) throws(PartFailure) -> [UInt8] {
        statistics.pagesRead += 1
        statistics.bytesRead += Int(pages.byteCounts[number])
        return try part.read(file, Int(pages.offsets[number]), Int(pages.byteCounts[number]), pages.checksums[number], what())
    }

    // MARK: Times

    /// What is known of a time column without decoding it.
    private func timeEntry(_ number: UInt32) throws(PartFailure) -> TimePage.Entry {
        let page = try timePage(of: number)
        return page.entries[Int(number) - page.firstNumber]
    }

    private func timePage(of number: UInt32) throws(PartFailure) -> TimePage {
        if let last = lastTimePage, Int(number) >= last.firstNumber, Int(number) - last.firstNumber < last.entries.count { return last }
        let position = index.times.firsts.partitioningIndex { $0 > UInt64(number) } - 1
        guard position >= 0 else { throw unknownTimes(number, at: 0) }
        let page: TimePage
        if let known = timePages[position] { page = known } else { page = try readTimePage(position) }
        guard Int(number) - page.firstNumber < page.entries.count else { throw unknownTimes(number, at: Int(index.times.offsets[position])) }
        lastTimePage = page
        return page
    }

    private func unknownTimes(_ number: UInt32, at offset: Int) -> PartFailure {
        part.damaged("times", offset, "there is no time column \(number)")
    }

    private func readTimePage(_ position: Int) throws(PartFailure) -> TimePage {
        let bytes = try bytes(index.times, position, "page of times \(position)")
        if timePagesByteCount > timesByteCountMax {
            timePages.removeAll(keepingCapacity: true)
            (timePagesByteCount, timeColumnsByteCount) = (0, 0)
        }
        do throws(DecodeError) {
            let page = try TimePage(bytes, firstNumber: Int(clamping: index.times.firsts[position]))
            timePages[position] = page
            timePagesByteCount += page.byteCount
            return page
        } catch {
            throw part.damaged("page of times \(position)", Int(index.times.offsets[position]), error.description)
        }
    }

    /// All times of a column.
    func allTimes(_ number: UInt32) throws(PartFailure) -> [Int64] {
        let page = try timePage(of: number)
        do throws(DecodeError) {
            let (times, byteCount) = try page.column(Int(number) - page.firstNumber)
            timeColumnsByteCount += byteCount
            if timeColumnsByteCount > timesByteCountMax {
                for page in timePages.values { page.dropColumns() }
                timeColumnsByteCount = 0
            }
            return times
        } catch {
            let position = index.times.firsts.partitioningIndex { $0 > UInt64(number) } - 1
            throw part.damaged("times \(number)", Int(index.times.offsets[position]), error.description)
        }
    }

    /// The times of a chunk that lie in the range, and which rows they are. Chunks that share a column get the same storage.
    func times(_ chunk: ValuePage.Chunk, of page: ValuePage) throws(PartFailure) -> Times {
        if chunk.times == ValuePage.ownTimes { return clip(try ownTimes(chunk, of: page)) }
        if range.start <= chunk.minTime, chunk.maxTime <= range.end {
            return Times(times: try allTimes(chunk.times), rows: 0..<Int(chunk.rowCount))
        }
        if let known = clippedTimes[chunk.times] { return known }
        let times = clip(try allTimes(chunk.times))
        clippedTimes[chunk.times] = times
        return times
    }

    private func clip(_ times: [Int64]) -> Times {
        let start = times.partitioningIndex { $0 >= range.start }
        let end = max(start, times.partitioningIndex { $0 > range.end })
        return Times(times: end - start == times.count ? times : Array(times[start..<end]), rows: start..<end)
    }

    private func ownTimes(_ chunk: ValuePage.Chunk, of page: ValuePage) throws(PartFailure) -> [Int64] {
        if chunk.kind == .logs { return try logTimes(chunk, of: page) }
        var reader = ByteReader(page.bytes, chunk.bytes)
        do throws(DecodeError) { return try BlockCodec.times(&reader, chunk) } catch { throw damaged(chunk, of: page, error) }
    }

    /// Reads bytes of a chunk of which the page at hand holds only the head.
    func load(_ range: Range<Int>, of chunk: ValuePage.Chunk, _ page: ValuePage) throws(DecodeError) -> [UInt8] {
        statistics.bytesRead += range.count
        do throws(StoreError) {
            return try file.read(at: page.fileOffset + Int(chunk.offset) + range.lowerBound, count: range.count)
        } catch {
            loadFailure = PartFailure(offset: page.fileOffset + Int(chunk.offset) + range.lowerBound, error: error)
            throw DecodeError(offset: range.lowerBound, field: "section", error.description)
        }
    }

    // MARK: Chunks

    /// The values of a chunk of floats.
    func floats(_ chunk: ValuePage.Chunk, of page: ValuePage) throws(PartFailure) -> [Double] {
        count(chunk)
        var offset = Int(chunk.offset)
        let bytes = page.bytes
        do throws(DecodeError) {
            return try FloatColumn.read(bytes.span.extracting(0..<chunk.bytes.upperBound), at: &offset, count: Int(chunk.rowCount))
        } catch { throw damaged(chunk, of: page, error) }
    }

    /// All rows of a chunk.
    func run(_ chunk: ValuePage.Chunk, of page: ValuePage, columns: ScanRequest.Columns) throws(PartFailure) -> Run {
        if chunk.kind == .floats {
            return Run(timestamps: try allTimes(chunk.times), rows: .floats(try floats(chunk, of: page)))
        }
        if chunk.kind == .logs { return try logs(chunk, of: page, columns: columns, fields: []) }
        count(chunk)
        let shared = chunk.times == ValuePage.ownTimes ? nil : try allTimes(chunk.times)
        var reader = ByteReader(page.bytes, chunk.bytes)
        do throws(DecodeError) {
            let times: [Int64]
            if let shared { times = shared } else { times = try BlockCodec.times(&reader, chunk) }
            return Run(timestamps: times, rows: try BlockCodec.decode(&reader, chunk.kind, times, columns: columns))
        } catch { throw damaged(chunk, of: page, error) }
    }

    /// Whether a row of a chunk of logs or spans may satisfy the predicates: what its filters say.
    func mayHold(_ chunk: ValuePage.Chunk, of page: ValuePage, _ predicates: ScanPredicates) throws(PartFailure) -> Bool {
        guard chunk.kind == .logs || chunk.kind == .spans, !predicates.isEmpty else { return true }
        let mayHold = chunk.kind == .logs ? try logsMayHold(chunk, of: page, predicates) : try spansMayHold(chunk, of: page, predicates)
        if !mayHold { statistics.blocksSkipped += 1 }
        return mayHold
    }

    private func spansMayHold(_ chunk: ValuePage.Chunk, of page: ValuePage, _ predicates: ScanPredicates) throws(PartFailure) -> Bool {
        var reader = ByteReader(page.bytes, chunk.bytes)
        do throws(DecodeError) { _ = try reader.take(try reader.count("size of times"), "times") } catch { throw damaged(chunk, of: page, error) }
        let bytes = page.bytes
        return SpanBlock.mayHold(bytes.span.extracting(reader.offset..<chunk.bytes.upperBound), rowCount: Int(chunk.rowCount), predicates)
    }

    /// Notes that a chunk is decoded.
    func count(_ chunk: ValuePage.Chunk) {
        statistics.blocksRead += 1
        statistics.rowsRead += Int(chunk.rowCount)
    }

    /// Notes that chunks were left out unread.
    func noteSkipped(_ count: Int) { statistics.blocksSkipped += count }

    func damaged(_ chunk: ValuePage.Chunk, of page: ValuePage, _ error: DecodeError) -> PartFailure {
        if let failure = loadFailure {
            loadFailure = nil
            return failure
        }
        return part.damaged("a chunk", page.fileOffset + Int(chunk.offset), error.description)
    }
}
