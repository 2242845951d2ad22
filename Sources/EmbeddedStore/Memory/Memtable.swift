import Synchronization
import Telemetry

/// The rows of one signal that are in the log but in no part yet.
///
/// One thread appends (the log's, in the order of the log: so a batch appears at once, and memory and replay agree on which write
/// came last); any thread reads. The lock is held once a batch and once a read.
final class Memtable: Sendable {
    let signal: Signal
    private let state = Mutex(State())

    /// One stream's rows, in the order in which they came. The floats of metrics stand together (``FloatRows``).
    struct Stream: Sendable {
        let slot: UInt32
        /// The day that the last row fell on: its first and last instant. The day's index has the stream.
        var dayStart = Int64.max
        var dayEnd = Int64.min
        var minTime = Int64.max
        var maxTime = Int64.min
        var histogramTimes: [Int64] = []
        var histograms: [NativeHistogram] = []
        var exemplars: [Exemplar] = []
        /// Of logs, spans and profiles.
        var times: [Int64] = []
        /// The log rows that came last, and those before them.
        var logs = LogColumns()
        var sealedLogs: [MemtableLogs] = []
        var spans: [TraceSpan] = []
        var profiles: [Profile] = []

        init(slot: UInt32) {
            self.slot = slot
        }
    }

    fileprivate struct State: Sendable {
        /// By slot: the position in ``streams``, or -1.
        var positions: [Int32] = []
        var streams: [Stream] = []
        var floats = FloatRows()
        /// By slot: the last day that the floats of a series were entered for, or `.min`.
        var floatDays: [Int32] = []
        var byteCount = 0
        var rowCount = 0
        var minTime = Int64.max
        var maxTime = Int64.min
        /// When the first row came, by the store's clock; nil while empty.
        var firstAppend: Int64?
        var days: Set<Int64> = []
    }

    /// What is known without reading the rows.
    struct Summary: Sendable {
        var byteCount: Int
        var rowCount: Int
        var firstAppend: Int64?
        /// nil while empty.
        var range: TimeRange?
        var days: Set<Int64>
    }

    init(signal: Signal) {
        self.signal = signal
    }

    var summary: Summary {
        state.withLock { state in
            Summary(
                byteCount: state.byteCount, rowCount: state.rowCount, firstAppend: state.firstAppend,
                range: state.minTime <= state.maxTime ? TimeRange(state.minTime, state.maxTime) : nil, days: state.days)
        }
    }

    var isEmpty: Bool { state.withLock { $0.isEmpty } }

    /// The slots that it has rows of.
    var slots: [UInt32] {
        state.withLock { state in
            var slots = state.streams.map(\.slot)
            for (slot, day) in state.floatDays.enumerated() where day != .min { slots.append(UInt32(slot)) }
            return slots
        }
    }

    /// Takes the rows of this signal.
    ///
    /// - Parameter enter: called when a stream has its first row on a day; must see to it that the day's index has the stream.
    /// - Returns: the bytes by which it grew, roughly.
    func append(_ batch: PreparedBatch, now: Int64, enter: (_ slot: UInt32, _ day: Int64) -> Void) -> Int {
        state.withLock { state in
            let before = state.byteCount
            switch signal {
            case .metrics: state.appendMetrics(batch, enter)
            case .logs:
                for group in batch.logs {
                    let position = state.position(group.slot)
                    for timestamp in group.rows.timestamps { state.note(position, timestamp, signal, enter) }
                    state.streams[position].times += group.rows.timestamps
                    state.streams[position].logs.append(group.rows)
                    if state.streams[position].times.count >= MemtableLogs.rowCountMax
                        || state.streams[position].logs.bytes.count >= MemtableLogs.byteCountMax
                    {
                        state.streams[position].sealLogs()
                    }
                    state.byteCount += group.rows.bytes.count + 64 * group.rows.count
                    for metadata in group.rows.metadata { state.byteCount += 48 * metadata.count }
                }
            case .spans:
                for group in batch.spans {
                    let position = state.position(group.slot)
                    for span in group.rows {
                        state.note(position, span.start, signal, enter)
                        state.streams[position].times.append(span.start)
                        state.streams[position].spans.append(span)
                        state.byteCount += span.memoryByteCount
                    }
                }
            case .profiles:
                for group in batch.profiles {
                    let position = state.position(group.slot)
                    for profile in group.rows {
                        state.note(position, profile.timestamp, signal, enter)
                        state.streams[position].times.append(profile.timestamp)
                        state.streams[position].profiles.append(profile)
                        state.byteCount += 100 + 64 * profile.frames.count + profile.stacks.reduce(0) { $0 + 40 + 4 * $1.count }
                    }
                }
            }
            state.rowCount += batch.rowCount(signal)
            if state.firstAppend == nil, !state.isEmpty { state.firstAppend = now }
            return state.byteCount - before
        }
    }

