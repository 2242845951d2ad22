import Query
import Telemetry

extension Evaluator {
    /// The value of an aggregation by its ``FusedPlan``; nil where the series are not what the plan is for (native histograms, start
    /// times, a mean that overflows): then it must be evaluated from its input.
    func fused(_ plan: FusedPlan, _ steps: Steps) async throws(QueryError) -> [Series]? {
        let windows: RangeWindows
        let range: TimeRange
        switch plan.source {
        case .last:
            let ends = try instants(steps, at: plan.selector.at, offset: plan.selector.offset)
            windows = RangeWindows(ends: ends, length: options.lookback, boundary: .extrapolated)
        case .rate(_, let duration), .extreme(_, let duration), .function(_, let duration):
            let length = try milliseconds(duration, isPositive: true)
            let ends = try instants(steps, at: plan.selector.at, offset: plan.selector.offset)
            windows = RangeWindows(ends: ends, length: length, boundary: .extrapolated)
        }
        range = TimeRange(windows.ends.start - windows.length + 1, windows.ends.end)
        guard !range.isEmpty else { return [] }
        let streams = try await streams(plan.selector, in: range)
        guard !streams.isEmpty else { return [] }
        let parts = try await inChunks(streams, stepCount: steps.count) { chunk throws(QueryError) in
            try await self.fusedPart(plan, chunk, range, windows, steps)
        }
        return try result(plan, parts, steps)
    }

    /// One part of the streams, read and taken together; nil where the plan does not fit them.
    private func fusedPart(
        _ plan: FusedPlan, _ streams: [TelemetryStream], _ range: TimeRange, _ windows: RangeWindows, _ steps: Steps
    ) async throws(QueryError) -> FusedPart? {
        var part = FusedPart(plan, self, windows, steps)
        var blockCount = 0
        try await scan(
            ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)
        ) { block in
            // A block takes less than a look at the clock would be worth.
            if blockCount % 32 == 0 { try self.context.check() }
            blockCount += 1
            try self.context.read(samples: block.count)
            return try part.take(block) ? .continue : .stop
        }
        try part.finish()
        return part.fits ? part : nil
    }

    private func result(_ plan: FusedPlan, _ parts: [FusedPart?], _ steps: Steps) throws(QueryError) -> [Series]? {
        var merged: FusedPart?
        for part in parts {
            guard let part else { return nil }
            if merged == nil { merged = part } else { merged?.merge(part) }
        }
        guard let merged else { return [] }
        let dropsName = plan.dropsName && options.delayedNameRemoval
        if merged.groups.hasMetadata { return nil }
        var result: [Series] = []
        result.reserveCapacity(merged.groups.labels.count)
        for (index, labels) in merged.groups.labels.enumerated() {
            guard let values = merged.columns.column(index) else { return nil }
            let series = Series(labels: labels, dropsName: dropsName, values: values)
            if !series.isEmpty { result.append(series) }
        }
        if let name = plan.counterName, !result.isEmpty { checkCounterName(name, plan.place) }
        return result
    }
}

/// What one part of an aggregation's series gave.
struct FusedPart: Sendable {
    private(set) var groups: LabelGroups
    private(set) var columns: GroupColumns
    /// False once a series came that the plan cannot handle.
    private(set) var fits = true

    private let plan: FusedPlan
    private let evaluator: Evaluator
    private let windows: RangeWindows
    private let steps: Steps
    private var tables = WindowTables()
    /// The series that is being read, and its group.
    private var current: RawSeries
    private var currentID: StreamID?
    private var currentTimesID: UInt64 = 0
    private var column: [Double]
    private var waiting: [Int] = []

