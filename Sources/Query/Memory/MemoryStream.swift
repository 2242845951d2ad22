import Telemetry

/// What makes two streams of a signal the same: their labels; for spans, their resource too.
struct MemoryStreamKey: Hashable, Sendable {
    var labels: Labels
    var resource: Resource?
}

/// One stream of a ``MemoryStore``: its rows in the order of time.
struct MemoryStream: Sendable {
    var stream: TelemetryStream
    var timestamps: [Int64] = []
    /// Metrics: as long as ``timestamps``; 0 where ``histograms`` has a value for the time.
    var floats: [Double] = []
    var histograms: [Int64: NativeHistogram] = [:]
    /// By the sample's time.
    var startTimes: [Int64: Int64] = [:]
    var entries: [LogEntry] = []
    var spans: [TraceSpan] = []
    var profiles: [Profile] = []

    init(stream: TelemetryStream) {
        self.stream = stream
    }

    /// The first row at or after `time`.
    private func lowerBound(_ time: Int64) -> Int {
        if let last = timestamps.last, last < time { return timestamps.count }
        var (low, high) = (0, timestamps.count)
        while low < high {
            let middle = (low + high) / 2
            if timestamps[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The rows within `range`.
    func rows(in range: TimeRange) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        let start = lowerBound(range.start)
        let end = range.end == .max ? timestamps.count : lowerBound(range.end + 1)
        return start..<max(start, end)
    }

    func hasRow(in range: TimeRange) -> Bool { !rows(in: range).isEmpty }

    /// Removes the rows within `range`.
    mutating func remove(in range: TimeRange) {
        let rows = rows(in: range)
        for time in timestamps[rows] {
            histograms[time] = nil
            startTimes[time] = nil
        }
        timestamps.removeSubrange(rows)
        if !floats.isEmpty { floats.removeSubrange(rows) }
        if !entries.isEmpty { entries.removeSubrange(rows) }
        if !spans.isEmpty { spans.removeSubrange(rows) }
        if !profiles.isEmpty { profiles.removeSubrange(rows) }
    }

    /// Sets the float at a time; the last write wins.
    mutating func set(_ time: Int64, float: Double) {
        let row = lowerBound(time)
        histograms[time] = nil
        startTimes[time] = nil
        if row < timestamps.count, timestamps[row] == time {
            floats[row] = float
        } else {
            timestamps.insert(time, at: row)
            floats.insert(float, at: row)
        }
    }

    /// Sets the histogram at a time; the last write wins.
    mutating func set(_ time: Int64, histogram: NativeHistogram) {
        set(time, float: 0)
        histograms[time] = histogram
    }

    /// Adds a line after those of the same time, unless an equal one is there.
    mutating func insert(_ entry: LogEntry) {
        guard !rows(in: TimeRange(entry.timestamp, entry.timestamp)).contains(where: { entries[$0] == entry }) else {
            return
        }
        entries.insert(entry, at: place(entry.timestamp))
    }

    /// Adds a span after those of the same start, unless an equal one is there.
    mutating func insert(_ span: TraceSpan) {
        guard !rows(in: TimeRange(span.start, span.start)).contains(where: { spans[$0] == span }) else { return }
        spans.insert(span, at: place(span.start))
    }

    /// Adds a profile after those of the same time.
    mutating func insert(_ profile: Profile) {
        profiles.insert(profile, at: place(profile.timestamp))
    }

    private mutating func place(_ time: Int64) -> Int {
        let row = rows(in: TimeRange(time, time)).upperBound
        timestamps.insert(time, at: row)
        return row
    }

    /// The rows as blocks: one, or for a metric that changes between floats and histograms one for each stretch.
    func blocks(_ rows: Range<Int>, columns: ScanRequest.Columns) -> [Block] {
        guard !rows.isEmpty else { return [] }
        let times = Array(timestamps[rows])
        if columns.isEmpty { return [Block(stream: stream, timestamps: times, columns: .timestampsOnly)] }
        if !entries.isEmpty {
            var columns = LogColumns()
            for row in rows { columns.append(entries[row]) }
            return [Block(stream: stream, timestamps: times, columns: .logs(columns))]
        }
        if !spans.isEmpty { return [Block(stream: stream, timestamps: times, columns: .spans(Array(spans[rows])))] }
        if !profiles.isEmpty {
            return [Block(stream: stream, timestamps: times, columns: .profiles(Array(profiles[rows])))]
        }
        if histograms.isEmpty { return [block(times, .floats(Array(floats[rows])))] }
        var blocks: [Block] = []
        var start = rows.lowerBound
        while start < rows.upperBound {
            let isHistogram = histograms[timestamps[start]] != nil
            var end = start + 1
            while end < rows.upperBound, (histograms[timestamps[end]] != nil) == isHistogram { end += 1 }
            let times = Array(timestamps[start..<end])
            let values =
                isHistogram
                ? Block.Payload.histograms(times.compactMap { histograms[$0] }) : .floats(Array(floats[start..<end]))
            blocks.append(block(times, values))
            start = end
        }
        return blocks
    }

    private func block(_ times: [Int64], _ values: Block.Payload) -> Block {
        var block = Block(stream: stream, timestamps: times, columns: values)
        if !startTimes.isEmpty { block.startTimes = times.map { startTimes[$0] ?? 0 } }
        return block
    }
}
