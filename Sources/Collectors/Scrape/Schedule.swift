import Settings

/// Spreads recurring work over its interval.
package enum Schedule {
    /// The next instant after `now` at which work with this hash is due: the interval's multiples since the epoch, shifted by
    /// the hash. The same in every process, so that a restart does not move it.
    ///
    /// - Parameter now: nanoseconds since the epoch, like the result.
    package static func next(after now: Int64, interval: Duration, offsetHash: UInt64) -> Int64 {
        // Whole milliseconds, so that timestamps in milliseconds are evenly spaced.
        let step = max(1, interval.milliseconds) * 1_000_000
        let offset = Int64(offsetHash % UInt64(step / 1_000_000)) * 1_000_000
        let since = now - offset
        let remainder = since % step
        return now - (remainder >= 0 ? remainder : remainder + step) + step
    }
}
