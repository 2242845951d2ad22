import Patterns

/// Loki's pattern language: literals and captures, `<method> <_> <path>`. It serves the `pattern` stage and the filters `|>` and `!>`.
struct LinePattern {
    struct Fault: Error {
        var description: String
    }

    private enum Element {
        case literal(Patterns.Substring)
        /// Nil: `<_>`.
        case capture(String?)
    }

    private let elements: [Element]

    /// - Parameter isParser: it must name at least one label, and no two captures may touch.
    init(_ text: String, isParser: Bool) throws(Fault) {
        var elements: [Element] = []
        var literal: [UInt8] = []
        var names: Set<String> = []
        let bytes = Array(text.utf8)
        var position = 0
        func isCapture(_ element: Element?) -> Bool { if case .capture? = element { true } else { false } }
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "<"), let (name, end) = Self.capture(bytes, position) {
                if !literal.isEmpty { elements.append(.literal(Patterns.Substring(bytes: literal))) }
                literal = []
                if isCapture(elements.last) {
                    throw Fault(description: "invalid pattern: found consecutive capture '\(text)'")
                }
                if name != "_" {
                    guard names.insert(name).inserted else {
                        throw Fault(description: "duplicate capture name (\(name)): invalid expression")
                    }
                }
                elements.append(.capture(name == "_" ? nil : name))
                position = end
            } else {
                literal.append(bytes[position])
                position += 1
            }
        }
        if !literal.isEmpty { elements.append(.literal(Patterns.Substring(bytes: literal))) }
        if isParser, names.isEmpty { throw Fault(description: "at least one capture is required: invalid expression") }
        self.elements = elements
    }

    /// The name of the capture that begins at `start`, and where it ends.
    private static func capture(_ bytes: [UInt8], _ start: Int) -> (String, Int)? {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: ">") {
            let byte = bytes[position]
            let isLetter = (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_")
            guard isLetter || ((0x30...0x39).contains(byte) && position > start + 1) else { return nil }
            position += 1
        }
        guard position < bytes.count, position > start + 1 else { return nil }
        return (String(decoding: bytes[start + 1..<position], as: UTF8.self), position + 1)
    }

    /// Whether the line is of this pattern, by Loki's rules: each literal is looked for where the one before it ends, a capture takes at
    /// least one byte, and a literal at the end ends the line. A literal at the beginning may stand anywhere.
    func matches(_ line: Span<UInt8>) -> Bool {
        guard !elements.isEmpty, !line.isEmpty else { return elements.isEmpty && line.isEmpty }
        var offset = 0
        var isAfterCapture = false
        for element in elements {
            guard case .literal(let literal) = element else {
                isAfterCapture = true
                continue
            }
            guard let found = literal.firstOffset(in: line, from: offset) else { return false }
            if isAfterCapture, found == offset { return false }
            offset = found + literal.needle.count
            isAfterCapture = false
        }
        return isAfterCapture == (offset < line.count)
    }

    /// Sets the labels that it captures.
    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        guard !line.isEmpty else { return }
        var offset = 0
        var waiting: String?
        var isCapturing = false
        let span = line.span
        func set(_ name: String?, _ range: Range<Int>) {
            guard let name else { return }
            let bytes = line[line.startIndex + range.lowerBound..<line.startIndex + range.upperBound]
            labels.setParsed(labels.parsedName(name), String(decoding: bytes, as: UTF8.self))
        }
        for element in elements {
            switch element {
            case .capture(let name):
                waiting = name
                isCapturing = true
            case .literal(let literal):
                let found = literal.firstOffset(in: span, from: offset)
                if !isCapturing {
                    guard found == offset else { return }
                } else {
                    // A literal that does not come leaves the rest of the line to the capture before it.
                    set(waiting, offset..<(found ?? span.count))
                    isCapturing = false
                }
                guard let found else { return }
                offset = found + literal.needle.count
            }
        }
        if isCapturing { set(waiting, offset..<span.count) }
    }
}
