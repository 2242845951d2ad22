/// How an answer is read, beside its format.
package struct ExpositionOptions: Sendable, Hashable {
    /// The scrape's time in milliseconds since the Unix epoch, for samples without their own.
    package var defaultTimestamp: Int64
    /// Whether samples may bring their own time.
    package var honorTimestamps = true
    /// Whether the native part of histograms is read; else only their classic buckets are.
    package var readsNativeHistograms = false
    /// Whether classic buckets are kept that stand beside a native part, or of which one with custom bounds is made.
    package var keepsClassicHistograms = false
    /// Whether classic histograms become native ones with custom bounds.
    package var convertsClassicHistograms = false
    /// Whether start times are read: OpenMetrics' `_created` is then no series of its own.
    package var readsStartTimes = false

    package init(defaultTimestamp: Int64) {
        self.defaultTimestamp = defaultTimestamp
    }
}
