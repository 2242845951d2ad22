import Templates
import Testing

@Suite("Go's time layouts")
struct GoLayoutTests {
    /// Go 1.27's `time.Parse(layout, text)` said so; nil is an error.
    static let cases: [(layout: String, text: String, nanoseconds: Int64?)] = [
        ("2006-01-02T15:04:05Z07:00", "2019-07-19T12:37:09.5Z", 1_563_539_829_500_000_000),
        ("2006-01-02T15:04:05.999999999Z07:00", "2019-07-19T12:37:09+02:00", 1_563_532_629_000_000_000),
        ("2006-01-02 15:04:05,000", "2019-07-19 12:37:09,123", 1_563_539_829_123_000_000),
        ("2006-01-02 15:04:05,000", "2019-07-19 12:37:09,12", nil),
        ("Mon Jan _2 15:04:05 2006", "Fri Jul  5 12:37:09 2019", 1_562_330_229_000_000_000),
        ("Mon Jan _2 15:04:05 MST 2006", "Fri Jul 19 12:37:09 PST 2019", 1_563_539_829_000_000_000),
        ("02 Jan 06 15:04 -0700", "19 Jul 19 12:37 -0300", 1_563_550_620_000_000_000),
        ("02/Jan/2006:15:04:05 -0700", "19/Jul/2019:12:37:09 +0000", 1_563_539_829_000_000_000),
        ("3:04PM 2006-1-2", "12:05AM 2019-7-9", 1_562_630_700_000_000_000),
        ("2006-002", "2019-200", 1_563_494_400_000_000_000),
        ("2006-01-02", "2019-02-29", nil), ("2006-01-02", "2019-2-09", nil), ("2006-01-02", "2019-02-09 ", nil),
        ("2006-01-02 15:04", "2019-02-09 24:00", nil), ("Month 2006", "Month 2019", 1_546_300_800_000_000_000),
        ("15:04:05.000000", "12:37:09.123456", 45_429_123_456_000),
    ]

    @Test("a text is read as Go reads it", arguments: cases.indices)
    func parse(index: Int) {
        let (layout, text, nanoseconds) = Self.cases[index]
        #expect(GoLayout(layout).parse(text) == nanoseconds, "\(layout) of \(text)")
    }

    @Test("a layout with a zone's name takes the zone's own abbreviation, and a location shifts what names none")
    func zones() {
        #expect(GoTime.parse("2020-07-04 12:00:00", layout: "2006-01-02 15:04:05", zone: "America/New_York") == 1_593_878_400_000_000_000)
        #expect(GoTime.parse("2020-01-04 12:00:00", layout: "2006-01-02 15:04:05", zone: "America/New_York") == 1_578_157_200_000_000_000)
        #expect(GoTime.zone("Nowhere/Land") == nil)
    }

    @Test("a time is written as Go writes it")
    func format() {
        let time: Int64 = 1_562_330_229_120_000_000
        #expect(GoLayout("Mon Jan _2 15:04:05 MST 2006").text(time) == "Fri Jul  5 12:37:09 UTC 2019")
        #expect(GoLayout("2006-01-02T15:04:05.000Z07:00").text(time) == "2019-07-05T12:37:09.120Z")
        #expect(GoLayout("3:04PM .999999").text(time) == "12:37PM .12")
        #expect(GoLayout("002 06 Monday").text(time) == "186 19 Friday")
    }

    @Test("numbers are written without exponents", arguments: [
        (0.1, "0.1"), (1e21, "1000000000000000000000"), (1.5e-7, "0.00000015"), (123456789.25, "123456789.25"), (-2.0, "-2"), (1.25e17, "125000000000000000"),
    ])
    func decimals(value: Double, text: String) {
        #expect(GoNumber.decimal(value) == text)
    }
}
