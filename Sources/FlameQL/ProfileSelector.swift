package import Query
package import Telemetry

/// A selection of profiles: `{service_name="orders", region=~"eu-.*"}`, with or without braces; empty for all. The type of
/// profile may stand before it: `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="orders"}`.
package struct ProfileSelector: Sendable, Hashable {
    package var type: ProfileType?
    package var matchers: [LabelMatcher]

    /// - Throws: a ``QueryError`` of code `parse` with its place.
    package init(_ text: String) throws(QueryError) {
        var parser = Parser(text: text)
        let prefix = parser.word(stoppingAt: UInt8(ascii: "{"))
        matchers = []
        if prefix.contains(":") {
            guard let type = ProfileType(prefix) else {
                throw parser.fault("\(prefix.debugDescription) is no profile type; write it as process_cpu:cpu:nanoseconds:cpu:nanoseconds")
            }
            self.type = type
        } else if !prefix.isEmpty {
            parser.position = 0
        }
        parser.skipBlanks()
        guard parser.position < parser.bytes.count else { return }
        let isBraced = parser.take(UInt8(ascii: "{"))
        while true {
            parser.skipBlanks()
            if isBraced, parser.take(UInt8(ascii: "}")) { break }
            if !isBraced, parser.position >= parser.bytes.count { break }
            matchers.append(try parser.matcher())
            parser.skipBlanks()
            if parser.take(UInt8(ascii: ",")) { continue }
            if isBraced {
                guard parser.take(UInt8(ascii: "}")) else { throw parser.fault("expected , or }") }
            }
            break
        }
        parser.skipBlanks()
        guard parser.position >= parser.bytes.count else { throw parser.fault("nothing may follow the selector") }
    }

    private struct Parser {
        let text: String
        let bytes: [UInt8]
        var position = 0

        init(text: String) {
            self.text = text
            bytes = Array(text.utf8)
        }

        func fault(_ message: String) -> QueryError {
            let place = QueryError.Place(start: min(position, bytes.count), end: min(position + 1, bytes.count), in: text)
            return QueryError(.parse, "parse error at line \(place.line), col \(place.column): \(message)", at: place)
        }

        mutating func skipBlanks() {
            while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard position < bytes.count, bytes[position] == byte else { return false }
            position += 1
            return true
        }

        mutating func word(stoppingAt stop: UInt8) -> String {
            skipBlanks()
            let start = position
            while position < bytes.count, bytes[position] != stop, bytes[position] > 0x20, bytes[position] != UInt8(ascii: "=") {
                position += 1
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }

        mutating func matcher() throws(QueryError) -> LabelMatcher {
            let name: String
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                name = try string()
            } else {
                let start = position
                while position < bytes.count, !"=!~, }".utf8.contains(bytes[position]), bytes[position] > 0x20 { position += 1 }
                name = String(decoding: bytes[start..<position], as: UTF8.self)
            }
            guard !name.isEmpty else { throw fault("expected a label's name") }
            skipBlanks()
            let two = String(decoding: bytes[position..<min(position + 2, bytes.count)], as: UTF8.self)
            let operation: LabelMatcher.Operation
            if let long = LabelMatcher.Operation(rawValue: two) {
                operation = long
                position += 2
            } else if two.hasPrefix("=") {
                operation = .equal
                position += 1
            } else {
                throw fault("expected =, !=, =~ or !~")
            }
            skipBlanks()
            return LabelMatcher(name, operation, try string())
        }

        private mutating func string() throws(QueryError) -> String {
            guard take(UInt8(ascii: "\"")) else { throw fault("expected a string in double quotes") }
            var value: [UInt8] = []
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""):
                    position += 1
                    return String(decoding: value, as: UTF8.self)
                case UInt8(ascii: "\\") where position + 1 < bytes.count:
                    let escapes: [UInt8: UInt8] = [0x6e: 10, 0x74: 9, 0x72: 13]
                    value.append(escapes[bytes[position + 1]] ?? bytes[position + 1])
                    position += 2
                default:
                    value.append(bytes[position])
                    position += 1
                }
            }
            throw fault("a string is not closed")
        }
    }
}
