import Synchronization
package import Telemetry

extension EmbeddedStore {
    package var seriesDirectory: (any SeriesDirectory)? { seriesCache }

    package func labels(of handles: [SeriesHandle]) -> [Labels?] {
        self[.metrics].registry.labels(handles.map(\.value))
    }

    package func acceptedRange(_ signal: Signal) -> TimeRange { timeBounds.range(signal) }

    package func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        guard !isClosed.load(ordering: .relaxed) else { throw WriteAheadLog.closed }
        if !hasRoom { try await waitForRoom() }
        try admit()
        var bounds = timeBounds
        try stateTable.admit(batch.state)
        let prepared = try prepare(batch, &bounds)
        if !prepared.isEmpty { try await commit(prepared) }
        observePatterns(batch.logs.streams)
        // The good rows are kept all the same, as Prometheus and Loki do.
        if let error = bounds.error { throw error }
    }

    private var waitingByteCount: Int { log.waitingByteCount + memtableByteCount.value }
    private var hasRoom: Bool { waitingByteCount < options.waitingByteCountMax }

    /// Holds a write back until what came before it has been written: a client is slowed down to what the disk takes, and only one that
    /// would wait too long is sent away.
    private func waitForRoom() async throws(StoreError) {
        defer { waitingAppendCount.subtract(1, ordering: .relaxed) }
        let deadline = ContinuousClock.now + options.overloadPatience
        var isRefused = waitingAppendCount.add(1, ordering: .relaxed).newValue > options.waitingAppendCountMax
        while !isRefused {
            // A sleep that is cut short ends with its task.
            do { try await Task.sleep(for: .milliseconds(10)) } catch { isRefused = true }
            guard !isClosed.load(ordering: .relaxed) else { throw WriteAheadLog.closed }
            if hasRoom { return }
            if ContinuousClock.now > deadline { isRefused = true }
        }
        reporter.counters.update { $0.refusedOverloaded += 1 }
        throw StoreError(
            .overloaded, "\(waitingByteCount) bytes wait to be written, at most \(options.waitingByteCountMax)", remedy: "Try again in a second.")
    }

    private var timeBounds: TimeBounds {
        TimeBounds(now: options.time.nanoseconds, retention: retention.withLock { $0.age }, futureBound: options.futureBound)
    }

    /// Refuses a write while the disk is nearly full.
    private func admit() throws(StoreError) {
        do throws(StoreError) { try diskGuard.admit() } catch {
            reporter.counters.update { $0.refusedDiskFull += 1 }
            throw error
        }
    }

    private func commit(_ prepared: PreparedBatch) async throws(StoreError) {
        do throws(StoreError) { try await log.append(prepared) } catch {
            if error.code == .diskFull { reporter.counters.update { $0.refusedDiskFull += 1 } }
            throw diskGuard.explain(error)
        }
    }

    /// Finds the streams' slots, and leaves out rows that lie outside of the bounds.
    private func prepare(_ batch: TelemetryBatch, _ bounds: inout TimeBounds) throws(StoreError) -> PreparedBatch {
        var prepared = PreparedBatch()
        prepared.state = batch.state
        if !batch.metrics.isEmpty { try prepare(batch.metrics, &prepared, &bounds) }
        if !batch.logs.isEmpty {
            let streams = batch.logs.streams.filter { !$0.entries.isEmpty }
            let slots = self[.logs].registry.slots(for: streams.map { ($0.labels, $0.resource) })
            for (stream, slot) in zip(streams, slots) {
                let rows = bounds.hold(stream.entries)
                if !rows.isEmpty { prepared.logs.append(PreparedBatch.LogGroup(slot: slot, rows: rows)) }
            }
        }
        if !batch.spans.isEmpty {
            let groups = batch.spans.groups.filter { !$0.spans.isEmpty }
            let slots = self[.spans].registry.slots(for: groups.map { ($0.resource.labels, $0.resource) })
            for (group, slot) in zip(groups, slots) {
                let rows = bounds.hold(group.spans, .spans) { $0.start }
                if !rows.isEmpty { prepared.spans.append(PreparedBatch.Group(slot: slot, rows: rows)) }
            }
        }
        if !batch.profiles.isEmpty {
            let streams = batch.profiles.streams.filter { !$0.profiles.isEmpty }
            let slots = self[.profiles].registry.slots(for: streams.map { ($0.labels, $0.resource) })
            for (stream, slot) in zip(streams, slots) {
                let rows = bounds.hold(stream.profiles, .profiles, \.timestamp)
                if !rows.isEmpty { prepared.profiles.append(PreparedBatch.Group(slot: slot, rows: rows)) }
            }
        }
        return prepared
    }

    private func prepare(_ metrics: MetricBatch, _ prepared: inout PreparedBatch, _ bounds: inout TimeBounds) throws(StoreError) {
        let range = bounds.range(.metrics)
        let slots = try slots(of: metrics)
        prepared.metricSlots = slots
        prepared.metadata = metrics.metadata
        if metrics.sampleSeries.allSatisfy({ Int($0) < slots.count }), metrics.timestamps.allSatisfy({ range.contains($0) }) {
            prepared.floatSlots = metrics.sampleSeries.map { slots[Int($0)] }
            prepared.floatTimes = metrics.timestamps
            prepared.floatValues = metrics.values
        } else {
            for row in 0..<metrics.sampleCount {
                let (series, time) = (Int(metrics.sampleSeries[row]), metrics.timestamps[row])
                guard series < slots.count, range.contains(time) else {
                    bounds.note(time, .metrics)
                    continue
                }
                prepared.floatSlots.append(slots[series])
                prepared.floatTimes.append(time)
                prepared.floatValues.append(metrics.values[row])
            }
        }
        for row in metrics.histograms {
            guard Int(row.series) < slots.count, range.contains(row.timestamp) else {
                bounds.note(row.timestamp, .metrics)
                continue
            }
            prepared.histograms.append((slots[Int(row.series)], row.timestamp, row.histogram))
        }
        for row in metrics.exemplars {
            guard Int(row.series) < slots.count, range.contains(row.exemplar.timestamp) else {
                bounds.note(row.exemplar.timestamp, .metrics)
                continue
            }
            prepared.exemplars.append((slots[Int(row.series)], row.exemplar))
        }
        if prepared.floatSlots.isEmpty, prepared.histograms.isEmpty, prepared.exemplars.isEmpty { prepared.metricSlots = [] }
    }

    /// The slots of a batch's series: those that came by their handles, and those whose labels came, which are entered into the directory.
    private func slots(of metrics: MetricBatch) throws(StoreError) -> [UInt32] {
        let registry = self[.metrics].registry
        if metrics.handles.isEmpty { return registry.slots(for: metrics.series.map { ($0, .unknown) }) }
        var slots = metrics.handles.map(\.value)
        let unknown = slots.indices.filter { slots[$0] == SeriesHandle.unknown.value }
        let found = registry.slots(for: unknown.map { (metrics.series[$0], .unknown) })
        var entries: [(key: SeriesKey, slot: UInt32)] = []
        for (index, slot) in zip(unknown, found) {
            slots[index] = slot
            if let key = metrics.keys[index] { entries.append((key, slot)) }
        }
        if !entries.isEmpty { seriesCache.enter(entries) }
        guard registry.refresh(slots) else {
            throw StoreError(.overloaded, "a series of the batch was forgotten while it was decoded", remedy: "Send it again.")
        }
        return slots
    }
}

