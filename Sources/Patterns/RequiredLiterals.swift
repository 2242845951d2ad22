/// What every match of a regular expression must hold: looked for first, because a substring search costs a fraction of an
/// automaton.
package struct RequiredLiterals: Sendable, Hashable {
    /// Each of these stands in every text that matches, in this order. Empty where nothing is known.
    package let literals: [String]
    /// The expression is just the one literal: to hold it is to match.
    package let isExact: Bool

    /// Reads `pattern` (RE2 syntax). What it does not understand it leaves out, so that the answer is never too strong.
    package init(_ pattern: String) {
        var reader = LiteralReader(pattern)
        (literals, isExact) = reader.read()
    }

    /// The longest of ``literals``: the best one to search for.
    package var longest: String? {
        literals.max { $0.utf8.count < $1.utf8.count }
    }
}

/// Walks over an expression at its outermost level and collects runs of plain characters.
private struct LiteralReader {
    private let characters: [Unicode.Scalar]
    private var position = 0
    private var literals: [String] = []
    private var run: [Unicode.Scalar] = []
    /// Something other than plain characters was seen.
    private var isComposed = false

    init(_ pattern: String) {
        characters = Array(pattern.unicodeScalars)
    }

    mutating func read() -> (literals: [String], isExact: Bool) {
        while position < characters.count {
            switch characters[position] {
            case "|": return ([], false)
            case "(":
                // `(?i)` and its like change what plain characters mean from here on.
                if changesFlags { return ([], false) }
                endRun()
                guard skipGroup() else { return ([], false) }
                skipQuantifier()
            case "[":
                endRun()
                guard skipClass() else { return ([], false) }
                skipQuantifier()
            case ".", "^", "$":
                endRun()
                position += 1
                skipQuantifier()
            case "*", "?", "{", "+": return ([], false)
            case "\\":
                guard let character = readEscape() else {
                    endRun()
                    guard position < characters.count else { return ([], false) }
                    skipQuantifier()
                    continue
                }
                append(character)
            case let character:
                position += 1
                append(character)
            }
        }
        let isExact = !isComposed && !run.isEmpty
        endRun()
        return (literals, isExact)
    }

    /// A plain character, unless a quantifier makes it optional.
    private mutating func append(_ character: Unicode.Scalar) {
        guard position < characters.count, "*?+{".unicodeScalars.contains(characters[position]) else {
            run.append(character)
            return
        }
        if characters[position] == "+" { run.append(character) }
        endRun()
        skipQuantifier()
    }

    private mutating func endRun() {
        isComposed = true
        if !run.isEmpty {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: run)
            literals.append(String(text))
        }
        run = []
    }

    /// The character that an escape stands for; nil (with the escape skipped) for a class or an assertion.
    private mutating func readEscape() -> Unicode.Scalar? {
        guard position + 1 < characters.count else {
            position = characters.count
            return nil
        }
        let escaped = characters[position + 1]
        position += 2
        switch escaped {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "a"..."z", "A"..."Z", "0"..."9":
            // \pN, \x41, \Q…\E: more than one character; give up on all that follows.
            if "pPxQC".unicodeScalars.contains(escaped) { position = characters.count }
            return nil
        default: return escaped
        }
    }

    private var changesFlags: Bool {
        guard position + 2 < characters.count, characters[position + 1] == "?" else { return false }
        return characters[position + 2] != "P" && characters[position + 2] != ":" && characters[position + 2] != "<"
    }

    private mutating func skipGroup() -> Bool {
        var depth = 0
        while position < characters.count {
            switch characters[position] {
            case "\\": position += 1
            case "[":
                guard skipClass() else { return false }
                continue
            case "(":
                if changesFlags { return false }
                depth += 1
            case ")":
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            default: break
            }
            position += 1
        }
        return false
    }

    private mutating func skipClass() -> Bool {
        position += 1
        if position < characters.count, characters[position] == "^" { position += 1 }
        if position < characters.count, characters[position] == "]" { position += 1 }
        while position < characters.count {
            switch characters[position] {
            case "\\": position += 2
            case "[" where position + 1 < characters.count && characters[position + 1] == ":":
                position += 2
                while position < characters.count, characters[position] != "]" { position += 1 }
                position += 1
            case "]":
                position += 1
                return true
            default: position += 1
            }
        }
        return false
    }

    private mutating func skipQuantifier() {
        while position < characters.count {
            switch characters[position] {
            case "*", "?", "+": position += 1
            case "{":
                while position < characters.count, characters[position] != "}" { position += 1 }
                position += 1
            default: return
            }
        }
    }
}
