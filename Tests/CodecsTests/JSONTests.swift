import Codecs
import Testing

@Suite("JSON")
struct JSONTests {
    static func parse(_ text: String) throws -> JSONValue {
        try JSONValue(parsing: Array(text.utf8).span)
    }

    static func write(_ value: JSONValue, escapesHTML: Bool = true) -> String {
        var writer = JSONWriter(escapesHTML: escapesHTML)
        writer.value(value)
        return writer.text
    }

    @Test(
        "writes back what it read",
        arguments: [
            "null", "true", "false", "0", "-0", "1.5e-7", "9223372036854775807", "18446744073709551615", "1E400", "\"\"",
            "[]", "{}", "[[],{}]", #"{"a":[1,2,{"b":null}],"a":"twice"}"#, #""\"\\\n\t\u0001""#, "\"\u{1F426}\"",
        ])
    func roundTrip(text: String) throws {
        #expect(Self.write(try Self.parse(text)) == text)
        #expect(Self.write(try Self.parse(" \n\t" + text + "\r ")) == text)
    }

    @Test(
        "refuses what is no JSON",
        arguments: [
            "", " ", "nul", "tru", "nullx", "01", "-", "+1", ".5", "1.", "1e", "0x10", "NaN", "Infinity", "'a'", "\"a", "\"\\", "\"\\x\"",
            "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
            "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}", "{1:2}", "1 2", "[]]", "{\"a\":1 \"b\":2}", "\u{feff}1",
        ])
    func malformed(text: String) {
        #expect(throws: DecodeError.self) { try Self.parse(text) }
        let bytes = Array(text.utf8)
        #expect(throws: DecodeError.self) {
            var reader = JSONReader(bytes.span)
            try reader.skip(in: bytes.span)
            try reader.finish(in: bytes.span)
            // Only what `skip` need not look at is left: escapes.
            _ = try Self.parse(text)
        }
    }

    @Test(
        "says where", arguments: [
            ("[1,2,x]", "byte 5: found 'x', expected a value"), ("{\"a\":}", "byte 5: found '}', expected a value"),
            ("[1", "byte 2: the text ends within an array"), ("[1]\u{1}", "byte 3: found byte 0x1, expected the end of the text"),
        ])
    func places(text: String, description: String) {
        let error = #expect(throws: DecodeError.self) { try Self.parse(text) }
        #expect(error?.description == description)
    }

    @Test("keeps 64-bit integers exact and knows which numbers are integers")
    func numbers() throws {
        #expect(try Self.parse("9223372036854775807").int64 == .max)
        #expect(try Self.parse("-9223372036854775808").int64 == .min)
        #expect(try Self.parse("9223372036854775808").int64 == nil)
        #expect(try Self.parse("1.0").int64 == 1)
        #expect(try Self.parse("1e3").int64 == 1_000)
        #expect(try Self.parse("1.5").int64 == nil)
        #expect(JSONNumber(text: "18446744073709551615").uint64 == .max)
        #expect(JSONNumber(text: "-1").uint64 == nil)
        #expect(try Self.parse("0.1").double == 0.1)
        #expect(try Self.parse("1e400").double == .infinity)
    }

    @Test(
        "reads escapes; half a surrogate pair is U+FFFD, as in Go",
        arguments: [
            (#""\u0041\/\b\f""#, "A/\u{8}\u{c}"), (#""\ud83d\udc26""#, "\u{1F426}"), (#""\uD83D\uDC26!""#, "\u{1F426}!"),
            (#""\ud83d""#, "\u{fffd}"), (#""\udc26x""#, "\u{fffd}x"), (#""\ud83d\u0041""#, "\u{fffd}A"), (#""\u0000""#, "\0"),
        ])
    func escapes(text: String, expected: String) throws {
        #expect(try Self.parse(text).string == expected)
    }

    @Test("refuses text that is not UTF-8, with the byte", arguments: [false, true])
    func invalidText(withEscape: Bool) {
        let bytes: [UInt8] = Array("[\"ok\",\"a".utf8) + [0xff] + (withEscape ? Array("\\n".utf8) : []) + Array("\"]".utf8)
        let error = #expect(throws: DecodeError.self) { try JSONValue(parsing: bytes.span) }
        #expect(error?.offset == 8)
    }

    @Test("refuses what nests too deep, and takes what does not")
    func depth() throws {
        let deepest = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(throws: Never.self) { try Self.parse(deepest) }
        #expect(throws: DecodeError.self) { try Self.parse("[" + deepest + "]") }
        #expect(throws: DecodeError.self) { try Self.parse(String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test("pulls members one by one and steps over the others")
    func pull() throws {
        let bytes = Array(#"{"skip":{"a":[1,{"b":"}"}]},"n":7,"list":["x",null,"y"],"last":true}"#.utf8)
        var reader = JSONReader(bytes.span)
        var (number, list, isLast) = (Int64?.none, [String](), false)
        try reader.beginObject(in: bytes.span)
        while let name = try reader.nextName(in: bytes.span) {
            switch name {
            case "n": number = try reader.number(in: bytes.span).int64
            case "list":
                try reader.beginArray(in: bytes.span)
                while try reader.nextElement(in: bytes.span) {
                    if try reader.skipNull(in: bytes.span) { continue }
                    list.append(try reader.string(in: bytes.span))
                }
            case "last": isLast = try reader.bool(in: bytes.span)
            default: try reader.skip(in: bytes.span)
            }
        }
        try reader.finish(in: bytes.span)
        #expect(number == 7)
        #expect(list == ["x", "y"])
        #expect(isLast)
    }

    @Test(
        "escapes as Go's encoding/json does",
        arguments: [
            ("a\"b\\c", #""a\"b\\c""#), ("\u{8}\u{c}\n\r\t\u{1}\u{7f}", "\"\\b\\f\\n\\r\\t\\u0001\u{7f}\""), ("<a&b>", #""\u003ca\u0026b\u003e""#),
            ("\u{2028}x\u{2029}", #""\u2028x\u2029""#), ("€", "\"€\""), ("ends \u{20ac}", "\"ends €\""),
        ])
    func writesEscapes(text: String, expected: String) {
        #expect(Self.write(.string(text)) == expected)
    }

    @Test("leaves HTML alone when told so")
    func html() {
        #expect(Self.write(.string("<a&b>"), escapesHTML: false) == "\"<a&b>\"")
    }

    @Test("puts commas where they belong")
    func commas() {
        var json = JSONWriter()
        json.object { json in
            json.field("status", "success")
            json.field("count", 3)
            json.field("ratio", 0.5)
            json.field("whole", 2.0)
            json.field("none", Double.nan)
            json.field("ok", true)
            json.field("names", ["a", "b"])
            json.key("rows")
            json.array { json in
                json.array { json in
                    json.integer(1)
                    json.null()
                }
                json.object { _ in }
                json.raw("[]")
            }
        }
        #expect(
            json.text
                == #"{"status":"success","count":3,"ratio":0.5,"whole":2,"none":"NaN","ok":true,"names":["a","b"],"rows":[[1,null],{},[]]}"#)
    }
}

@Suite("Base64 and hexadecimal")
struct TextEncodingTests {
    /// RFC 4648, section 10.
    static let cases = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test("base64 goes both ways, padded or not", arguments: cases)
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
        #expect(Base64.decode(encoded.filter { $0 != "=" }) == Array(text.utf8))
    }

    @Test("base64 refuses what it is not", arguments: ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v!", "====", "Zm 9v"])
    func notBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("base64 takes the URL-safe alphabet")
    func urlSafe() {
        #expect(Base64.decode("-_8") == [0xfb, 0xff])
        #expect(Base64.decode("+/8=") == [0xfb, 0xff])
    }

    @Test("hexadecimal is lower-case")
    func hex() {
        #expect(Hex.text([0x00, 0xab, 0xff]) == "00abff")
        #expect(Hex.value(UInt8(ascii: "g")) == nil)
    }
}
