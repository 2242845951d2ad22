package import Telemetry

/// A LogQL query, parsed and checked.
package enum LogQLExpression: Sendable, Hashable {
    /// Lines: a selector and its pipeline.
    case logs(LogSelector)
    /// Numbers over time.
    case metric(MetricExpression)
}

/// A stream selector and the stages that its lines run through.
package struct LogSelector: Sendable, Hashable {
    package var matchers: [LabelMatcher]
    package var stages: [LogStage]

    package init(matchers: [LabelMatcher], stages: [LogStage] = []) {
        self.matchers = matchers
        self.stages = stages
    }
}

/// One stage of a pipeline.
package enum LogStage: Sendable, Hashable {
    case lineFilter(LineFilter)
    /// `json`, or `json a="path"`: without extractions, every field.
    case json([Extraction])
    case logfmt(isStrict: Bool, keepsEmpty: Bool, [Extraction])
    case regexp(String)
    case pattern(String)
    case unpack
    case labelFilter(LabelFilter)
    case lineFormat(String)
    case labelFormat([LabelFormat])
    case decolorize
    case drop([LabelChoice])
    case keep([LabelChoice])
}

/// `|= "a" or "b"` and its like.
package struct LineFilter: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable {
        case contains = "|="
        case excludes = "!="
        case matches = "|~"
        case notMatches = "!~"
        case pattern = "|>"
        case notPattern = "!>"

        /// A line must fail all alternatives.
        package var isNegated: Bool { self == .excludes || self == .notMatches || self == .notPattern }
    }

    package enum Needle: Sendable, Hashable {
        case text(String)
        /// `ip("10.0.0.0/8")`: an address within it stands in the line.
        case ip(String)
    }

    package var operation: Operation
    package var alternatives: [Needle]

    package init(operation: Operation, alternatives: [Needle]) {
        self.operation = operation
        self.alternatives = alternatives
    }
}

/// `label="expression"` of a parser.
package struct Extraction: Sendable, Hashable {
    package var label: String
    package var expression: String
}

/// `new=old` or `new="template"` of `label_format`.
package struct LabelFormat: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        case label(String)
        case template(String)
    }

    package var label: String
    package var source: Source
}

/// What `drop` and `keep` name: a label, or a label of some value.
package struct LabelChoice: Sendable, Hashable {
    package var label: String
    package var matcher: LabelMatcher?
}

/// A condition on labels within a pipeline.
package indirect enum LabelFilter: Sendable, Hashable {
    package enum Comparison: String, Sendable, Hashable {
        case equal = "==", notEqual = "!=", greater = ">", greaterOrEqual = ">=", less = "<", lessOrEqual = "<="

        func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch self {
            case .equal: left == right
            case .notEqual: left != right
            case .greater: left > right
            case .greaterOrEqual: left >= right
            case .less: left < right
            case .lessOrEqual: left <= right
            }
        }
    }

    case string(LabelMatcher)
    case number(String, Comparison, Double)
    /// Nanoseconds.
    case duration(String, Comparison, Int64)
    case bytes(String, Comparison, UInt64)
    case ip(String, isEqual: Bool, String)
    case and(LabelFilter, LabelFilter)
    case or(LabelFilter, LabelFilter)

    /// The labels that it reads.
    package var labels: Set<String> {
        switch self {
        case .string(let matcher): [matcher.name]
        case .number(let name, _, _), .duration(let name, _, _), .bytes(let name, _, _), .ip(let name, _, _): [name]
        case .and(let left, let right), .or(let left, let right): left.labels.union(right.labels)
        }
    }
}

/// An expression whose value is numbers over time.
package indirect enum MetricExpression: Sendable, Hashable {
    case number(Double)
    case vector(Double)
    case range(RangeAggregation)
    case aggregation(VectorAggregation)
    case binary(BinaryOperation)
    case labelReplace(LabelReplace)
    case variants(Variants)
}

