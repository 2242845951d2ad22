import Synchronization
import Telemetry

/// Every stream of one signal that this process has met: its slot, a small number that memtables and log records use.
final class StreamRegistry: Sendable {
    let signal: Signal
    private let state = Mutex(State())

    fileprivate struct State: Sendable {
        /// By slot.
        var streams: [TelemetryStream] = []
        var slots: [UInt64: UInt32] = [:]
    }

    init(signal: Signal) {
        self.signal = signal
    }

    var count: Int { state.withLock { $0.streams.count } }

    /// The slot of each label set; one that is new gets the next.
    func slots(for streams: [(labels: Labels, resource: Resource)]) -> [UInt32] {
        // Hashing is the costly part and needs no lock.
        let ids = streams.map { StreamHash.id(signal, $0.labels, $0.resource) }
        return state.withLock { state in
            var slots: [UInt32] = []
            slots.reserveCapacity(ids.count)
            for (index, id) in ids.enumerated() {
                slots.append(state.slot(signal, streams[index].labels, streams[index].resource, id))
            }
            return slots
        }
    }

    /// The slots of streams that are known, nil for the others.
    func slots(of streams: [TelemetryStream]) -> [UInt32?] {
        let ids = streams.map { StreamHash.id(signal, $0.labels, $0.resource) }
        return state.withLock { state in
            var slots: [UInt32?] = []
            slots.reserveCapacity(ids.count)
            for (index, first) in ids.enumerated() {
                var (id, found) = (first, UInt32?.none)
                while let slot = state.slots[id] {
                    if state.streams[Int(slot)].isSame(as: streams[index].labels, streams[index].resource, signal) {
                        found = slot
                        break
                    }
                    id &+= 1
                }
                slots.append(found)
            }
            return slots
        }
    }

    subscript(slot: UInt32) -> TelemetryStream {
        state.withLock { $0.streams[Int(slot)] }
    }

    subscript(slots: [UInt32]) -> [TelemetryStream] {
        state.withLock { state in slots.map { state.streams[Int($0)] } }
    }
}

extension StreamRegistry.State {
    fileprivate mutating func slot(_ signal: Signal, _ labels: Labels, _ resource: Resource, _ first: UInt64) -> UInt32 {
        var id = first
        while let slot = slots[id] {
            if streams[Int(slot)].isSame(as: labels, resource, signal) { return slot }
            // Another label set with the same hash.
            id &+= 1
        }
        let slot = UInt32(truncatingIfNeeded: streams.count)
        streams.append(TelemetryStream(id: StreamID(id), labels: labels, resource: resource))
        slots[id] = slot
        return slot
    }
}

extension TelemetryStream {
    /// Whether these labels (for spans, this resource) name this stream.
    func isSame(as labels: Labels, _ resource: Resource, _ signal: Signal) -> Bool {
        self.labels == labels && (signal != .spans || self.resource == resource)
    }
}
