import PromQL
import Telemetry

/// What a script says wrongly.
struct ScriptError: Error, CustomStringConvertible {
    var line: Int
    var message: String

    var description: String { "line \(line): \(message)" }
}

/// One position of a series in a script.
enum ScriptValue: Equatable {
    case none
    case float(Double)
    case histogram(NativeHistogram, checksHint: Bool)
}

/// A line of a script: a label set and its values.
struct ScriptSeries {
    var labels: Labels
    var values: [ScriptValue]
    /// Set where the line gives start timestamps for the line below it.
    var isStartTimes = false
    /// For each position, how far before (less than zero) or after its sample the counter started, in milliseconds.
    var startOffsets: [Int64?] = []

    /// Reads `metric{a="b"} 1 2+3x4 _ {{schema:0}}`.
    init(_ text: String, line: Int) throws {
        var scanner = TextScanner(text, line: line)
        let name = scanner.takeWhile { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
        var braces = ""
        if scanner.peek == "{" { braces = try scanner.takeBraces() }
        if scanner.take("@st") { isStartTimes = true }
        labels = try Self.labels(name, braces, line: line)
        values = []
        while !scanner.skipBlanks() {
            if isStartTimes {
                startOffsets += try scanner.startOffsets()
            } else {
                values += try scanner.item()
            }
        }
    }

    private static func labels(_ name: String, _ braces: String, line: Int) throws -> Labels {
        // A matcher more, so that an empty label set parses as a selector too.
        let inside = braces.isEmpty ? "" : String(braces.dropFirst().dropLast())
        let matchers: [LabelMatcher]
        do { matchers = try PromQLParser.selector("\(name){__apus_script__=\"x\",\(inside)}") } catch {
            throw ScriptError(line: line, message: "bad label set: \(error)")
        }
        return Labels(matchers.filter { $0.name != "__apus_script__" }.map { Label($0.name, $0.value) })
    }
}

/// Reads the notation of series from left to right.
struct TextScanner {
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
        guard let count = Int(takeWhile(\.isNumber)) else { throw failure("bad repetition") }
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
        func offset(_ scanner: inout TextScanner) throws -> Int64 {
            var isNegative = false
            if let sign = scanner.peek, sign == "-" || sign == "+" {
                isNegative = sign == "-"
                _ = scanner.take(String(sign))
            }
            let text = scanner.takeWhile { $0.isNumber || "ywdhms".contains($0) }
            guard let value = PromQLDuration.parse(text) else { throw scanner.failure("bad start timestamp \(text)") }
            return isNegative ? -value : value
        }
        var value = try offset(&self)
        if let count = try times() { return Array(repeating: value, count: count + 1) }
        guard peek == "+" || peek == "-" else { return [value] }
        let step = try offset(&self)
        guard let count = try times() else { throw failure("expected a repetition") }
        var values: [Int64?] = [value]
        for _ in 0..<count {
            value += step
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
            if take("}}") { return (literal.histogram, literal.checksHint) }
            let key = takeWhile { $0.isLetter || $0 == "_" }
            guard take(":") else { throw failure("bad histogram") }
            if take("[") {
                var list: [Double] = []
                while true {
                    _ = skipBlanks()
                    if take("]") { break }
                    list.append(try number())
                }
                literal.set(key, list)
            } else if key == "counter_reset_hint" {
                literal.set(hint: takeWhile { $0.isLetter || $0 == "_" })
            } else {
                literal.set(key, [try number()])
            }
        }
    }
}

/// A histogram in the making.
private struct HistogramLiteral {
    private var numbers: [String: [Double]] = [:]
    private var hint = NativeHistogram.ResetHint.unknown
    private(set) var checksHint = false

    mutating func set(_ key: String, _ values: [Double]) { numbers[key] = values }

    mutating func set(hint name: String) {
        checksHint = true
        hint = ["reset": .reset, "not_reset": .notReset, "gauge": .gauge][name] ?? .unknown
    }

    var histogram: NativeHistogram {
        func number(_ key: String) -> Double { numbers[key]?.first ?? 0 }
        func runs(_ counts: String, _ offset: String) -> [NativeHistogram.Run] {
            let count = numbers[counts]?.count ?? 0
            return count == 0 ? [] : [.init(offset: Int32(number(offset)), length: UInt32(count))]
        }
        return NativeHistogram(
            schema: Int32(number("schema")), zeroThreshold: number("z_bucket_w"), zeroCount: number("z_bucket"),
            count: number("count"),
            sum: number("sum"), positiveRuns: runs("buckets", "offset"), positiveCounts: numbers["buckets"] ?? [],
            negativeRuns: runs("n_buckets", "n_offset"), negativeCounts: numbers["n_buckets"] ?? [],
            customBounds: numbers["custom_values"] ?? [], resetHint: hint)
    }
}
