import Telemetry

/// The rows that a memtable holds of the streams of one request, as of one instant.
struct MemtableRows {
    private let signal: Signal
    /// By stream of the request; empty where none has rows but floats.
    private let streams: [Memtable.Stream?]
    /// nil where there are none.
    let floats: MemtableFloats?

    /// - Parameter slots: by stream of the request.
    init(signal: Signal, slots: [UInt32?], streams: [Memtable.Stream?], chunks: [FloatChunk], in range: TimeRange) {
        self.signal = signal
        self.streams = streams
        floats = chunks.isEmpty ? nil : MemtableFloats(chunks, slots: slots, in: range)
    }

    private subscript(stream: Int) -> Memtable.Stream? { streams.isEmpty ? nil : streams[stream] }

    /// The timestamps of a stream that have a histogram, which hides floats of the same.
    func histogramTimes(of stream: Int) -> [Int64] { self[stream]?.histogramTimes ?? [] }

    /// A stream's rows of each kind there is but floats, in the order of time and without duplicates.
    func runs(of stream: Int) -> [Run] {
        self[stream]?.runs(signal) ?? []
    }

    /// A stream's log rows: pieces that are closed, and those that came last, in the order of time.
    func logs(of stream: Int) -> (sealed: [MemtableLogs], last: Run?) {
        guard let rows = self[stream] else { return ([], nil) }
        return (rows.sealedLogs, rows.times.isEmpty ? nil : Run(timestamps: rows.times, rows: .logs(rows.logs)).ordered())
    }

    /// A stream's spans that lie in the range and satisfy the conditions.
    func spans(of stream: Int, _ conditions: SpanConditions, in range: TimeRange) -> [Run] {
        self[stream].map { [$0.spans(conditions, in: range)] } ?? []
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
