import Codecs
import Settings

/// `json`: what JMESPath expressions find in a JSON object.
struct JSONExtractStage: Stage {
    private let expressions: [(name: String, path: JMESPath)]
    private let source: String?
    private let dropsMalformed: Bool
    private var metrics: StageMetrics?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["expressions", "source", "drop_malformed"], &context)
        var expressions: [(name: String, path: JMESPath)] = []
        for (key, value) in try fields.required("expressions").pairs {
            let name = try key.string
            let text = try value.string
            do throws(JMESPath.Fault) {
                // Without an expression the name is the expression.
                expressions.append((name, try JMESPath(text.isEmpty ? name : text)))
            } catch {
                let place = value.isNull ? key : value
                throw place.error("could not compile the JMESPath expression of \(name.debugDescription): \(error.description)")
            }
        }
        guard !expressions.isEmpty else { throw fields.place.error("expressions is empty: a JMESPath expression is required") }
        self.expressions = expressions
        source = try fields.source()
        dropsMalformed = try fields.bool("drop_malformed")
    }

    mutating func bind(_ environment: StageEnvironment) { metrics = environment.metrics }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let text = entry.text(of: source) else { return true }
        let bytes = Array(text.utf8)
        // As encoding/json has it, `null` is an empty object.
        guard let value = try? JSONValue(parsing: bytes.span), value.object != nil || value.isNull else {
            if dropsMalformed { metrics?.dropped(reason: "json_malformed") }
            return !dropsMalformed
        }
        for (name, path) in expressions {
            guard let found = try? path.search(value) else { continue }
            entry.extracted[name] = StageValue(found)
        }
        return true
    }
}

extension StageValue {
    /// A JSON value as stages see it: arrays and objects as their JSON text.
    init(_ value: JSONValue) {
        self =
            switch value {
            case .null: .null
            case .bool(let value): .bool(value)
            case .number(let number): .number(number.double)
            case .string(let text): .string(text)
            case .array, .object: .string(JSONText.text(value))
            }
    }
}
