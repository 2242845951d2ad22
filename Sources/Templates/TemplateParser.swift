/// Reads a template's text.
struct TemplateParser {
    private enum Token: Hashable {
        case word(String)
        case field(String)
        case variable(String)
        case literal(TemplateValue)
        case symbol(String)
    }

    private enum Piece {
        case text(String)
        case action([Token])
    }

    /// Fields of the outermost dot that it reads.
    private(set) var fields: Set<String> = []
    /// It hands the whole of the dot to something.
    private(set) var readsWholeDot = false
    private let functions: TemplateFunctionSet
    private var pieces: [Piece]
    private var index = 0
    private var depth = 0

    private static let depthMax = 100

    init(_ text: String, functions: TemplateFunctionSet) throws(Template.Fault) {
        self.functions = functions
        pieces = try Self.cut(Array(text.utf8))
    }

    mutating func parse() throws(Template.Fault) -> [Template.Node] {
        let (nodes, end) = try block()
        if let end { throw Template.Fault(description: "unexpected {{\(end)}}") }
        return nodes
    }

    // MARK: Text and actions

    private static func cut(_ bytes: [UInt8]) throws(Template.Fault) -> [Piece] {
        var pieces: [Piece] = []
        var position = 0
        var trimsNext = false
        while position < bytes.count {
            let open = find("{{", bytes, position) ?? bytes.count
            var text = String(decoding: bytes[position..<open], as: UTF8.self)
            if trimsNext { text = String(text.drop(while: \.isWhitespace)) }
            trimsNext = false
            guard open < bytes.count else {
                pieces.append(.text(text))
                break
            }
            var start = open + 2
            if start + 1 < bytes.count, bytes[start] == UInt8(ascii: "-"), bytes[start + 1] <= 0x20 {
                start += 1
                while text.last?.isWhitespace == true { text.removeLast() }
            }
            if !text.isEmpty { pieces.append(.text(text)) }
            let (tokens, end, trims) = try tokens(bytes, start)
            position = end
            trimsNext = trims
            if !tokens.isEmpty { pieces.append(.action(tokens)) }
        }
        return pieces
    }

