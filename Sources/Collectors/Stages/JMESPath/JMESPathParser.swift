import Codecs

/// Reads JMESPath by operator precedence (as the specification's own implementations do).
struct JMESPathParser {
    private typealias Node = JMESPath.Node
    private typealias Token = JMESPathLexer.Token

    private let tokens: [Token]
    private var index = 0
    private var depth = 0

    /// Deeper nesting than that is refused: parser and search recurse.
    private static let depthMax = 100
    /// Operators that bind weaker than this end a projection.
    private static let projectionStop = 10

    init(_ text: String) throws(JMESPath.Fault) {
        tokens = try JMESPathLexer.tokens(text)
    }

    mutating func parse() throws(JMESPath.Fault) -> JMESPath.Node {
        let node = try expression(0)
        guard token == .end else { throw unexpected() }
        return node
    }

    private var token: Token { tokens[index] }
    private var following: Token { index + 1 < tokens.count ? tokens[index + 1] : .end }

    private mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    private mutating func take(_ symbol: String) -> Bool {
        guard token == .symbol(symbol) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws(JMESPath.Fault) {
        guard take(symbol) else { throw JMESPath.Fault(description: "expected \(symbol.debugDescription), found \(described(token))") }
    }

    private func unexpected() -> JMESPath.Fault { JMESPath.Fault(description: "unexpected \(described(token))") }

    private func described(_ token: Token) -> String {
        switch token {
        case .name(let name), .quotedName(let name): name.debugDescription
        case .number(let number): "the number \(number)"
        case .literal: "a literal"
        case .comparison(let comparison): comparison.rawValue.debugDescription
        case .symbol(let symbol): symbol.debugDescription
        case .end: "the end of the expression"
        }
    }

    private func power(_ token: Token) -> Int {
        switch token {
        case .comparison: 5
        case .symbol(let symbol):
            ["|": 1, "||": 2, "&&": 3, "[]": 9, "*": 20, "[?": 21, ".": 40, "!": 45, "{": 50, "[": 55, "(": 60][symbol] ?? 0
        default: 0
        }
    }

    private mutating func expression(_ minimum: Int) throws(JMESPath.Fault) -> JMESPath.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw JMESPath.Fault(description: "nested more than \(Self.depthMax) levels deep") }
        var left = try prefix()
        while power(token) > minimum { left = try infix(left) }
        return left
    }

    private mutating func prefix() throws(JMESPath.Fault) -> JMESPath.Node {
        let first = token
        advance()
        switch first {
        case .literal(let value): return .literal(value)
        case .name(let name): return token == .symbol("(") ? try call(name) : .field(name)
        case .quotedName(let name):
            guard token != .symbol("(") else { throw JMESPath.Fault(description: "a function's name must not be quoted") }
            return .field(name)
        case .symbol("@"): return .current
        case .symbol("&"): return .reference(try expression(0))
        case .symbol("!"): return .not(try expression(45))
        case .symbol("*"):
            return .valueProjection(.current, token == .symbol("]") ? .current : try projected(20))
        case .symbol("("):
            let inner = try expression(0)
            try expect(")")
            return inner
        case .symbol("{"): return try hash()
        case .symbol("[]"): return .projection(.flatten(.current), try projected(9))
        case .symbol("[?"): return try filter(.current)
        case .symbol("["):
            if case .number = token { return try indexed(.current) }
            if token == .symbol(":") { return try indexed(.current) }
            if token == .symbol("*"), following == .symbol("]") {
                advance()
                advance()
                return .projection(.current, try projected(20))
            }
            return try list()
        default:
            index = max(0, index - (first == .end ? 0 : 1))
            throw unexpected()
        }
    }

    private mutating func infix(_ left: JMESPath.Node) throws(JMESPath.Fault) -> JMESPath.Node {
        let operation = token
        advance()
        switch operation {
        case .symbol("."):
            if take("*") { return .valueProjection(left, try projected(40)) }
            return .chain(left, try dotted(40))
        case .symbol("|"): return .chain(left, try expression(1))
        case .symbol("||"): return .or(left, try expression(2))
        case .symbol("&&"): return .and(left, try expression(3))
        case .comparison(let comparison): return .comparison(comparison, left, try expression(5))
        case .symbol("[]"): return .projection(.flatten(left), try projected(9))
        case .symbol("[?"): return try filter(left)
        case .symbol("["):
            if take("*") {
                try expect("]")
                return .projection(left, try projected(20))
            }
            return try indexed(left)
        default:
            index = max(0, index - 1)
            throw unexpected()
        }
    }

    /// What follows a dot.
    private mutating func dotted(_ power: Int) throws(JMESPath.Fault) -> JMESPath.Node {
        switch token {
        case .name, .quotedName, .symbol("*"): return try expression(power)
        case .symbol("["):
            advance()
            return try list()
        case .symbol("{"):
            advance()
            return try hash()
        default: throw unexpected()
        }
    }

    /// What a projection does with each element.
    private mutating func projected(_ power: Int) throws(JMESPath.Fault) -> JMESPath.Node {
        if self.power(token) < Self.projectionStop { return .current }
        switch token {
        case .symbol("["), .symbol("[?"): return try expression(power)
        case .symbol("."):
            advance()
            return try dotted(power)
        default: throw unexpected()
        }
    }

    private mutating func filter(_ left: JMESPath.Node) throws(JMESPath.Fault) -> JMESPath.Node {
        let condition = try expression(0)
        try expect("]")
        return .filter(left, condition: condition, token == .symbol("[]") ? .current : try projected(21))
    }

    /// `[0]` or `[1:2:3]`, behind its bracket.
    private mutating func indexed(_ left: JMESPath.Node) throws(JMESPath.Fault) -> JMESPath.Node {
        var parts: [Int?] = [nil]
        while token != .symbol("]") {
            switch token {
            case .number(let number) where parts[parts.count - 1] == nil: parts[parts.count - 1] = number
            case .symbol(":") where parts.count < 3: parts.append(nil)
            default: throw unexpected()
            }
            advance()
        }
        advance()
        if parts.count == 1 {
            guard let number = parts[0] else { throw JMESPath.Fault(description: "an index is missing between [ and ]") }
            return left == .current ? .index(number) : .chain(left, .index(number))
        }
        let step = parts.count > 2 ? parts[2] ?? 1 : 1
        guard step != 0 else { throw JMESPath.Fault(description: "the step of a slice must not be 0") }
        let slice = Node.slice(start: parts[0], stop: parts[1], step: step)
        return .projection(left == .current ? slice : .chain(left, slice), try projected(20))
    }

    private mutating func list() throws(JMESPath.Fault) -> JMESPath.Node {
        var nodes: [JMESPath.Node] = []
        repeat { nodes.append(try expression(0)) } while take(",")
        try expect("]")
        return .list(nodes)
    }

    private mutating func hash() throws(JMESPath.Fault) -> JMESPath.Node {
        var members: [JMESPath.Member] = []
        repeat {
            switch token {
            case .name(let name), .quotedName(let name):
                advance()
                try expect(":")
                members.append(JMESPath.Member(name: name, node: try expression(0)))
            default: throw unexpected()
            }
        } while take(",")
        try expect("}")
        return .hash(members)
    }

    private mutating func call(_ name: String) throws(JMESPath.Fault) -> JMESPath.Node {
        advance()
        var arguments: [JMESPath.Node] = []
        if !take(")") {
            repeat { arguments.append(try expression(0)) } while take(",")
            try expect(")")
        }
        try JMESPathFunctions.check(name, count: arguments.count)
        return .function(name, arguments)
    }
}
