import Synchronization

/// How much one target may bring, so that one that explodes harms nobody else. 0 means no limit.
///
/// What `prometheus.yml` limits itself (`sample_limit`, `body_size_limit`) goes before what stands here.
package struct ScrapeBudget: Sendable, Hashable {
    /// Series of one scrape; a scrape that has more is refused.
    package var targetSeriesCountMax: Int
    /// Series of one metric of one target; what goes beyond is refused, the others are kept.
    package var metricSeriesCountMax: Int
    /// Bytes of an uncompressed answer; a scrape that has more is refused.
    package var bodyByteCountMax: Int

    package init(targetSeriesCountMax: Int = 0, metricSeriesCountMax: Int = 0, bodyByteCountMax: Int = 0) {
        self.targetSeriesCountMax = targetSeriesCountMax
        self.metricSeriesCountMax = metricSeriesCountMax
        self.bodyByteCountMax = bodyByteCountMax
    }

    package static let unlimited = ScrapeBudget()

    /// What holds where nothing is configured: the largest exporters in use (cAdvisor and kube-state-metrics of a large cluster) stay below,
    /// and 64 MiB of text hold several times as many series.
    package static let standard = ScrapeBudget(
        targetSeriesCountMax: 100_000, metricSeriesCountMax: 20_000, bodyByteCountMax: 64 << 20)
}

/// What exceeded a budget since the start, for the server's own metrics.
package struct ScrapeBudgetFigures: Sendable, Hashable {
    /// A job and what of it was refused.
    package struct Key: Sendable, Hashable {
        package enum Scope: String, Sendable, Hashable {
            /// Whole scrapes.
            case target
            /// Series of a metric.
            case metric
            /// Whole scrapes, for the size of the answer.
            case body
        }

        package var job: String
        package var scope: Scope
    }

    /// How often a scrape exceeded a budget.
    package var exceeded: [Key: UInt64] = [:]
    /// Samples that were refused.
    package var refusedSamples: [Key: UInt64] = [:]

    package init() {}

    mutating func add(_ scope: Key.Scope, of job: String, samples: Int) {
        let key = Key(job: job, scope: scope)
        exceeded[key, default: 0] &+= 1
        refusedSamples[key, default: 0] &+= UInt64(clamping: samples)
    }
}

/// Counts what exceeds budgets, from all loops.
final class Budgets: Sendable {
    private let counted = Mutex(ScrapeBudgetFigures())

    var figures: ScrapeBudgetFigures { counted.withLock { $0 } }

    func add(_ scope: ScrapeBudgetFigures.Key.Scope, of job: String, samples: Int) {
        counted.withLock { $0.add(scope, of: job, samples: samples) }
    }
}
