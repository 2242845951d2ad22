import Settings

/// Why a scrape failed: the text that `/api/v1/targets` shows as `lastError`.
package struct ScrapeError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
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
        ScrapeError("body size limit exceeded: the exposition is larger than \(limit) bytes")
    }

    static func sampleLimit(_ limit: Int) -> ScrapeError {
        ScrapeError("sample limit exceeded: more than \(limit) samples after relabelling")
    }
}
