/// A Go text template, as `line_format` and `label_format` take them: actions, pipelines, variables, `if`, `with`, `range`, and
/// Loki's functions.
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
    /// The fields of the line that it reads; nil where that cannot be told.
    let fields: Set<String>?

    package init(_ text: String) throws(Fault) {
        var parser = try TemplateParser(text)
        nodes = try parser.parse()
        fields = parser.readsWholeDot ? nil : parser.fields
    }

    /// What the template makes of a line.
    ///
    /// - Parameter value: the value of a label; `__line__` and `__timestamp__` come separately.
    func render(_ context: TemplateContext) throws(Fault) -> String {
        // The commonest templates are text and plain fields.
        var run = TemplateRun(context: context)
        try run.execute(nodes)
        return run.output
    }
}

/// What a template sees of a line.
struct TemplateContext {
    var labels: RowLabels
    var line: ArraySlice<UInt8>
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64
}

/// A value within a template.
enum TemplateValue: Sendable, Hashable {
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
    /// The labels of the line: what `.` is at the outermost level.
    case labels

    /// As Go prints it.
    var text: String {
        switch self {
        case .none: "<no value>"
        case .string(let value): value
        case .int(let value): String(value)
        case .double(let value): GoNumber.text(value)
        case .bool(let value): value ? "true" : "false"
        case .time(let value): GoTime.text(value, layout: "2006-01-02 15:04:05.999999999 -0700 MST") ?? ""
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .map(let values): "map[" + values.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }.joined(separator: " ") + "]"
        case .labels: ""
        }
    }

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
        case .labels: true
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

/// Numbers as Go's `%v` prints them.
enum GoNumber {
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e21 {
            return abs(value) < 9e18 ? String(Int64(value)) : "\(value)"
        }
        return "\(value)"
    }
}
