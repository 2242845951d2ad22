/// One execution of a template.
struct TemplateRun<Data: TemplateData> {
    let data: Data
    let functions: TemplateFunctionSet
    var output = ""
    private var dot = TemplateValue.data
    private var variables: [(name: String, value: TemplateValue)] = []

    /// A template that writes more than that is refused: a line is no file.
    private var outputByteCountMax: Int { 1 << 20 }

    init(data: Data, functions: TemplateFunctionSet) {
        self.data = data
        self.functions = functions
    }

    mutating func execute(_ nodes: [Template.Node]) throws(Template.Fault) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .action(let pipeline):
                let value = try value(of: pipeline)
                if pipeline.variable == nil { output += value.text }
            case .conditional(let branches, let otherwise):
                let mark = variables.count
                var isDone = false
                for branch in branches where try value(of: branch.condition).isTrue {
                    try execute(branch.body)
                    isDone = true
                    break
                }
                if !isDone { try execute(otherwise) }
                variables.removeSubrange(min(mark, variables.count)...)
            case .with(let pipeline, let body, let otherwise):
                let value = try value(of: pipeline)
                if value.isTrue { try execute(body, dot: value) } else { try execute(otherwise) }
            case .range(let key, let name, let pipeline, let body, let otherwise):
                let items = items(try value(of: pipeline))
                if items.isEmpty { try execute(otherwise) }
                for (index, item) in items {
                    let mark = variables.count
                    if let key { variables.append((key, index)) }
                    if let name { variables.append((name, item)) }
                    try execute(body, dot: item)
                    variables.removeSubrange(min(mark, variables.count)...)
                }
            }
            guard output.utf8.count <= outputByteCountMax else { throw Template.Fault(description: "the result is too long") }
        }
    }

    private mutating func execute(_ nodes: [Template.Node], dot: TemplateValue) throws(Template.Fault) {
        let outer = self.dot
        self.dot = dot
        try execute(nodes)
        self.dot = outer
    }

    private func items(_ value: TemplateValue) -> [(TemplateValue, TemplateValue)] {
        switch value {
        case .list(let values): values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
        case .map(let values): values.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .data: data.all.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        default: []
        }
    }

    private mutating func value(of pipeline: Template.Pipeline) throws(Template.Fault) -> TemplateValue {
        var piped: TemplateValue?
        for command in pipeline.commands { piped = try value(of: command, piped: piped) }
        let value = piped ?? .none
        if let name = pipeline.variable {
            if !pipeline.isDeclaration, let index = variables.lastIndex(where: { $0.name == name }) {
                variables[index].value = value
            } else {
                variables.append((name, value))
            }
        }
        return value
    }

    private mutating func value(of command: [Template.Operand], piped: TemplateValue?) throws(Template.Fault) -> TemplateValue {
        if case .function(let name)? = command.first {
            // `and` and `or` stop at the first value that decides.
            if name == "and" || name == "or" {
                var last = TemplateValue.none
                for operand in command.dropFirst() {
                    last = try value(of: operand)
                    if last.isTrue == (name == "or") { return last }
                }
                return piped ?? last
            }
            var arguments: [TemplateValue] = []
            for operand in command.dropFirst() { arguments.append(whole(try value(of: operand))) }
            if let piped { arguments.append(piped) }
            return try TemplateFunctions.call(name, in: functions, arguments, self.data)
        }
        guard let first = command.first else { return piped ?? .none }
        guard command.count == 1, piped == nil else { throw Template.Fault(description: "can't give argument to non-function") }
        return try value(of: first)
    }

    private mutating func value(of operand: Template.Operand) throws(Template.Fault) -> TemplateValue {
        switch operand {
        case .dot: return dot
        case .literal(let value): return value
        case .field(let path): return member(dot, path)
        case .variable(let name, let path):
            if name.isEmpty { return member(.data, path) }
            guard let found = variables.last(where: { $0.name == name }) else {
                throw Template.Fault(description: "undefined variable \"$\(name)\"")
            }
            return member(found.value, path)
        case .function(let name): return try TemplateFunctions.call(name, in: functions, [], self.data)
        case .pipeline(let pipeline, let path): return member(try value(of: pipeline), path)
        }
    }

    /// What functions are given for the outermost dot.
    private func whole(_ value: TemplateValue) -> TemplateValue {
        if case .data = value { return .map(data.all) }
        return value
    }

    private func member(_ value: TemplateValue, _ path: [String]) -> TemplateValue {
        var value = value
        for name in path {
            switch value {
            case .data: value = data.value(name)
            case .map(let members): value = members[name] ?? .none
            default: return .none
            }
        }
        return value
    }
}
