import Query
import Telemetry

/// Gathers the samples of a range aggregation, series by series.
struct SampleCollector {
    private let aggregation: RangeAggregation
    private let grouping: Grouping?
    private let pipeline: LogPipeline
    private let grid: StepGrid
    private let seriesCountMax: Int
    private let context: QueryContext
    private let unwrapFilters: [LabelFilterStage]
    private let groupNames: Set<String>
    private var row: Row
    private var labels: [Labels] = []
    /// The series of the stream at hand by level, for lines that bring no labels of their own.
    private var levelIndexes: (stream: StreamID?, byLevel: [String: Int]) = (nil, [:])
    private var indexes: [Labels: Int] = [:]
    /// For counting: what changes at each step, so that a line costs the same however many windows it lies in.
    private var changes: [[Double]] = []
    private var lineChanges: [[Double]] = []
    /// For all else: the samples.
    private var samples: [WindowSamples] = []
    private(set) var linesProcessed = 0
    private(set) var bytesProcessed = 0

    init(
        aggregation: RangeAggregation, grouping: Grouping?, pipeline: LogPipeline, grid: StepGrid, detectsLevel: Bool, seriesCountMax: Int,
        context: QueryContext
    ) throws(QueryError) {
        self.aggregation = aggregation
        self.grouping = grouping
        self.pipeline = pipeline
        self.grid = grid
        self.seriesCountMax = seriesCountMax
        self.context = context
        var filters: [LabelFilterStage] = []
        for filter in aggregation.unwrap?.filters ?? [] { filters.append(try LabelFilterStage(filter)) }
        unwrapFilters = filters
        groupNames = Set(grouping?.labels ?? [])
        row = Row(labels: RowLabels(detectsLevel: detectsLevel))
    }

    private var isCounting: Bool { aggregation.unwrap == nil }
    private var countsBytes: Bool { aggregation.operation == .bytes || aggregation.operation == .bytesRate }

    /// Whether every line of the stream falls into one series, known from the stream alone.
    private func isConstant(_ stream: TelemetryStream) -> Bool {
        guard let grouping, !grouping.isWithout, !pipeline.changesStreamLabels else { return false }
        return grouping.labels.allSatisfy { stream.labels[$0] != nil }
    }

    /// The columns that the streams' lines are needed with.
    func columns(_ streams: [TelemetryStream]) -> ScanRequest.Columns {
        let isPlain = pipeline.isEmpty && isCounting && streams.allSatisfy(isConstant)
        if isPlain { return countsBytes ? .line : .none }
        if isCounting, !pipeline.touchesLabels, streams.allSatisfy(isConstant) { return .line }
        return [.line, .metadata, .identifiers]
    }

    mutating func take(_ block: Block) throws(QueryError) {
        linesProcessed += block.count
        if !isCounting { try context.reserve(bytes: block.count * 16) }
        if levelIndexes.stream != block.stream.id { levelIndexes = (block.stream.id, [:]) }
        let constant = isConstant(block.stream) ? try index(of: block.stream.labels.keeping(groupNames)) : nil
        guard case .logs(let columns) = block.columns, !columns.ends.isEmpty else {
            // Timestamps alone: counting lines whose series is known.
            if let constant { for timestamp in block.timestamps { count(constant, timestamp, 1) } }
            return
        }
        bytesProcessed += columns.bytes.count
        for position in 0..<min(block.count, columns.ends.count) {
            let range = columns.range(position)
            row.timestamp = block.timestamps[position]
            row.line = columns.bytes[range]
            row.labels.reset(stream: block.stream.labels, metadata: columns.fullMetadata(position), line: row.line)
            guard pipeline.run(&row, applied: block.applied) else { continue }
            try takeRow(constant)
        }
    }

    private mutating func takeRow(_ constant: Int?) throws(QueryError) {
        var value = countsBytes ? Double(row.line.count) : 1
        if let unwrap = aggregation.unwrap {
            guard let unwrapped = unwrapped(unwrap) else { return }
            value = unwrapped
        }
        if let error = row.labels.error { throw Self.error(error, row.labels) }
        let index: Int
        if let constant {
            index = constant
        } else if isCounting, row.labels.isStreamAndLevel {
            let level = row.labels.detectsLevel ? row.labels.value(LevelDetector.label) : ""
            if let known = levelIndexes.byLevel[level] {
                index = known
            } else {
                index = try self.index(of: groupLabels)
                levelIndexes.byLevel[level] = index
            }
        } else {
            index = try self.index(of: groupLabels)
        }
        if isCounting {
            count(index, row.timestamp, value)
        } else {
            samples[index].append(row.timestamp, value)
        }
    }

