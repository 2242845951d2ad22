package import Telemetry

/// One series of a TraceQL metrics query.
package struct TraceSeries: Sendable, Hashable {
    /// What it is grouped by, named as in the query (`resource.service.name`); `p` for a quantile, `__bucket` for a histogram's bucket;
    /// `__name__` where there is no grouping.
    package var labels: [Attribute]
    /// The ends of its intervals: nanoseconds since the Unix epoch.
    package var timestamps: [Int64]
    package var values: [Double]
}

/// The intervals of a metrics query: interval i holds the spans that start within (time(i) − step, time(i)].
struct TraceGrid {
    var start: Int64
    var step: Int64
    var count: Int

    func time(_ index: Int) -> Int64 { start &+ Int64(index) &* step }

    /// The interval of an instant; nil outside.
    func index(_ time: Int64) -> Int? {
        let offset = time &- start
        let index = offset <= 0 ? 0 : (offset &- 1) / step + 1
        return index < Int64(count) && time > start &- step ? Int(index) : nil
    }

    /// Every instant within some interval.
    var range: TimeRange { TimeRange(start &- step &+ 1, time(count - 1)) }
}

/// A series over all intervals; nil where it has no value.
struct GridSeries {
    var labels: [Attribute]
    var values: [Double?]
}

/// Gathers what a metrics function needs of the spans, series by series.
struct TraceCollector {
    private struct Cell {
        var count = 0.0
        var sum = 0.0
        var least = Double.infinity
        var greatest = -Double.infinity
        var samples: [Double] = []
    }

    private let aggregation: MetricsExpression.Aggregation
    private let grid: TraceGrid
    /// The names of what it groups by.
    private let names: [String]
    /// By the values that a series is grouped by: where it stands in ``cells``.
    private var indexes: [[StaticValue]: Int] = [:]
    private var keys: [[StaticValue]] = []
    private var cells: [[Cell?]] = []
    /// Spans of one group mostly come together.
    private var last: (key: [StaticValue], index: Int)?
    private var key: [StaticValue] = []
    /// Numbers kept for quantiles: what it holds memory for.
    private(set) var sampleCount = 0

    init(_ aggregation: MetricsExpression.Aggregation, _ grid: TraceGrid) {
        self.aggregation = aggregation
        self.grid = grid
        names = aggregation.grouping.map(\.description) + (aggregation.function == .histogramOverTime ? ["__bucket"] : [])
    }

    mutating func add(_ context: SpanContext) {
        guard let index = grid.index(context.span.start), let number = prepare(context) else { return }
        add(number, position(), index)
    }

    /// Adds spans that differ in nothing but their starts.
    mutating func add(_ context: SpanContext, at starts: [Int64]) {
        guard let number = prepare(context) else { return }
        var known: Int?
        for start in starts {
            guard let index = grid.index(start) else { continue }
            let series = known ?? position()
            known = series
            add(number, series, index)
        }
    }

    private mutating func add(_ number: Double, _ series: Int, _ index: Int) {
        var cell = cells[series][index] ?? Cell()
        // Its samples are changed in place.
        cells[series][index] = nil
        cell.count += 1
        cell.sum += number
        cell.least = min(cell.least, number)
        cell.greatest = max(cell.greatest, number)
        if aggregation.function == .quantileOverTime {
            cell.samples.append(number)
            sampleCount += 1
        }
        cells[series][index] = cell
    }

    /// The number that a span counts with; what it is grouped by is left in ``key``. nil: it does not count.
    private mutating func prepare(_ context: SpanContext) -> Double? {
        var number = 1.0
        if let field = aggregation.field {
            guard case .one(let value) = field.value(context), let measured = value.double else { return nil }
            // Durations are seconds in metrics.
            if case .duration = value { number = measured / 1e9 } else { number = measured }
        }
        key.removeAll(keepingCapacity: true)
        for field in aggregation.grouping {
            guard case .one(let value) = field.value(context) else { return nil }
            key.append(value == .none ? .string("nil") : value)
        }
        // Buckets are powers of two, of nanoseconds where the number is a duration.
        if aggregation.function == .histogramOverTime { key.append(.double(number > 0 ? exponential(number) : 0)) }
        return number
    }

    /// Where the series of ``key`` stands.
    private mutating func position() -> Int {
        if let last, last.key == key { return last.index }
        let index = indexes[key] ?? cells.count
        if index == cells.count {
            indexes[key] = index
            keys.append(key)
            cells.append([Cell?](repeating: nil, count: grid.count))
        }
        last = (key, index)
        return index
    }

    private func exponential(_ number: Double) -> Double {
        let scaled = number * 1e9
        var bucket = 1.0
        while bucket < scaled, bucket < 1e30 { bucket *= 2 }
        return bucket / 1e9
    }

    func series() -> [GridSeries] {
        // Two values may look the same in a result, as a duration and its text do: then they are one series.
        var merged: [[Attribute]: [Cell?]] = [:]
        for (key, cells) in zip(keys, cells) {
            let labels = zip(names, key).map { Attribute($0, $1.attribute) }
            merged[labels] = merged[labels].map { zip($0, cells).map { Self.merged($0, $1) } } ?? cells
        }
        let sorted = merged.map { (labels: $0.key, cells: $0.value) }.sorted { "\($0.labels)" < "\($1.labels)" }
        var result: [GridSeries] = []
        for (labels, cells) in sorted {
            let named = labels.isEmpty ? [Attribute("__name__", .string(aggregation.function.rawValue))] : labels
            if aggregation.function == .quantileOverTime {
                for quantile in aggregation.quantiles {
                    let values = cells.map { cell in cell.map { Self.quantile(quantile, $0.samples) } }
                    result.append(GridSeries(labels: labels + [Attribute("p", .double(quantile))], values: values))
                }
            } else {
                result.append(GridSeries(labels: named, values: cells.map(value)))
            }
        }
        return result
    }

    private static func merged(_ a: Cell?, _ b: Cell?) -> Cell? {
        guard let a, let b else { return a ?? b }
        return Cell(
            count: a.count + b.count, sum: a.sum + b.sum, least: min(a.least, b.least), greatest: max(a.greatest, b.greatest),
            samples: a.samples + b.samples)
    }

    private func value(_ cell: Cell?) -> Double? {
        let seconds = Double(grid.step) / 1e9
        // Rates and counts of nothing are 0; a least of nothing is none.
        guard let cell else {
            switch aggregation.function {
            case .rate, .countOverTime, .histogramOverTime: return 0
            default: return nil
            }
        }
        switch aggregation.function {
        case .rate: return cell.count / seconds
        case .countOverTime, .histogramOverTime: return cell.count
        case .minOverTime: return cell.least
        case .maxOverTime: return cell.greatest
        case .avgOverTime: return cell.sum / cell.count
        case .sumOverTime: return cell.sum
        case .quantileOverTime, .compare: return nil
        }
    }

    private static func quantile(_ quantile: Double, _ samples: [Double]) -> Double {
        let sorted = samples.sorted()
        let rank = min(max(quantile, 0), 1) * Double(sorted.count - 1)
        let lower = Int(rank.rounded(.down))
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (sorted[upper] - sorted[lower]) * (rank - Double(lower))
    }
}
