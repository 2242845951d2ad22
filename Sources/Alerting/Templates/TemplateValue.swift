package import Telemetry

/// A value within a template.
package indirect enum TemplateValue: Sendable {
    case none
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case list([TemplateValue])
    /// A map from strings; an absent key is the empty string, as Prometheus sets Go's engine up (`missingkey=zero`).
    case map([String: TemplateValue])
    /// A structure; an absent field is an error.
    case object([String: TemplateValue])
    /// A row that `query` gave.
    case sample(Labels, Double)
    /// Milliseconds since the Unix epoch.
    case time(Int64)
    /// Nanoseconds.
    case duration(Int64)

    package static func labels(_ labels: Labels) -> TemplateValue {
        .map(Dictionary(uniqueKeysWithValues: labels.pairs.map { ($0.name, .string($0.value)) }))
    }

    /// What `if`, `and`, `or` and `not` take for true (Go, `template.IsTrue`).
    var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let value): value
        case .int(let value), .duration(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let values): !values.isEmpty
        case .map(let values): !values.isEmpty
        case .object, .sample, .time: true
        }
    }

    /// As Go's `fmt` prints it with `%v`.
    var text: String {
        switch self {
        case .none: "<no value>"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .double(let value): GoFormat.shortest(value)
        case .string(let text): text
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .map(let values), .object(let values):
            "map["
                + values.sorted { $0.key.utf8Precedes($1.key) }.map { "\($0.key):\($0.value.text)" }.joined(
                    separator: " ") + "]"
        case .sample(let labels, let value): "{\(TemplateValue.labels(labels).text) \(GoFormat.shortest(value))}"
        case .time(let milliseconds): TimeFormat.go(milliseconds: milliseconds)
        case .duration(let nanoseconds): TimeFormat.goDuration(nanoseconds)
        }
    }

    /// The name of its type in an error.
    var kind: String {
        switch self {
        case .none: "nil"
        case .bool: "bool"
        case .int: "int"
        case .double: "float64"
        case .string: "string"
        case .list: "list"
        case .map: "map[string]string"
        case .object: "struct"
        case .sample: "sample"
        case .time: "time"
        case .duration: "duration"
        }
    }
}
