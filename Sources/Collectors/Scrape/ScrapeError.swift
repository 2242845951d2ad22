import Settings

/// Why a scrape failed: the text that `/api/v1/targets` shows as `lastError`.
package struct ScrapeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is counted apart.
    package enum Reason: Sendable, Hashable {
        case other
        case bodySize
        case sampleLimit
        case targetBudget
        case metricBudget
    }

    package var description: String
    package var reason = Reason.other
    /// Samples exposed and samples left after relabelling, where the scrape came as far as that.
    var scraped = 0
    var kept = 0

    init(_ description: String, reason: Reason = .other, scraped: Int = 0, kept: Int = 0) {
        self.description = description
        self.reason = reason
        self.scraped = scraped
        self.kept = kept
    }

    static func timedOut(_ url: String, after timeout: Duration) -> ScrapeError {
        ScrapeError("Get \"\(url)\": context deadline exceeded: no whole answer within \(timeout.seconds) s")
    }

    static func unreachable(_ url: String, _ cause: any Error) -> ScrapeError {
        ScrapeError("Get \"\(url)\": \(cause)")
    }

    static func status(_ code: UInt, _ phrase: String) -> ScrapeError {
        ScrapeError("server returned HTTP status \(code) \(phrase)")
    }

    static func bodyTooLarge(_ limit: Int) -> ScrapeError {
        ScrapeError("body size limit exceeded: the exposition is larger than \(limit) bytes", reason: .bodySize)
    }
}
