package import Telemetry

/// What a template may ask its surroundings for.
package struct TemplateContext: Sendable {
    /// Evaluates a PromQL query at the template's instant: the function `query`.
    package var query: @Sendable (String) async throws -> [(labels: Labels, value: Double)]
    /// Where the server is reached from outside.
    package var externalURL: String
    /// Milliseconds since the Unix epoch.
    package var now: Int64

    package init(
        externalURL: String = "", now: Int64 = 0,
        query: @escaping @Sendable (String) async throws -> [(labels: Labels, value: Double)] = { _ in [] }
    ) {
        self.externalURL = externalURL
        self.now = now
        self.query = query
    }
}

extension Template {
    /// Expands the template for an alert.
    package func expand(
        labels: Labels, value: TemplateValue, externalLabels: Labels = .empty, context: TemplateContext
    ) async throws(TemplateError) -> String {
        let root = TemplateValue.object([
            "Labels": .labels(labels), "ExternalLabels": .labels(externalLabels),
            "ExternalURL": .string(context.externalURL),
            "Value": value,
        ])
        var expansion = TemplateExpansion(template: self, context: context)
        expansion.variables = [
            ("$", root), ("$labels", .labels(labels)), ("$externalLabels", .labels(externalLabels)),
            ("$externalURL", .string(context.externalURL)), ("$value", value),
        ]
        _ = try await expansion.run(nodes, dot: root)
        return expansion.output
    }
}

/// One run of a template.
struct TemplateExpansion {
    /// How a list of nodes ended.
    enum Flow { case next, breakLoop, continueLoop }

    let template: Template
    let context: TemplateContext
    var variables: [(name: String, value: TemplateValue)] = []
    private(set) var output = ""
    private var line = 1
    private var callDepth = 0

    /// An annotation longer than that is a template gone wrong.
    private static let outputByteCountMax = 1 << 20
    private static let callDepthMax = 50

    init(template: Template, context: TemplateContext) {
        self.template = template
        self.context = context
    }

    mutating func run(_ nodes: [TemplateNode], dot: TemplateValue) async throws(TemplateError) -> Flow {
        for node in nodes {
            let flow = try await run(node, dot: dot)
            guard flow == .next else { return flow }
            guard output.utf8.count <= Self.outputByteCountMax else {
                throw error("the text is longer than \(Self.outputByteCountMax) bytes")
            }
        }
        return .next
    }

    private mutating func run(_ node: TemplateNode, dot: TemplateValue) async throws(TemplateError) -> Flow {
        switch node {
        case .text(let text): output += text
        case .action(let pipeline, let line):
            self.line = line
            let value = try await evaluate(pipeline, dot: dot)
            if pipeline.variables.isEmpty { output += value.text }
        case .condition(let pipeline, let then, let otherwise, let line):
            self.line = line
            return try await scoped(pipeline, dot: dot) { value in value.isTrue ? (then, dot) : (otherwise, dot) }
        case .with(let pipeline, let body, let otherwise, let line):
            self.line = line
            return try await scoped(pipeline, dot: dot) { value in value.isTrue ? (body, value) : (otherwise, dot) }
        case .range(let pipeline, let body, let otherwise, let line):
            self.line = line
            return try await range(pipeline, body, otherwise, dot: dot)
        case .call(let name, let pipeline, let line):
            self.line = line
            let argument = if let pipeline { try await evaluate(pipeline, dot: dot) } else { TemplateValue.none }
            try await call(name, argument)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .next
    }

    private mutating func scoped(
        _ pipeline: TemplatePipeline, dot: TemplateValue, _ choose: (TemplateValue) -> ([TemplateNode], TemplateValue)
    ) async throws(TemplateError) -> Flow {
        let mark = variables.count
        let value = try await evaluate(pipeline, dot: dot)
        let (nodes, inner) = choose(value)
        let flow = try await run(nodes, dot: inner)
        variables.removeLast(variables.count - mark)
        return flow
    }

    private mutating func range(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], dot: TemplateValue
    ) async throws(TemplateError) -> Flow {
        let mark = variables.count
        var undeclared = pipeline
        undeclared.variables = []
        let value = try await evaluate(undeclared, dot: dot)
        let items: [(key: TemplateValue, value: TemplateValue)]
        switch value {
        case .list(let values): items = values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
        case .map(let values):
            items = values.sorted { $0.key.utf8Precedes($1.key) }.map { (.string($0.key), $0.value) }
        case .int(let count): items = (0..<min(max(0, count), 10_000)).map { (.int($0), .int($0)) }
        case .none: items = []
        default: throw error("range can't iterate over \(value.text)")
        }
        if items.isEmpty { return try await run(otherwise, dot: dot) }
        for item in items {
            switch pipeline.variables.count {
            case 1: variables.append((pipeline.variables[0], item.value))
            case 2: variables += [(pipeline.variables[0], item.key), (pipeline.variables[1], item.value)]
            default: break
            }
            let flow = try await run(body, dot: item.value)
            variables.removeLast(variables.count - mark)
            if flow == .breakLoop { break }
        }
        return .next
    }

