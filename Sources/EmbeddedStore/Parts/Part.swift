import Codecs
import Synchronization
import Telemetry

/// An immutable file of rows: one signal, one UTC day, sorted by stream and time.
///
/// Its name says which flushes it holds (`00000003-00000007.part`): a merge's result replaces all parts whose numbers lie inside
/// its own, so that a crash between its rename and their removal is resolved at the next start.
final class Part: Sendable {
    let path: String
    /// The flushes whose rows it holds.
    let sequence: ClosedRange<UInt64>
    let footer: PartFooter
    /// Tells it from every other part of the process, also one of the same path.
    let number = Part.count.add(1, ordering: .relaxed).newValue
    private static let count = Atomic<UInt64>(0)
    private let fileSystem: any FileSystem
    private let reporter: StoreReporter
    private let cache = Mutex(Cache())
    /// A newer part has its rows, or its day is gone: the file goes with the last reader.
    private let isObsolete = Atomic<Bool>(false)

    /// Rounds of background work since somebody read it.
    private let idleRounds = Atomic<Int>(0)
    private let isDamaged = Atomic<Bool>(false)

    private struct Cache: Sendable {
        var index: PartIndex?
        var filter: TraceFilter?
        /// By value page of logs: the page, or its outline, and the heads of its blocks that were asked for.
        var logPages: [Int: (page: ValuePage, blocks: [Int: LogBlockOutline])] = [:]
        var logPagesByteCount = 0
        /// What the heads share.
        var texts = TextPool()
        /// Offsets of damaged places.
        var reported: Set<Int> = []
    }

    /// Opens a part: reads and checks its footer.
    init(path: String, sequence: ClosedRange<UInt64>, fileSystem: any FileSystem, reporter: StoreReporter) throws(StoreError) {
        self.path = path
        self.sequence = sequence
        self.fileSystem = fileSystem
        self.reporter = reporter
        let file = try fileSystem.open(path, .read)
        let byteCount = try file.byteCount()
        guard byteCount >= PartFooter.byteCount + PartFooter.magicByteCount else {
            throw StoreError(.corrupted, "the part \(path) is cut short: it has \(byteCount) bytes")
        }
        let version = PartFooter.version(try file.read(at: 0, count: PartFooter.magicByteCount))
        guard let version else {
            throw StoreError(.corrupted, "the part \(path) is damaged at byte 0: it does not begin as a part does")
        }
        do throws(DecodeError) {
            let tail: [UInt8]
            do { tail = try file.read(at: byteCount - PartFooter.byteCount, count: PartFooter.byteCount) } catch { throw error.asDecodeError }
            footer = try PartFooter(tail, fileByteCount: byteCount)
            guard footer.version == version else {
                throw DecodeError(offset: 0, field: "version", "\(version) at the beginning, \(footer.version) at the end")
            }
        } catch {
            throw StoreError(.corrupted, "the part \(path) is damaged: \(error)")
        }
    }

    deinit {
        dropCache()
        guard isObsolete.load(ordering: .relaxed) else { return }
        do throws(StoreError) { try fileSystem.remove(path) } catch {
            reporter.warning("the part \(path) is no longer needed but cannot be removed: \(error)")
        }
    }

    /// Its file goes away with its last reader.
    func markObsolete() {
        isObsolete.store(true, ordering: .relaxed)
    }

    /// Whether its file may be gone already.
    var isGone: Bool { isObsolete.load(ordering: .relaxed) }

    var byteCount: Int { footer.fileByteCount }

    /// Whether its blocks are as they are written today: older ones are encoded again when they are merged.
    var isOfNewestVersion: Bool { footer.version == PartFooter.version(footer.signal) }

