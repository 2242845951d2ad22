import Patterns
import Query
import Telemetry

extension Evaluator {
    /// `info(v, {matchers})`: adds the labels of info metrics (`target_info`) that share `instance` and `job`.
    func info(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> [Series] {
        let identifying: Set<String> = ["instance", "job"]
        var matchers: [LabelMatcher] = []
        if call.arguments.count > 1, case .selector(let selector) = call.arguments[1].unwrapped {
            matchers = selector.matchers
        }
        let nameMatchers = matchers.filter { $0.name == Labels.metricName }
        let dataMatchers = matchers.filter { $0.name != Labels.metricName }
        let base = try await vector(call.arguments[0], steps)
        // Info metrics themselves pass unchanged.
        let isInfo = try nameTest(nameMatchers)
        guard !base.isEmpty else { return [] }
        let selector = PromQLExpression.VectorSelector(
            name: "",
            matchers: (nameMatchers.isEmpty ? [LabelMatcher(Labels.metricName, .equal, "target_info")] : nameMatchers)
                + dataMatchers,
            place: call.place)
        var infoSelector = selector
        if case .selector(let node) = call.arguments[0].unwrapped {
            (infoSelector.at, infoSelector.offset) = (node.at, node.offset)
        }
        let infos = try await instantVector(infoSelector, steps)
        var bySignature: [Labels: [Int]] = [:]
        for (index, series) in infos.enumerated() {
            bySignature[series.labels.keeping(identifying), default: []].append(index)
        }
        let wanted = Set(dataMatchers.map(\.name))
        var mustMatch = false
        for matcher in dataMatchers where try !matcher.allowsEmpty() { mustMatch = true }
        var result: [Series] = []
        for series in base {
            try context.check()
            if isInfo(series.metricName) {
                result.append(series)
                continue
            }
            let candidates = bySignature[series.labels.keeping(identifying)] ?? []
            var byLabels: [Labels: Series] = [:]
            var order: [Labels] = []
            for step in 0..<steps.count where series.hasSample(at: step) {
                var added: [String: String] = [:]
                for candidate in candidates where infos[candidate].hasSample(at: step) {
                    for pair in infos[candidate].labels.pairs
                    where !identifying.contains(pair.name) && pair.name != Labels.metricName
                        && (wanted.isEmpty || wanted.contains(pair.name))
                    {
                        if let other = added[pair.name], other != pair.value {
                            throw QueryError(.execution, "conflicting label: \(pair.name)")
                        }
                        added[pair.name] = pair.value
                    }
                }
                if mustMatch && added.isEmpty { continue }
                var labels = series.labels
                // The series' own labels win.
                for (name, value) in added where labels[name] == nil { labels[name] = value }
                if byLabels[labels] == nil {
                    byLabels[labels] = Series(labels: labels, dropsName: series.dropsName, stepCount: steps.count)
                    order.append(labels)
                }
                byLabels[labels]?.values[step] = series.values[step]
                byLabels[labels]?.set(series.histogram(at: step), at: step)
            }
            result += order.compactMap { byLabels[$0] }
        }
        return try result.merged()
    }

    private func nameTest(_ matchers: [LabelMatcher]) throws(QueryError) -> (String) -> Bool {
        if matchers.isEmpty { return { $0 == "target_info" } }
        var tests: [(String) -> Bool] = []
        for matcher in matchers { tests.append(try matcher.test()) }
        let all = tests
        return { name in all.allSatisfy { $0(name) } }
    }
}

extension LabelMatcher {
    /// The condition as a function of the value.
    func test() throws(QueryError) -> (String) -> Bool {
        let value = value
        switch operation {
        case .equal: return { $0 == value }
        case .notEqual: return { $0 != value }
        case .matches, .notMatches:
            let isNegated = operation == .notMatches
            do {
                let pattern = try LabelPattern(value)
                return { pattern.matches($0) != isNegated }
            } catch {
                throw QueryError(.execution, error.description)
            }
        }
    }

    /// Whether an absent label satisfies it.
    func allowsEmpty() throws(QueryError) -> Bool { try test()("") }
}
