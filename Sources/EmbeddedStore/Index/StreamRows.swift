import Synchronization
import Telemetry

/// Streams on their way into a sealed index: labels as numbers of texts, so that a million streams are a few flat arrays.
struct StreamRows: Sendable {
    /// By stream: the day's id.
    private(set) var ids: [UInt64] = []
    /// By stream: where its labels end in ``numbers``.
    private var ends: [Int] = []
    /// Labels as positions in ``labels``, in the order of their names.
    private var numbers: [UInt32] = []
    /// Each label once.
    private(set) var labels: [Label] = []
    /// By stream; empty while all are unknown.
    private(set) var resources: [Resource] = []

    var count: Int { ids.count }

    func numbers(_ stream: Int) -> ArraySlice<UInt32> {
        numbers[(stream == 0 ? 0 : ends[stream - 1])..<ends[stream]]
    }

    func resource(_ stream: Int) -> Resource { resources.isEmpty ? .unknown : resources[stream] }

    private var table = ProbeTable()

    /// The number of a label, which is added where it is new.
    mutating func number(of label: Label) -> UInt32 {
        let hash = StreamHash.hash(label)
        let known = table.find(hash) { number in
            labels[Int(number)].value.hasSameUTF8(as: label.value) && labels[Int(number)].name.hasSameUTF8(as: label.name)
        }
        if let known { return known }
        let number = UInt32(truncatingIfNeeded: labels.count)
        labels.append(label)
        table.insert(hash, number)
        return number
    }

    mutating func append(_ id: UInt64, _ numbers: some Sequence<UInt32>, _ resource: Resource) {
        if !resource.attributes.isEmpty, resources.isEmpty { resources = [Resource](repeating: .unknown, count: count) }
        if !resources.isEmpty || !resource.attributes.isEmpty { resources.append(resource) }
        self.numbers.append(contentsOf: numbers)
        ends.append(self.numbers.count)
        ids.append(id)
    }
}

extension StreamRegistry {
    /// The streams of slots, as they go into a sealed index.
    ///
    /// - Parameter ids: the day's ids of them. Nothing may be forgotten meanwhile.
    func rows(_ slots: [UInt32], ids: [UInt64]) -> StreamRows {
        var rows = StreamRows()
        var numbers: [UInt32: UInt32] = [:]
        var start = 0
        while start < slots.count {
            let end = min(start + StreamChunk.capacity, slots.count)
            // A batch at a time: appends must not wait for a million streams.
            state.withLock { state in
                for index in start..<end where state.isAlive(slots[index]) {
                    let (pairs, resource) = state.row(slots[index])
                    let labels = pairs.map { pair in
                        if let number = numbers[pair] { return number }
                        let number = rows.number(of: state.labels.label(pair))
                        numbers[pair] = number
                        return number
                    }
                    rows.append(ids[index], labels, resource)
                }
            }
            start = end
        }
        return rows
    }
}
