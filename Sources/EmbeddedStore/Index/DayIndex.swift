import Synchronization
import Telemetry

/// The streams of one signal on one UTC day.
///
/// Those that the registry knows are a bitmap of slots, and their labels' postings are the registry's; they stand in the day's
/// log (``IndexLog``) before a part that holds their rows appears. Until then the write-ahead log has them. The streams of a day
/// that is over, and those of today that have gone quiet, lie in sealed files (``IndexSegment``) and take no memory.
final class DayIndex: Sendable {
    let signal: Signal
    /// Days since the Unix epoch.
    let day: Int64
    let folder: String
    let log: IndexLog
    let registry: StreamRegistry
    let fileSystem: any FileSystem
    let reporter: StoreReporter
    /// Held by who writes the day's files. Taken before ``state``.
    let writing = Mutex(())
    /// Nothing but the registry is locked while it is held.
    let state: Mutex<State>

    struct State {
        /// The slots of the day's streams that are in no sealed file.
        var members = Bitmap()
        /// Those of them that the log does not have.
        var unwritten = Bitmap()
        /// The slots of streams that are in a sealed file, as far as that is known.
        var sealed = Bitmap()
        /// The day's ids of streams, where they are not the registry's: their hash was another stream's here.
        var ids: [UInt32: UInt64] = [:]
        /// In the order in which they were written.
        var segments: [IndexSegment] = []
        /// The files have been read.
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
        self.folder = folder
        self.registry = registry
        self.fileSystem = fileSystem
        self.reporter = reporter
        log = IndexLog(signal: signal, day: day, folder: folder, fileSystem: fileSystem, reporter: reporter)
        state = Mutex(State(isLoaded: isNew))
    }

    // MARK: Writing

    /// Notes that a stream has rows on the day. (What the files have already is found out when they are written to.)
    func add(_ slot: UInt32) {
        state.withLock { $0.add(slot) }
    }

    /// Sees to it that these streams are in the day's files, durably.
    ///
    /// - Returns: the day's ids of them.
    func persist(_ slots: [UInt32]) throws(StoreError) -> [UInt64] {
        registry.refresh(slots)
        try writing.withLock { _ throws(StoreError) in
            let missing = state.withLock { state in
                // Perhaps the disk has recovered.
                if state.logByteCount == nil { state.isLoaded = false }
                load(&state)
                for slot in slots { state.add(slot) }
                return (slots: state.unwritten.values, offset: state.logByteCount)
            }
            guard let offset = missing.offset else { throw unreadable }
            if missing.slots.isEmpty { return }
            let new = assignIDs(missing.slots)
            let end = new.isEmpty ? offset : try log.append(entries(new), at: offset)
            state.withLock { state in
                state.logByteCount = end
                state.unwritten.subtract(Bitmap(missing.slots))
            }
        }
        return ids(of: slots)
    }

    var unreadable: StoreError {
        StoreError(.system, "the stream index \(log.path) cannot be read", remedy: "Mend the disk, or restore the file from a backup.")
    }

    /// The day's ids of its streams.
    func ids(of slots: [UInt32]) -> [UInt64] {
        var ids = registry.ids(slots)
        state.withLock { state in
            if state.ids.isEmpty { return }
            for (index, slot) in slots.enumerated() { ids[index] = state.ids[slot] ?? ids[index] }
        }
        return ids
    }

    /// Finds new members in the sealed files, and gives the others ids that no other stream of the day has. Nearly always those are
    /// the hashes of their labels.
    ///
    /// - Returns: those that no file has.
    private func assignIDs(_ slots: [UInt32]) -> [UInt32] {
        let (hashes, registered) = (registry.hashes(slots), registry.ids(slots))
        let (segments, hasOwn) = state.withLock { ($0.segments, !$0.ids.isEmpty) }
        if segments.isEmpty, !hasOwn, hashes == registered { return slots }
        let readers = segments.compactMap { $0.reader() }
        var new: [UInt32] = []
        // In the order of ids, so that each block of a file is decoded once.
        for index in slots.indices.sorted(by: { hashes[$0] < hashes[$1] }) {
            let slot = slots[index]
            var (id, isSealed) = (hashes[index], false)
            var stream: TelemetryStream?
            search: while true {
                for reader in readers {
                    guard let found = reader.stream(id: id) else { continue }
                    let own = stream ?? registry[slot]
                    stream = own
                    isSealed = found.isSame(as: own.labels, own.resource, signal)
                    if isSealed { break search }
                    id &+= 1
                    continue search
                }
                if !state.withLock({ isTaken(id, by: slot, $0) }) { break }
                id &+= 1
            }
            state.withLock { state in
                if id != registered[index] { state.ids[slot] = id }
                if isSealed {
                    state.members.remove(slot)
                    state.sealed.insert(slot)
                }
            }
            if !isSealed { new.append(slot) }
        }
        return new
    }

