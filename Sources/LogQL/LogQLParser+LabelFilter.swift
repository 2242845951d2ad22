import Query
import Telemetry

extension LogQLParser {
    /// Conditions joined by `and`, `or`, a comma, or nothing at all. `and` binds tighter than `or`; behind a comma (or nothing)
    /// everything that follows belongs together, as in Loki's grammar.
    mutating func labelFilter() throws(QueryError) -> LabelFilter {
        try nested { parser throws(QueryError) in try parser.labelFilter(above: 0) }
    }

    private mutating func labelFilter(above precedence: Int) throws(QueryError) -> LabelFilter {
        var left = try labelFilterOperand()
        while true {
            if keyword == "or", !follows(.equal) {
                guard precedence < 1 else { return left }
                advance()
                left = .or(left, try labelFilter(above: 1))
            } else if keyword == "and", !follows(.equal) {
                guard precedence < 2 else { return left }
                advance()
                left = .and(left, try labelFilter(above: 2))
            } else if take(.comma) {
                left = .and(left, try labelFilter())
            } else if startsLabelFilter {
                left = .and(left, try labelFilter())
            } else {
                return left
            }
        }
    }

    private var startsLabelFilter: Bool {
        switch token.kind {
        case .symbol(.open): true
        // `offset`, `by` and the like come behind a range, never here.
        case .identifier: true
        default: false
        }
    }

    private mutating func labelFilterOperand() throws(QueryError) -> LabelFilter {
        if take(.open) {
            let inner = try labelFilter()
            try expect(.close)
            return inner
        }
        let name = try expectIdentifier()
        let start = index
        switch token.kind {
        case .symbol(.regexMatch), .symbol(.regexNotMatch): return .string(try matcher(of: name))
        case .symbol(.equal), .symbol(.notEqual):
            let next = tokens[min(index + 1, tokens.count - 1)].kind
            if case .string = next { return .string(try matcher(of: name)) }
            if next == .identifier("ip") {
                let isEqual = isSymbol(.equal)
                advance()
                advance()
                try expect(.open)
                let address = try expectString()
                try expect(.close)
                return .ip(name, isEqual: isEqual, address)
            }
        default: break
        }
        guard case .symbol(let symbol) = token.kind,
            let comparison = symbol == .equal ? .equal : LabelFilter.Comparison(rawValue: symbol.rawValue)
        else { throw unexpected(expecting: "== or = or != or > or >= or < or <= or =~ or !~") }
        advance()
        let sign = take(.minus) ? -1.0 : 1.0
        if sign > 0 { _ = take(.plus) }
        switch token.kind {
        case .number(let digits):
            advance()
            return .number(name, comparison, sign * (try number(digits, from: start)))
        case .duration(let nanoseconds):
            advance()
            return .duration(name, comparison, sign < 0 ? -nanoseconds : nanoseconds)
        case .bytes(let count) where sign > 0:
            advance()
            return .bytes(name, comparison, count)
        default: throw unexpected(expecting: "BYTES or NUMBER or DURATION or STRING")
        }
    }

    /// Loki reads numbers with Go's `strconv.ParseFloat`: decimal, or hexadecimal with a binary exponent.
    func number(_ digits: String, from start: Int) throws(QueryError) -> Double {
        let plain = digits.hasSuffix(".") ? String(digits.dropLast()) : digits
        let isPrefixed = plain.count > 1 && plain.hasPrefix("0") && !"0123456789.e".contains(plain.lowercased().dropFirst().prefix(1))
        let isHexFloat = plain.lowercased().hasPrefix("0x") && plain.lowercased().contains("p")
        guard !isPrefixed || isHexFloat, let value = Double(plain) else {
            throw invalid("unable to parse float: strconv.ParseFloat: parsing \(digits.debugDescription): invalid syntax", from: start)
        }
        return value
    }
}