    /// The number that a line stands for; nil where it has none or a filter behind `unwrap` leaves it out.
    private mutating func unwrapped(_ unwrap: Unwrap) -> Double? {
        let text = row.labels.value(unwrap.label)
        guard !text.isEmpty else { return nil }
        let number: Double? =
            switch unwrap.conversion {
            case nil: Double(text)
            case .bytes: Units.bytes(text).map(Double.init)
            case .duration, .durationSeconds: Units.duration(text, allowsDays: false).map { Double($0) / 1e9 }
            }
        if number == nil { row.labels.fail(ErrorLabel.sampleExtraction, unwrap.fault(text)) }
        for filter in unwrapFilters { guard filter.passes(&row.labels) else { return nil } }
        return number ?? 0
    }

    private var groupLabels: Labels {
        if let grouping {
            if !grouping.isWithout {
                var pairs: [Label] = []
                for name in grouping.labels { pairs.append(Label(name, row.labels.value(name))) }
                return Labels(pairs)
            }
            return row.labels.final.dropping(aggregation.unwrap.map { groupNames.union([$0.label]) } ?? groupNames)
        }
        let all = row.labels.final
        return aggregation.unwrap.map { all.dropping([$0.label]) } ?? all
    }

    private mutating func index(of labels: Labels) throws(QueryError) -> Int {
        if let index = indexes[labels] { return index }
        guard self.labels.count < seriesCountMax else {
            throw QueryError(
                .limit,
                "maximum number of series (\(seriesCountMax)) reached for a single query; "
                    + "consider reducing query cardinality by adding more specific stream selectors, reducing the time range, "
                    + "or aggregating results with functions like sum(), count() or topk()")
        }
        // What changes, the values, and whether they are there.
        try context.reserve(bytes: (grid.count + 1) * (countsBytes ? 25 : 17) + 200)
        let index = self.labels.count
        indexes[labels] = index
        self.labels.append(labels)
        if isCounting {
            changes.append([Double](repeating: 0, count: grid.count + 1))
            if countsBytes { lineChanges.append([Double](repeating: 0, count: grid.count + 1)) }
        } else {
            samples.append(WindowSamples())
        }
        return index
    }

    /// Adds to every window that the line lies in: those that end at `timestamp` or up to `range` later.
    private mutating func count(_ index: Int, _ timestamp: Int64, _ value: Double) {
        let from = timestamp &+ aggregation.offset &- grid.start
        let to = from &+ aggregation.range &- 1
        guard to >= 0 else { return }
        let first = from <= 0 ? 0 : (from &+ grid.step &- 1) / grid.step
        let last = min(to / grid.step, Int64(grid.count - 1))
        guard first <= last else { return }
        changes[index][Int(first)] += value
        changes[index][Int(last) + 1] -= value
        if countsBytes {
            lineChanges[index][Int(first)] += 1
            lineChanges[index][Int(last) + 1] -= 1
        }
    }

    private static func error(_ error: String, _ labels: RowLabels) -> QueryError {
        QueryError(
            .execution,
            "pipeline error: '\(error)' for series: '\(labels.final)'.\nUse a label filter to intentionally skip this error. "
                + "(e.g | __error__!=\"\(error)\").\nTo skip all potential errors you can match empty errors.(e.g __error__=\"\")\n"
                + "The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n")
    }

    /// The value of each series at each step.
    mutating func series() -> [StepSeries] {
        if aggregation.operation == .absent { return [absent()] }
        let seconds = Double(aggregation.range) / 1e9
        let isRate = aggregation.operation == .rate || aggregation.operation == .bytesRate
        var result: [StepSeries] = []
        for index in labels.indices {
            var one = StepSeries(labels: labels[index], count: grid.count)
            if isCounting {
                var (sum, lines) = (0.0, 0.0)
                for step in 0..<grid.count {
                    sum += changes[index][step]
                    lines += countsBytes ? lineChanges[index][step] : changes[index][step]
                    one.values[step] = isRate ? sum / seconds : sum
                    one.present[step] = lines > 0.5
                }
            } else {
                samples[index].fill(&one, aggregation, grid)
            }
            result.append(one)
        }
        return result
    }

    /// 1 where no line lies in the window, with the labels that the selector's equalities name.
    private mutating func absent() -> StepSeries {
        var pairs: [Label] = []
        var seen: Set<String> = []
        for matcher in aggregation.logs.matchers {
            if matcher.operation == .equal, !seen.contains(matcher.name) {
                pairs.append(Label(matcher.name, matcher.value))
            } else {
                pairs.removeAll { $0.name == matcher.name }
            }
            seen.insert(matcher.name)
        }
        var result = StepSeries(labels: Labels(pairs), count: grid.count)
        var present = [Bool](repeating: false, count: grid.count)
        for index in labels.indices {
            if isCounting {
                var lines = 0.0
                for step in 0..<grid.count {
                    lines += changes[index][step]
                    if lines > 0.5 { present[step] = true }
                }
            } else {
                var one = StepSeries(labels: .empty, count: grid.count)
                samples[index].fill(&one, aggregation, grid)
                for step in 0..<grid.count where one.present[step] { present[step] = true }
            }
        }
        for step in 0..<grid.count { (result.values[step], result.present[step]) = (1, !present[step]) }
        return result
    }
}
