/// Knows the patterns that log lines have: what stays the same in many of them, with `<_>` where they differ.
package protocol PatternSource: Sendable {
    /// The patterns of the lines of the streams that match, the most frequent first.
    ///
    /// - Parameter step: nanoseconds; the lines are counted by multiples of it.
    func patterns(matching matchers: [LabelMatcher], in range: TimeRange, step: Int64) async throws(StoreError) -> [LogPattern]
}

/// A pattern of log lines and how many had it when.
package struct LogPattern: Sendable, Hashable {
    package var pattern: String
    /// How severe its lines are: `info`, `error`, …; `unknown`.
    package var level: String
    /// Nanoseconds, a multiple of the step, ascending; and the lines from then on to the next.
    package var samples: [(timestamp: Int64, count: Int)]

    package init(pattern: String, level: String, samples: [(timestamp: Int64, count: Int)]) {
        self.pattern = pattern
        self.level = level
        self.samples = samples
    }

    package var total: Int { samples.reduce(0) { $0 + $1.count } }

    package static func == (left: LogPattern, right: LogPattern) -> Bool {
        left.pattern == right.pattern && left.level == right.level && left.samples.elementsEqual(right.samples, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(pattern)
        hasher.combine(level)
    }
}
