/// A Go text template, as LogQL's `line_format` and `label_format` and Promtail's `template` stage take them: actions, pipelines, variables,
/// `if`, `with`, `range`, and functions.
package struct Template: Sendable {
    /// What a template's text has wrong, or what it cannot do with a line.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    indirect enum Node: Sendable {
        case text(String)
        case action(Pipeline)
        case conditional([(condition: Pipeline, body: [Node])], otherwise: [Node])
        case with(Pipeline, body: [Node], otherwise: [Node])
        case range(key: String?, value: String?, Pipeline, body: [Node], otherwise: [Node])
    }

    struct Pipeline: Sendable {
        /// `$name :=` or `$name =` before it.
        var variable: String?
        var isDeclaration = false
        var commands: [[Operand]] = []
    }

    indirect enum Operand: Sendable {
        case dot
        /// `.a.b`
        case field([String])
        /// `$a.b`; `$` alone has the name "".
        case variable(String, [String])
        case literal(TemplateValue)
        case function(String)
        case pipeline(Pipeline, [String])
    }

    let nodes: [Node]
    private let functions: TemplateFunctionSet
    /// The fields that it reads; nil where that cannot be told.
    package let fields: Set<String>?

    /// - Parameter functions: what its actions may call.
    package init(_ text: String, functions: TemplateFunctionSet = .loki) throws(Fault) {
        self.functions = functions
        var parser = try TemplateParser(text, functions: functions)
        nodes = try parser.parse()
        fields = parser.readsWholeDot ? nil : parser.fields
    }

    /// What the template makes of `data`.
    package func render(_ data: some TemplateData) throws(Fault) -> String {
        var run = TemplateRun(data: data, functions: functions)
        try run.execute(nodes)
        return run.output
    }

    /// The template's text where it has no actions.
    package var literal: String? {
        var text = ""
        for node in nodes {
            guard case .text(let part) = node else { return nil }
            text += part
        }
        return text
    }
}

/// What a template sees: what `.` is at the outermost level.
package protocol TemplateData {
    /// The value of a field; `.none` prints as `<no value>`.
    func value(_ name: String) -> TemplateValue
    /// Every field, for templates that use the dot as a whole.
    var all: [String: TemplateValue] { get }
    /// What `__line__` and `__timestamp__` (nanoseconds since the Unix epoch) are.
    var line: ArraySlice<UInt8> { get }
    var timestamp: Int64 { get }
}

extension TemplateData {
    package var all: [String: TemplateValue] { [:] }
    package var line: ArraySlice<UInt8> { [] }
    package var timestamp: Int64 { 0 }
}

/// A value within a template.
package enum TemplateValue: Sendable, Hashable {
    case none
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    /// Nanoseconds since the Unix epoch.
    case time(Int64)
    case list([TemplateValue])
    /// Sorted by name.
    case map([String: TemplateValue])
    /// The whole of what the template sees: `.` at the outermost level.
    case data

    /// As Go prints it.
    package var text: String {
        switch self {
        case .none: "<no value>"
        case .string(let value): value
        case .int(let value): String(value)
        case .double(let value): GoNumber.text(value)
        case .bool(let value): value ? "true" : "false"
        case .time(let value): GoTime.text(value, layout: "2006-01-02 15:04:05.999999999 -0700 MST") ?? ""
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .map(let values): "map[" + values.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }.joined(separator: " ") + "]"
        case .data: ""
        }
    }

    var isString: Bool { if case .string = self { true } else { false } }

    /// What `if` takes for true: anything but the zero of its type.
    var isTrue: Bool {
        switch self {
        case .none: false
        case .string(let value): !value.isEmpty
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .bool(let value): value
        case .time: true
        case .list(let values): !values.isEmpty
        case .map(let values): !values.isEmpty
        case .data: true
        }
    }

    /// As Sprig's functions read numbers: what is none is 0.
    var int: Int64 {
        switch self {
        case .int(let value): value
        case .double(let value): value.isFinite && abs(value) < 9.2e18 ? Int64(value) : 0
        case .bool(let value): value ? 1 : 0
        case .string(let value): Int64(value) ?? Double(value).flatMap { abs($0) < 9.2e18 ? Int64($0) : nil } ?? 0
        default: 0
        }
    }

    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .bool(let value): value ? 1 : 0
        case .string(let value): Double(value) ?? 0
        default: 0
        }
    }
}
