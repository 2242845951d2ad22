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
    private var cells: [[Attribute]: [Cell?]] = [:]
    /// Numbers kept for quantiles: what it holds memory for.
    private(set) var sampleCount = 0

    init(_ aggregation: MetricsExpression.Aggregation, _ grid: TraceGrid) {
        self.aggregation = aggregation
        self.grid = grid
    }

    mutating func add(_ context: SpanContext) {
        guard let index = grid.index(context.span.start) else { return }
        var number = 1.0
        if let field = aggregation.field {
            guard case .one(let value) = field.value(context), let measured = value.double else { return }
            // Durations are seconds in metrics.
            if case .duration = value { number = measured / 1e9 } else { number = measured }
        }
        var labels: [Attribute] = []
        for field in aggregation.grouping {
            guard case .one(let value) = field.value(context) else { return }
            labels.append(Attribute(field.description, value == .none ? .string("nil") : value.attribute))
        }
        if aggregation.function == .histogramOverTime {
            // Buckets are powers of two, of nanoseconds where the number is a duration.
            let bucket = number > 0 ? exponential(number) : 0
            labels.append(Attribute("__bucket", .double(bucket)))
        }
        var cell = cells[labels]?[index] ?? Cell()
        cell.count += 1
        cell.sum += number
        cell.least = min(cell.least, number)
        cell.greatest = max(cell.greatest, number)
        if aggregation.function == .quantileOverTime {
            cell.samples.append(number)
            sampleCount += 1
        }
        cells[labels, default: [Cell?](repeating: nil, count: grid.count)][index] = cell
    }

    private func exponential(_ number: Double) -> Double {
        let scaled = number * 1e9
        var bucket = 1.0
        while bucket < scaled, bucket < 1e30 { bucket *= 2 }
        return bucket / 1e9
    }

    func series() -> [GridSeries] {
        let sorted = cells.map { (labels: $0.key, cells: $0.value) }.sorted { "\($0.labels)" < "\($1.labels)" }
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
