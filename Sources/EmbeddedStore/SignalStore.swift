import Synchronization
import Telemetry

/// One signal's rows: the memtables, and by UTC day the parts and the index.
final class SignalStore: Sendable {
    let signal: Signal
    let registry: StreamRegistry
    let folder: String
    let fileSystem: any FileSystem
    let reporter: StoreReporter
    let tombstones: TombstoneTable
    /// When the index was last looked after, in seconds.
    let lastTidy = Atomic<Int64>(0)
    /// Never held over I/O, nor while a memtable or an index is locked by the holder.
    private let state: Mutex<State>

    private struct Day: Sendable {
        let index: DayIndex
        /// In the order in which they were written.
        var parts: [Part] = []
    }

    private struct State: Sendable {
        var active: Memtable
        /// Full, and on their way into parts, oldest first.
        var flushing: [Memtable] = []
        var days: [Int64: Day] = [:]
    }

    /// One state of the signal: what a scan reads, whatever happens meanwhile.
    struct Snapshot: Sendable {
        /// By day, then in the order in which they were written.
        var days: [(day: Int64, index: DayIndex, parts: [Part])]
        /// Oldest first; all of them hold later writes than the parts.
        var memtables: [Memtable]
        /// The deletions that the parts may hold rows of; memtables hold none.
        var tombstones: [Tombstone]

        /// What deletions leave out of a part; nil where it is served whole.
        func deletions(of part: Part, day: Int64) -> PartDeletions? {
            tombstones.isEmpty ? nil : PartDeletions(tombstones, part, day: day)
        }
    }

    init(
        signal: Signal, dataFolder: String, fileSystem: any FileSystem, reporter: StoreReporter, time: TimeSource = .system,
        hash: @escaping StreamRegistry.Hash = { StreamHash.id($0, $1, $2) }
    ) {
        self.signal = signal
        self.fileSystem = fileSystem
        self.reporter = reporter
        folder = dataFolder + "/" + signal.name
        tombstones = TombstoneTable(signal: signal, folder: folder, fileSystem: fileSystem, reporter: reporter)
        registry = StreamRegistry(signal: signal, time: time, hash: hash)
        state = Mutex(State(active: Memtable(signal: signal)))
    }

    // MARK: Opening

    /// Finds the parts and the deletions on disk.
    ///
    /// - Returns: the highest flush number that they name; 0 where there is none.
    func open() throws(StoreError) -> UInt64 {
        // Flushes are numbered above every deletion: what is written from now on is not concerned by any.
        try fileSystem.syncFolder(folder)
        var highest = try tombstones.load()
        for name in try fileSystem.list(folder) {
            guard let day = Days.number(named: name) else { continue }
            let dayFolder = folder + "/" + name
            // What a process that was killed had written but not synced looks like the rest: from here on it is relied upon.
            try fileSystem.syncFolder(dayFolder)
            var sequences: [ClosedRange<UInt64>] = []
            for file in try fileSystem.list(dayFolder) {
                if file == IndexLog.name { try fileSystem.open(dayFolder + "/" + file, .read).sync() }
                if file.hasSuffix(".tmp") {
                    // What a crash interrupted; nothing refers to it.
                    try fileSystem.remove(dayFolder + "/" + file)
                } else if let sequence = Part.sequence(named: file) {
                    sequences.append(sequence)
                }
            }
            highest = max(highest, sequences.map(\.upperBound).max() ?? 0)
            let parts = try openParts(sequences, dayFolder)
            let index = DayIndex(
                registry: registry, day: day, folder: dayFolder, fileSystem: fileSystem, reporter: reporter, isNew: false)
            state.withLock { $0.days[day] = Day(index: index, parts: parts) }
        }
        return highest
    }

    private func openParts(_ sequences: [ClosedRange<UInt64>], _ dayFolder: String) throws(StoreError) -> [Part] {
        var parts: [Part] = []
        // The widest first: what lies inside one that can be read was merged into it.
        for sequence in sequences.sorted(by: { ($0.upperBound - $0.lowerBound, $1.lowerBound) > ($1.upperBound - $1.lowerBound, $0.lowerBound) }) {
            let path = dayFolder + "/" + Part.name(sequence)
            if parts.contains(where: { $0.sequence.lowerBound <= sequence.lowerBound && sequence.upperBound <= $0.sequence.upperBound }) {
                try fileSystem.remove(path)
                continue
            }
            do {
                parts.append(try Part(path: path, sequence: sequence, fileSystem: fileSystem, reporter: reporter))
            } catch where error.code == .corrupted {
                reporter.quarantine("\(error.message): its rows are not served", .part, signal, path: path)
            }
        }
        return parts.sorted { $0.sequence.lowerBound < $1.sequence.lowerBound }
    }

