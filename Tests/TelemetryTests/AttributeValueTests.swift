import Telemetry
import Testing

@Suite("Attribute values")
struct AttributeValueTests {
    @Test(
        "a value's text is that of a label",
        arguments: [
            (AttributeValue.string("a\"b"), "a\"b"), (.int(.min), "-9223372036854775808"), (.bool(true), "true"), (.double(2), "2"),
            (.double(.nan), "NaN"), (.double(-.infinity), "-Infinity"), (.empty, ""), (.bytes([0, 255, 16]), "AP8Q"), (.bytes([1]), "AQ=="),
            (.array([.int(1), .string("x\n"), .empty]), #"[1,"x\n",null]"#),
            (.map([Attribute("k", .double(.infinity))]), #"{"k":"Infinity"}"#),
        ])
    func text(value: AttributeValue, expected: String) {
        #expect(value.text == expected)
    }

    @Test("a resource's service name is OpenTelemetry's default where there is none")
    func serviceName() {
        #expect(Resource([Attribute("service.name", .string("orders"))]).serviceName == "orders")
        #expect(Resource([Attribute("service.name", .int(5))]).serviceName == "unknown_service")
        #expect(Resource.unknown.serviceName == "unknown_service")
    }
}
