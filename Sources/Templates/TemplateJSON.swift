import Codecs

/// JSON in templates.
enum TemplateJSON {
    /// A JSON text as a value; `.none` where it is no JSON.
    static func value(_ text: String) -> TemplateValue {
        guard let value = try? JSONValue(parsing: Array(text.utf8).span) else { return .none }
        return template(value)
    }

    private static func template(_ value: JSONValue) -> TemplateValue {
        switch value {
        case .null: .none
        case .bool(let value): .bool(value)
        case .number(let number): .double(number.double)
        case .string(let text): .string(text)
        case .array(let elements): .list(elements.map(template))
        case .object(let object): .map(Dictionary(object.members.map { ($0.name, template($0.value)) }) { $1 })
        }
    }

    /// A value as JSON, as Go's encoding/json writes it.
    static func text(_ value: TemplateValue) -> String {
        var json = JSONWriter()
        write(value, &json)
        return json.text
    }

    private static func write(_ value: TemplateValue, _ json: inout JSONWriter) {
        switch value {
        case .none, .data: json.null()
        case .string(let text): json.string(text)
        case .int(let value): json.integer(value)
        case .double(let value): json.double(value)
        case .bool(let value): json.bool(value)
        case .time(let value): json.string(GoTime.text(value, layout: "2006-01-02T15:04:05.999999999Z07:00") ?? "")
        case .list(let values): json.array { json in for value in values { write(value, &json) } }
        case .map(let values):
            json.object { json in
                for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                    json.key(name)
                    write(value, &json)
                }
            }
        }
    }
}
