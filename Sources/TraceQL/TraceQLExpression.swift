package import Telemetry

/// A TraceQL query.
package struct TraceQLQuery: Sendable, Hashable {
    package enum Body: Sendable, Hashable {
        /// Spans by trace.
        case search(SpansetPipeline)
        /// Numbers over time.
        case metrics(MetricsExpression)
    }

    package var body: Body
    /// `with (most_recent=true)`.
    package var hints: [String: StaticValue] = [:]
}

/// A value written in a query.
package enum StaticValue: Sendable, Hashable {
    case none
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    /// Nanoseconds.
    case duration(Int64)
    case status(TraceSpan.Status)
    case kind(TraceSpan.Kind)
}

/// A property of a span that a query names.
package struct SpanField: Sendable, Hashable {
    package enum Name: Sendable, Hashable {
        case attribute(Scope, String)
        case intrinsic(Intrinsic)
        /// `parent` alone.
        case parentSpan
    }

    package enum Scope: String, Sendable, Hashable, CaseIterable {
        /// `.name`: the span's attribute, else the resource's.
        case any = ""
        case span, resource, event, link, instrumentation
    }

    /// What every span has beside attributes.
    package enum Intrinsic: String, Sendable, Hashable, CaseIterable {
        case duration, name, status, statusMessage, kind, childCount, id, parentID
        case traceDuration, rootName, rootServiceName, traceID
        case nestedSetLeft, nestedSetRight, nestedSetParent
        case eventName, eventTimeSinceStart, linkSpanID, linkTraceID, instrumentationName, instrumentationVersion
    }

    package var name: Name
    /// Of the span's parent.
    package var isParent = false

    package init(_ name: Name, isParent: Bool = false) {
        self.name = name
        self.isParent = isParent
    }
}

/// An expression over one span.
package indirect enum FieldExpression: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable {
        case and = "&&", or = "||"
        case equal = "=", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
        case matches = "=~", notMatches = "!~"
        case add = "+", subtract = "-", multiply = "*", divide = "/", modulo = "%", power = "^"

        var isLogical: Bool { self == .and || self == .or }
        var isArithmetic: Bool {
            switch self {
            case .add, .subtract, .multiply, .divide, .modulo, .power: true
            default: false
            }
        }
        var isRegex: Bool { self == .matches || self == .notMatches }
    }

    case constant(StaticValue)
    case field(SpanField)
    case not(FieldExpression)
    case negative(FieldExpression)
    case binary(Operation, FieldExpression, FieldExpression)
}

/// Spans of a trace that satisfy conditions, alone and by their place.
package indirect enum SpansetExpression: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case and = "&&", or = "||"
        case child = ">", descendant = ">>", parent = "<", ancestor = "<<", sibling = "~"
        case notChild = "!>", notDescendant = "!>>", notParent = "!<", notAncestor = "!<<", notSibling = "!~"
        case unionChild = "&>", unionDescendant = "&>>", unionParent = "&<", unionAncestor = "&<<", unionSibling = "&~"
    }

    /// `{ … }`; nil for `{ }`.
    case filter(FieldExpression?)
    case binary(Operation, SpansetExpression, SpansetExpression)
    /// `( … | … )`.
    case pipeline(SpansetPipeline)
}

/// Stages joined by `|`.
package struct SpansetPipeline: Sendable, Hashable {
    package var stages: [SpansetStage]
}

/// A stage of a pipeline.
package enum SpansetStage: Sendable, Hashable {
    case spanset(SpansetExpression)
    case group(FieldExpression)
    case coalesce
    case select([SpanField])
    case filter(ScalarFilter)
}

/// A comparison of numbers made of whole spansets: `count() > 2`.
package struct ScalarFilter: Sendable, Hashable {
    package var operation: FieldExpression.Operation
    package var left: ScalarExpression
    package var right: ScalarExpression
}

/// A number made of a whole spanset.
package indirect enum ScalarExpression: Sendable, Hashable {
    package enum Aggregate: String, Sendable, Hashable {
        case count, avg, min, max, sum
    }

    case constant(StaticValue)
    /// `count()` has no argument.
    case aggregate(Aggregate, FieldExpression?)
    case arithmetic(FieldExpression.Operation, ScalarExpression, ScalarExpression)
    /// `( … | count() )`.
    case pipeline(SpansetPipeline, ScalarExpression)
}

/// A query for numbers over time.
package indirect enum MetricsExpression: Sendable, Hashable {
    package enum Function: String, Sendable, Hashable, CaseIterable {
        case rate, countOverTime = "count_over_time", minOverTime = "min_over_time", maxOverTime = "max_over_time"
        case avgOverTime = "avg_over_time", sumOverTime = "sum_over_time", quantileOverTime = "quantile_over_time"
        case histogramOverTime = "histogram_over_time", compare
    }

    package struct Aggregation: Sendable, Hashable {
        package var function: Function
        /// What it measures; nil for `rate`, `count_over_time` and `compare`.
        package var field: SpanField?
        package var quantiles: [Double] = []
        /// `by (…)`.
        package var grouping: [SpanField] = []
        /// What `compare` compares with all the rest.
        package var selection: SpansetExpression?
    }

    case query(SpansetPipeline, Aggregation)
    case constant(Double)
    case arithmetic(FieldExpression.Operation, MetricsExpression, MetricsExpression)
    case filter(MetricsExpression, FieldExpression.Operation, Double)
    /// `topk(n)` or `bottomk(n)`.
    case ranked(MetricsExpression, isTop: Bool, Int)
}
