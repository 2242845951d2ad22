extension AttributeValue {
    /// The value as the text of a label: strings as they are, numbers and booleans as JSON writes them, bytes in base64,
    /// arrays and maps as JSON.
    package var text: String {
        switch self {
        case .empty: ""
        case .string(let value): value
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .double(let value): Self.number(value)
        case .bytes(let value): Self.base64(value)
        case .array, .map: json
        }
    }

    /// The value as JSON; numbers that JSON does not know ("NaN", "Infinity") and bytes (base64) as strings.
    package var json: String {
        switch self {
        case .empty: return "null"
        case .string(let value): return Self.jsonString(value)
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .double(let value): return value.isFinite ? Self.number(value) : Self.jsonString(Self.number(value))
        case .bytes(let value): return Self.jsonString(Self.base64(value))
        case .array(let values): return "[" + values.map(\.json).joined(separator: ",") + "]"
        case .map(let attributes):
            return "{" + attributes.map { Self.jsonString($0.name) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            for position in 0..<4 {
                let isPadding = position > left
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(word >> (18 - 6 * UInt32(position))) & 63])
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `text` as a JSON string with its quotes.
    package static func jsonString(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0"..<" ":
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
