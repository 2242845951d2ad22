import ApusKit
import Testing

@Suite("TraceParent")
struct TraceParentTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    static let span = "00f067aa0ba902b7"

    @Test(
        "a header that W3C allows is read",
        arguments: [
            ("00-\(trace)-\(span)-01", true),
            ("00-\(trace)-\(span)-00", false),
            ("00-\(trace)-\(span)-03", true),  // an unknown flag is passed over
            ("cc-\(trace)-\(span)-01-what-the-future-will-be-like", true),
            ("cc-\(trace)-\(span)-01", true),
        ])
    func valid(header: String, isSampled: Bool) throws {
        let context = try #require(TraceParent.parse(header))
        #expect(context.traceID.description == Self.trace)
        #expect(context.spanID.description == Self.span)
        #expect(context.isSampled == isSampled)
    }

    @Test(
        "a header that W3C forbids begins a new trace",
        arguments: [
            "", "00", "ff-\(trace)-\(span)-01",
            "00-00000000000000000000000000000000-\(span)-01",
            "00-\(trace)-0000000000000000-01",
            "00-\(trace.uppercased())-\(span)-01",
            "00-\(trace)-\(span)-01-more",
            "00-\(trace)-\(span)-1",
            "00-\(trace)-\(span)-0g",
            "0-\(trace)-\(span)-01",
            "00-\(trace.dropLast())-\(span)-01x",
            "00-\(trace)\(span)-01----------------",
            "cc-\(trace)-\(span)-01.what",
            "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
            "00-\u{00E9}\(trace.dropFirst(2))-\(span)-01",
        ])
    func invalid(header: String) {
        #expect(TraceParent.parse(header) == nil)
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        let context = SpanContext(traceID: .random(), spanID: .random(), isSampled: true)
        #expect(TraceParent.parse(TraceParent.text(context)) == context)
    }

    @Test("the state of other vendors is passed on, unless it could not be sent")
    func state() {
        let header = "00-\(Self.trace)-\(Self.span)-01"
        #expect(TraceParent.parse(header, state: "a=1,b=2")?.traceState == "a=1,b=2")
        #expect(TraceParent.parse(header, state: "a=1\r\nx: y")?.traceState == "")
        #expect(TraceParent.parse(header, state: String(repeating: "a", count: 513))?.traceState == "")
    }
}
