import Query
import Telemetry

extension Evaluator {
    /// Arithmetic and comparisons between two vectors. Signatures are computed once for each series; samples are combined
    /// column by column.
    func combine(
        _ node: PromQLExpression.BinaryOperation, _ matching: VectorMatching, _ left: [Series], _ right: [Series],
        _ steps: Steps
    ) throws(QueryError) -> [Series] {
        if (left.isEmpty || right.isEmpty) && matching.fillLeft == nil && matching.fillRight == nil { return [] }
        // `many` may have several series of one signature, `one` must not.
        let isSwapped = matching.cardinality == .oneToMany
        let (many, one) = isSwapped ? (right, left) : (left, right)
        // Sides of `group_right` are swapped, their fills are not (Prometheus, `VectorBinop`).
        let (fillMany, fillOne) = (matching.fillLeft, matching.fillRight)
        let signature = MatchSignature(matching)
        let pair = PairOperator(node, annotations)
        var oneBySignature: [Labels: [Int]] = [:]
        for (index, series) in one.enumerated() {
            oneBySignature[signature.of(series.labels), default: []].append(index)
        }
        let busy = Self.stepsWithSamples(many, one, steps, always: fillMany != nil || fillOne != nil)
        try checkUnique(one, oneBySignature, busy, isRight: !isSwapped)

        var join = VectorJoin(node: node, matching: matching, isSwapped: isSwapped, steps: steps)
        var manyBySignature: [Labels: [Int]] = [:]
        for (index, series) in many.enumerated() {
            try context.check()
            let key = signature.of(series.labels)
            manyBySignature[key, default: []].append(index)
            var matched = Array(repeating: false, count: steps.count)
            for position in oneBySignature[key] ?? [] {
                let other = one[position]
                if fillOne == nil, !series.hasHistograms, !other.hasHistograms {
                    try join.addFloats(series, other, signature: key, pair)
                    continue
                }
                try join.add(series, other, signature: key, pair) { step in
                    guard series.hasSample(at: step), other.hasSample(at: step) else { return nil }
                    matched[step] = true
                    return (PairOperator.Operand(series, step), PairOperator.Operand(other, step))
                }
            }
            guard let fillOne else { continue }
            let missing = Series(labels: key, dropsName: series.dropsName, values: [])
            try join.add(series, missing, signature: key, pair) { step in
                guard series.hasSample(at: step), !matched[step] else { return nil }
                return (PairOperator.Operand(series, step), PairOperator.Operand(value: fillOne))
            }
        }
        if let fillMany {
            for (index, series) in one.enumerated() {
                let key = signature.of(series.labels)
                let partners = manyBySignature[key] ?? []
                let missing = Series(labels: key, dropsName: one[index].dropsName, values: [])
                try join.add(missing, series, signature: key, pair) { step in
                    guard series.hasSample(at: step), !partners.contains(where: { many[$0].hasSample(at: step) }) else {
                        return nil
                    }
                    return (PairOperator.Operand(value: fillMany), PairOperator.Operand(series, step))
                }
            }
        }
        var result = join.result.filter { !$0.isEmpty }
        if node.operation.isArithmetic || node.returnsBool {
            for index in result.indices { dropName(&result[index]) }
        }
        return try result.merged()
    }

    /// Steps at which both sides have samples: only there can a match go wrong.
    private static func stepsWithSamples(_ a: [Series], _ b: [Series], _ steps: Steps, always: Bool) -> [Bool] {
        if always { return Array(repeating: true, count: steps.count) }
        func present(_ side: [Series]) -> [Bool] {
            var present = Array(repeating: false, count: steps.count)
            for series in side {
                for step in 0..<steps.count where !present[step] { present[step] = series.hasSample(at: step) }
            }
            return present
        }
        return zip(present(a), present(b)).map { $0 && $1 }
    }

