import Codecs

/// Pieces of JSON.
enum JSONText {
    /// The text that stands between the quotes of a JSON string; nil where an escape is wrong.
    static func unquoted(_ bytes: ArraySlice<UInt8>) -> String? {
        let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        return (try? JSONValue(parsing: quoted.span))?.string
    }

    /// A value as Go's JSON libraries write it after reading: numbers as 64-bit floats.
    static func text(_ value: JSONValue) -> String {
        var json = JSONWriter()
        write(value, &json)
        return json.text
    }

    private static func write(_ value: JSONValue, _ json: inout JSONWriter) {
        switch value {
        case .number(let number): json.double(number.double)
        case .array(let elements): json.array { json in for element in elements { write(element, &json) } }
        case .object(let object):
            json.object { json in
                for member in object.members {
                    json.key(member.name)
                    write(member.value, &json)
                }
            }
        case .null, .bool, .string: json.value(value)
        }
    }
}
