import Query
import Telemetry

/// The series of a range aggregation, and what has been counted or sampled of each.
struct SampleTable: Sendable {
    let aggregation: RangeAggregation
    let grid: StepGrid
    private let seriesCountMax: Int
    private let context: QueryContext
    private(set) var labels: [Labels] = []
    private var indexes: [Labels: Int] = [:]
    /// For counting: what changes at each step, so that a line costs the same however many windows it lies in.
    private var changes: [[Double]] = []
    private var lineChanges: [[Double]] = []
    /// For all else: the samples.
    private var samples: [WindowSamples] = []
    var linesProcessed = 0
    var bytesProcessed = 0

    init(_ aggregation: RangeAggregation, _ grid: StepGrid, seriesCountMax: Int, context: QueryContext) {
        self.aggregation = aggregation
        self.grid = grid
        self.seriesCountMax = seriesCountMax
        self.context = context
    }

    var isCounting: Bool { aggregation.unwrap == nil }
    var countsBytes: Bool { aggregation.operation == .bytes || aggregation.operation == .bytesRate }

    // MARK: Series

    /// The series of a label set; a new one where it has not been met.
    mutating func index(of labels: Labels) throws(QueryError) -> Int {
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
            samples.append(WindowSamples(aggregation, grid))
        }
        return index
    }

    // MARK: Counting

    /// The steps whose windows hold an instant: those that end at it, or up to `range` later. Empty where there are none.
    struct Steps {
        var first: Int
        var last: Int
        /// The last instant that lies in the same windows.
        var end: Int64
    }

    func steps(at timestamp: Int64) -> Steps {
        let from = timestamp &+ aggregation.offset &- grid.start
        let to = from &+ aggregation.range &- 1
        let origin = grid.start &- aggregation.offset
        if to < 0 { return Steps(first: 0, last: -1, end: origin &- aggregation.range) }
        let first = from <= 0 ? 0 : (from &+ grid.step &- 1) / grid.step
        let last = to / grid.step
        let count = Int64(grid.count)
        // At the ends of the grid later instants lie in the same windows, or in none.
        let firstEnd = first >= count ? .max : origin &+ first &* grid.step
        let lastEnd = last >= count - 1 ? .max : origin &+ (last &+ 1) &* grid.step &- aggregation.range
        return Steps(first: Int(min(first, count)), last: Int(min(last, count - 1)), end: max(timestamp, min(firstEnd, lastEnd)))
    }

    /// Adds lines to every window that they lie in.
    mutating func count(_ index: Int, _ steps: Steps, _ value: Double, lines: Double) {
        guard steps.first <= steps.last else { return }
        changes[index][steps.first] += value
        changes[index][steps.last + 1] -= value
        if countsBytes {
            lineChanges[index][steps.first] += lines
            lineChanges[index][steps.last + 1] -= lines
        }
    }

    /// Adds a line at each of `timestamps`, which ascend.
    mutating func count(_ index: Int, _ timestamps: [Int64]) {
        var row = 0
        while row < timestamps.count {
            let steps = steps(at: timestamps[row])
            var (low, high) = (row + 1, timestamps.count)
            while low < high {
                let middle = (low + high) / 2
                if timestamps[middle] <= steps.end { low = middle + 1 } else { high = middle }
            }
            count(index, steps, Double(low - row), lines: Double(low - row))
            row = low
        }
    }

    // MARK: Sampling

    mutating func sample(_ index: Int, _ timestamp: Int64, _ value: Double) {
        samples[index].append(timestamp, value)
    }

    mutating func sample(_ index: Int, _ timestamps: [Int64], _ values: [Double], _ isSample: [UInt8]) {
        samples[index].append(timestamps, values, isSample)
    }

    // MARK: Results

    /// Adds what another table of the same aggregation has.
    mutating func merge(_ other: SampleTable) throws(QueryError) {
        linesProcessed += other.linesProcessed
        bytesProcessed += other.bytesProcessed
        for (position, labels) in other.labels.enumerated() {
            let index = try index(of: labels)
            if isCounting {
                for step in changes[index].indices { changes[index][step] += other.changes[position][step] }
                if countsBytes { for step in lineChanges[index].indices { lineChanges[index][step] += other.lineChanges[position][step] } }
            } else {
                samples[index].append(other.samples[position])
            }
        }
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