/// `variants(count_over_time({…}[5m]), bytes_over_time({…}[5m])) of ({…} | … [5m])`: several aggregations of the same lines (Loki 3.5). Each
/// series says in ``labelName`` which of them it belongs to, counted from 0.
package struct Variants: Sendable, Hashable {
    package static let labelName = "__variant__"

    package var expressions: [MetricExpression]
    /// The lines that all of them are of.
    package var logs: LogSelector
    /// Nanoseconds.
    package var range: Int64
    package var offset: Int64
}

/// `by (a, b)` or `without (a, b)`.
package struct Grouping: Sendable, Hashable {
    package var isWithout: Bool
    package var labels: [String]
}

/// A function over the lines of a window that ends at each step: `rate({…}[5m])`.
package struct RangeAggregation: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case count = "count_over_time", rate = "rate", bytes = "bytes_over_time", bytesRate = "bytes_rate"
        case absent = "absent_over_time", sum = "sum_over_time", average = "avg_over_time", minimum = "min_over_time"
        case maximum = "max_over_time", standardDeviation = "stddev_over_time", variance = "stdvar_over_time"
        case quantile = "quantile_over_time", first = "first_over_time", last = "last_over_time", rateCounter = "rate_counter"
    }

    package var operation: Operation
    /// The quantile of `quantile_over_time`.
    package var parameter: Double?
    package var logs: LogSelector
    package var unwrap: Unwrap?
    /// Nanoseconds.
    package var range: Int64
    /// Nanoseconds.
    package var offset: Int64
    package var grouping: Grouping?
}

/// `| unwrap label`, with the filters that follow it.
package struct Unwrap: Sendable, Hashable {
    package enum Conversion: String, Sendable, Hashable {
        case duration = "duration"
        case durationSeconds = "duration_seconds"
        case bytes = "bytes"
    }

    package var label: String
    package var conversion: Conversion?
    package var filters: [LabelFilter] = []
}

/// `sum by (a) (…)` and its like.
package struct VectorAggregation: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case sum, avg, count, max, min, stddev, stdvar, topk, bottomk, sort
        case sortDescending = "sort_desc"
        case approximateTopK = "approx_topk"

        /// It takes a number before its vector.
        package var takesParameter: Bool { self == .topk || self == .bottomk || self == .approximateTopK }
    }

    package var operation: Operation
    package var parameter: Int
    package var grouping: Grouping?
    package var operand: MetricExpression
}

/// An operator between two metric expressions.
package struct BinaryOperation: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case or, and, unless
        case equal = "==", notEqual = "!=", greater = ">", greaterOrEqual = ">=", less = "<", lessOrEqual = "<="
        case add = "+", subtract = "-", multiply = "*", divide = "/", modulo = "%", power = "^"

        package var isSet: Bool { self == .or || self == .and || self == .unless }
        package var comparison: LabelFilter.Comparison? { LabelFilter.Comparison(rawValue: rawValue) }

        /// The higher, the tighter.
        package var precedence: Int {
            switch self {
            case .or: 1
            case .and, .unless: 2
            case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual: 3
            case .add, .subtract: 4
            case .multiply, .divide, .modulo: 5
            case .power: 6
            }
        }
    }

    /// How the series of the two sides find each other.
    package struct Matching: Sendable, Hashable {
        package enum Cardinality: String, Sendable, Hashable {
            case oneToOne = ""
            case manyToOne = "group_left"
            case oneToMany = "group_right"
        }

        package var isOn = false
        package var labels: [String] = []
        package var cardinality = Cardinality.oneToOne
        /// Labels taken over from the "one" side.
        package var include: [String] = []
    }

    package var operation: Operation
    /// A comparison yields 0 or 1 instead of filtering.
    package var returnsBool: Bool
    package var matching: Matching?
    package var left: MetricExpression
    package var right: MetricExpression
}

/// `label_replace(v, "destination", "replacement", "source", "regex")`.
package struct LabelReplace: Sendable, Hashable {
    package var operand: MetricExpression
    package var destination: String
    package var replacement: String
    package var source: String
    package var pattern: String
}
