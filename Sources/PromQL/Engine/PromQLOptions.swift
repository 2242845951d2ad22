/// How an engine evaluates.
package struct PromQLOptions: Sendable {
    /// How old a sample may be to stand for its series, in milliseconds (`--query.lookback-delta`).
    package var lookback: Int64 = 300_000
    /// The step of a subquery that names none, in milliseconds (Prometheus: the global evaluation interval).
    package var subqueryStep: Int64 = 60_000
    /// Names are dropped at the end of a query rather than by each function (Prometheus' `promql-delayed-name-removal`).
    package var delayedNameRemoval = false

    package init() {}
}
