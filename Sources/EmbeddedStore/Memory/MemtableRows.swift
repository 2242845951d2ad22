import Telemetry

/// The rows that a memtable holds of the streams of one request, as of one instant.
struct MemtableRows {
    private let signal: Signal
    private let streams: [Memtable.Stream?]
    private let chunks: [FloatChunk]
    /// By chunk: where each stream's rows stand in it, or -1.
    private let positions: [[Int32]]

    /// - Parameter slots: by stream of the request.
    init(signal: Signal, slots: [UInt32?], streams: [Memtable.Stream?], chunks: [FloatChunk]) {
        self.signal = signal
        self.streams = streams
        self.chunks = chunks
        positions = chunks.map { Self.positions(of: slots, in: $0) }
    }

    private static func positions(of slots: [UInt32?], in chunk: FloatChunk) -> [Int32] {
        // Many streams are found by one walk over the chunk, a few by a search each.
        if slots.count * 16 < chunk.slots.count {
            return slots.map { slot in slot.flatMap { chunk.position(of: $0) }.map { Int32(truncatingIfNeeded: $0) } ?? -1 }
        }
        guard let low = chunk.slots.first, let high = chunk.slots.last else { return [Int32](repeating: -1, count: slots.count) }
        var bySlot = [Int32](repeating: -1, count: Int(high - low) + 1)
        for (position, slot) in chunk.slots.enumerated() { bySlot[Int(slot - low)] = Int32(truncatingIfNeeded: position) }
        return slots.map { slot in
            guard let slot, slot >= low, slot <= high else { return -1 }
            return bySlot[Int(slot - low)]
        }
    }

    /// A stream's rows of each kind there is, in the order of time and without duplicates.
    func runs(of stream: Int) -> [Run] {
        let others = streams[stream]
        var runs: [Run] = []
        if let floats = floats(of: stream, hiddenBy: others?.histogramTimes ?? []) { runs.append(floats) }
        if let others { runs += others.runs(signal) }
        return runs
    }

    /// A stream's log rows: pieces that are closed, and those that came last, in the order of time.
    func logs(of stream: Int) -> (sealed: [MemtableLogs], last: Run?) {
        guard let rows = streams[stream] else { return ([], nil) }
        return (rows.sealedLogs, rows.times.isEmpty ? nil : Run(timestamps: rows.times, rows: .logs(rows.logs)).ordered())
    }

    /// A stream's spans that lie in the range and satisfy the conditions.
    func spans(of stream: Int, _ conditions: SpanConditions, in range: TimeRange) -> [Run] {
        streams[stream].map { [$0.spans(conditions, in: range)] } ?? []
    }

    private func floats(of stream: Int, hiddenBy histogramTimes: [Int64]) -> Run? {
        var (times, values) = ([Int64](), [Double]())
        for (chunk, positions) in zip(chunks, positions) where positions[stream] >= 0 {
            let rows = chunk.rows(at: Int(positions[stream]))
            times += chunk.times[rows]
            values += chunk.values[rows]
        }
        if times.isEmpty { return nil }
        let run = Run(timestamps: times, rows: .floats(values)).ordered()
        return run.hiding(histogramTimes)
    }
}

extension Run {
    /// The rows whose timestamps are not among `hidden`; nil where none is left.
    func hiding(_ hidden: [Int64]) -> Run? {
        if hidden.isEmpty { return self }
        let hidden = Set(hidden)
        let kept = timestamps.indices.filter { !hidden.contains(timestamps[$0]) }
        return kept.isEmpty ? nil : kept.count == count ? self : selecting(kept)
    }
}
