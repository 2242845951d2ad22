import Codecs
import TestSupport
import Testing

@Suite("Decimal numbers")
struct DecimalNumberTests {
    static func parse(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        return DecimalNumber.parse(bytes.span, 0..<bytes.count)
    }

    @Test(
        "reads what Go's ParseFloat reads",
        arguments: [
            ("0", 0), ("-0", -0.0), ("1", 1), ("+1.5", 1.5), (".5", 0.5), ("5.", 5), ("1e3", 1_000), ("1E-3", 0.001), ("1e+2", 100),
            ("123456789012345678901234567890", 0x1.8ee90ff6c373ep+96), ("0.1", 0.1), ("9007199254740993", 9007199254740992),
            ("5e-324", .leastNonzeroMagnitude), ("1.7976931348623157e308", 1.7976931348623157e308), ("1e400", .infinity), ("1e-400", 0), ("0e999999999999", 0),
            ("Inf", .infinity), ("-inf", -.infinity), ("+Infinity", .infinity), ("000000000000000000000000000001", 1),
            ("0.000000000000000000000000000001", 1e-30),
        ] as [(String, Double)])
    func numbers(text: String, expected: Double) {
        #expect(Self.parse(text)?.bitPattern == expected.bitPattern)
    }

    @Test("reads NaN of any case", arguments: ["NaN", "nan", "+NAN"])
    func nan(text: String) {
        #expect(Self.parse(text)?.isNaN == true)
    }

    @Test("refuses everything else", arguments: ["", "-", "+", ".", "e5", "1e", "1e+", "0x10", "1_0", "1 ", " 1", "1.2.3", "infinit", "nan()", "1f", "--1"])
    func malformed(text: String) {
        #expect(Self.parse(text) == nil)
    }

    @Test(
        "writes without exponent as Go's 'f' does",
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (0.5, "0.5"), (1e16, "10000000000000000"), (1.5e17, "150000000000000000"), (1e-5, "0.00001"),
            (-1.25e-7, "-0.000000125"), (1e22, "10000000000000000000000"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0.1, "0.1"),
            (123456.789, "123456.789"), (12345678901234567168, "12345678901234567000"),
        ] as [(Double, String)])
    func text(value: Double, expected: String) {
        #expect(DecimalNumber.text(value) == expected)
    }

    @Test("reads back what it writes, whatever the bits", arguments: UInt64(0)..<20)
    func roundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(Self.parse(DecimalNumber.text(value)) == value)
            #expect(Self.parse(value.description) == value)
        }
    }
}
