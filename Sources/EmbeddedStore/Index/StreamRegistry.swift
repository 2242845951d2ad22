import Synchronization
import Telemetry

/// The streams of one signal that this process has to do with: each under a slot, a small number that memtables and log records
/// use and that is never another stream's.
///
/// About a hundred bytes a stream: labels are numbers of pairs (``LabelTable``), and become strings only when a stream is handed
/// out. A stream that nothing names any more is forgotten (``forget(_:seenBefore:)``), and gets a new slot when it comes again.
final class StreamRegistry: Sendable {
    typealias Hash = @Sendable (Signal, Labels, Resource) -> UInt64

    /// How long a slot stays valid at least after it was handed out, refreshed or flushed.
    static let lifetimeSeconds: UInt32 = 3600

    let signal: Signal
    let hash: Hash
    private let time: TimeSource
    let state: Mutex<State>

    struct State: Sendable {
        /// By slot; nil where all streams of a chunk are forgotten.
        var chunks: [StreamChunk?] = []
        var labels = LabelTable()
        var slots = ProbeTable()
        /// The slots of streams that share their hash with another: never forgotten, for an id is looked for from its hash on.
        var ambiguous: Set<UInt32> = []
        /// Counts the times that streams were forgotten.
        var generation: UInt64 = 0
    }

    /// - Parameter hash: another one in tests, where labels must collide.
    init(signal: Signal, time: TimeSource = .system, hash: @escaping Hash = { StreamHash.id($0, $1, $2) }) {
        self.signal = signal
        self.hash = hash
        self.time = time
        state = Mutex(State())
    }

    /// The streams there are.
    var count: Int { state.withLock { $0.slots.count } }

    /// Whether the labels of some streams have one hash.
    var hasAmbiguous: Bool { state.withLock { !$0.ambiguous.isEmpty } }

    /// How often streams were forgotten: while it stays, every slot that was valid is.
    var generation: UInt64 { state.withLock { $0.generation } }

    /// Asks until the answer is one of a time in which nothing was forgotten: what leaves memory is in a sealed file before, but who
    /// looked for files before that would find it in neither.
    func consistently<Answer>(_ body: () throws(StoreError) -> Answer) throws(StoreError) -> Answer {
        while true {
            let before = generation
            let answer = try body()
            if generation == before { return answer }
        }
    }

    var seconds: UInt32 { UInt32(clamping: max(1, time.nanoseconds / 1_000_000_000)) }

    // MARK: Writing

    /// The slot of each label set; one that is new gets the next.
    func slots(for streams: [(labels: Labels, resource: Resource)]) -> [UInt32] {
        // Hashing is the costly part and needs no lock.
        let hashes = streams.map { hash(signal, $0.labels, $0.resource) }
        let now = seconds
        return state.withLock { state in
            var slots: [UInt32] = []
            slots.reserveCapacity(hashes.count)
            for (index, hash) in hashes.enumerated() {
                slots.append(state.slot(signal, streams[index].labels, streams[index].resource, hash, now))
            }
            return slots
        }
    }

    /// Keeps streams from being forgotten for another ``lifetimeSeconds``.
    ///
    /// - Returns: false where one of them is forgotten already.
    @discardableResult
    func refresh(_ slots: [UInt32]) -> Bool {
        let now = seconds
        return state.withLock { state in
            var areAlive = true
            // The series of a request are mostly neighbours.
            var last: (index: Int, chunk: StreamChunk)?
            for slot in slots {
                let (index, position) = state.place(slot)
                if last?.index != index {
                    guard index < state.chunks.count, let chunk = state.chunks[index] else {
                        areAlive = false
                        continue
                    }
                    last = (index, chunk)
                }
                if last?.chunk.touch(position, now) != true { areAlive = false }
            }
            return areAlive
        }
    }

    // MARK: Reading

    func isAlive(_ slot: UInt32) -> Bool { state.withLock { $0.isAlive(slot) } }

    /// The slots of streams that are known, nil for the others.
    func slots(of streams: [TelemetryStream]) -> [UInt32?] {
        var missing: [Int] = []
        var slots: [UInt32?] = state.withLock { state in
            var slots: [UInt32?] = []
            slots.reserveCapacity(streams.count)
            for (index, stream) in streams.enumerated() {
                // An id is one stream's for as long as its slot lives.
                if state.isAlive(stream.hint), state.id(stream.hint) == stream.id.value {
                    slots.append(stream.hint)
                    continue
                }
                // Nearly always the id is the hash, and then the labels need not be hashed.
                let slot = state.slots.find(stream.id.value) { state.isStream($0, stream.id.value, stream.labels, stream.resource, signal) }
                if slot == nil { missing.append(index) }
                slots.append(slot)
            }
            return slots
        }
        if missing.isEmpty { return slots }
        let hashes = missing.map { hash(signal, streams[$0].labels, streams[$0].resource) }
        state.withLock { state in
            for (index, hash) in zip(missing, hashes) {
                slots[index] = state.find(signal, streams[index].labels, streams[index].resource, hash).slot
            }
        }
        return slots
    }

    subscript(slot: UInt32) -> TelemetryStream {
        state.withLock { $0.stream(slot) }
    }

    subscript(slots: [UInt32]) -> [TelemetryStream] {
        state.withLock { state in slots.map { state.stream($0) } }
    }

    /// The labels of streams, nil for those that are forgotten.
    func labels(_ slots: [UInt32]) -> [Labels?] {
        state.withLock { state in slots.map { state.isAlive($0) ? state.stream($0).labels : nil } }
    }

