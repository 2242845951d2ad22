import Synchronization
import Telemetry

/// The streams of one signal on one UTC day.
///
/// Those that the registry knows are a bitmap of slots, and their labels' postings are the registry's; they stand in the day's
/// log (``IndexLog``) before a part that holds their rows appears. Until then the write-ahead log has them.
final class DayIndex: Sendable {
    let signal: Signal
    /// Days since the Unix epoch.
    let day: Int64
    let log: IndexLog
    private let registry: StreamRegistry
    private let reporter: StoreReporter
    /// Held by who writes the day's files. Taken before ``state``.
    private let writing = Mutex(())
    /// Nothing but the registry is locked while it is held.
    private let state: Mutex<State>

    private struct State {
        /// The slots of the day's streams.
        var members = Bitmap()
        /// Those of them that the log does not have.
        var unwritten = Bitmap()
        /// The day's ids of streams, where they are not the registry's: their hash was another stream's here.
        var ids: [UInt32: UInt64] = [:]
        /// The log has been read.
        var isLoaded: Bool
        /// Where the log's next record goes; nil where the log could not be read: nothing may be written to it.
        var logByteCount: Int? = 0
        /// When it was last used, by the store's clock.
        var lastUse: Int64 = 0
    }

    init(
        registry: StreamRegistry, day: Int64, folder: String, fileSystem: any FileSystem, reporter: StoreReporter, isNew: Bool
    ) {
        signal = registry.signal
        self.day = day
        self.registry = registry
        self.reporter = reporter
        log = IndexLog(signal: signal, day: day, folder: folder, fileSystem: fileSystem, reporter: reporter)
        state = Mutex(State(isLoaded: isNew))
    }

    // MARK: Writing

    /// Notes that a stream has rows on the day. (What the log has already is found out when it is written to.)
    func add(_ slot: UInt32) {
        state.withLock { state in
            if state.members.contains(slot) { return }
            state.members.insert(slot)
            state.unwritten.insert(slot)
        }
    }

    /// Sees to it that these streams are in the day's files, durably. One flush at a time.
    ///
    /// - Returns: the day's ids of them.
    func persist(_ slots: [UInt32]) throws(StoreError) -> [UInt64] {
        try writing.withLock { _ throws(StoreError) in
            let missing = state.withLock { state in
                // Perhaps the disk has recovered.
                if state.logByteCount == nil { state.isLoaded = false }
                load(&state)
                for slot in slots where !state.members.contains(slot) {
                    state.members.insert(slot)
                    state.unwritten.insert(slot)
                }
                return (slots: state.unwritten.values, offset: state.logByteCount)
            }
            guard let offset = missing.offset else {
                throw StoreError(
                    .system, "the stream index \(log.path) cannot be read", remedy: "Mend the disk, or restore the file from a backup.")
            }
            if !missing.slots.isEmpty {
                assignIDs(missing.slots)
                let end = try log.append(entries(missing.slots), at: offset)
                state.withLock { state in
                    state.logByteCount = end
                    state.unwritten.subtract(Bitmap(missing.slots))
                }
            }
            return ids(of: slots)
        }
    }

    /// The day's ids of its members.
    private func ids(of slots: [UInt32]) -> [UInt64] {
        var ids = registry.ids(slots)
        state.withLock { state in
            if state.ids.isEmpty { return }
            for (index, slot) in slots.enumerated() { ids[index] = state.ids[slot] ?? ids[index] }
        }
        return ids
    }

    /// Gives streams ids that no other stream of the day has. Nearly always they are the registry's.
    private func assignIDs(_ slots: [UInt32]) {
        state.withLock { state in
            if state.ids.isEmpty { return }
            for (slot, id) in zip(slots, registry.ids(slots)) where state.ids[slot] == nil {
                var own = id
                while isTaken(own, by: slot, state) { own &+= 1 }
                if own != id { state.ids[slot] = own }
            }
        }
    }

    /// Whether another stream of the day has an id.
    private func isTaken(_ id: UInt64, by slot: UInt32, _ state: State) -> Bool {
        if state.ids.contains(where: { $0.value == id && $0.key != slot }) { return true }
        guard let other = registry.slot(id: id), other != slot else { return false }
        return state.members.contains(other) && state.ids[other] == nil
    }

    private func entries(_ slots: [UInt32]) -> [IndexLog.Entry] {
        let ids = ids(of: slots)
        return zip(registry[slots], ids).map { stream, id in
            IndexLog.Entry(
                displacement: id &- registry.hash(signal, stream.labels, stream.resource), labels: stream.labels, resource: stream.resource)
        }
    }

    // MARK: Reading

    /// The slots of the day's streams.
    func members() -> Bitmap {
        state.withLock { state in
            load(&state)
            return state.members
        }
    }

    /// The day's ids of streams, nil for those that the day does not have.
    ///
    /// - Parameter slots: the registry's slots of the streams, nil for those that it does not know.
    func ids(of streams: [TelemetryStream], slots: [UInt32?]) -> [UInt64?] {
        let known = slots.compactMap { $0 }
        let registered = registry.ids(known)
        return state.withLock { state in
            load(&state)
            var (ids, next) = ([UInt64?](), 0)
            ids.reserveCapacity(slots.count)
            for slot in slots {
                guard let slot else {
                    ids.append(nil)
                    continue
                }
                ids.append(state.members.contains(slot) ? state.ids[slot] ?? registered[next] : nil)
                next += 1
            }
            return ids
        }
    }

    /// Notes that the day is in use now.
    func touch(_ now: Int64) {
        state.withLock { $0.lastUse = now }
    }

    /// The bytes of its files, as far as they are known.
    var fileByteCount: Int { state.withLock { $0.logByteCount ?? 0 } }

    /// Reads the log: its streams enter the registry.
    private func load(_ state: inout State) {
        if state.isLoaded { return }
        state.isLoaded = true
        guard let content = log.read() else {
            state.logByteCount = nil
            return
        }
        state.logByteCount = content.byteCount
        for entries in content.records {
            let slots = registry.slots(for: entries.map { ($0.labels, $0.resource) })
            state.members.insert(slots)
            state.unwritten.subtract(Bitmap(slots))
            for ((entry, slot), id) in zip(zip(entries, slots), registry.ids(slots)) {
                let own = registry.hash(signal, entry.labels, entry.resource) &+ entry.displacement
                if own != id { state.ids[slot] = own }
            }
        }
    }
}