    /// All rows, as of now.
    func contents() -> Contents {
        state.withLock { state in
            Contents(chunks: state.floats.sealed + (state.floats.unsealed().map { [$0] } ?? []), streams: state.streams)
        }
    }

    /// What a flush writes.
    struct Contents: Sendable {
        /// The floats of metrics, earlier ones first.
        var chunks: [FloatChunk]
        /// Everything else (the columns share their storage until they are written to again).
        var streams: [Stream]
    }

    /// The rows of some streams, all as of one instant.
    ///
    /// - Parameters:
    ///   - slots: by stream of the reader's request; nil for one that this process has not met.
    ///   - sealsLogs: the reader takes log rows in pieces (``MemtableRows/logs(of:)``).
    func rows(_ slots: [UInt32?], in range: TimeRange, sealsLogs: Bool = false) -> MemtableRows {
        let (streams, chunks) = state.withLock { state in
            if sealsLogs {
                for case .some(let slot) in slots where Int(slot) < state.positions.count && state.positions[Int(slot)] >= 0 {
                    let position = Int(state.positions[Int(slot)])
                    if state.streams[position].times.count >= MemtableLogs.rowCountMin { state.streams[position].sealLogs() }
                }
            }
            let streams = state.streams.isEmpty ? [] : slots.map { slot -> Stream? in
                guard let slot, Int(slot) < state.positions.count, state.positions[Int(slot)] >= 0 else { return nil }
                let stream = state.streams[Int(state.positions[Int(slot)])]
                return stream.minTime <= range.end && range.start <= stream.maxTime ? stream : nil
            }
            var chunks: [FloatChunk] = []
            if !state.floats.isEmpty {
                chunks = state.floats.sealed
                let known = slots.compactMap(\.self)
                let rest = known.count <= FloatRows.fewSlotsMax ? state.floats.unsealed(known.sorted()) : state.floats.unsealed()
                if let rest { chunks.append(rest) }
                chunks = chunks.filter { $0.minTime <= range.end && range.start <= $0.maxTime }
            }
            return (streams, chunks)
        }
        return MemtableRows(signal: signal, slots: slots, streams: streams, chunks: chunks, in: range)
    }
}

extension Memtable.State {
    fileprivate var isEmpty: Bool { streams.isEmpty && floats.isEmpty }

    fileprivate mutating func position(_ slot: UInt32) -> Int {
        let index = Int(slot)
        if index >= positions.count {
            positions.append(contentsOf: repeatElement(-1, count: max(index + 1, positions.count * 2, 64) - positions.count))
        }
        if positions[index] >= 0 { return Int(positions[index]) }
        positions[index] = Int32(streams.count)
        streams.append(Memtable.Stream(slot: slot))
        byteCount += MemoryLayout<Memtable.Stream>.stride
        return streams.count - 1
    }

    /// Widens the ranges; enters the stream into the index of a day that it has had no row on.
    @inline(__always)
    fileprivate mutating func note(_ position: Int, _ time: Int64, _ signal: Signal, _ enter: (UInt32, Int64) -> Void) {
        if time < streams[position].dayStart || time > streams[position].dayEnd { noteDay(position, time, signal, enter) }
        if time < streams[position].minTime { streams[position].minTime = time }
        if time > streams[position].maxTime { streams[position].maxTime = time }
        if time < minTime { minTime = time }
        if time > maxTime { maxTime = time }
    }

