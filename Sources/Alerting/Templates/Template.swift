import Telemetry

/// A parsed template in the subset of Go's `text/template` that Prometheus' rule files use: actions, pipelines, variables, `if`,
/// `range`, `with`, `define` and `template`, and Prometheus' functions.
package struct Template: Sendable {
    package let name: String
    let nodes: [TemplateNode]
    /// What `define` named.
    let definitions: [String: [TemplateNode]]

    /// Parses a template.
    ///
    /// - Parameters:
    ///   - name: how errors call it.
    ///   - variables: those that exist beforehand, with their dollar signs.
    /// - Throws: ``TemplateError``, for an unknown function and an undefined variable too.
    package init(_ text: String, name: String, variables: [String] = Template.alertVariables) throws(TemplateError) {
        self.name = name
        var parser = TemplateParser(
            pieces: try TemplateLexer.pieces(text, name: name), name: name, variables: ["$"] + variables)
        nodes = try parser.parse()
        definitions = parser.definitions
    }

    /// What Prometheus defines in front of every template of an alert.
    package static let alertVariables = ["$labels", "$externalLabels", "$externalURL", "$value"]

    /// Whether `text` holds anything to expand.
    package static func isTemplate(_ text: String) -> Bool { text.contains("{{") }
}

/// Builds the tree of a template out of its pieces.
struct TemplateParser {
    private let pieces: [TemplateLexer.Piece]
    private let name: String
    private var index = 0
    private var line = 1
    /// The variables in scope, innermost last.
    private var variables: [String]
    private(set) var definitions: [String: [TemplateNode]] = [:]
    private var depth = 0
    private var loopDepth = 0

    /// Nobody nests deeper, and the parser's own stack is finite.
    private static let depthMax = 100

    private enum Ending {
        case end
        /// `else`, with the tokens after it (`else if …`, `else with …`).
        case otherwise([(token: TemplateToken, spaceBefore: Bool)])
        case eof
    }

    init(pieces: [TemplateLexer.Piece], name: String, variables: [String]) {
        self.pieces = pieces
        self.name = name
        self.variables = variables
    }

    mutating func parse() throws(TemplateError) -> [TemplateNode] {
        let (nodes, ending) = try list()
        switch ending {
        case .eof: return nodes
        case .end: throw error("unexpected {{end}}")
        case .otherwise: throw error("unexpected {{else}}")
        }
    }

    private mutating func list() throws(TemplateError) -> (nodes: [TemplateNode], ending: Ending) {
        var nodes: [TemplateNode] = []
        while index < pieces.count {
            let piece = pieces[index]
            index += 1
            switch piece {
            case .text(let text): nodes.append(.text(text))
            case .action(let tokens, let line):
                self.line = line
                guard case .identifier(let keyword)? = tokens.first?.token else {
                    nodes.append(.action(try pipeline(tokens, context: "command"), line: line))
                    continue
                }
                let rest = Array(tokens.dropFirst())
                switch keyword {
                case "end":
                    guard rest.isEmpty else { throw error("unexpected operand in end") }
                    return (nodes, .end)
                case "else": return (nodes, .otherwise(rest))
                case "define": try define(rest)
                case "if", "range", "with": nodes.append(try control(keyword, rest))
                case "template": nodes.append(try call(rest))
                case "break", "continue":
                    guard loopDepth > 0 else { throw error("{{\(keyword)}} outside {{range}}") }
                    nodes.append(keyword == "break" ? .breakLoop : .continueLoop)
                case "block": throw error("{{block}} is not supported: use {{define}} and {{template}}")
                default: nodes.append(.action(try pipeline(tokens, context: "command"), line: line))
                }
            }
        }
        return (nodes, .eof)
    }

    private mutating func control(
        _ keyword: String, _ tokens: [(token: TemplateToken, spaceBefore: Bool)]
    ) throws(TemplateError) -> TemplateNode {
        let start = line
        depth += 1
        guard depth <= Self.depthMax else { throw error("nested too deeply") }
        let mark = variables.count
        defer {
            depth -= 1
            variables.removeLast(variables.count - mark)
        }
        let condition = try pipeline(tokens, context: keyword)
        if keyword == "range" { loopDepth += 1 }
        let (body, ending) = try list()
        if keyword == "range" { loopDepth -= 1 }
        var otherwise: [TemplateNode] = []
        switch ending {
        case .eof: throw error("unexpected EOF: {{\(keyword)}} without {{end}}")
        case .end: break
        case .otherwise(let tokens):
            variables.removeLast(variables.count - mark)
            if case .identifier(let next)? = tokens.first?.token, next == keyword, keyword != "range" {
                // `else if` shares the `end` of its `if`.
                otherwise = [try control(keyword, Array(tokens.dropFirst()))]
            } else {
                guard tokens.isEmpty else { throw error("unexpected operand in else") }
                let (nodes, ending) = try list()
                guard case .end = ending else { throw error("expected {{end}} after {{else}}") }
                otherwise = nodes
            }
        }
        return switch keyword {
        case "if": .condition(condition, then: body, otherwise: otherwise, line: start)
        case "range": .range(condition, body: body, otherwise: otherwise, line: start)
        default: .with(condition, body: body, otherwise: otherwise, line: start)
        }
    }

    private mutating func define(_ tokens: [(token: TemplateToken, spaceBefore: Bool)]) throws(TemplateError) {
        guard tokens.count == 1, case .string(let defined) = tokens[0].token else {
            throw error("expected a name after define")
        }
        guard depth == 0 else { throw error("unexpected {{define}}") }
        depth += 1
        let outer = variables
        variables = ["$"]
        let (nodes, ending) = try list()
        variables = outer
        depth -= 1
        guard case .end = ending else { throw error("unexpected EOF: {{define}} without {{end}}") }
        definitions[defined] = nodes
    }

    private mutating func call(_ tokens: [(token: TemplateToken, spaceBefore: Bool)]) throws(TemplateError)
        -> TemplateNode
    {
        guard case .string(let called)? = tokens.first?.token else { throw error("expected a name after template") }
        let rest = Array(tokens.dropFirst())
        return .call(called, rest.isEmpty ? nil : try pipeline(rest, context: "template clause"), line: line)
    }

    private mutating func pipeline(
        _ tokens: [(token: TemplateToken, spaceBefore: Bool)], context: String
    ) throws(TemplateError) -> TemplatePipeline {
        var reader = TemplatePipelineReader(tokens: tokens, name: name, line: line, variables: variables)
        let pipeline = try reader.pipeline(context: context, isOutermost: true)
        if !pipeline.isAssignment { variables += pipeline.variables }
        return pipeline
    }

    private func error(_ message: String) -> TemplateError { TemplateError(name: name, line: line, message: message) }
}
