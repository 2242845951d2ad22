extension PromQLExpression {
    /// The expression as it is evaluated: selectors know what is wanted of native histograms.
    ///
    /// Where only counts and sums are wanted (`histogram_count(sum(h))`), Prometheus reads nothing else of a histogram, and works
    /// out on the way whether there was a reset between two samples.
    func planned(statisticsOnly: Bool = false) -> PromQLExpression {
        switch self {
        case .number, .string: return self
        case .selector(var node):
            node.readsStatisticsOnly = statisticsOnly
            return .selector(node)
        case .range(var node):
            node.selector.readsStatisticsOnly = statisticsOnly
            return .range(node)
        case .subquery(var node):
            node.expression = node.expression.planned(statisticsOnly: statisticsOnly)
            return .subquery(node)
        case .unary(var node):
            node.operand = node.operand.planned(statisticsOnly: statisticsOnly)
            return .unary(node)
        case .binary(var node):
            // Trimming and comparing look at buckets.
            let isPlain = statisticsOnly && node.operation.isArithmetic
            node.left = node.left.planned(statisticsOnly: isPlain)
            node.right = node.right.planned(statisticsOnly: isPlain)
            return .binary(node)
        case .aggregation(var node):
            node.expression = node.expression.planned(statisticsOnly: statisticsOnly)
            node.parameter = node.parameter?.planned()
            return .aggregation(node)
        case .call(var node):
            var isWanted = statisticsOnly
            switch node.function.name {
            case "histogram_count", "histogram_sum", "histogram_avg": isWanted = true
            case let name where name.hasPrefix("histogram_"): isWanted = false
            default: break
            }
            node.arguments = node.arguments.map { $0.planned(statisticsOnly: isWanted) }
            return .call(node)
        case .parentheses(var node):
            node.expression = node.expression.planned(statisticsOnly: statisticsOnly)
            return .parentheses(node)
        }
    }
}
