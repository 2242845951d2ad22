/// The regular expression of a label matcher (`=~`, `!~`): it must match the whole value. Plain text and alternations of plain
/// text are compared without RE2; of other expressions it is known between which two texts a match can lie.
package struct LabelPattern: Sendable {
    /// Two texts in byte order: what matches is not before the first, nor behind the second.
    package struct Bounds: Sendable, Hashable {
        package var lower: [UInt8]
        package var upper: [UInt8]
    }

    /// If the expression is an alternation of plain texts: those. An index can look them up instead of trying every value.
    package let literals: [String]?
    /// nil: a match may be anything, or the texts are ``literals``.
    package let bounds: Bounds?
    /// It is `.*` or `.+`: every value matches that is not empty.
    package let matchesEverything: Bool
    private let pattern: Pattern?

    package init(_ text: String) throws(Pattern.SyntaxError) {
        if let literals = Self.literals(text) {
            self.literals = literals
            (bounds, matchesEverything, pattern) = (nil, false, nil)
            return
        }
        let pattern = try Pattern(text, options: [.dotMatchesNewline, .noCaptures])
        literals = nil
        matchesEverything = text == ".*" || text == ".+"
        bounds = pattern.bounds.map { Bounds(lower: $0.lower, upper: $0.upper) }
        self.pattern = pattern
    }

    /// Whether the whole of `value` matches.
    package func matches(_ value: String) -> Bool {
        if let literals { return literals.contains(value) }
        return pattern?.matchesWhole(value) ?? false
    }

    /// Whether it can match, as far as ``bounds`` tell: a comparison of a few bytes.
    package func mayMatch(_ value: String) -> Bool {
        guard let bounds else { return true }
        var value = value
        return value.withUTF8 { bytes in
            !bytes.lexicographicallyPrecedes(bounds.lower) && !bounds.upper.lexicographicallyPrecedes(bytes)
        }
    }

    /// The texts of `a|b|c`, `(a|b|c)`, `(?:a|b)` or `^(a|b)$`, escapes of punctuation resolved; nil for any other expression.
    private static func literals(_ text: String) -> [String]? {
        var bytes = Array(text.utf8)[...]
        if bytes.first == UInt8(ascii: "^"), bytes.last == UInt8(ascii: "$"), bytes.dropLast().last != UInt8(ascii: "\\") {
            bytes = bytes.dropFirst().dropLast()
            // `^a|b$` is not `^(a|b)$`; but the whole value must match anyway, so the anchors bind nothing of an only alternative.
            guard bytes.first == UInt8(ascii: "(") || !bytes.contains(UInt8(ascii: "|")) else { return nil }
        }
        if bytes.first == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")") {
            bytes = bytes.dropFirst().dropLast()
            if bytes.starts(with: "?:".utf8) { bytes = bytes.dropFirst(2) }
        }
        var (literals, literal): ([String], [UInt8]) = ([], [])
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                // `\d` and its like are classes; `\.` is a dot.
                guard byte < 0x80, !isWord(byte) else { return nil }
                literal.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "|") {
                literals.append(String(decoding: literal, as: UTF8.self))
                literal = []
            } else if special.contains(byte) {
                return nil
            } else {
                literal.append(byte)
            }
        }
        if isEscaped { return nil }
        literals.append(String(decoding: literal, as: UTF8.self))
        return literals
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_")
        }
    }

    private static let special = Set(".+*?()[]{}^$".utf8)
}
