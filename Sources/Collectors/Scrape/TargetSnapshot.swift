package import Telemetry

/// The targets of one job, as `/api/v1/targets` shows them.
package struct ScrapePool: Sendable {
    package var name: String
    package var active: [TargetSnapshot]
    /// The discovered labels of those that relabelling dropped.
    package var dropped: [Labels]
    /// How many it dropped, shown or not.
    package var droppedCount: Int
}

/// A target and how its last scrape went.
package struct TargetSnapshot: Sendable {
    package enum Health: String, Sendable {
        /// Not scraped yet.
        case unknown
        case up
        case down
    }

    package var scrapePool: String
    package var scrapeURL: String
    /// The URL with a loopback host replaced by this machine's name.
    package var globalURL: String
    package var labels: Labels
    package var discoveredLabels: Labels
    package var interval: Duration
    package var timeout: Duration
    package var health = Health.unknown
    /// Why the last scrape failed; empty if it did not.
    package var lastError = ""
    /// Milliseconds since the Unix epoch; nil before the first scrape.
    package var lastScrape: Int64?
    package var lastScrapeDuration: Duration = .zero
}
