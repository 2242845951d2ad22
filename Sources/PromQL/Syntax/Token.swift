import Telemetry

/// A word of PromQL.
struct Token: Sendable {
    enum Kind: Sendable, Hashable {
        case endOfInput
        /// A name that may hold colons.
        case identifier
        case string
        case number
        case duration
        case keyword(Keyword)
        case aggregation(AggregationOperator)
        case binary(BinaryOperator)
        case leftParenthesis, rightParenthesis
        case leftBrace, rightBrace
        case leftBracket, rightBracket
        case comma, colon, at
        /// `=` and `=~`, `!~`: only between a label and its value.
        case equal, matches, notMatches
    }

    /// Words with a meaning of their own; all of them may be names of metrics and labels too. Case does not matter.
    enum Keyword: String, Sendable, Hashable, CaseIterable {
        case by, without, on, ignoring, offset, bool
        case groupLeft = "group_left"
        case groupRight = "group_right"
        case fill
        case fillLeft = "fill_left"
        case fillRight = "fill_right"
        case anchored, smoothed
        case start, end, step, range
        case minOf = "min_of"
        case maxOf = "max_of"
    }

    var kind: Kind
    /// As written.
    var text: String
    var range: SourceRange

    /// Whether it can stand where a name is wanted (`by`, `sum` or `offset` are legal names).
    var isName: Bool {
        switch kind {
        case .identifier, .keyword, .aggregation: true
        case .binary(let operation): operation.isWord
        default: false
        }
    }

    /// What a message calls it, in Prometheus' words.
    var summary: String {
        switch kind {
        case .endOfInput: "end of input"
        case .identifier: (text.contains(":") ? "metric identifier " : "identifier ") + text.quoted
        case .string: "string " + Token.shortened(text)
        case .number: "number " + Token.shortened(text)
        case .duration: "duration " + Token.shortened(text)
        case .keyword: "<\(text)>"
        case .aggregation: "<aggr:\(text)>"
        case .binary, .matches, .notMatches: "<op:\(text)>"
        default: text.quoted
        }
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count > 10 ? String(text.prefix(10)).quoted + "..." : text.quoted
    }
}

/// An operator between two expressions.
package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case trimUpper = "</"
    case trimLower = ">/"
    case and, or, unless

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
        default: false
        }
    }

    package var isSet: Bool { self == .and || self == .or || self == .unless }
    /// Whether it makes new values, so that a metric's name no longer fits.
    package var isArithmetic: Bool { !isComparison && !isSet && !isTrim }
    /// Whether it cuts a histogram at a value.
    package var isTrim: Bool { self == .trimUpper || self == .trimLower }
    /// Whether it is a word rather than signs.
    var isWord: Bool { isSet || self == .atan2 }

    /// How tightly it binds; more is tighter.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2, .trimUpper, .trimLower: 5
        case .power: 6
        }
    }
}

/// An operator over the series of a vector.
package enum AggregationOperator: String, Sendable, Hashable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile, limitk
    case countValues = "count_values"
    case limitRatio = "limit_ratio"

    /// Whether a parameter stands before the vector.
    package var takesParameter: Bool {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .limitRatio, .countValues: true
        default: false
        }
    }
}
