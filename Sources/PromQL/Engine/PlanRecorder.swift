package import Query
import Synchronization
import Telemetry

/// Writes down what the operators of one query do, as a tree.
///
/// Operators are evaluated one after the other, however many threads each of them uses: a stack is enough.
package final class PlanRecorder: Sendable {
    private struct State: Sendable {
        var open: [(node: PlanNode, start: ContinuousClock.Instant, samplesBefore: Int, scan: ScanStatistics)] = []
        var root: PlanNode?
    }

    private let state = Mutex(State())

    package init() {}

    /// The tree, once the query has ended.
    package var root: PlanNode? { state.withLock(\.root) }

    /// The figures of the operator that is being evaluated: scans add to them.
    var scan: ScanStatistics? { state.withLock { $0.open.last?.scan } }

    func enter(_ expression: PromQLExpression, samples: Int) {
        let node = PlanNode(name: expression.operatorName, expression: expression.description)
        state.withLock { $0.open.append((node, .now, samples, ScanStatistics())) }
    }

    /// Notes how the operator that is being evaluated goes about it.
    func note(_ strategy: String) {
        state.withLock { state in
            guard let last = state.open.indices.last else { return }
            state.open[last].node.strategy = strategy
        }
    }

    /// - Parameter seriesCount: of the result.
    func leave(seriesCount: Int, samples: Int) {
        state.withLock { state in
            guard let ended = state.open.popLast() else { return }
            var node = ended.node
            node.duration = .now - ended.start
            node.seriesCount = seriesCount
            node.sampleCount = samples - ended.samplesBefore
            node.scan = ended.scan.current
            if let parent = state.open.indices.last {
                state.open[parent].node.children.append(node)
            } else {
                state.root = node
            }
        }
    }
}

extension PromQLExpression {
    /// What a plan calls the operator.
    var operatorName: String {
        switch self {
        case .number: "number"
        case .string: "string"
        case .selector: "selector"
        case .range: "range selector"
        case .subquery: "subquery"
        case .unary(let node): node.isNegation ? "-" : "+"
        case .binary(let node): node.operation.rawValue
        case .aggregation(let node): node.operation.rawValue
        case .call(let node): node.function.name
        case .parentheses: "()"
        }
    }
}
