import Telemetry

/// Reads the notation of series from left to right.
struct SeriesScanner {
    private var rest: Substring
    private let line: Int

    init(_ text: some StringProtocol, line: Int) {
        rest = Substring(text)
        self.line = line
    }

    var peek: Character? { rest.first }

    private func failure(_ message: String) -> ScriptError {
        ScriptError(line: line, message: message + " at \(rest.prefix(20))")
    }

    mutating func takeWhile(_ condition: (Character) -> Bool) -> String {
        let found = rest.prefix(while: condition)
        rest = rest.dropFirst(found.count)
        return String(found)
    }

    mutating func take(_ text: String) -> Bool {
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    /// Passes blanks; whether the end is reached.
    mutating func skipBlanks() -> Bool {
        rest = rest.drop(while: \.isWhitespace)
        return rest.isEmpty
    }

    /// `{…}` with strings in it.
    mutating func takeBraces() throws -> String {
        var quote: Character?
        var isEscaped = false
        for index in rest.indices {
            let character = rest[index]
            if let open = quote {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\", open != "`" {
                    isEscaped = true
                } else if character == open {
                    quote = nil
                }
            } else if character == "\"" || character == "'" || character == "`" {
                quote = character
            } else if character == "}" {
                let end = rest.index(after: index)
                let found = String(rest[..<end])
                rest = rest[end...]
                return found
            }
        }
        throw failure("unclosed brace")
    }

    /// `xN`; nil where there is none.
    private mutating func times() throws -> Int? {
        guard rest.first == "x" else { return nil }
        rest = rest.dropFirst()
        guard let count = Int(takeWhile(\.isNumber)), count < ScriptSeries.valueCountMax else {
            throw failure("bad repetition")
        }
        return count
    }

    mutating func item() throws -> [ScriptValue] {
        if rest.hasPrefix("{{") { return try histograms() }
        if take("_") { return Array(repeating: .none, count: try times() ?? 1) }
        if take("stale") { return [.float(Staleness.marker)] }
        let first = try number()
        if let count = try times() { return Array(repeating: .float(first), count: count + 1) }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return [.float(first)] }
        rest = rest.dropFirst()
        let step = try number(isUnsigned: true) * (sign == "-" ? -1 : 1)
        guard let count = try times() else { throw failure("expected a repetition") }
        var value = first
        var values: [ScriptValue] = [.float(first)]
        for _ in 0..<count {
            value += step
            values.append(.float(value))
        }
        return values
    }

    mutating func number(isUnsigned: Bool = false) throws -> Double {
        var text = ""
        if !isUnsigned, let sign = rest.first, sign == "+" || sign == "-" {
            text.append(sign)
            rest = rest.dropFirst()
        }
        for word in ["Inf", "inf", "INF", "NaN", "nan", "NAN"] where rest.hasPrefix(word) {
            rest = rest.dropFirst(3)
            guard let value = PromQLNumber.parse(text + word) else { throw failure("bad number") }
            return value
        }
        text += takeWhile { $0.isNumber || $0 == "." || $0 == "_" }
        if let mark = rest.first, mark == "e" || mark == "E" {
            text += "e"
            rest = rest.dropFirst()
            if let sign = rest.first, sign == "+" || sign == "-" {
                text.append(sign)
                rest = rest.dropFirst()
            }
            text += takeWhile(\.isNumber)
        }
        guard let value = Double(text.filter { $0 != "_" }.hasSuffix(".") ? text + "0" : text.filter { $0 != "_" })
        else {
            throw failure("bad number \(text)")
        }
        return value
    }

    /// `-30s-1mx2`, `_x3`: offsets of start timestamps.
    mutating func startOffsets() throws -> [Int64?] {
        if take("_") { return Array(repeating: nil, count: try times() ?? 1) }
        func offset(_ scanner: inout SeriesScanner) throws -> Int64 {
            var isNegative = false
            if let sign = scanner.peek, sign == "-" || sign == "+" {
                isNegative = sign == "-"
                _ = scanner.take(String(sign))
            }
            let text = scanner.takeWhile { $0.isNumber || "ywdhms".contains($0) }
            guard let value = PromQLDuration.parse(text), value < 1 << 60 else {
                throw scanner.failure("bad start timestamp \(text)")
            }
            return isNegative ? -value : value
        }
        var value = try offset(&self)
        if let count = try times() { return Array(repeating: value, count: count + 1) }
        guard peek == "+" || peek == "-" else { return [value] }
        let step = try offset(&self)
        guard let count = try times() else { throw failure("expected a repetition") }
        var values: [Int64?] = [value]
        for _ in 0..<count {
            let (sum, overflowed) = value.addingReportingOverflow(step)
            if overflowed { throw failure("a start timestamp is out of range") }
            value = sum
            values.append(value)
        }
        return values
    }

    private mutating func histograms() throws -> [ScriptValue] {
        let first = try histogram()
        if let count = try times() {
            return Array(repeating: .histogram(first.value, checksHint: first.checksHint), count: count + 1)
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else {
            return [.histogram(first.value, checksHint: first.checksHint)]
        }
        rest = rest.dropFirst()
        let step = try histogram()
        guard let count = try times() else { throw failure("expected a repetition") }
        var value = first.value
        var values: [ScriptValue] = [.histogram(value, checksHint: step.checksHint)]
        for _ in 0..<count {
            value = try value.combined(with: step.value, isSum: sign == "+")
            values.append(.histogram(value, checksHint: step.checksHint))
        }
        return values
    }

    private mutating func histogram() throws -> (value: NativeHistogram, checksHint: Bool) {
        guard take("{{") else { throw failure("expected a histogram") }
        var literal = HistogramLiteral()
        while true {
            _ = skipBlanks()
            if take("}}") {
                guard let histogram = literal.histogram else { throw failure("a histogram's schema or offset is no 32-bit integer") }
                return (histogram, literal.checksHint)
            }
            let key = takeWhile { $0.isLetter || $0 == "_" }
            guard HistogramLiteral.keys.contains(key), take(":") else { throw failure("bad histogram") }
            guard !literal.has(key) else { throw failure("a histogram has \(key) twice") }
            if take("[") {
                var list: [Double] = []
                while true {
                    _ = skipBlanks()
                    if take("]") { break }
                    list.append(try number())
                }
                literal.set(key, list)
            } else if key == "counter_reset_hint" {
                guard literal.set(hint: takeWhile { $0.isLetter || $0 == "_" }) else {
                    throw failure("unknown counter reset hint")
                }
            } else {
                literal.set(key, [try number()])
            }
        }
    }
}
