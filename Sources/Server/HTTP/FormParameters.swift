/// Parameters of a query string or of a form body (`application/x-www-form-urlencoded`): names may repeat, order is kept.
package struct FormParameters: Sendable {
    private var pairs: [(name: String, value: String)] = []

    package init() {}

    /// Reads `name=value&name=value`, with `+` for a space.
    ///
    /// - Throws: ``APIError`` (400) for a broken percent escape.
    package init(_ text: some Sequence<UInt8>) throws(APIError) {
        try append(text)
    }

    /// Adds the parameters of another text, after those that are there.
    package mutating func append(_ text: some Sequence<UInt8>) throws(APIError) {
        var name: [UInt8] = []
        var value: [UInt8] = []
        var isValue = false
        var isEmpty = true
        func finish(_ parameters: inout FormParameters) throws(APIError) {
            guard !isEmpty else { return }
            parameters.pairs.append((try Self.decode(name), try Self.decode(value)))
        }
        for byte in text {
            switch byte {
            case UInt8(ascii: "&"):
                try finish(&self)
                name.removeAll(keepingCapacity: true)
                value.removeAll(keepingCapacity: true)
                isValue = false
                isEmpty = true
                continue
            case UInt8(ascii: "=") where !isValue:
                isValue = true
            default:
                if isValue { value.append(byte) } else { name.append(byte) }
            }
            isEmpty = false
        }
        try finish(&self)
    }

    /// Adds other parameters after those that are there.
    package mutating func append(_ other: FormParameters) {
        pairs += other.pairs
    }

    package var isEmpty: Bool { pairs.isEmpty }

    /// The first value of `name`; nil where it is absent.
    package subscript(name: String) -> String? {
        for pair in pairs where pair.name == name { return pair.value }
        return nil
    }

    /// The first value of `name` that is not empty.
    package func nonEmpty(_ name: String) -> String? {
        guard let value = self[name], !value.isEmpty else { return nil }
        return value
    }

    /// Every value of `name`, in order.
    package func all(_ name: String) -> [String] {
        pairs.compactMap { $0.name == name ? $0.value : nil }
    }

    private static func decode(_ bytes: [UInt8]) throws(APIError) -> String {
        guard let decoded = PercentEncoding.decode(bytes, plusIsSpace: true) else {
            throw APIError(.badRequest, "invalid URL escape in \"\(String(decoding: bytes.prefix(64), as: UTF8.self))\"")
        }
        return decoded
    }
}