    private static func find(_ needle: String, _ bytes: [UInt8], _ start: Int) -> Int? {
        let needle = Array(needle.utf8)
        guard bytes.count >= needle.count, start <= bytes.count - needle.count else { return nil }
        return (start...bytes.count - needle.count).first { bytes[$0..<$0 + needle.count].elementsEqual(needle) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            || byte >= 0x80
    }

    /// The words of an action that begins at `start`, where the text goes on, and whether blanks before it go.
    private static func tokens(_ bytes: [UInt8], _ start: Int) throws(Template.Fault) -> ([Token], Int, Bool) {
        var tokens: [Token] = []
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            let next = position + 1 < bytes.count ? bytes[position + 1] : 0
            switch byte {
            case UInt8(ascii: "}") where next == UInt8(ascii: "}"): return (tokens, position + 2, false)
            case UInt8(ascii: "-") where next == UInt8(ascii: "}") && position > start && bytes[position - 1] <= 0x20:
                return (tokens, position + 3, true)
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
                guard let end = find("*/", bytes, position) else { throw Template.Fault(description: "unclosed comment") }
                position = end + 2
            case UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "'"): tokens.append(try string(bytes, &position))
            case UInt8(ascii: "."), UInt8(ascii: "$"):
                let first = position
                position += 1
                while position < bytes.count, isWord(bytes[position]) { position += 1 }
                let name = String(decoding: bytes[first + 1..<position], as: UTF8.self)
                if byte == UInt8(ascii: "."), let first = name.utf8.first, (0x30...0x39).contains(first), let value = Double("0." + name) {
                    tokens.append(.literal(.double(value)))
                } else {
                    // `.a.b` is one operand: fields stick to what stands right before them.
                    if byte == UInt8(ascii: "."), first > start, isWord(bytes[first - 1]) || bytes[first - 1] == UInt8(ascii: ")") {
                        tokens.append(.symbol("chain"))
                    }
                    tokens.append(byte == UInt8(ascii: ".") ? .field(name) : .variable(name))
                }
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): tokens.append(try number(bytes, &position))
            case UInt8(ascii: ":") where next == UInt8(ascii: "="):
                tokens.append(.symbol(":="))
                position += 2
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "|"), UInt8(ascii: "="), UInt8(ascii: ","):
                tokens.append(.symbol(String(Character(Unicode.Scalar(byte)))))
                position += 1
            case let byte where isWord(byte):
                let first = position
                while position < bytes.count, isWord(bytes[position]) { position += 1 }
                tokens.append(.word(String(decoding: bytes[first..<position], as: UTF8.self)))
            default: throw Template.Fault(description: "unexpected \(Character(Unicode.Scalar(byte)).debugDescription) in operand")
            }
        }
        throw Template.Fault(description: "unclosed action")
    }

    private static func string(_ bytes: [UInt8], _ position: inout Int) throws(Template.Fault) -> Token {
        let quote = bytes[position]
        var value: [UInt8] = []
        position += 1
        while position < bytes.count, bytes[position] != quote {
            if quote != UInt8(ascii: "`"), bytes[position] == UInt8(ascii: "\\") {
                guard let unescaped = GoEscape.read(bytes, &position) else { throw Template.Fault(description: "bad escape in a string") }
                value += unescaped
            } else {
                value.append(bytes[position])
                position += 1
            }
        }
        guard position < bytes.count else { throw Template.Fault(description: "unterminated quoted string") }
        position += 1
        let text = String(decoding: value, as: UTF8.self)
        if quote == UInt8(ascii: "'") { return .literal(.int(Int64(text.unicodeScalars.first?.value ?? 0))) }
        return .literal(.string(text))
    }

    private static func number(_ bytes: [UInt8], _ position: inout Int) throws(Template.Fault) -> Token {
        let start = position
        position += 1
        while position < bytes.count, isWord(bytes[position]) || bytes[position] == UInt8(ascii: ".") { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let value = Int64(text) { return .literal(.int(value)) }
        if let value = Double(text) { return .literal(.double(value)) }
        throw Template.Fault(description: "bad number syntax: \(text.debugDescription)")
    }

    // MARK: Structure

    /// Nodes up to `end` or `else`: which of them ended it (with the condition of an `else if`).
    private mutating func block() throws(Template.Fault) -> ([Template.Node], String?) {
        depth += 1
        guard depth <= Self.depthMax else { throw Template.Fault(description: "nested more than \(Self.depthMax) levels deep") }
        defer { depth -= 1 }
        var nodes: [Template.Node] = []
        while index < pieces.count {
            switch pieces[index] {
            case .text(let text):
                nodes.append(.text(text))
                index += 1
            case .action(let tokens):
                switch tokens.first {
                case .word("end"):
                    index += 1
                    return (nodes, "end")
                case .word("else"): return (nodes, "else")
                case .word("if"): nodes.append(try conditional())
                case .word("with"):
                    index += 1
                    let pipeline = try pipeline(tokens.dropFirst())
                    let (body, otherwise) = try bodies()
                    nodes.append(.with(pipeline, body: body, otherwise: otherwise))
                case .word("range"): nodes.append(try range(tokens.dropFirst()))
                default:
                    index += 1
                    nodes.append(.action(try pipeline(tokens[...])))
                }
            }
        }
        return (nodes, nil)
    }

    private mutating func conditional() throws(Template.Fault) -> Template.Node {
        var branches: [(Template.Pipeline, [Template.Node])] = []
        var otherwise: [Template.Node] = []
        while case .action(let tokens) = index < pieces.count ? pieces[index] : .text("") {
            index += 1
            let isElse = tokens.first == .word("else")
            let condition = isElse ? tokens.dropFirst() : tokens[...]
            let isPlainElse = condition.isEmpty
            guard isPlainElse || condition.first == .word("if") else { break }
            let pipeline = isPlainElse ? nil : try pipeline(condition.dropFirst())
            let (body, end) = try block()
            if let pipeline { branches.append((pipeline, body)) } else { otherwise = body }
            switch end {
            case "end": return .conditional(branches, otherwise: otherwise)
            case "else" where !isPlainElse: continue
            default: throw Template.Fault(description: "unexpected EOF: an {{if}} has no {{end}}")
            }
        }
        throw Template.Fault(description: "unexpected EOF: an {{if}} has no {{end}}")
    }

    /// The body of `with` or `range`, and what stands behind its `else`.
    private mutating func bodies() throws(Template.Fault) -> ([Template.Node], [Template.Node]) {
        let (body, end) = try block()
        if end == "end" { return (body, []) }
        guard end == "else" else { throw Template.Fault(description: "unexpected EOF: {{end}} is missing") }
        index += 1
        let (otherwise, last) = try block()
        guard last == "end" else { throw Template.Fault(description: "unexpected EOF: {{end}} is missing") }
        return (body, otherwise)
    }

    private mutating func range(_ tokens: ArraySlice<Token>) throws(Template.Fault) -> Template.Node {
        index += 1
        var rest = tokens
        var names: [String] = []
        if let declaration = tokens.firstIndex(of: .symbol(":=")) {
            for token in tokens[..<declaration] {
                if case .variable(let name) = token { names.append(name) }
            }
            rest = tokens[(declaration + 1)...]
        }
        let pipeline = try pipeline(rest)
        let (body, otherwise) = try bodies()
        return .range(
            key: names.count > 1 ? names[0] : nil, value: names.last, pipeline, body: body, otherwise: otherwise)
    }

    private mutating func pipeline(_ tokens: ArraySlice<Token>) throws(Template.Fault) -> Template.Pipeline {
        var result = Template.Pipeline()
        var rest = tokens
        if case .variable(let name)? = rest.first, case .symbol(let symbol)? = rest.dropFirst().first, symbol == ":=" || symbol == "=" {
            result.variable = name
            result.isDeclaration = symbol == ":="
            rest = rest.dropFirst(2)
        }
        result.commands = try commands(&rest)
        guard rest.isEmpty else { throw Template.Fault(description: "unexpected right paren") }
        return result
    }

    private mutating func commands(_ rest: inout ArraySlice<Token>) throws(Template.Fault) -> [[Template.Operand]] {
        var commands: [[Template.Operand]] = [[]]
        while let token = rest.first, token != .symbol(")") {
            rest.removeFirst()
            if token == .symbol("|") {
                guard commands.last?.isEmpty == false else { throw Template.Fault(description: "missing value for command") }
                commands.append([])
                continue
            }
            commands[commands.count - 1].append(try operand(token, &rest))
        }
        guard commands.last?.isEmpty == false else { throw Template.Fault(description: "missing value for command") }
        return commands
    }

    private mutating func operand(_ token: Token, _ rest: inout ArraySlice<Token>) throws(Template.Fault) -> Template.Operand {
        func chain() -> [String] {
            var names: [String] = []
            while rest.first == .symbol("chain"), case .field(let name)? = rest.dropFirst().first {
                names.append(name)
                rest = rest.dropFirst(2)
            }
            return names
        }
        switch token {
        case .literal(let value): return .literal(value)
        case .field(""):
            readsWholeDot = true
            return .dot
        case .field(let name):
            fields.insert(name)
            return .field([name] + chain())
        case .variable(let name):
            if name.isEmpty { readsWholeDot = true }
            return .variable(name, chain())
        case .word("true"): return .literal(.bool(true))
        case .word("false"): return .literal(.bool(false))
        case .word("nil"): return .literal(.none)
        case .word(let name):
            guard TemplateFunctions.exists(name, in: functions) else { throw Template.Fault(description: "function \(name.debugDescription) not defined") }
            return .function(name)
        case .symbol("("):
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.depthMax else { throw Template.Fault(description: "nested more than \(Self.depthMax) levels deep") }
            let inner = Template.Pipeline(commands: try commands(&rest))
            guard rest.first == .symbol(")") else { throw Template.Fault(description: "unclosed left paren") }
            rest.removeFirst()
            return .pipeline(inner, chain())
        case .symbol(let symbol): throw Template.Fault(description: "unexpected \(symbol.debugDescription) in operand")
        }
    }
}