    private mutating func noteDay(_ position: Int, _ time: Int64, _ signal: Signal, _ enter: (UInt32, Int64) -> Void) {
        let day = Days.number(of: time, signal)
        let range = Days.range(day, signal)
        streams[position].dayStart = range.start
        streams[position].dayEnd = range.end
        days.insert(day)
        enter(streams[position].slot, day)
    }

    fileprivate mutating func appendMetrics(_ batch: PreparedBatch, _ enter: (UInt32, Int64) -> Void) {
        if !batch.floatSlots.isEmpty {
            noteFloats(batch, enter)
            if !streams.isEmpty { removeHistograms(batch) }
            floats.append(slots: batch.floatSlots, times: batch.floatTimes, values: batch.floatValues)
            byteCount += 20 * batch.floatSlots.count
        }
        for row in batch.histograms {
            let position = position(row.slot)
            note(position, row.timestamp, .metrics, enter)
            streams[position].histogramTimes.append(row.timestamp)
            streams[position].histograms.append(row.histogram)
            byteCount += 200 + 8 * (row.histogram.positiveCounts.count + row.histogram.negativeCounts.count)
        }
        for row in batch.exemplars {
            let position = position(row.slot)
            note(position, row.exemplar.timestamp, .metrics, enter)
            streams[position].exemplars.append(row.exemplar)
            byteCount += 80 + 64 * row.exemplar.labels.count
        }
    }
}

extension Memtable.State {
    /// Widens the ranges; enters the series into the indexes of the days that they have had no float on.
    private mutating func noteFloats(_ batch: PreparedBatch, _ enter: (UInt32, Int64) -> Void) {
        var (low, high, slotMax) = (Int64.max, Int64.min, UInt32(0))
        for time in batch.floatTimes {
            low = min(low, time)
            high = max(high, time)
        }
        for slot in batch.floatSlots { slotMax = max(slotMax, slot) }
        (minTime, maxTime) = (min(minTime, low), max(maxTime, high))
        if Int(slotMax) >= floatDays.count {
            floatDays.append(contentsOf: repeatElement(.min, count: max(Int(slotMax) + 1, floatDays.count * 2) - floatDays.count))
        }
        let (first, last) = (Days.number(of: low, .metrics), Days.number(of: high, .metrics))
        if first == last { days.insert(first) }
        for row in batch.floatSlots.indices {
            let day = first == last ? first : Days.number(of: batch.floatTimes[row], .metrics)
            let slot = batch.floatSlots[row]
            if Int64(floatDays[Int(slot)]) == day { continue }
            floatDays[Int(slot)] = Int32(exactly: day) ?? .min
            days.insert(day)
            byteCount += 8
            enter(slot, day)
        }
    }

    /// A timestamp has a float or a histogram: the later write takes the earlier one's place. (A histogram hides the floats of its
    /// timestamp when they are read.)
    private mutating func removeHistograms(_ batch: PreparedBatch) {
        for row in batch.floatSlots.indices {
            let slot = Int(batch.floatSlots[row])
            guard slot < positions.count, positions[slot] >= 0 else { continue }
            streams[Int(positions[slot])].removeHistogram(at: batch.floatTimes[row])
        }
    }
}

extension Memtable.Stream {
    /// A timestamp has a float or a histogram: the later write takes the earlier one's place.
    fileprivate mutating func removeHistogram(at time: Int64) {
        while let index = histogramTimes.lastIndex(of: time) {
            histogramTimes.remove(at: index)
            histograms.remove(at: index)
        }
    }

    /// The rows of each kind there is but floats, in the order of time and without duplicates.
    func runs(_ signal: Signal) -> [Run] {
        var runs: [Run] = []
        switch signal {
        case .metrics:
            if !histogramTimes.isEmpty { runs.append(Run(timestamps: histogramTimes, rows: .histograms(histograms))) }
            if !exemplars.isEmpty { runs.append(Run(timestamps: exemplars.map(\.timestamp), rows: .exemplars(exemplars))) }
        case .logs: runs.append(logRun)
        case .spans: runs.append(Run(timestamps: times, rows: .spans(spans)))
        case .profiles: runs.append(Run(timestamps: times, rows: .profiles(profiles)))
        }
        return runs.map { $0.ordered() }
    }
}
