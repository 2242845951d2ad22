import Patterns
import Query
import Telemetry

extension Evaluator {
    /// `label_replace(v, destination, replacement, source, expression)`.
    func labelReplace(_ arguments: [PromQLExpression], _ steps: Steps) async throws(QueryError) -> [Series] {
        let destination = string(arguments[1])
        let replacement = GroupTemplate(string(arguments[2]))
        let source = string(arguments[3])
        let expression = string(arguments[4])
        let pattern: Pattern
        do { pattern = try Pattern("^(?s:\(expression))$") } catch {
            throw QueryError(.execution, "invalid regular expression in label_replace(): \(expression)")
        }
        try check(label: destination, arguments[1], in: "label_replace")
        var result = try await vector(arguments[0], steps)
        for index in result.indices {
            let value = result[index].labels[source] ?? ""
            guard let match = pattern.firstMatch(in: value) else { continue }
            result[index].labels[destination] = replacement.expand(value, match, pattern.groupNames)
            if destination == Labels.metricName { result[index].dropsName = false }
        }
        return try result.merged()
    }

    /// `label_join(v, destination, separator, source…)`.
    func labelJoin(_ arguments: [PromQLExpression], _ steps: Steps) async throws(QueryError) -> [Series] {
        let destination = string(arguments[1])
        let separator = string(arguments[2])
        let sources = arguments.dropFirst(3).map(string)
        for (argument, source) in zip(arguments.dropFirst(3), sources) where source.isEmpty || isBroken(argument) {
            throw QueryError(.execution, "invalid source label name in label_join(): \(source)")
        }
        try check(label: destination, arguments[1], in: "label_join")
        var result = try await vector(arguments[0], steps)
        for index in result.indices {
            let labels = result[index].labels
            result[index].labels[destination] = sources.map { labels[$0] ?? "" }.joined(separator: separator)
            if destination == Labels.metricName { result[index].dropsName = false }
        }
        return try result.merged()
    }

    func isBroken(_ argument: PromQLExpression) -> Bool {
        if case .string(let node) = argument.unwrapped { return node.isBroken }
        return false
    }

    private func check(label: String, _ argument: PromQLExpression, in function: String) throws(QueryError) {
        guard !label.isEmpty, !isBroken(argument) else {
            throw QueryError(.execution, "invalid destination label name in \(function)(): \(label)")
        }
    }
}
