import Patterns
import Telemetry

extension TraceQLQuery {
    /// Why a query that reads well means nothing.
    struct Fault: Error {
        var description: String
    }

    /// Checks that types go together, as Tempo does before it runs a query.
    func validate() throws(Fault) {
        switch body {
        case .search(let pipeline): try pipeline.validate()
        case .metrics(let metrics): try metrics.validate(isOutermost: true)
        }
    }
}

/// The type of an expression over a span.
private enum FieldType {
    /// An attribute: known only once there is a span.
    case dynamic
    case none, string, int, double, bool, duration, status, kind, span

    var isNumber: Bool { self == .int || self == .double || self == .duration }

    func matches(_ other: FieldType) -> Bool {
        self == other || self == .dynamic || other == .dynamic || self == .none || other == .none
            || (isNumber && other.isNumber)
    }
}

extension SpansetPipeline {
    fileprivate func validate() throws(TraceQLQuery.Fault) {
        for stage in stages {
            switch stage {
            case .spanset(let expression): try expression.validate()
            case .group(let expression):
                _ = try expression.type()
                guard expression.readsSpan else {
                    throw .init(description: "grouping field expressions must reference the span")
                }
            case .coalesce, .select: break
            case .filter(let filter):
                try filter.left.validate()
                try filter.right.validate()
            }
        }
    }
}

extension SpansetExpression {
    fileprivate func validate() throws(TraceQLQuery.Fault) {
        switch self {
        case .filter(nil): break
        case .filter(let expression?):
            let type = try expression.type()
            guard type == .bool || type == .dynamic else {
                throw .init(description: "span filter field expressions must resolve to a boolean")
            }
        case .binary(_, let left, let right):
            try left.validate()
            try right.validate()
        case .pipeline(let pipeline): try pipeline.validate()
        }
    }
}

extension ScalarExpression {
    fileprivate func validate() throws(TraceQLQuery.Fault) {
        switch self {
        case .constant, .aggregate(_, nil): break
        case .aggregate(_, let expression?):
            let type = try expression.type()
            guard expression.readsSpan else {
                throw .init(description: "aggregate field expressions must reference the span")
            }
            guard type.isNumber || type == .dynamic else {
                throw .init(description: "aggregate field expressions must resolve to a number")
            }
        case .arithmetic(_, let left, let right):
            try left.validate()
            try right.validate()
        case .pipeline(let pipeline, let scalar):
            try pipeline.validate()
            try scalar.validate()
        }
    }
}

extension MetricsExpression {
    fileprivate func validate(isOutermost: Bool) throws(TraceQLQuery.Fault) {
        switch self {
        case .constant: break
        case .query(let pipeline, let aggregation):
            try pipeline.validate()
            if aggregation.function == .compare, !isOutermost {
                throw .init(description: "compare() cannot be followed by another stage or take part in arithmetic")
            }
            try aggregation.selection?.validate()
        case .arithmetic(_, let left, let right):
            try left.validate(isOutermost: false)
            try right.validate(isOutermost: false)
        case .filter(let inner, _, _): try inner.validate(isOutermost: false)
        case .ranked(let inner, _, let count):
            guard count > 0 else { throw .init(description: "topk and bottomk need a count of at least 1") }
            try inner.validate(isOutermost: false)
        }
    }
}

extension FieldExpression {
    /// Whether it depends on the span at all.
    fileprivate var readsSpan: Bool {
        switch self {
        case .constant: false
        case .field: true
        case .not(let inner), .negative(let inner): inner.readsSpan
        case .binary(_, let left, let right): left.readsSpan || right.readsSpan
        }
    }

    fileprivate func type() throws(TraceQLQuery.Fault) -> FieldType {
        switch self {
        case .constant(let value): return value.type
        case .field(let field): return field.type
        case .not(let inner):
            let type = try inner.type()
            guard type == .bool || type == .dynamic else { throw .init(description: "! needs a boolean") }
            return .bool
        case .negative(let inner):
            let type = try inner.type()
            guard type.isNumber || type == .dynamic else { throw .init(description: "- needs a number") }
            return type
        case .binary(let operation, let left, let right): return try Self.type(operation, left, right)
        }
    }

    private static func type(
        _ operation: Operation, _ leftExpression: FieldExpression, _ rightExpression: FieldExpression
    ) throws(TraceQLQuery.Fault) -> FieldType {
        let (left, right) = (try leftExpression.type(), try rightExpression.type())
        func check(_ isFitting: (FieldType) -> Bool, _ what: String) throws(TraceQLQuery.Fault) {
            for type in [left, right] where type != .dynamic && !isFitting(type) {
                throw .init(description: "\(operation.rawValue) needs \(what) on both sides")
            }
        }
        switch operation {
        case .and, .or:
            try check({ $0 == .bool }, "booleans")
            return .bool
        case .matches, .notMatches:
            try check({ $0 == .string }, "strings")
            if case .constant(.string(let text)) = rightExpression, (try? LabelPattern(text)) == nil {
                throw .init(description: "invalid regular expression \(text.debugDescription)")
            }
            return .bool
        case .add, .subtract, .multiply, .divide, .modulo, .power:
            try check(\.isNumber, "numbers")
            if left == .dynamic || right == .dynamic { return .dynamic }
            if left == .duration || right == .duration { return .duration }
            return left == .double || right == .double ? .double : .int
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            try check({ $0.isNumber || $0 == .string }, "numbers or strings")
        case .equal, .notEqual:
            if operation == .equal, left == .none || right == .none {
                for expression in [leftExpression, rightExpression] {
                    if case .field(let field) = expression, field.isAlwaysPresent {
                        throw .init(description: "this field always has a value: it is never nil")
                    }
                }
            }
        }
        guard left.matches(right) else {
            throw .init(description: "the types of the two sides of \(operation.rawValue) do not go together")
        }
        return .bool
    }
}

extension StaticValue {
    fileprivate var type: FieldType {
        switch self {
        case .none: .none
        case .string: .string
        case .int: .int
        case .double: .double
        case .bool: .bool
        case .duration: .duration
        case .status: .status
        case .kind: .kind
        }
    }
}

extension SpanField {
    fileprivate var type: FieldType {
        switch name {
        case .attribute: .dynamic
        case .parentSpan: .span
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .duration, .traceDuration, .eventTimeSinceStart: .duration
            case .status: .status
            case .kind: .kind
            case .childCount, .nestedSetLeft, .nestedSetRight, .nestedSetParent: .int
            default: .string
            }
        }
    }

    fileprivate var isAlwaysPresent: Bool {
        switch name {
        case .attribute(.resource, "service.name"): true
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .eventName, .eventTimeSinceStart, .linkSpanID, .linkTraceID: false
            default: !isParent
            }
        default: false
        }
    }
}
