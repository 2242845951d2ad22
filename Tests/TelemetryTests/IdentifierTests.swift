import Telemetry
import Testing

@Suite("Trace and span ids")
struct IdentifierTests {
    @Test(
        "ids are read from hexadecimal of either case, short ones padded on the left",
        arguments: [
            ("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
            ("0AF7651916CD43DD8448EB211C80319C", "0af7651916cd43dd8448eb211c80319c"),
            ("1", "00000000000000000000000000000001"),
            ("8448eb211c80319c", "00000000000000008448eb211c80319c"),
        ])
    func reads(text: String, expected: String) {
        #expect(TraceID(hex: text)?.description == expected)
    }

    @Test("what is no id is none", arguments: ["", "xyz", "0af7651916cd43dd8448eb211c80319c0", "é", " 1"])
    func refuses(text: String) {
        #expect(TraceID(hex: text) == nil)
        #expect(SpanID(hex: text) == nil)
    }

    @Test("order is that of the bytes")
    func order() {
        #expect(TraceID(high: 0, low: .max) < TraceID(high: 1, low: 0))
        #expect(SpanID(hex: "00f067aa0ba902b7")?.description == "00f067aa0ba902b7")
    }
}
