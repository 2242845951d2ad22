import Patterns
import Query
import Telemetry

/// What an expression yields for a span.
enum SpanValue {
    case one(StaticValue)
    /// Events, links and arrays have several: one that fits is enough.
    case many([StaticValue])
    /// Only the whole trace tells.
    case unknown

    static func bool(_ value: Bool) -> SpanValue { .one(.bool(value)) }
}

/// A span with what is known around it.
struct SpanContext {
    var span: TraceSpan
    var resource: Resource
    /// Nil while only single rows are at hand.
    var tree: TraceTree?
    var index = 0
}

/// An expression over a span, with its regular expressions compiled.
indirect enum SpanExpression {
    case constant(StaticValue)
    case field(SpanField)
    case not(SpanExpression)
    case negative(SpanExpression)
    case binary(FieldExpression.Operation, SpanExpression, SpanExpression)
    case matches(SpanExpression, LabelPattern, isNegated: Bool)
    /// `x = nil`
    case isNone(SpanExpression, isNegated: Bool)

    init(_ expression: FieldExpression) throws(QueryError) {
        switch expression {
        case .constant(let value): self = .constant(value)
        case .field(let field): self = .field(field)
        case .not(let inner): self = .not(try SpanExpression(inner))
        case .negative(let inner): self = .negative(try SpanExpression(inner))
        case .binary(let operation, let left, let right): self = try Self.binary(operation, left, right)
        }
    }

    private static func binary(
        _ operation: FieldExpression.Operation, _ left: FieldExpression, _ right: FieldExpression
    ) throws(QueryError) -> SpanExpression {
        if operation == .equal || operation == .notEqual {
            switch (left, right) {
            case (.constant(.none), let other), (let other, .constant(.none)):
                return .isNone(try SpanExpression(other), isNegated: operation == .notEqual)
            case (.field(let field), .constant(.string(let text))) where field.isIdentifier:
                // Ids may be written without their leading zeros.
                let width = field.name == .intrinsic(.traceID) || field.name == .intrinsic(.linkTraceID) ? 32 : 16
                let padded = String(repeating: "0", count: max(0, width - text.utf8.count)) + text.lowercased()
                return .binary(operation, SpanExpression.field(field), SpanExpression.constant(.string(padded)))
            default: break
            }
        }
        if operation.isRegex, case .constant(.string(let text)) = right {
            do {
                return .matches(try SpanExpression(left), try LabelPattern(text), isNegated: operation == .notMatches)
            } catch let error as Pattern.SyntaxError {
                throw QueryError(.parse, error.description)
            } catch let error as QueryError {
                throw error
            } catch {
                throw QueryError(.parse, "\(error)")
            }
        }
        return .binary(operation, try SpanExpression(left), try SpanExpression(right))
    }

    /// Whether the span satisfies it; nil where only the whole trace tells.
    func holds(_ context: SpanContext) -> Bool? {
        switch value(context) {
        case .unknown: nil
        case .one(let value): value == .bool(true)
        case .many(let values): values.contains(.bool(true))
        }
    }

    func value(_ context: SpanContext) -> SpanValue {
        switch self {
        case .constant(let value): return .one(value)
        case .field(let field): return field.value(context)
        case .not(let inner):
            switch inner.value(context) {
            case .unknown: return .unknown
            case .one(.bool(let value)): return .bool(!value)
            default: return .one(.none)
            }
        case .negative(let inner):
            guard case .one(let value) = inner.value(context) else { return inner.value(context) }
            return .one(StaticValue.arithmetic(.subtract, .int(0), value) ?? .none)
        case .isNone(let inner, let isNegated):
            switch inner.value(context) {
            case .unknown: return .unknown
            case .one(let value): return .bool((value == .none) != isNegated)
            case .many(let values): return .bool(values.isEmpty != isNegated)
            }
        case .matches(let inner, let pattern, let isNegated):
            return Self.any(inner.value(context)) { value in
                guard case .string(let text) = value else { return false }
                return pattern.matches(text) != isNegated
            }
        case .binary(let operation, let left, let right): return Self.value(operation, left, right, context)
        }
    }

    private static func value(
        _ operation: FieldExpression.Operation, _ left: SpanExpression, _ right: SpanExpression, _ context: SpanContext
    ) -> SpanValue {
        if operation.isLogical {
            let decisive = operation == .or
            let first = left.holds(context)
            if first == decisive { return .bool(decisive) }
            let second = right.holds(context)
            if second == decisive { return .bool(decisive) }
            return first == nil || second == nil ? .unknown : .bool(!decisive)
        }
        let (a, b) = (left.value(context), right.value(context))
        if case .unknown = a { return .unknown }
        if case .unknown = b { return .unknown }
        if operation.isArithmetic {
            guard case .one(let a) = a, case .one(let b) = b else { return .one(.none) }
            return .one(StaticValue.arithmetic(operation, a, b) ?? .none)
        }
        return any(a) { a in
            guard case .one(let isTrue) = any(b, { b in compare(operation, a, b) }) else { return false }
            return isTrue == .bool(true)
        }
    }

    private static func any(_ value: SpanValue, _ body: (StaticValue) -> Bool) -> SpanValue {
        switch value {
        case .unknown: .unknown
        case .one(let value): .bool(body(value))
        case .many(let values): .bool(values.contains(where: body))
        }
    }

    /// A property that is not there compares with nothing.
    static func compare(_ operation: FieldExpression.Operation, _ a: StaticValue, _ b: StaticValue) -> Bool {
        let order: Int
        switch (a, b) {
        case (.none, _), (_, .none): return false
        case (.string(let a), .string(let b)):
            if case .matches = operation { return (try? LabelPattern(b))?.matches(a) ?? false }
            if case .notMatches = operation { return !((try? LabelPattern(b))?.matches(a) ?? true) }
            order = a == b ? 0 : a.utf8Precedes(b) ? -1 : 1
        case (.int(let a), .int(let b)), (.duration(let a), .duration(let b)): order = a == b ? 0 : a < b ? -1 : 1
        case (.bool, .bool), (.status, .status), (.kind, .kind):
            return operation == .equal ? a == b : operation == .notEqual ? a != b : false
        default:
            guard let left = a.double, let right = b.double else { return false }
            order = left == right ? 0 : left < right ? -1 : 1
        }
        switch operation {
        case .equal: return order == 0
        case .notEqual: return order != 0
        case .less: return order < 0
        case .lessOrEqual: return order <= 0
        case .greater: return order > 0
        case .greaterOrEqual: return order >= 0
        default: return false
        }
    }
}
