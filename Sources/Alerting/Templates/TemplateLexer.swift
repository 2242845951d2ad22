import Telemetry

/// Cuts a template into text and the tokens of its actions (Go, `text/template/parse/lex.go`).
struct TemplateLexer {
    enum Piece {
        case text(String)
        /// The tokens of one `{{ … }}`, and whether a space stands before each: `.a.b` is a chain, `.a .b` are two operands.
        case action([(token: TemplateToken, spaceBefore: Bool)], line: Int)
    }

    private let scalars: [Unicode.Scalar]
    private let name: String
    private var index = 0
    private var line = 1

    init(_ text: String, name: String) {
        scalars = Array(text.unicodeScalars)
        self.name = name
    }

    static func pieces(_ text: String, name: String) throws(TemplateError) -> [Piece] {
        var lexer = TemplateLexer(text, name: name)
        return try lexer.pieces()
    }

    private mutating func pieces() throws(TemplateError) -> [Piece] {
        var pieces: [Piece] = []
        var text: [Unicode.Scalar] = []
        func flush(_ pieces: inout [Piece]) {
            guard !text.isEmpty else { return }
            var string = String.UnicodeScalarView()
            string.append(contentsOf: text)
            pieces.append(.text(String(string)))
            text = []
        }
        while index < scalars.count {
            guard at("{{") else {
                if scalars[index] == "\n" { line += 1 }
                text.append(scalars[index])
                index += 1
                continue
            }
            index += 2
            // `{{- ` takes the space before it away.
            if peek == "-", index + 1 < scalars.count, Self.isSpace(scalars[index + 1]) {
                while let last = text.last, Self.isSpace(last) { text.removeLast() }
                index += 2
            }
            flush(&pieces)
            if at("/*") {
                try comment()
            } else {
                let start = line
                pieces.append(.action(try tokens(), line: start))
            }
        }
        flush(&pieces)
        return pieces
    }

    private mutating func comment() throws(TemplateError) {
        while index < scalars.count, !at("*/") {
            if scalars[index] == "\n" { line += 1 }
            index += 1
        }
        guard index < scalars.count else { throw error("unclosed comment") }
        index += 2
        if try !endsAction() { throw error("comment ends before closing delimiter") }
    }

    /// Takes ` -}}` or `}}` if it stands here.
    private mutating func endsAction() throws(TemplateError) -> Bool {
        if at("}}") {
            index += 2
            return true
        }
        var ahead = index
        while ahead < scalars.count, Self.isSpace(scalars[ahead]) { ahead += 1 }
        guard ahead > index, ahead + 2 < scalars.count, scalars[ahead] == "-", scalars[ahead + 1] == "}",
            scalars[ahead + 2] == "}"
        else {
            return false
        }
        index = ahead + 3
        while let next = peek, Self.isSpace(next) {
            if next == "\n" { line += 1 }
            index += 1
        }
        return true
    }

    private mutating func tokens() throws(TemplateError) -> [(token: TemplateToken, spaceBefore: Bool)] {
        var tokens: [(token: TemplateToken, spaceBefore: Bool)] = []
        while true {
            if try endsAction() { return tokens }
            var spaceBefore = false
            while let next = peek, Self.isSpace(next) {
                if next == "\n" { line += 1 }
                spaceBefore = true
                index += 1
            }
            if at("}}") { continue }
            guard let next = peek else { throw error("unclosed action") }
            tokens.append((try token(next), spaceBefore))
        }
    }

    private mutating func token(_ first: Unicode.Scalar) throws(TemplateError) -> TemplateToken {
        switch first {
        case "|": return take(.pipe)
        case "(": return take(.open)
        case ")": return take(.close)
        case ",": return take(.comma)
        case "=": return take(.assign)
        case ":":
            index += 1
            guard peek == "=" else { throw error("expected :=") }
            return take(.declare)
        case "\"": return .string(try quoted())
        case "`": return .string(try raw())
        case "'": return .int(try character())
        case "$": return .variable("$" + word(from: index + 1))
        case ".":
            if index + 1 < scalars.count, Self.isDigit(scalars[index + 1]) { return try number() }
            let name = word(from: index + 1)
            return name.isEmpty ? .dot : .field(name)
        case "+", "-", "0"..."9": return try number()
        default:
            guard Self.isWord(first) else { throw error("unexpected \(String(first).quoted) in operand") }
            return .identifier(word(from: index))
        }
    }

