/// How an engine evaluates.
package struct PromQLOptions: Sendable {
    /// How old a sample may be to stand for its series, in milliseconds (`--query.lookback-delta`).
    package var lookback: Int64 = 300_000
    /// The step of a subquery that names none, in milliseconds (Prometheus: the global evaluation interval).
    package var subqueryStep: Int64 = 60_000
    /// The experimental parts that are on. All syntax is; a server turns on what it is told.
    package var features = PromQLFeatures.syntax
    /// Names are dropped at the end of a query rather than by each function (Prometheus' `promql-delayed-name-removal`).
    package var delayedNameRemoval: Bool {
        get { features.contains(.delayedNameRemoval) }
        set {
            if newValue { features.insert(.delayedNameRemoval) } else { features.remove(.delayedNameRemoval) }
        }
    }

    /// Hears of each evaluated query.
    package var didEvaluate: (@Sendable (QueryRecord) -> Void)?

    package init() {}
}
