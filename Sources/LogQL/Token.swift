/// One word of a query.
struct Token: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case identifier(String)
        /// The text that the quotes hold.
        case string(String)
        /// As it was written.
        case number(String)
        /// Nanoseconds.
        case duration(Int64)
        case bytes(UInt64)
        /// `[5m]`: nanoseconds.
        case range(Int64)
        /// `--strict`, `--keep-empty`.
        case flag(String)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Sendable, Hashable, CaseIterable {
        case openBrace = "{", closeBrace = "}", open = "(", close = ")", comma = ","
        case pipeMatch = "|~", pipeExact = "|=", pipePattern = "|>", pipe = "|"
        case regexMatch = "=~", equalEqual = "==", equal = "=", notEqual = "!=", regexNotMatch = "!~", notPattern = "!>"
        case greaterOrEqual = ">=", greater = ">", lessOrEqual = "<=", less = "<"
        case plus = "+", minus = "-", star = "*", slash = "/", percent = "%", caret = "^"
    }

    var kind: Kind
    /// Its bytes in the query.
    var range: Range<Int>

    /// What an error calls it, in the words of Loki's grammar.
    var name: String {
        switch kind {
        case .identifier: "IDENTIFIER"
        case .string: "STRING"
        case .number: "NUMBER"
        case .duration: "DURATION"
        case .bytes: "BYTES"
        case .range: "RANGE"
        case .flag: "PARSER_FLAG"
        case .symbol(let symbol): symbol.rawValue
        case .end: "$end"
        }
    }
}