    // MARK: Writing

    /// Puts synced rows into the active memtable. On the log's thread.
    ///
    /// - Returns: the bytes by which it grew.
    func apply(_ batch: PreparedBatch, now: Int64) -> Int {
        let active = state.withLock { $0.active }
        return active.append(batch, now: now) { slot, day in index(of: day).add(slot) }
    }

    /// Starts a new memtable. On the log's thread, between two commits.
    ///
    /// - Returns: the one that was active; nil if it is empty.
    func rotate() -> Memtable? {
        let active = state.withLock { $0.active }
        if active.isEmpty { return nil }
        state.withLock { state in
            state.flushing.append(active)
            state.active = Memtable(signal: signal)
        }
        return active
    }

    func index(of day: Int64) -> DayIndex {
        state.withLock { state in
            if let index = state.days[day]?.index { return index }
            let index = DayIndex(
                registry: registry, day: day, folder: dayFolder(day), fileSystem: fileSystem, reporter: reporter, isNew: true)
            state.days[day] = Day(index: index)
            return index
        }
    }

    func dayFolder(_ day: Int64) -> String { folder + "/" + Days.name(day) }

    /// Puts a flushed memtable's parts in its place, at once.
    func publish(_ memtable: Memtable, _ parts: [(day: Int64, part: Part)]) {
        state.withLock { state in
            state.flushing.removeAll { $0 === memtable }
            for (day, part) in parts { state.days[day]?.parts.append(part) }
        }
    }

    /// Puts a merge's result, nil where no row is left, in the place of what was merged.
    ///
    /// - Returns: false where those parts are no longer there (their day was dropped).
    func replace(_ old: [Part], with new: Part?, day: Int64) -> Bool {
        let isReplaced = state.withLock { state -> Bool in
            guard var parts = state.days[day]?.parts, let first = parts.firstIndex(where: { $0 === old.first }),
                first + old.count <= parts.count, zip(parts[first...], old).allSatisfy({ $0 === $1 })
            else { return false }
            parts.replaceSubrange(first..<first + old.count, with: new.map { [$0] } ?? [])
            state.days[day]?.parts = parts
            return true
        }
        if isReplaced { for part in old { part.markObsolete() } }
        return isReplaced
    }

    /// Forgets a day. Whoever reads its parts may find them gone from now on.
    func removeDay(_ day: Int64) {
        let parts = state.withLock { $0.days.removeValue(forKey: day)?.parts ?? [] }
        for part in parts { part.markObsolete() }
    }

    // MARK: Reading

    /// What there is within `range`.
    func snapshot(_ range: TimeRange) -> Snapshot {
        // Before the parts: a deletion that is carried out meanwhile is taken off the list after its parts are.
        let tombstones = tombstones.all
        return state.withLock { state in
            var days: [(day: Int64, index: DayIndex, parts: [Part])] = []
            for (day, value) in state.days where Days.range(day, signal).overlaps(range) {
                days.append((day, value.index, value.parts))
            }
            days.sort { $0.day < $1.day }
            return Snapshot(days: days, memtables: state.flushing + [state.active], tombstones: tombstones)
        }
    }

    /// The days and their parts.
    var days: [Int64: [Part]] {
        state.withLock { $0.days.mapValues(\.parts) }
    }

    /// What each day takes on disk.
    var dayByteCounts: [Int64: Int] {
        let days = state.withLock { $0.days }
        return days.mapValues { day in day.parts.reduce(day.index.fileByteCount) { $0 + $1.byteCount } }
    }

    /// What deletions leave out of parts of a day, each.
    func deletions(of parts: [Part], day: Int64) -> [PartDeletions?] {
        let tombstones = tombstones.all
        return parts.map { PartDeletions(tombstones, $0, day: day) }
    }

    var indexes: [DayIndex] {
        state.withLock { $0.days.values.map(\.index) }
    }

    var memtables: [Memtable] {
        state.withLock { $0.flushing + [$0.active] }
    }

    var activeSummary: Memtable.Summary {
        state.withLock { $0.active }.summary
    }
}
