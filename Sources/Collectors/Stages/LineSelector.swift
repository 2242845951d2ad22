import Patterns
import Telemetry
import Templates

/// The selector of a `match` stage: label matchers and line filters, `{app="x", level=~"warn|error"} |= "text" !~ "regex"`.
/// Promtail's grammar is this small part of LogQL.
struct LineSelector: Sendable {
    struct Fault: Error, Sendable, CustomStringConvertible {
        var description: String
    }

    private enum Test: Sendable {
        case equals(String)
        case matches(LabelPattern)
        case contains(Patterns.Substring)
        case matchesPart(Pattern)
    }

    private struct Condition: Sendable {
        /// Empty for the line.
        var label = ""
        var test: Test
        var isNegated: Bool
    }

    private let matchers: [Condition]
    private let filters: [Condition]

    init(_ text: String) throws(Fault) {
        var reader = Reader(Array(text.utf8))
        var matchers: [Condition] = []
        try reader.expect("{")
        repeat {
            let label = try reader.name()
            let (isNegated, isPattern) = try reader.matchOperator()
            let value = try reader.string()
            let test: Test
            do {
                test = isPattern ? .matches(try LabelPattern(value)) : .equals(value)
            } catch {
                throw Fault(description: "\(error)")
            }
            matchers.append(Condition(label: label, test: test, isNegated: isNegated))
        } while reader.take(",")
        try reader.expect("}")
        var filters: [Condition] = []
        while !reader.isAtEnd {
            let operation = try reader.filterOperator()
            let needle = try reader.string()
            let test: Test
            do {
                test = operation.hasSuffix("~") ? .matchesPart(try Pattern(needle)) : .contains(Patterns.Substring(needle))
            } catch {
                throw Fault(description: "\(error)")
            }
            filters.append(Condition(test: test, isNegated: operation.hasPrefix("!")))
        }
        self.matchers = matchers
        self.filters = filters
    }

    func matches(_ entry: StageEntry) -> Bool {
        for matcher in matchers where holds(matcher.test, entry.labels[matcher.label] ?? "") == matcher.isNegated { return false }
        for filter in filters where holds(filter.test, entry.line) == filter.isNegated { return false }
        return true
    }

    private func holds(_ test: Test, _ text: String) -> Bool {
        switch test {
        case .equals(let value): text == value
        case .matches(let pattern): pattern.matches(text)
        case .contains(let needle): needle.needle.isEmpty || needle.isContained(in: text)
        case .matchesPart(let pattern): pattern.matchesPart(text)
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        private mutating func skipBlanks() { while index < bytes.count, bytes[index] <= 0x20 { index += 1 } }

        var isAtEnd: Bool { bytes[min(index, bytes.count)...].allSatisfy { $0 <= 0x20 } }

        private func fault(_ expected: String) -> Fault {
            let found = index < bytes.count ? String(decoding: bytes[index...].prefix(12), as: UTF8.self).debugDescription : "the end"
            return Fault(description: "parse error at col \(index + 1): found \(found), expected \(expected)")
        }

        mutating func take(_ text: String) -> Bool {
            skipBlanks()
            guard bytes[min(index, bytes.count)...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        mutating func expect(_ text: String) throws(Fault) {
            guard take(text) else { throw fault(text.debugDescription) }
        }

        mutating func name() throws(Fault) -> String {
            skipBlanks()
            let start = index
            while index < bytes.count, Self.isWord(bytes[index]) { index += 1 }
            let name = String(decoding: bytes[start..<index], as: UTF8.self)
            guard name.isLabelIdentifier else {
                index = start
                throw fault("a label's name")
            }
            return name
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
        }

        mutating func matchOperator() throws(Fault) -> (isNegated: Bool, isPattern: Bool) {
            for (text, isNegated, isPattern) in [("=~", false, true), ("!~", true, true), ("!=", true, false), ("=", false, false)]
            where take(text) { return (isNegated, isPattern) }
            throw fault("one of = != =~ !~")
        }

        mutating func filterOperator() throws(Fault) -> String {
            for text in ["|=", "|~", "!=", "!~"] where take(text) { return text }
            throw fault("one of |= != |~ !~")
        }

        /// A string of Go: in double quotes with escapes, or in backticks.
        mutating func string() throws(Fault) -> String {
            skipBlanks()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "`") else { throw fault("a quoted text") }
            let quote = bytes[index]
            index += 1
            var value: [UInt8] = []
            while index < bytes.count, bytes[index] != quote {
                if bytes[index] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    guard let escaped = GoEscape.read(bytes, &index) else { throw fault("an escape such as \\n or \\\\") }
                    value += escaped
                } else {
                    value.append(bytes[index])
                    index += 1
                }
            }
            guard index < bytes.count else { throw Fault(description: "parse error: a quoted text is not closed") }
            index += 1
            return String(decoding: value, as: UTF8.self)
        }
    }
}
