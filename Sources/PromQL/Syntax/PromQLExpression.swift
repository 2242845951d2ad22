package import Telemetry

/// A PromQL expression: the typed syntax tree, each node with its place in the query's text.
package indirect enum PromQLExpression: Sendable, Hashable {
    case number(NumberLiteral)
    case string(TextLiteral)
    case selector(VectorSelector)
    case range(RangeSelector)
    case subquery(Subquery)
    case unary(UnaryOperation)
    case binary(BinaryOperation)
    case aggregation(Aggregation)
    case call(FunctionCall)
    case parentheses(Parentheses)

    /// A number; `5m` is one too, in seconds.
    package struct NumberLiteral: Sendable, Hashable {
        package var value: Double
        /// Written as a duration.
        package var isDuration: Bool
        package var place: SourceRange

        package static func == (left: NumberLiteral, right: NumberLiteral) -> Bool {
            left.isDuration == right.isDuration && (left.value == right.value || left.value.isNaN && right.value.isNaN)
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(value.isNaN ? 0 : value)
            hasher.combine(isDuration)
        }
    }

    package struct TextLiteral: Sendable, Hashable {
        package var value: String
        package var place: SourceRange
        /// The literal's bytes where its escapes make no UTF-8: no label name or value may be so.
        package var brokenBytes: [UInt8]?

        package var isBroken: Bool { brokenBytes != nil }

        /// In quotes, as Go's `%q` writes it: bytes that are no UTF-8 come as `\x…`.
        package var quoted: String {
            guard var rest = brokenBytes?[...] else { return value.quoted }
            var text = ""
            while let byte = rest.first {
                if let length = (1...min(4, rest.count)).first(where: {
                    String(validating: rest.prefix($0), as: UTF8.self) != nil
                }) {
                    text += String(decoding: rest.prefix(length), as: UTF8.self).quoted.dropFirst().dropLast()
                    rest = rest.dropFirst(length)
                } else {
                    text += "\\x" + String(byte, radix: 16)
                    rest = rest.dropFirst()
                }
            }
            return "\"\(text)\""
        }
    }

    /// `name{a="b"} @ 5 offset 1m`.
    package struct VectorSelector: Sendable, Hashable {
        /// The name before the braces; empty where there is none.
        package var name: String
        /// All conditions, the one on the name included.
        package var matchers: [LabelMatcher]
        package var offset: DurationExpression?
        package var at: AtModifier?
        /// Which samples stand at the ends of the range.
        package var boundary: Boundary = .extrapolated
        /// Set by the planner: only counts and sums of native histograms are wanted, and with them the resets between samples.
        var readsStatisticsOnly = false
        package var place: SourceRange

        /// The order of matchers has no meaning.
        package static func == (left: VectorSelector, right: VectorSelector) -> Bool {
            left.name == right.name && Set(left.matchers) == Set(right.matchers) && left.offset == right.offset
                && left.at == right.at
                && left.boundary == right.boundary
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(Set(matchers))
        }
    }

    /// How a range takes its ends (Prometheus' extended range selectors, experimental).
    package enum Boundary: String, Sendable, Hashable {
        case extrapolated
        case anchored
        case smoothed
    }

    /// `selector[5m]`.
    package struct RangeSelector: Sendable, Hashable {
        package var selector: VectorSelector
        package var range: DurationExpression
        package var place: SourceRange
    }

    /// `expression[30m:1m] @ 5 offset 1m`.
    package struct Subquery: Sendable, Hashable {
        package var expression: PromQLExpression
        package var range: DurationExpression
        /// nil: the default step.
        package var step: DurationExpression?
        package var offset: DurationExpression?
        package var at: AtModifier?
        package var place: SourceRange
    }

    package struct UnaryOperation: Sendable, Hashable {
        package var isNegation: Bool
        package var operand: PromQLExpression
        package var place: SourceRange
    }

    package struct BinaryOperation: Sendable, Hashable {
        package var operation: BinaryOperator
        package var left: PromQLExpression
        package var right: PromQLExpression
        /// `bool`: 0 or 1 instead of filtering.
        package var returnsBool: Bool
        /// nil where a side is a scalar.
        package var matching: VectorMatching?
        package var place: SourceRange
    }

    package struct Aggregation: Sendable, Hashable {
        package var operation: AggregationOperator
        package var expression: PromQLExpression
        package var parameter: PromQLExpression?
        package var grouping: [String]
        package var isWithout: Bool
        package var place: SourceRange
    }

    package struct FunctionCall: Sendable, Hashable {
        package var function: FunctionSignature
        package var arguments: [PromQLExpression]
        package var place: SourceRange
    }

    package struct Parentheses: Sendable, Hashable {
        package var expression: PromQLExpression
        package var place: SourceRange
    }
}

