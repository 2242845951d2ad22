/// The value of an OpenTelemetry attribute (opentelemetry-proto, common.proto, `AnyValue`).
package enum AttributeValue: Sendable, Hashable {
    /// An `AnyValue` with no field set.
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([AttributeValue])
    case map([Attribute])
}

/// One attribute: a name and a typed value.
package struct Attribute: Sendable, Hashable {
    package var name: String
    package var value: AttributeValue

    package init(_ name: String, _ value: AttributeValue) {
        self.name = name
        self.value = value
    }
}

extension [Attribute] {
    /// The value of the first attribute of that name.
    package subscript(name: String) -> AttributeValue? {
        for attribute in self where attribute.name == name { return attribute.value }
        return nil
    }
}
