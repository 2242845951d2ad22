import PromQL
import Telemetry

extension PromQLExpression {
    /// The conditions of every selector in the expression, in the order in which they stand.
    var selectors: [[LabelMatcher]] {
        switch self {
        case .number, .string: []
        case .selector(let selector): [selector.matchers]
        case .range(let range): [range.selector.matchers]
        case .subquery(let subquery): subquery.expression.selectors
        case .unary(let operation): operation.operand.selectors
        case .binary(let operation): operation.left.selectors + operation.right.selectors
        case .aggregation(let aggregation): (aggregation.parameter?.selectors ?? []) + aggregation.expression.selectors
        case .call(let call): call.arguments.flatMap(\.selectors)
        case .parentheses(let parentheses): parentheses.expression.selectors
        }
    }
}