    init(_ plan: FusedPlan, _ evaluator: Evaluator, _ windows: RangeWindows, _ steps: Steps) {
        self.plan = plan
        self.evaluator = evaluator
        self.windows = windows
        self.steps = steps
        groups = LabelGroups(plan.node, dropsMetadata: plan.dropsName && !evaluator.options.delayedNameRemoval)
        columns = GroupColumns(plan.node.operation, stepCount: steps.count)
        current = RawSeries(labels: .empty)
        column = Array(repeating: Absent.value, count: steps.count)
    }

    /// Takes the next block; false where no more are wanted.
    mutating func take(_ block: Block) throws(QueryError) -> Bool {
        guard block.startTimes.isEmpty, case .floats(let floats) = block.columns else {
            fits = false
            return false
        }
        if block.stream.id != currentID {
            try finish()
            currentID = block.stream.id
            current.labels = block.stream.labels
        }
        let keepsStale = if case .last = plan.source { true } else { false }
        if keepsStale || !Self.hasMarker(floats) {
            if current.times.isEmpty {
                (current.times, current.values, currentTimesID) = (block.timestamps, floats, block.timesID)
            } else {
                currentTimesID = 0
                current.times += block.timestamps
                current.values += floats
            }
        } else {
            currentTimesID = 0
            for (time, value) in zip(block.timestamps, floats) where !Staleness.isMarker(value) {
                current.times.append(time)
                current.values.append(value)
            }
        }
        return true
    }

    /// Puts the series that has been read into its group.
    mutating func finish() throws(QueryError) {
        guard currentID != nil, fits else { return }
        defer {
            currentID = nil
            // Their storage is the block's: there is none to keep.
            current.times = []
            current.values = []
        }
        guard !current.times.isEmpty else { return }
        guard try fillColumn() else { return }
        let (group, isNew) = groups.position(of: current.labels)
        if isNew {
            // A sum, its compensation, a count.
            try evaluator.context.reserve(bytes: steps.count * 24)
            columns.addGroup()
        }
        column.withUnsafeBufferPointer { columns.add($0, to: group) }
    }

    /// Works out the series' column; whether there is a sample in it.
    private mutating func fillColumn() throws(QueryError) -> Bool {
        switch plan.source {
        case .last:
            column.withUnsafeMutableBufferPointer { column in
                for step in column.indices { column[step] = Absent.value }
            }
            Evaluator.pickLastFloats(current, windows.ends, windows.length, into: &column)
        case .rate(let rate, _):
            let (windows, steps) = (windows, steps)
            let table = tables.table(current.times, timesID: currentTimesID) { times in
                WindowTable(times, windows, steps, isRate: rate.isRate)
            }
            rate.evaluate(current.values, table, windows, steps, into: &column)
        case .extreme(let extreme, _):
            for step in column.indices { column[step] = Absent.value }
            extreme.evaluate(current, windows, into: &column, waiting: &waiting)
        case .function(let function, _):
            for step in column.indices { column[step] = Absent.value }
            let call = RangeCall(
                annotations: evaluator.annotations, labels: current.labels, place: plan.place, parameters: [])
            var hasHistogram = false
            var values = column
            try current.forEachWindow(windows, steps) { window throws(QueryError) in
                let point = try function.evaluate(window, call)
                values[window.step] = point.value
                if point.histogram != nil { hasHistogram = true }
            }
            column = values
            if hasHistogram { fits = false }
        }
        for value in column where !Absent.holds(value) { return true }
        return false
    }

    /// Takes another part's groups into this one's.
    mutating func merge(_ other: FusedPart) {
        for (index, labels) in other.groups.labels.enumerated() {
            let (group, isNew) = groups.position(ofGroup: labels)
            if isNew { columns.addGroup() }
            columns.add(other.columns, index, to: group)
        }
        groups.note(other.groups)
    }

    /// Whether there is a staleness marker; without a branch for each value.
    private static func hasMarker(_ values: [Double]) -> Bool {
        var found: UInt64 = 0
        for value in values { found |= value.bitPattern == Staleness.bits ? 1 : 0 }
        return found != 0
    }
}