    /// The ids of streams.
    func ids(_ slots: [UInt32]) -> [UInt64] {
        state.withLock { state in slots.map { state.id($0) } }
    }

    /// The ids of streams, nil for those that are forgotten or were never known.
    func ids(of slots: [UInt32?]) -> [UInt64?] {
        state.withLock { state in
            slots.map { slot in
                guard let slot, state.isAlive(slot) else { return nil }
                return state.id(slot)
            }
        }
    }

    /// Where the ids of streams begin to be looked for: their hashes.
    func hashes(_ slots: [UInt32]) -> [UInt64] {
        state.withLock { state in
            slots.map { slot in
                guard state.ambiguous.contains(slot) else { return state.id(slot) }
                let stream = state.stream(slot)
                return hash(signal, stream.labels, stream.resource)
            }
        }
    }

    /// The slot of the stream that has an id.
    func slot(id: UInt64) -> UInt32? {
        state.withLock { state in state.slots.find(id) { state.id($0) == id } }
    }
}

extension StreamRegistry.State {
    @inline(__always)
    func place(_ slot: UInt32) -> (chunk: Int, position: Int) {
        (Int(slot >> StreamChunk.shift), Int(slot) & (StreamChunk.capacity - 1))
    }

    func isAlive(_ slot: UInt32) -> Bool {
        let (chunk, position) = place(slot)
        guard chunk < chunks.count, let seen = chunks[chunk]?.seen, position < seen.count else { return false }
        return seen[position] != 0
    }

    /// - Returns: false where the stream is forgotten.
    mutating func touch(_ slot: UInt32, _ now: UInt32) -> Bool {
        let (chunk, position) = place(slot)
        return chunk < chunks.count && chunks[chunk]?.touch(position, now) == true
    }

    /// 0 where the stream is forgotten.
    func id(_ slot: UInt32) -> UInt64 {
        let (chunk, position) = place(slot)
        return chunks[chunk]?.ids[position] ?? 0
    }

    /// The pairs and the resource of a stream that is alive.
    func row(_ slot: UInt32) -> (pairs: ArraySlice<UInt32>, resource: Resource) {
        let (chunk, position) = place(slot)
        guard let found = chunks[chunk] else { return ([], .unknown) }
        return (found.pairs(position), found.resource(position))
    }

    /// A stream without labels where it is forgotten.
    func stream(_ slot: UInt32) -> TelemetryStream {
        let (chunk, position) = place(slot)
        guard let found = chunks[chunk] else { return TelemetryStream(id: StreamID(0), labels: .empty) }
        let pairs = found.pairs(position)
        var list: [Label] = []
        list.reserveCapacity(pairs.count)
        for pair in pairs { list.append(labels.label(pair)) }
        return TelemetryStream(id: StreamID(found.ids[position]), labels: Labels(sorted: list), resource: found.resource(position), hint: slot)
    }

    /// Whether a slot is the stream of this id and these labels.
    @inline(__always)
    func isStream(_ slot: UInt32, _ id: UInt64, _ labels: Labels, _ resource: Resource, _ signal: Signal) -> Bool {
        let (chunk, position) = place(slot)
        guard let found = chunks[chunk], found.ids[position] == id, found.seen[position] != 0 else { return false }
        let pairs = found.pairs(position)
        guard pairs.count == labels.count, signal != .spans || found.resource(position) == resource else { return false }
        var index = pairs.startIndex
        for label in labels.pairs {
            guard self.labels.isPair(pairs[index], label) else { return false }
            index += 1
        }
        return true
    }

    /// Looks for a stream from its hash on.
    ///
    /// - Returns: its slot, or nil and the id that it would get; and the slots passed, whose streams have the same hash.
    func find(_ signal: Signal, _ labels: Labels, _ resource: Resource, _ hash: UInt64) -> (slot: UInt32?, id: UInt64, passed: [UInt32]) {
        var (id, passed) = (hash, [UInt32]())
        while true {
            var other: UInt32?
            let slot = slots.find(id) { slot in
                if isStream(slot, id, labels, resource, signal) { return true }
                if self.id(slot) == id { other = slot }
                return false
            }
            if let slot { return (slot, id, passed) }
            guard let other else { return (nil, id, passed) }
            passed.append(other)
            id &+= 1
        }
    }

    mutating func slot(_ signal: Signal, _ labels: Labels, _ resource: Resource, _ hash: UInt64, _ now: UInt32) -> UInt32 {
        let found = find(signal, labels, resource, hash)
        if let slot = found.slot {
            _ = touch(slot, now)
            return slot
        }
        if chunks.last??.count ?? StreamChunk.capacity == StreamChunk.capacity { chunks.append(StreamChunk()) }
        let last = chunks.count - 1
        let slot = UInt32(truncatingIfNeeded: last << Int(StreamChunk.shift) + (chunks[last]?.count ?? 0))
        let pairs = labels.pairs.map { self.labels.insert($0, slot: slot) }
        chunks[last]?.append(found.id, pairs, resource, seen: now)
        slots.insert(found.id, slot)
        if !found.passed.isEmpty { ambiguous.formUnion(found.passed + [slot]) }
        return slot
    }
}

extension TelemetryStream {
    /// Whether these labels (for spans, this resource) name this stream.
    func isSame(as labels: Labels, _ resource: Resource, _ signal: Signal) -> Bool {
        self.labels.count == labels.count && (signal != .spans || self.resource == resource)
            && zip(self.labels.pairs, labels.pairs).allSatisfy { $0.value.hasSameUTF8(as: $1.value) && $0.name.hasSameUTF8(as: $1.name) }
    }
}
