extension PromQLExpression {
    /// Lines longer than this are split.
    private static let lineLengthMax = 100

    /// The expression as PromQL over as many lines as it takes to keep them short (Prometheus, "Prettifying PromQL").
    package var prettified: String { pretty(0) }

    /// - Parameter level: how deep the line is indented; 0 where the expression goes on in its parent's line.
    private func pretty(_ level: Int) -> String {
        let indent = String(repeating: "  ", count: level)
        let line = description
        guard line.utf8.count > Self.lineLengthMax else { return indent + line }
        switch self {
        case .number, .string, .selector, .range: return indent + line
        case .subquery(let node):
            return node.expression.pretty(level) + "[\(node.range):\(node.step.map { "\($0)" } ?? "")]"
                + Self.modifiers(at: node.at, offset: node.offset)
        case .unary(let node):
            let operand = node.operand.pretty(level).drop { $0 == " " }
            return indent + (node.isNegation ? "-" : "+") + operand
        case .binary(let node):
            let sign = "\(node.operation.rawValue)\(node.returnsBool ? " bool" : "")\(node.matching?.text ?? "")"
            return "\(node.left.pretty(level + 1))\n\(indent)\(sign)\n\(node.right.pretty(level + 1))"
        case .aggregation(let node):
            let parameter = node.parameter.map { $0.pretty(level + 1) + ",\n" } ?? ""
            return "\(indent)\(node.head)(\n\(parameter)\(node.expression.pretty(level + 1))\n\(indent))"
        case .call(let node):
            let arguments = node.arguments.map { $0.pretty(level + 1) }.joined(separator: ",\n")
            return "\(indent)\(node.function.name)(\n\(arguments)\n\(indent))"
        case .parentheses(let node): return "\(indent)(\n\(node.expression.pretty(level + 1))\n\(indent))"
        }
    }
}
