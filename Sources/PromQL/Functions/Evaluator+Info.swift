import Patterns
import Query
import Telemetry

extension Evaluator {
    /// `info(v, {matchers})`: adds the labels of info metrics (`target_info`) that share `instance` and `job` (Prometheus, `promql/info.go`).
    func info(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> [Series] {
        let base = try await vector(call.arguments[0], steps)
        guard !base.isEmpty else { return [] }
        var matchers: [LabelMatcher] = []
        if call.arguments.count > 1, case .selector(let selector) = call.arguments[1].unwrapped { matchers = selector.matchers }
        let names = Self.infoNames(matchers.filter { $0.name == Labels.metricName })
        let dataMatchers = matchers.filter { $0.name != Labels.metricName }
        // Info metrics themselves pass unchanged.
        var isInfo: [Bool] = []
        let nameTests = try names.map { matcher throws(QueryError) in try matcher.test() }
        for series in base { isInfo.append(nameTests.allSatisfy { $0(series.metricName) }) }

        let join = InfoJoin(
            try await infoSeries(names + dataMatchers, base.indices.filter { !isInfo[$0] }.map { base[$0].labels }, call, steps),
            names: Set(dataMatchers.map(\.name)))
        var mustMatch = false
        for matcher in dataMatchers where try !matcher.allowsEmpty() { mustMatch = true }
        var result: [Series] = []
        for (index, series) in base.enumerated() {
            try context.check()
            if isInfo[index] { result.append(series) } else { result += try join.enriched(series, steps, mustMatch: mustMatch) }
        }
        return try result.merged()
    }

    /// The conditions on info metrics' names.
    private static func infoNames(_ matchers: [LabelMatcher]) -> [LabelMatcher] {
        if matchers.isEmpty { return [LabelMatcher(Labels.metricName, .equal, "target_info")] }
        let hasPositive = matchers.contains { $0.operation == .equal || $0.operation == .matches }
        // What only says which it does not want wants all others.
        return hasPositive ? matchers : [LabelMatcher(Labels.metricName, .matches, ".+_info")] + matchers
    }

    /// The info series at the instants that the first argument looks at; their values are the times of their samples, in milliseconds.
    private func infoSeries(
        _ matchers: [LabelMatcher], _ base: [Labels], _ call: PromQLExpression.FunctionCall, _ steps: Steps
    ) async throws(QueryError) -> [Series] {
        var wanted: [String: Set<String>] = [:]
        for labels in base {
            for name in InfoJoin.identifying { if let value = labels[name], !value.isEmpty { wanted[name, default: []].insert(value) } }
        }
        if wanted.isEmpty { return [] }
        var selector = PromQLExpression.VectorSelector(name: "", matchers: matchers, place: call.place)
        for (name, values) in wanted.sorted(by: { $0.key < $1.key }) where values.count == 1 {
            selector.matchers.append(LabelMatcher(name, .equal, values.first ?? ""))
        }
        let found = try await instantVector(selector, at: try infoInstants(call.arguments[0], steps), giving: .floatTime)
        let infos = found.filter { series in wanted.allSatisfy { $0.value.contains(series.labels[$0.key] ?? "") } }
        if infos.contains(where: \.hasHistograms) { throw QueryError(.execution, "info sample should be float") }
        return infos
    }

    /// The instants of the first selector in an expression: the modifiers of subqueries around it count, up to one that ties it to an instant.
    private func infoInstants(_ expression: PromQLExpression, _ steps: Steps) throws(QueryError) -> Steps {
        guard let path = Self.pathToSelector(expression) else { return steps }
        var (at, offset) = (AtModifier?.none, Int64(0))
        for node in path {
            switch node {
            case .selector(let selector):
                (at, offset) = (selector.at, try milliseconds(selector.offset))
            case .subquery(let subquery) where at == nil:
                at = subquery.at
                offset += try milliseconds(subquery.offset)
            default: break
            }
        }
        var instants = try instants(steps, at: at, offset: nil)
        instants.start -= offset
        return instants
    }

    /// The first selector of an expression and what is around it, from within.
    private static func pathToSelector(_ expression: PromQLExpression) -> [PromQLExpression]? {
        switch expression {
        case .selector: return [expression]
        case .range(let node): return [.selector(node.selector)]
        case .aggregation(let node):
            // The parameter comes after what is aggregated.
            return pathToSelector(node.expression) ?? node.parameter.flatMap(pathToSelector)
        default:
            for child in expression.children { if let path = pathToSelector(child) { return path + [expression] } }
            return nil
        }
    }
}

/// Info series by what they share with others.
private struct InfoJoin {
    static let identifying: Set<String> = ["instance", "job"]

    private let infos: [Series]
    /// Labels that may be added; empty: all of them.
    private let names: Set<String>
    /// For the identifying labels, the series of each info metric.
    private var positions: [Labels: [String: [Int]]] = [:]

    init(_ infos: [Series], names: Set<String>) {
        self.infos = infos
        self.names = names
        for (index, series) in infos.enumerated() {
            positions[series.labels.keeping(Self.identifying), default: [:]][series.metricName, default: []].append(index)
        }
    }

    /// A series with the labels that there are for it at each step.
    ///
    /// - Parameter mustMatch: drop it where no info series matches.
    func enriched(_ series: Series, _ steps: Steps, mustMatch: Bool) throws(QueryError) -> [Series] {
        let candidates = (positions[series.labels.keeping(Self.identifying)] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        var byLabels: [Labels: Series] = [:]
        var order: [Labels] = []
        for step in 0..<steps.count where series.hasSample(at: step) {
            var found: [Series] = []
            for positions in candidates { if let info = try newest(positions, step) { found.append(info) } }
            if found.isEmpty, mustMatch { continue }
            let labels = try labels(of: series, with: found)
            if byLabels[labels] == nil {
                byLabels[labels] = Series(labels: labels, dropsName: series.dropsName, stepCount: steps.count)
                order.append(labels)
            }
            byLabels[labels]?.values[step] = series.values[step]
            byLabels[labels]?.set(series.histogram(at: step), at: step)
        }
        return order.compactMap { byLabels[$0] }
    }

    /// Of series of one info metric the one with the newest sample: a changed label leaves the old series behind for a while.
    private func newest(_ positions: [Int], _ step: Int) throws(QueryError) -> Series? {
        var best: Series?
        for position in positions where infos[position].hasSample(at: step) {
            let next = infos[position]
            guard let held = best else {
                best = next
                continue
            }
            let (time, heldTime) = (next.values[step], held.values[step])
            if time == heldTime {
                throw QueryError(
                    .execution,
                    "found duplicate series for info metric: existing \(held.labels) @ \(Int64(heldTime)), "
                        + "new \(next.labels) @ \(Int64(time))")
            }
            if time > heldTime { best = next }
        }
        return best
    }

    private func labels(of series: Series, with infos: [Series]) throws(QueryError) -> Labels {
        var added: [String: String] = [:]
        for info in infos {
            for pair in info.labels.pairs where pair.name != Labels.metricName && (names.isEmpty || names.contains(pair.name)) {
                if let other = added[pair.name], other != pair.value {
                    throw QueryError(.execution, "conflicting label: \(pair.name)")
                }
                // The series' own labels win.
                if series.labels[pair.name] == nil { added[pair.name] = pair.value }
            }
        }
        var labels = series.labels
        for (name, value) in added { labels[name] = value }
        return labels
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