/// How the series of two vectors find each other.
package struct VectorMatching: Sendable, Hashable {
    package enum Cardinality: Sendable, Hashable {
        case oneToOne
        /// `group_left`
        case manyToOne
        /// `group_right`
        case oneToMany
        /// The set operators.
        case manyToMany
    }

    package var cardinality: Cardinality = .oneToOne
    /// `on (…)` rather than `ignoring (…)`.
    package var isOn = false
    package var labels: [String] = []
    /// Labels of the "one" side that go into the result.
    package var include: [String] = []
    /// Values that stand in for a missing left or right side.
    package var fillLeft: Double?
    package var fillRight: Double?

    package static func == (left: VectorMatching, right: VectorMatching) -> Bool {
        left.cardinality == right.cardinality && left.isOn == right.isOn && left.labels == right.labels
            && left.include == right.include
            && left.fillLeft?.bitPattern == right.fillLeft?.bitPattern
            && left.fillRight?.bitPattern == right.fillRight?.bitPattern
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(cardinality)
        hasher.combine(isOn)
        hasher.combine(labels)
        hasher.combine(include)
    }
}

/// `@ 12.5`, `@ start()`, `@ end()`.
package enum AtModifier: Sendable, Hashable {
    /// Milliseconds since the Unix epoch.
    case timestamp(Int64)
    case start
    case end
}

/// The kinds of value an expression can have.
package enum PromQLType: String, Sendable, Hashable {
    case scalar
    case string
    case vector = "instant vector"
    case matrix = "range vector"

    /// Its name where a query's result is meant.
    package var short: String {
        switch self {
        case .scalar: "scalar"
        case .string: "string"
        case .vector: "vector"
        case .matrix: "matrix"
        }
    }
}

extension PromQLExpression {
    package var place: SourceRange {
        switch self {
        case .number(let node): node.place
        case .string(let node): node.place
        case .selector(let node): node.place
        case .range(let node): node.place
        case .subquery(let node): node.place
        case .unary(let node): node.place
        case .binary(let node): node.place
        case .aggregation(let node): node.place
        case .call(let node): node.place
        case .parentheses(let node): node.place
        }
    }

    /// The kind of value it has.
    package var type: PromQLType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .selector, .aggregation: .vector
        case .range, .subquery: .matrix
        case .unary(let node): node.operand.type
        case .binary(let node): node.left.type == .scalar && node.right.type == .scalar ? .scalar : .vector
        case .call(let node): node.function.result
        case .parentheses(let node): node.expression.type
        }
    }

    /// The expression without the parentheses around it.
    package var unwrapped: PromQLExpression {
        var expression = self
        while case .parentheses(let node) = expression { expression = node.expression }
        return expression
    }

    /// The expressions right below it.
    package var children: [PromQLExpression] {
        switch self {
        case .number, .string, .selector, .range: []
        case .subquery(let node): [node.expression]
        case .unary(let node): [node.operand]
        case .binary(let node): [node.left, node.right]
        case .aggregation(let node): (node.parameter.map { [$0] } ?? []) + [node.expression]
        case .call(let node): node.arguments
        case .parentheses(let node): [node.expression]
        }
    }
}
