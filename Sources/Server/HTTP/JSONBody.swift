import Codecs
import Telemetry

/// Small JSON bodies of Apus' own endpoints.
enum JSONBody {
    /// The string member `name` of the object that the body is; nil where it has none.
    static func string(_ name: String, in call: Call) throws(APIError) -> String? {
        do {
            return try JSONValue(parsing: call.body.span)[name]?.string
        } catch {
            throw APIError(.badRequest, "the body is not valid JSON: \(error)")
        }
    }
}

extension JSONWriter {
    /// Labels as an object, in their order.
    mutating func labels(_ labels: Labels) {
        beginObject()
        for label in labels.pairs { field(label.name, label.value) }
        endObject()
    }
}
