import PromQL
import Testing

@Suite("PromQL: numbers and durations")
struct NumberTests {
    @Test(
        "numbers are written as Go writes them without an exponent",
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (123456.789, "123456.789"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (0.30000000000000004, "0.30000000000000004"),
            (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"),
            (1.7976931348623157e308, "17976931348623157" + String(repeating: "0", count: 292))
        ] as [(Double, String)])
    func format(value: Double, text: String) {
        #expect(PromQLNumber.format(value) == text)
        if !value.isNaN { #expect(PromQLNumber.parse(text) == value) }
    }

    @Test(
        "the general form has an exponent for the very large and small",
        arguments: [
            (1e21, "1e+21"), (1e5, "100000"), (1234567, "1.234567e+06"), (1e-5, "1e-05"), (0.0001, "0.0001"),
            (1.5e300, "1.5e+300")
        ] as [(Double, String)])
    func general(value: Double, text: String) {
        #expect(PromQLNumber.formatGeneral(value) == text)
    }

    @Test(
        "durations",
        arguments: [
            ("1h30m", 5_400_000, "1h30m"), ("90s", 90_000, "1m30s"), ("250ms", 250, "250ms"), ("0", 0, "0s"),
            ("7d", 604_800_000, "1w"),
            ("8d", 691_200_000, "8d"), ("1y", 31_536_000_000, "1y"), ("1d1ms", 86_400_001, "1d1ms")
        ] as [(String, Int64, String)])
    func durations(text: String, milliseconds: Int64, formatted: String) {
        #expect(PromQLDuration.parse(text) == milliseconds)
        #expect(PromQLDuration.format(milliseconds: milliseconds) == formatted)
    }

    @Test(
        "what is no duration is none",
        arguments: ["", "5", "m", "1m1h", "1m1m", "-1m", "1 m", "99999999999999999999h", "1.5h"])
    func noDurations(text: String) {
        #expect(PromQLDuration.parse(text) == nil)
    }
}