    /// `00000003-00000007.part`
    static func name(_ sequence: ClosedRange<UInt64>) -> String {
        func pad(_ number: UInt64) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        }
        return pad(sequence.lowerBound) + "-" + pad(sequence.upperBound) + ".part"
    }

    static func sequence(named name: String) -> ClosedRange<UInt64>? {
        guard name.hasSuffix(".part") else { return nil }
        let numbers = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low <= high else { return nil }
        return low...high
    }

    /// Opens the file for a scan or a merge.
    ///
    /// - Parameters:
    ///   - range: the rows wanted.
    ///   - cacheByteCountMax: what it may keep of the pages that it has read; it always keeps the last one.
    ///   - shared: where it looks for pages, and leaves them for others; a merge reads everything once, and has none.
    ///   - readsWhole: read pages as a whole, though outlines might do.
    func reader(
        range: TimeRange = .all, cacheByteCountMax: Int = 1 << 20, shared: PageCache? = nil, readsWhole: Bool = false
    ) throws(PartFailure) -> PartReader {
        idleRounds.store(0, ordering: .relaxed)
        let file: any StoreFile
        do throws(StoreError) { file = try fileSystem.open(path, .read) } catch { throw PartFailure(offset: 0, error: error) }
        return PartReader(
            part: self, file: file, index: try index(file), range: range, cacheByteCountMax: cacheByteCountMax, shared: shared,
            readsWhole: readsWhole)
    }

    /// The value pages that may hold rows of a trace, ascending; nil where there are too many pages to say.
    func pages(of trace: TraceID) throws(PartFailure) -> [Int]? {
        if let filter = cache.withLock({ $0.filter }) { return filter.pages(of: trace) }
        let file: any StoreFile
        do throws(StoreError) { file = try fileSystem.open(path, .read) } catch { throw PartFailure(offset: 0, error: error) }
        guard try index(file).values.count < TraceFilter.pageCountMax else { return nil }
        let filter: TraceFilter
        let bytes = try read(file, footer.filterOffset, footer.filterByteCount, footer.filterChecksum, "trace filter")
        do { filter = try TraceFilter(bytes) } catch { throw damaged("trace filter", footer.filterOffset, error.description) }
        cache.withLock { $0.filter = filter }
        return filter.pages(of: trace)
    }

    // MARK: Heads of blocks

    /// Of all parts together.
    private static let logPagesByteCount = Atomic<Int>(0)

    /// A page of logs, or its outline, where it is known still.
    func logPage(_ number: Int) -> ValuePage? {
        cache.withLock { $0.logPages[number]?.page }
    }

    /// The head of a block of a page, where it is known still.
    func outline(_ page: Int, _ position: Int) -> LogBlockOutline? {
        cache.withLock { $0.logPages[page]?.blocks[position] }
    }

    /// Lets a head share its texts with those that are kept.
    func share(_ head: inout LogBlockHead) {
        cache.withLock { cache in
            let before = cache.texts.byteCount
            head.share(with: &cache.texts)
            let added = cache.texts.byteCount - before
            cache.logPagesByteCount += added
            Self.logPagesByteCount.add(added, ordering: .relaxed)
        }
    }

    /// Keeps the head of a block for the next reader, as far as there is room.
    func keep(_ block: LogBlockOutline, _ position: Int, of page: ValuePage, _ number: Int) {
        cache.withLock { cache in
            let known = cache.logPages[number]
            guard page.failures.isEmpty, known?.blocks[position] == nil else { return }
            let byteCount = block.memoryByteCount + (known == nil ? page.memoryByteCount : 0)
            guard Self.logPagesByteCount.load(ordering: .relaxed) + byteCount <= Limits.outlineCacheByteCountMax else { return }
            cache.logPages[number, default: (page, [:])].blocks[position] = block
            cache.logPagesByteCount += byteCount
            Self.logPagesByteCount.add(byteCount, ordering: .relaxed)
        }
    }

    /// Called once a round of background work: forgets what can be read again after a number of rounds without a reader.
    func noteRound() {
        let rounds = idleRounds.add(1, ordering: .relaxed).newValue
        if rounds == Limits.cacheRoundCountMax { dropCache() }
    }

    /// Drops what can be read again.
    func dropCache() {
        PageCache.shared.remove(part: number)
        cache.withLock { cache in
            cache.index = nil
            cache.filter = nil
            Self.logPagesByteCount.subtract(cache.logPagesByteCount, ordering: .relaxed)
            (cache.logPages, cache.logPagesByteCount, cache.texts) = ([:], 0, TextPool())
        }
    }

    private func index(_ file: any StoreFile) throws(PartFailure) -> PartIndex {
        if let index = cache.withLock({ $0.index }) { return index }
        let bytes = try read(file, footer.indexOffset, footer.indexByteCount, footer.indexChecksum, "page index")
        let index: PartIndex
        do throws(DecodeError) {
            index = try PartIndex(bytes, start: PartFooter.magicByteCount, end: footer.indexOffset, footer.version)
        } catch {
            throw damaged("page index", footer.indexOffset, error.description)
        }
        cache.withLock { $0.index = index }
        return index
    }

    /// Reads a place of the file whose checksum is known.
    func read(
        _ file: any StoreFile, _ offset: Int, _ count: Int, _ expected: UInt32, _ what: @autoclosure () -> String
    ) throws(PartFailure) -> [UInt8] {
        let bytes: [UInt8]
        do throws(StoreError) { bytes = try file.read(at: offset, count: count) } catch { throw PartFailure(offset: offset, error: error) }
        let found = CRC32C.checksum(bytes.span)
        guard bytes.count == count, found == expected else {
            throw damaged(what(), offset, "checksum \(hex(found)), expected \(hex(expected))")
        }
        return bytes
    }

    func damaged(_ what: String, _ offset: Int, _ message: String) -> PartFailure {
        PartFailure(
            offset: offset,
            error: StoreError(
                .corrupted, "the part \(path) is damaged at byte \(offset) (\(what)): \(message)",
                remedy: "Everything else is served; restore this file from a backup."))
    }

    /// Reports damage once, and keeps the part out of merges from now on: what can be read of it stays as it is.
    func quarantine(_ failure: PartFailure) {
        isDamaged.store(true, ordering: .relaxed)
        let isNew = cache.withLock { $0.reported.insert(failure.offset).inserted }
        if isNew {
            reporter.quarantine(
                failure.error.description, failure.offset > 0 ? .block : .part, footer.signal, path: path, offset: failure.offset)
        }
    }

    /// Whether damage was found.
    var hasDamage: Bool { isDamaged.load(ordering: .relaxed) }
}

extension StoreError {
    /// The error of a file operation inside a decoder.
    fileprivate var asDecodeError: DecodeError { DecodeError(offset: 0, description) }
}
