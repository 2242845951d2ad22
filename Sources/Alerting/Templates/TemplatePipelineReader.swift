import Telemetry

/// Reads the pipeline within one action.
struct TemplatePipelineReader {
    let tokens: [(token: TemplateToken, spaceBefore: Bool)]
    let name: String
    let line: Int
    let variables: [String]
    private var index = 0
    private var depth = 0

    private static let depthMax = 100

    init(tokens: [(token: TemplateToken, spaceBefore: Bool)], name: String, line: Int, variables: [String]) {
        self.tokens = tokens
        self.name = name
        self.line = line
        self.variables = variables
    }

    /// - Parameter isOutermost: whether it ends with the action instead of at a parenthesis.
    mutating func pipeline(context: String, isOutermost: Bool) throws(TemplateError) -> TemplatePipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw error("nested too deeply") }
        var result = TemplatePipeline()
        if isOutermost { try declaration(&result, context: context) }
        while true {
            let command = try command(context: context)
            result.commands.append(command)
            if peek == .pipe {
                index += 1
                continue
            }
            guard isOutermost ? peek == .end : peek == .close else { throw unexpected(context) }
            if !isOutermost { index += 1 }
            break
        }
        for command in result.commands.dropFirst() {
            // A value that is no function can take no argument.
            switch command[0] {
            case .bool, .int, .double, .string, .none, .dot: throw error("non executable command in pipeline stage 2")
            case .variable, .function, .pipeline, .field: break
            }
        }
        return result
    }

    /// `$x :=`, `$x =`, and in `range` also `$i, $x :=`.
    private mutating func declaration(_ result: inout TemplatePipeline, context: String) throws(TemplateError) {
        guard case .variable(let first) = peek else { return }
        switch look(1) {
        case .declare:
            result.variables = [first]
            index += 2
        case .assign:
            guard variables.contains(first) else { throw undefined(first) }
            result.variables = [first]
            result.isAssignment = true
            index += 2
        case .comma where context == "range":
            guard case .variable(let second) = look(2), look(3) == .declare else {
                throw error("range can only initialize variables")
            }
            result.variables = [first, second]
            index += 4
        default: break
        }
    }

    private mutating func command(context: String) throws(TemplateError) -> [TemplateOperand] {
        var operands: [TemplateOperand] = []
        while true {
            switch peek {
            case .end, .pipe, .close:
                guard !operands.isEmpty else { throw error("missing value for \(context)") }
                return operands
            default:
                if !operands.isEmpty, index < tokens.count, !tokens[index].spaceBefore, peek != .open {
                    throw unexpected("operand")
                }
                operands.append(try operand())
            }
        }
    }

    private mutating func operand() throws(TemplateError) -> TemplateOperand {
        var operand: TemplateOperand
        let token = peek
        index += 1
        switch token {
        case .dot: operand = .dot
        case .field(let name): operand = .field(.dot, name)
        case .variable(let name):
            guard variables.contains(name) else { throw undefined(name) }
            operand = .variable(name)
        case .string(let text): operand = .string(text)
        case .int(let value): operand = .int(value)
        case .double(let value): operand = .double(value)
        case .identifier("true"): operand = .bool(true)
        case .identifier("false"): operand = .bool(false)
        case .identifier("nil"): operand = .none
        case .identifier(let name):
            guard TemplateFunctions.names.contains(name) else { throw error("function \(name.quoted) not defined") }
            operand = .function(name)
        case .open: operand = .pipeline(try pipeline(context: "parenthesized pipeline", isOutermost: false))
        default:
            index -= 1
            throw unexpected("operand")
        }
        // Fields that follow without a space belong to the operand.
        while index < tokens.count, !tokens[index].spaceBefore, case .field(let name) = tokens[index].token {
            operand = .field(operand, name)
            index += 1
        }
        return operand
    }

    private var peek: TemplateToken { look(0) }

    private func look(_ ahead: Int) -> TemplateToken {
        index + ahead < tokens.count ? tokens[index + ahead].token : .end
    }

    private func undefined(_ variable: String) -> TemplateError { error("undefined variable \(variable.quoted)") }
    private func unexpected(_ context: String) -> TemplateError {
        let text =
            switch peek {
            case .identifier(let text), .variable(let text): text.quoted
            case .field(let text): ("." + text).quoted
            case .string(let text): text.quoted
            case .int(let value): "\"\(value)\""
            case .double(let value): "\"\(value)\""
            case .dot: "\".\""
            case .pipe: "\"|\""
            case .open: "\"(\""
            case .close: "right paren"
            case .declare: "\":=\""
            case .assign: "\"=\""
            case .comma: "\",\""
            case .end: "end of the action"
            }
        return error("unexpected \(text) in \(context)")
    }
    private func error(_ message: String) -> TemplateError { TemplateError(name: name, line: line, message: message) }
}
