/// Reads `key=value key="quoted value" key`, with the rules of Loki's own decoder (after go-logfmt): a broken pair is skipped up to the next
/// blank.
struct LogfmtReader {
    struct Pair {
        var key: Range<Int>
        var value: Range<Int>
        /// The value's bytes stand between quotes and have escapes in them.
        var isEscaped = false
    }

    /// What is wrong with a line, and where: the first byte is 1, as in Loki's message.
    struct Fault {
        var message: String
        var position: Int

        var description: String { "logfmt syntax error at pos \(position) : \(message)" }
    }

    private let line: ArraySlice<UInt8>
    private var position: Int
    /// The last broken pair; those before it are skipped.
    private(set) var fault: Fault?
    /// A broken pair ends the reading.
    private let stopsAtFault: Bool

    init(_ line: ArraySlice<UInt8>, stopsAtFault: Bool = false) {
        self.line = line
        self.stopsAtFault = stopsAtFault
        position = line.startIndex
    }

    /// The next whole pair; nil at the end.
    mutating func next() -> Pair? {
        while position < line.endIndex {
            if let pair = read() { return pair }
            if fault != nil, stopsAtFault { return nil }
        }
        return nil
    }

    /// The text of a pair's value.
    func text(_ pair: Pair) -> String {
        pair.isEscaped
            ? JSONScanner(line).text(pair.value, isEscaped: true) : String(decoding: line[pair.value], as: UTF8.self)
    }

    /// One pair; nil where there is none, or a broken one.
    private mutating func read() -> Pair? {
        while position < line.endIndex, line[position] <= 0x20 { position += 1 }
        guard position < line.endIndex else { return nil }
        let start = position
        while position < line.endIndex, line[position] > 0x20, line[position] != UInt8(ascii: "="), line[position] != UInt8(ascii: "\"") {
            position += 1
        }
        let key = start..<position
        guard position < line.endIndex, line[position] > 0x20 else { return Pair(key: key, value: position..<position) }
        guard line[position] == UInt8(ascii: "="), !key.isEmpty else { return broken("unexpected '\(Character(Unicode.Scalar(line[position])))'") }
        position += 1
        guard position < line.endIndex, line[position] > 0x20 else { return Pair(key: key, value: position..<position) }
        if line[position] == UInt8(ascii: "\"") { return quoted(key) }
        let valueStart = position
        while position < line.endIndex, line[position] > 0x20 {
            if line[position] == UInt8(ascii: "=") || line[position] == UInt8(ascii: "\"") {
                return broken("unexpected '\(Character(Unicode.Scalar(line[position])))'")
            }
            position += 1
        }
        return Pair(key: key, value: valueStart..<position)
    }

    private mutating func quoted(_ key: Range<Int>) -> Pair? {
        position += 1
        let start = position
        var isEscaped = false
        while position < line.endIndex {
            switch line[position] {
            case UInt8(ascii: "\\"):
                isEscaped = true
                position = min(position + 2, line.endIndex)
            case UInt8(ascii: "\""):
                position += 1
                return Pair(key: key, value: start..<position - 1, isEscaped: isEscaped)
            default: position += 1
            }
        }
        fault = Fault(message: "unterminated quoted value", position: line.count + 1)
        return nil
    }

    private mutating func broken(_ message: String) -> Pair? {
        fault = Fault(message: message, position: position - line.startIndex + 1)
        while position < line.endIndex, line[position] > 0x20 { position += 1 }
        return nil
    }
}
