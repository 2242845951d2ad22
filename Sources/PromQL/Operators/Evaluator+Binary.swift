import Query
import Telemetry

extension Evaluator {
    func unary(_ node: PromQLExpression.UnaryOperation, _ steps: Steps) async throws(QueryError) -> Value {
        let operand = try await evaluate(node.operand, steps)
        guard node.isNegation else { return operand }
        switch operand {
        case .scalar(let values): return .scalar(values.map { -$0 })
        case .string: return operand
        case .vector(var series):
            for index in series.indices {
                for step in 0..<steps.count {
                    if let histogram = series[index].histogram(at: step) {
                        series[index].histograms[step] = histogram.scaled(by: -1)
                    } else if !Absent.holds(series[index].values[step]) {
                        series[index].values[step].negate()
                    }
                }
                dropName(&series[index])
            }
            return .vector(try series.merged())
        }
    }

    func binary(_ node: PromQLExpression.BinaryOperation, _ steps: Steps) async throws(QueryError) -> Value {
        let left = try await evaluate(node.left, steps)
        let right = try await evaluate(node.right, steps)
        switch (left, right) {
        case (.scalar(let a), .scalar(let b)):
            return .scalar(zip(a, b).map { FloatArithmetic.apply(node.operation, $0, $1) })
        case (.vector(let series), .scalar(let values)):
            return .vector(try withScalar(node, series, values, steps, scalarIsLeft: false))
        case (.scalar(let values), .vector(let series)):
            return .vector(try withScalar(node, series, values, steps, scalarIsLeft: true))
        case (.vector(let a), .vector(let b)):
            defer { context.release(bytes: min(a.count, b.count) * steps.count * 8) }
            let matching = node.matching ?? VectorMatching()
            return .vector(
                node.operation.isSet
                    ? try combineSets(node, matching, a, b, steps) : try combine(node, matching, a, b, steps))
        default: throw QueryError(.execution, "binary expression must contain only scalar and instant vector types")
        }
    }

    private func withScalar(
        _ node: PromQLExpression.BinaryOperation, _ vector: [Series], _ values: [Double], _ steps: Steps,
        scalarIsLeft: Bool
    ) throws(QueryError) -> [Series] {
        let pair = PairOperator(node, annotations)
        var result: [Series] = []
        result.reserveCapacity(vector.count)
        for var series in vector {
            try context.check()
            if !series.hasHistograms {
                pair.apply(&series.values, values, scalarIsLeft: scalarIsLeft)
            } else {
                for step in 0..<steps.count where series.hasSample(at: step) {
                    let sample = PairOperator.Operand(series, step)
                    let scalar = PairOperator.Operand(value: values[step])
                    let outcome =
                        scalarIsLeft
                        ? pair.apply(scalar, sample, kept: sample) : pair.apply(sample, scalar, kept: sample)
                    series.remove(at: step)
                    outcome.store(in: &series, at: step)
                }
            }
            guard !series.isEmpty else { continue }
            if node.operation.isArithmetic || node.returnsBool { dropName(&series) }
            result.append(series)
        }
        return try result.merged()
    }

    // MARK: Sets

    /// `and`, `or`, `unless`: by steps, whether the other side has a series of the same signature.
    private func combineSets(
        _ node: PromQLExpression.BinaryOperation, _ matching: VectorMatching, _ left: [Series], _ right: [Series],
        _ steps: Steps
    ) throws(QueryError) -> [Series] {
        let signature = MatchSignature(matching)
        func presence(_ side: [Series]) -> [Labels: [Bool]] {
            var presence: [Labels: [Bool]] = [:]
            for series in side {
                let key = signature.of(series.labels)
                var present = presence.removeValue(forKey: key) ?? Array(repeating: false, count: steps.count)
                for step in 0..<steps.count where !present[step] { present[step] = series.hasSample(at: step) }
                presence[key] = present
            }
            return presence
        }
        func masked(_ series: Series, _ present: [Bool]?, keepsPresent: Bool) -> Series? {
            guard let present else { return keepsPresent ? nil : series }
            var result = series
            for step in 0..<steps.count where present[step] != keepsPresent { result.remove(at: step) }
            return result.isEmpty ? nil : result
        }
        switch node.operation {
        case .and:
            let present = presence(right)
            return left.compactMap { masked($0, present[signature.of($0.labels)], keepsPresent: true) }
        case .unless:
            let present = presence(right)
            return left.compactMap { masked($0, present[signature.of($0.labels)], keepsPresent: false) }
        default:
            let present = presence(left)
            return try (left + right.compactMap { masked($0, present[signature.of($0.labels)], keepsPresent: false) })
                .merged()
        }
    }
}

/// The labels by which series match.
struct MatchSignature: Sendable {
    private let names: Set<String>
    private let isOn: Bool

    init(_ matching: VectorMatching) {
        isOn = matching.isOn
        names = isOn ? Set(matching.labels) : Set(matching.labels).union([Labels.metricName])
    }

    func of(_ labels: Labels) -> Labels { isOn ? labels.keeping(names) : labels.dropping(names) }
}
