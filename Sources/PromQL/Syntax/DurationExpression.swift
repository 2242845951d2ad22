/// A length of time as a query writes it: a duration, a number of seconds, or arithmetic over them (experimental).
package indirect enum DurationExpression: Sendable, Hashable {
    /// Milliseconds, written as a duration, or alone as a number of seconds.
    case literal(Int64)
    /// A number within arithmetic: seconds, or a factor.
    case number(Double)
    /// `step()`: the query's step.
    case step
    /// `range()`: the query's end less its start.
    case range
    case negated(DurationExpression)
    case parentheses(DurationExpression)
    case arithmetic(BinaryOperator, DurationExpression, DurationExpression)
    case least(DurationExpression, DurationExpression)
    case greatest(DurationExpression, DurationExpression)

    package struct Failure: Error, Sendable {
        package var message: String
    }

    /// Milliseconds, for a query of that step and range.
    package func milliseconds(step: Int64, range: Int64) throws(Failure) -> Int64 {
        let seconds = try seconds(step: step, range: range)
        guard seconds.magnitude <= Limits.durationSecondsMax else { throw Failure(message: "duration out of range") }
        return Int64((seconds * 1000).rounded(.toNearestOrAwayFromZero))
    }

    private func seconds(step: Int64, range: Int64) throws(Failure) -> Double {
        switch self {
        case .literal(let milliseconds): return Double(milliseconds) / 1000
        case .number(let value): return value
        case .step: return Double(step) / 1000
        case .range: return Double(range) / 1000
        case .negated(let inner): return -(try inner.seconds(step: step, range: range))
        case .parentheses(let inner): return try inner.seconds(step: step, range: range)
        case .least(let a, let b):
            return min(try a.seconds(step: step, range: range), try b.seconds(step: step, range: range))
        case .greatest(let a, let b):
            return max(try a.seconds(step: step, range: range), try b.seconds(step: step, range: range))
        case .arithmetic(let operation, let left, let right):
            let (a, b) = (try left.seconds(step: step, range: range), try right.seconds(step: step, range: range))
            switch operation {
            case .divide where b == 0: throw Failure(message: "division by zero")
            case .modulo where b == 0: throw Failure(message: "modulo by zero")
            default: return FloatArithmetic.apply(operation, a, b)
            }
        }
    }

    /// A number alone as the duration it stands for.
    var asDuration: DurationExpression {
        if case .number(let seconds) = self {
            return .literal(Int64((seconds * 1000).rounded(.toNearestOrAwayFromZero)))
        }
        return self
    }

    /// The opposite.
    var negative: DurationExpression {
        switch self {
        case .literal(let milliseconds): .literal(-milliseconds)
        case .number(let value): .number(-value)
        default: .negated(self)
        }
    }

    /// Its milliseconds, where they are known without a query's step and range.
    package var constantMilliseconds: Int64? {
        isConstant ? try? milliseconds(step: 0, range: 0) : nil
    }

    /// Whether it is a duration or a number alone.
    var isPlain: Bool {
        switch self {
        case .literal, .number: true
        default: false
        }
    }

    /// Whether it is known without a query's step and range.
    var isConstant: Bool {
        switch self {
        case .literal, .number: true
        case .step, .range: false
        case .negated(let inner), .parentheses(let inner): inner.isConstant
        case .arithmetic(_, let a, let b), .least(let a, let b), .greatest(let a, let b): a.isConstant && b.isConstant
        }
    }
}

extension DurationExpression: CustomStringConvertible {
    package var description: String {
        switch self {
        case .literal(let milliseconds): PromQLDuration.format(milliseconds: milliseconds)
        case .number(let value): PromQLNumber.formatGeneral(value)
        case .step: "step()"
        case .range: "range()"
        case .negated(let inner): "-\(inner)"
        case .parentheses(let inner): "(\(inner))"
        case .arithmetic(let operation, let left, let right): "\(left) \(operation.rawValue) \(right)"
        case .least(let a, let b): "min_of(\(a), \(b))"
        case .greatest(let a, let b): "max_of(\(a), \(b))"
        }
    }
}
