package import Telemetry

/// A trace that a search found, as Tempo summarises it.
package struct TraceSummary: Sendable, Hashable {
    /// A span that matched.
    package struct Span: Sendable, Hashable {
        package var spanID: SpanID
        package var name: String
        /// Nanoseconds since the Unix epoch.
        package var startTimeUnixNano: Int64
        package var durationNanos: Int64
        /// The properties that the query names and selects.
        package var attributes: [Attribute]
    }

    package struct SpanSet: Sendable, Hashable {
        /// At most as many as asked for.
        package var spans: [Span]
        /// How many matched.
        package var matched: Int
        /// What the query computed of the set: groups and aggregates.
        package var attributes: [Attribute]
    }

    package struct ServiceStats: Sendable, Hashable {
        package var spanCount = 0
        package var errorCount = 0
    }

    package var traceID: TraceID
    package var rootServiceName: String
    package var rootTraceName: String
    package var startTimeUnixNano: Int64
    package var durationMs: Int64
    package var spanSets: [SpanSet]
    /// By service name.
    package var serviceStats: [String: ServiceStats]
}
