import Telemetry

extension TemplateFunctions {
    static let times: [String: Entry] = [
        "now": Entry(0) { _, _ in .time(TimeSource.system.nanoseconds) },
        "date": Entry(2) { arguments, _ in .string(GoTime.text(nanoseconds(arguments[1]), layout: arguments[0].text) ?? "") },
        "toDate": Entry(2) { arguments, _ in .time(GoTime.parse(arguments[1].text, layout: arguments[0].text) ?? 0) },
        "toDateInZone": Entry(3) { arguments, _ in
            .time(GoTime.parse(arguments[2].text, layout: arguments[0].text, zone: arguments[1].text) ?? 0)
        },
        "unixEpoch": Entry(1) { arguments, _ in .string(String(nanoseconds(arguments[0]) / 1_000_000_000)) },
        "unixEpochMillis": Entry(1) { arguments, _ in .string(String(nanoseconds(arguments[0]) / 1_000_000)) },
        "unixEpochNanos": Entry(1) { arguments, _ in .string(String(nanoseconds(arguments[0]))) },
        "unixToTime": Entry(1) { arguments, _ throws(Template.Fault) in
            // Its number of digits tells the unit, from days to nanoseconds.
            let text = arguments[0].text
            let factors: [Int: Int64] = [5: 86_400_000_000_000, 10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1]
            guard let value = Int64(text), let factor = factors[text.utf8.count] else {
                throw Template.Fault(description: "unable to parse time '\(text)'")
            }
            let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: factor)
            guard !overflow else { throw Template.Fault(description: "unable to parse time '\(text)'") }
            return .time(nanoseconds)
        },
    ]

    private static func nanoseconds(_ value: TemplateValue) -> Int64 {
        if case .time(let nanoseconds) = value { return nanoseconds }
        return value.int.multipliedReportingOverflow(by: 1_000_000_000).partialValue
    }
}