/// Which instants the store takes now, and what it had to refuse.
struct TimeBounds {
    private let ranges: [TimeRange]
    private var refused: (count: Int, first: Int64, signal: Signal)?

    init(now: Int64, retention: [Signal: Duration], futureBound: Duration) {
        ranges = Signal.allCases.map { signal in
            let unit = 1_000_000_000 / signal.unitsPerSecond
            let start = now.subtractingReportingOverflow(retention[signal]?.wholeNanoseconds ?? .max)
            let end = now.addingReportingOverflow(futureBound.wholeNanoseconds)
            return TimeRange(start.overflow ? .min : start.partialValue / unit, end.overflow ? .max : end.partialValue / unit)
        }
    }

    func range(_ signal: Signal) -> TimeRange { ranges[Int(signal.rawValue)] }

    mutating func note(_ time: Int64, _ signal: Signal) {
        if refused == nil { refused = (0, time, signal) }
        refused?.count += 1
    }

    /// The rows that lie in the bounds.
    mutating func hold<Row>(_ rows: [Row], _ signal: Signal, _ time: (Row) -> Int64) -> [Row] {
        let range = range(signal)
        if rows.allSatisfy({ range.contains(time($0)) }) { return rows }
        var held: [Row] = []
        for row in rows {
            if range.contains(time(row)) { held.append(row) } else { note(time(row), signal) }
        }
        return held
    }

    /// The log rows that lie in the bounds.
    mutating func hold(_ rows: LogRows) -> LogRows {
        let range = range(.logs)
        if rows.timestamps.allSatisfy({ range.contains($0) }) { return rows }
        var held = LogRows()
        held.append(rows.indices.filter { range.contains(rows.timestamps[$0]) }, of: rows)
        for timestamp in rows.timestamps where !range.contains(timestamp) { note(timestamp, .logs) }
        return held
    }

    /// Set where rows were refused.
    var error: StoreError? {
        guard let refused else { return nil }
        let range = range(refused.signal)
        let unit = refused.signal == .metrics ? "ms" : "ns"
        let side = refused.first < range.start ? "older than retention" : "too far in the future"
        return StoreError(
            .rejected,
            "\(refused.count) \(refused.count == 1 ? "row" : "rows") of \(refused.signal.name) refused, the first at \(refused.first) \(unit): \(side)",
            remedy: "Rows between \(range.start) and \(range.end) \(unit) are taken; check the sender's clock, or lengthen retention.",
            refusedRowCount: refused.count)
    }
}

extension Duration {
    /// In nanoseconds, as far as 64 bits go.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        return whole.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}
