import Telemetry

/// Lays a query out over several lines where it is long, as Loki's `format_query` does.
package enum LogQLPrinter {
    /// Expressions longer than that are split.
    private static let columnCountMax = 100

    package static func pretty(_ expression: LogQLExpression) -> String {
        switch expression {
        case .logs(let selector): pretty(selector, 0)
        case .metric(let metric): pretty(metric, 0)
        }
    }

    private static func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

    private static func isShort(_ text: String) -> Bool { text.unicodeScalars.count <= columnCountMax }

    private static func pretty(_ selector: LogSelector, _ level: Int) -> String {
        let text = selector.description
        if isShort(text) { return indent(level) + text }
        let matchers = LogSelector(matchers: selector.matchers).description
        var lines = [indent(level) + matchers]
        var endsInLineFilter = false
        for stage in selector.stages {
            let isLineFilter = if case .lineFilter = stage { true } else { false }
            if isLineFilter, endsInLineFilter {
                // Line filters in a row are one stage.
                lines[lines.count - 1] += " " + stage.description
            } else {
                // Loki does not indent `decolorize`.
                lines.append((stage == .decolorize ? "" : indent(level + 1)) + stage.description)
            }
            endsInLineFilter = isLineFilter
        }
        return lines.joined(separator: "\n")
    }

    private static func pretty(_ expression: MetricExpression, _ level: Int) -> String {
        let text = expression.description
        if isShort(text) { return indent(level) + text }
        switch expression {
        case .number, .vector: return indent(level) + text
        case .variants: return indent(level) + text
        case .range(let aggregation): return pretty(aggregation, level)
        case .aggregation(let aggregation):
            var arguments = [pretty(aggregation.operand, level + 1)]
            if aggregation.operation.takesParameter { arguments.insert(indent(level + 1) + String(aggregation.parameter), at: 0) }
            let grouping = aggregation.grouping.map { " " + pretty($0) } ?? ""
            return call(aggregation.operation.rawValue + grouping, arguments, level)
        case .binary(let binary):
            // The words between the operands stand on a line of their own.
            let between = indent(level) + binary.operatorText(separator: ", ")
            return [pretty(binary.left, level + 1), between, pretty(binary.right, level + 1)].joined(separator: "\n")
        case .labelReplace(let replace):
            let texts = [replace.destination, replace.replacement, replace.source, replace.pattern].map { indent(level + 1) + $0.quoted }
            return call("label_replace", [pretty(replace.operand, level + 1)] + texts, level)
        }
    }

    private static func pretty(_ aggregation: RangeAggregation, _ level: Int) -> String {
        var inner = pretty(aggregation.logs, level + 1)
        for line in aggregation.unwrap?.lines ?? [] { inner += "\n" + indent(level + 2) + line }
        inner += " [\(Units.text(range: aggregation.range))]"
        if aggregation.offset != 0 { inner += " offset \(Units.text(range: aggregation.offset))" }
        var arguments = [inner]
        if let parameter = aggregation.parameter { arguments.insert(indent(level + 1) + NumberText.shortest(parameter), at: 0) }
        return call(aggregation.operation.rawValue, arguments, level) + (aggregation.grouping.map { " " + pretty($0) } ?? "")
    }

    private static func pretty(_ grouping: Grouping) -> String {
        (grouping.isWithout ? "without (" : "by (") + grouping.labels.joined(separator: ", ") + ")"
    }

    private static func call(_ name: String, _ arguments: [String], _ level: Int) -> String {
        indent(level) + name + "(\n" + arguments.joined(separator: ",\n") + "\n" + indent(level) + ")"
    }
}