    /// Whether another member has an id.
    private func isTaken(_ id: UInt64, by slot: UInt32, _ state: State) -> Bool {
        if state.ids.contains(where: { $0.value == id && $0.key != slot }) { return true }
        guard let other = registry.slot(id: id), other != slot else { return false }
        return state.members.contains(other) && state.ids[other] == nil
    }

    func entries(_ slots: [UInt32]) -> [IndexLog.Entry] {
        let ids = ids(of: slots)
        return zip(zip(registry[slots], registry.hashes(slots)), ids).map { stream, id in
            IndexLog.Entry(displacement: id &- stream.1, labels: stream.0.labels, resource: stream.0.resource)
        }
    }

    // MARK: Reading

    /// Where the day's streams are: the slots of those in memory, and the sealed files.
    func contents() -> (members: Bitmap, segments: [IndexSegment]) {
        state.withLock { state in
            load(&state)
            return (state.members, state.segments)
        }
    }

    /// The day's ids of streams, nil for those that the day does not have.
    ///
    /// - Parameter slots: the registry's slots of the streams, nil for those that it does not know.
    func ids(of streams: [TelemetryStream], slots: [UInt32?]) -> [UInt64?] {
        // What the log holds is known to the registry once it has been read.
        let slots = state.withLock({ state in
            if state.isLoaded { return true }
            load(&state)
            return false
        }) ? slots : registry.slots(of: streams)
        let registered = registry.ids(of: slots)
        var ids: [UInt64?] = []
        ids.reserveCapacity(slots.count)
        var missing: [Int] = []
        let segments = state.withLock { state in
            load(&state)
            for (index, slot) in slots.enumerated() {
                var id: UInt64?
                if let slot, let own = registered[index], state.hasID(slot) {
                    id = state.ids[slot] ?? own
                }
                if id == nil { missing.append(index) }
                ids.append(id)
            }
            return state.segments
        }
        if missing.isEmpty || segments.isEmpty { return ids }
        missing.sort { streams[$0].id < streams[$1].id }
        for segment in segments {
            guard let reader = segment.reader() else { continue }
            missing.removeAll { index in
                ids[index] = id(of: streams[index], reader)
                return ids[index] != nil
            }
        }
        return ids
    }

    private func id(of stream: TelemetryStream, _ reader: IndexSegmentReader) -> UInt64? {
        if reader.stream(id: stream.id.value)?.isSame(as: stream.labels, stream.resource, signal) == true { return stream.id.value }
        var id = registry.hash(signal, stream.labels, stream.resource)
        while let found = reader.stream(id: id) {
            if found.isSame(as: stream.labels, stream.resource, signal) { return id }
            id &+= 1
        }
        return nil
    }

    /// Notes that the day is in use now.
    func touch(_ now: Int64) {
        state.withLock { $0.lastUse = now }
    }

    /// Gives up what can be read again of a day that nobody has used since `time`.
    func unload(unusedSince time: Int64) {
        let segments = state.withLock { $0.lastUse < time ? $0.segments : [] }
        for segment in segments { segment.dropCache() }
    }

    /// The bytes of its files, as far as they are known.
    var fileByteCount: Int {
        state.withLock { state in state.segments.reduce(state.logByteCount ?? 0) { $0 + $1.fileByteCount } }
    }

    /// Reads the files: the log's streams enter the registry.
    func load(_ state: inout State) {
        if state.isLoaded { return }
        state.isLoaded = true
        loadSegments(&state)
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

    private func loadSegments(_ state: inout State) {
        do throws(StoreError) {
            let known = state.segments.map(\.number)
            for name in try fileSystem.list(folder) {
                guard let number = IndexSegment.number(named: name), !known.contains(number) else { continue }
                do throws(StoreError) {
                    state.segments.append(
                        try IndexSegment(path: folder + "/" + name, number: number, fileSystem: fileSystem, reporter: reporter))
                } catch {
                    reporter.quarantine("\(error.message): its streams are not found", .index, signal, path: folder + "/" + name)
                }
            }
        } catch {
            reporter.quarantine("the folder \(folder) cannot be read, its streams are not found until it can: \(error)", .index, signal, path: folder)
        }
    }
}

extension DayIndex.State {
    /// Whether the day's files have a stream under an id that is known. (One that was not written yet may be in a sealed file under
    /// another id than the registry's, and its own may be another stream's there.)
    func hasID(_ slot: UInt32) -> Bool {
        sealed.contains(slot) || members.contains(slot) && !unwritten.contains(slot)
    }

    mutating func add(_ slot: UInt32) {
        if members.contains(slot) || sealed.contains(slot) { return }
        members.insert(slot)
        unwritten.insert(slot)
    }
}
