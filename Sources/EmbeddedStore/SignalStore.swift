import Synchronization
import Telemetry

/// One signal's rows: the memtables, and by UTC day the parts and the index.
final class SignalStore: Sendable {
    let signal: Signal
    let registry: StreamRegistry
    let folder: String
    let fileSystem: any FileSystem
    let reporter: StoreReporter
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
    }

    init(
        signal: Signal, dataFolder: String, fileSystem: any FileSystem, reporter: StoreReporter, time: TimeSource = .system,
        hash: @escaping StreamRegistry.Hash = { StreamHash.id($0, $1, $2) }
    ) {
        self.signal = signal
        self.fileSystem = fileSystem
        self.reporter = reporter
        folder = dataFolder + "/" + signal.name
        registry = StreamRegistry(signal: signal, time: time, hash: hash)
        state = Mutex(State(active: Memtable(signal: signal)))
    }

    // MARK: Opening

    /// Finds the parts on disk.
    ///
    /// - Returns: the highest flush number there is; 0 where there is none.
    func open() throws(StoreError) -> UInt64 {
        var highest: UInt64 = 0
        for name in try fileSystem.list(folder) {
            guard let day = Days.number(named: name) else { continue }
            let dayFolder = folder + "/" + name
            var sequences: [ClosedRange<UInt64>] = []
            for file in try fileSystem.list(dayFolder) {
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
                reporter.quarantine("\(error.message): its rows are not served")
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

    /// Puts a merge's result in the place of what was merged.
    ///
    /// - Returns: false where those parts are no longer there (their day was dropped).
    func replace(_ old: [Part], with new: Part, day: Int64) -> Bool {
        let isReplaced = state.withLock { state -> Bool in
            guard var parts = state.days[day]?.parts, let first = parts.firstIndex(where: { $0 === old.first }),
                first + old.count <= parts.count, zip(parts[first...], old).allSatisfy({ $0 === $1 })
            else { return false }
            parts.replaceSubrange(first..<first + old.count, with: [new])
            state.days[day]?.parts = parts
            return true
        }
        if isReplaced { for part in old { part.markObsolete() } }
        return isReplaced
    }

    /// Forgets a day.
    func removeDay(_ day: Int64) {
        state.withLock { $0.days[day] = nil }
    }

    // MARK: Reading

    /// What there is within `range`.
    func snapshot(_ range: TimeRange) -> Snapshot {
        state.withLock { state in
            var days: [(day: Int64, index: DayIndex, parts: [Part])] = []
            for (day, value) in state.days where Days.range(day, signal).overlaps(range) {
                days.append((day, value.index, value.parts))
            }
            days.sort { $0.day < $1.day }
            return Snapshot(days: days, memtables: state.flushing + [state.active])
        }
    }

    /// The days and their parts.
    var days: [Int64: [Part]] {
        state.withLock { $0.days.mapValues(\.parts) }
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
