package import Telemetry

/// One operator of an evaluated query: what it was and what it took. The children are what it took its input from.
package struct PlanNode: Sendable {
    /// The operator's name, such as `sum` or `selector`.
    package var name: String
    /// The part of the query that it stands for.
    package var expression: String
    /// How it was evaluated, where there is more than one way.
    package var strategy = ""
    package var children: [PlanNode] = []
    /// Series of its result; 0 for a scalar.
    package var seriesCount = 0
    /// Samples that were read from the store, its children's included.
    package var sampleCount = 0
    /// The time that it took, its children's included.
    package var duration: Duration = .zero
    /// What the store read for it, its children's not included.
    package var scan = ScanStatistics.Values()

    package init(name: String, expression: String) {
        self.name = name
        self.expression = expression
    }
}
