import Telemetry

/// What a scrape has for the store. Series are named by what remembers them, and become handles or labels only when the rows are handed over.
struct ScrapeRows: Sendable {
    enum Series: Sendable {
        /// A series of the cache, by its position there.
        case entry(Int)
        /// One of the series that are added to every scrape, by its number.
        case report(Int)
    }

    private(set) var series: [Series] = []
    /// Everything but the series themselves.
    var batch = MetricBatch()

    mutating func add(_ one: Series) -> UInt32 {
        series.append(one)
        return UInt32(truncatingIfNeeded: series.count - 1)
    }

    mutating func reserveCapacity(_ count: Int) {
        series.reserveCapacity(count)
        batch.reserveCapacity(count)
    }
}

/// The series that are added to every scrape of a target (Prometheus, "Automatically generated labels and time series").
enum ReportSeries {
    static let names = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added",
    ]
    /// With `extra_scrape_metrics`.
    static let extraNames = ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"]

    static func names(extra: Bool) -> [String] { extra ? names + extraNames : names }
}