    private mutating func take(_ token: TemplateToken) -> TemplateToken {
        index += 1
        return token
    }

    private mutating func word(from start: Int) -> String {
        index = start
        while let next = peek, Self.isWord(next) { index += 1 }
        return text(start..<index)
    }

    private mutating func number() throws(TemplateError) -> TemplateToken {
        let start = index
        if peek == "+" || peek == "-" { index += 1 }
        while let next = peek {
            let isSign =
                (next == "+" || next == "-") && index > start
                && (scalars[index - 1] == "e" || scalars[index - 1] == "E")
            guard Self.isWord(next) || next == "." || isSign else { break }
            index += 1
        }
        let text = text(start..<index).filter { $0 != "_" }
        let digits = text.first == "+" ? String(text.dropFirst()) : text
        if let value = Int64(digits) { return .int(value) }
        if digits.lowercased().hasPrefix("0x"), let value = Int64(digits.dropFirst(2), radix: 16) { return .int(value) }
        if digits.last?.isNumber == true || digits.last == ".",
            let value = Double(digits.hasSuffix(".") ? digits + "0" : digits)
        {
            return .double(value)
        }
        throw error("bad number syntax: \(text.quoted)")
    }

    private mutating func raw() throws(TemplateError) -> String {
        let start = index + 1
        index = start
        while let next = peek, next != "`" {
            if next == "\n" { line += 1 }
            index += 1
        }
        guard peek != nil else { throw error("unterminated raw quoted string") }
        index += 1
        return text(start..<(index - 1))
    }

    private mutating func character() throws(TemplateError) -> Int64 {
        index += 1
        guard let first = peek, first != "'", first != "\n" else { throw error("malformed character constant") }
        let value = try unescaped(quote: "'")
        guard peek == "'" else { throw error("unterminated character constant") }
        index += 1
        return Int64(value.first?.value ?? 0)
    }

    private mutating func quoted() throws(TemplateError) -> String {
        index += 1
        var result = String.UnicodeScalarView()
        while let next = peek, next != "\"" {
            guard next != "\n" else { throw error("unterminated quoted string") }
            result.append(contentsOf: try unescaped(quote: "\""))
        }
        guard peek != nil else { throw error("unterminated quoted string") }
        index += 1
        return String(result)
    }

    /// The scalar here, or what the escape sequence here stands for (Go's, "String literals").
    private mutating func unescaped(quote: Unicode.Scalar) throws(TemplateError) -> [Unicode.Scalar] {
        guard let next = peek else { throw error("unterminated quoted string") }
        index += 1
        guard next == "\\" else { return [next] }
        guard let escape = peek else { throw error("unterminated quoted string") }
        index += 1
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "v": "\u{b}", "\\": "\\",
            quote: quote,
        ]
        if let scalar = simple[escape] { return [scalar] }
        let digitCounts: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
        guard let count = digitCounts[escape], index + count <= scalars.count,
            let value = UInt32(text(index..<(index + count)), radix: 16), let scalar = Unicode.Scalar(value)
        else { throw error("invalid escape sequence \\\(escape) in a string") }
        index += count
        return [scalar]
    }

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func at(_ pair: StaticString) -> Bool {
        pair.withUTF8Buffer { pair in
            index + 1 < scalars.count && scalars[index].value == UInt32(pair[0])
                && scalars[index + 1].value == UInt32(pair[1])
        }
    }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private func error(_ message: String) -> TemplateError { TemplateError(name: name, line: line, message: message) }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { [" ", "\t", "\r", "\n"].contains(scalar) }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
}