    /// Throws where two series of the "one" side have a sample at the same step.
    private func checkUnique(
        _ one: [Series], _ bySignature: [Labels: [Int]], _ busy: [Bool], isRight: Bool
    ) throws(QueryError) {
        for (key, positions) in bySignature where positions.count > 1 {
            for step in busy.indices where busy[step] {
                let present = positions.filter { one[$0].hasSample(at: step) }
                guard present.count > 1 else { continue }
                let names = [one[present[0]].labels.description, one[present[1]].labels.description].sorted()
                throw QueryError(
                    .execution,
                    "found duplicate series for the match group \(key) on the \(isRight ? "right" : "left") hand-side of the operation: "
                        + "[\(names[0]), \(names[1])];many-to-many matching not allowed: matching labels must be unique on one side"
                )
            }
        }
    }
}

/// The results of a match, by label set, and the check that each comes from one pair at each step.
private struct VectorJoin {
    let node: PromQLExpression.BinaryOperation
    let matching: VectorMatching
    let isSwapped: Bool
    let steps: Steps
    private(set) var result: [Series] = []
    private var positions: [Labels: Int] = [:]
    /// One-to-one: which steps of a signature are taken. Many-to-one: which steps of a result.
    private var taken: [Labels: [Bool]] = [:]
    private let signatureNames: Set<String>

    init(node: PromQLExpression.BinaryOperation, matching: VectorMatching, isSwapped: Bool, steps: Steps) {
        self.node = node
        self.matching = matching
        self.isSwapped = isSwapped
        self.steps = steps
        signatureNames = Set(matching.labels)
    }

    /// Combines a series of the "many" side with one of the other side at the steps for which `operands` gives both.
    mutating func add(
        _ many: Series, _ one: Series, signature: Labels, _ pair: PairOperator,
        _ operands: (Int) -> (PairOperator.Operand, PairOperator.Operand)?
    ) throws(QueryError) {
        let labels = resultLabels(many.labels, one.labels)
        let key = matching.cardinality == .oneToOne ? signature : labels
        var used = taken.removeValue(forKey: key) ?? Array(repeating: false, count: steps.count)
        var series = Series(labels: labels, dropsName: many.dropsName, stepCount: steps.count)
        for step in 0..<steps.count {
            guard let (manySample, oneSample) = operands(step) else { continue }
            if used[step] { throw multipleMatches }
            used[step] = true
            let (left, right) = isSwapped ? (oneSample, manySample) : (manySample, oneSample)
            pair.apply(left, right, kept: left).store(in: &series, at: step)
        }
        taken[key] = used
        if !series.isEmpty { result.append(series) }
    }

    /// The same for two columns of floats: one pass for the check, one for the values.
    mutating func addFloats(_ many: Series, _ one: Series, signature: Labels, _ pair: PairOperator) throws(QueryError) {
        let labels = resultLabels(many.labels, one.labels)
        let key = matching.cardinality == .oneToOne ? signature : labels
        var series = Series(labels: labels, dropsName: many.dropsName, values: (isSwapped ? one : many).values)
        let right = (isSwapped ? many : one).values
        if var used = taken.removeValue(forKey: key) {
            var isTwice = false
            for step in 0..<steps.count where !Absent.holds(series.values[step]) && !Absent.holds(right[step]) {
                isTwice = isTwice || used[step]
                used[step] = true
            }
            if isTwice { throw multipleMatches }
            taken[key] = used
        } else {
            taken[key] = (0..<steps.count).map { !Absent.holds(series.values[$0]) && !Absent.holds(right[$0]) }
        }
        pair.apply(&series.values, right, scalarIsLeft: false)
        if !series.isEmpty { result.append(series) }
    }

    private var multipleMatches: QueryError {
        QueryError(
            .execution,
            matching.cardinality == .oneToOne
                ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                : "multiple matches for labels: grouping labels must ensure unique matches")
    }

    private func resultLabels(_ many: Labels, _ one: Labels) -> Labels {
        var labels = many
        if matching.cardinality == .oneToOne {
            labels = matching.isOn ? labels.keeping(signatureNames) : labels.dropping(signatureNames)
        }
        for name in matching.include { labels[name] = one[name] }
        return labels
    }
}