    private mutating func call(_ name: String, _ argument: TemplateValue) async throws(TemplateError) {
        guard let nodes = template.definitions[name] else { throw error("template \(name.quoted) not defined") }
        guard callDepth < Self.callDepthMax else {
            throw error("exceeded maximum template depth (\(Self.callDepthMax))")
        }
        callDepth += 1
        let outer = variables
        variables = [("$", argument)]
        _ = try await run(nodes, dot: argument)
        variables = outer
        callDepth -= 1
    }

    // MARK: Values

    mutating func evaluate(_ pipeline: TemplatePipeline, dot: TemplateValue) async throws(TemplateError)
        -> TemplateValue
    {
        var value: TemplateValue?
        for command in pipeline.commands { value = try await evaluate(command, piped: value, dot: dot) }
        let result = value ?? .none
        if let name = pipeline.variables.first {
            if pipeline.isAssignment, let index = variables.lastIndex(where: { $0.name == name }) {
                variables[index].value = result
            } else {
                variables.append((name, result))
            }
        }
        return result
    }

    private mutating func evaluate(
        _ command: [TemplateOperand], piped: TemplateValue?, dot: TemplateValue
    ) async throws(TemplateError) -> TemplateValue {
        guard case .function(let name) = command[0] else {
            guard command.count == 1, piped == nil else {
                throw error("can't give argument to non-function \(describe(command[0]))")
            }
            return try await evaluate(command[0], dot: dot)
        }
        var arguments: [TemplateValue] = []
        for operand in command.dropFirst() {
            let value = try await evaluate(operand, dot: dot)
            arguments.append(value)
            // `and` and `or` look no further than they need.
            if name == "and", !value.isTrue { return value }
            if name == "or", value.isTrue { return value }
        }
        if let piped { arguments.append(piped) }
        do {
            return try await TemplateFunctions.call(name, arguments, context)
        } catch {
            throw self.error("executing \(template.name.quoted): error calling \(name): \(error)")
        }
    }

    private mutating func evaluate(_ operand: TemplateOperand, dot: TemplateValue) async throws(TemplateError)
        -> TemplateValue
    {
        switch operand {
        case .dot: return dot
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .double(let value): return .double(value)
        case .string(let text): return .string(text)
        case .variable(let name):
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw error("undefined variable \(name.quoted)")
            }
            return variable.value
        case .function: return try await evaluate([operand], piped: nil, dot: dot)
        case .pipeline(let pipeline): return try await evaluate(pipeline, dot: dot)
        case .field(let base, let name):
            let value = try await evaluate(base, dot: dot)
            switch value {
            case .map(let values): return values[name] ?? .string("")
            case .object(let values): if let field = values[name] { return field }
            case .sample(let labels, let number):
                if name == "Labels" { return .labels(labels) }
                if name == "Value" { return .double(number) }
            default: break
            }
            throw error("executing \(template.name.quoted): can't evaluate field \(name) in type \(value.kind)")
        }
    }

    private func describe(_ operand: TemplateOperand) -> String {
        switch operand {
        case .variable(let name): name
        case .field(.dot, let name): "." + name
        case .field(let base, let name): describe(base) + "." + name
        case .string(let text): text.quoted
        default: "value"
        }
    }

    private func error(_ message: String) -> TemplateError {
        TemplateError(name: template.name, line: line, message: message)
    }
}
