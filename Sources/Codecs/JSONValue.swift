/// Any JSON value.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in the order in which they were written, duplicates included.
package struct JSONObject: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package var members: [Member]

    package init(members: [Member] = []) {
        self.members = members
    }

    /// The value of `name`; of duplicates the last, as most readers have it.
    package subscript(name: String) -> JSONValue? {
        members.last { $0.name == name }?.value
    }
}

extension JSONValue {
    /// Reads `bytes` as one JSON value with nothing but white space around it.
    ///
    /// - Throws: ``DecodeError`` with the byte.
    package init(parsing bytes: Span<UInt8>) throws(DecodeError) {
        var reader = JSONReader(bytes)
        self = try reader.value(in: bytes)
        try reader.finish(in: bytes)
    }

    /// The member `name` of an object; nil otherwise.
    package subscript(name: String) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    /// The element at `index` of an array; nil otherwise.
    package subscript(index: Int) -> JSONValue? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var int64: Int64? {
        if case .number(let number) = self { number.int64 } else { nil }
    }

    package var double: Double? {
        if case .number(let number) = self { number.double } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    package var isNull: Bool { self == .null }
}
