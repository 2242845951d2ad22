import Telemetry

/// The parameters of Loki's endpoints, with its words where they are wrong.
struct LokiParameters {
    private static let hour: Int64 = 3_600_000_000_000

    let form: FormParameters
    /// Nanoseconds.
    private let now: Int64

    init(_ call: Call, now: Int64) throws(APIError) {
        form = try call.form()
        self.now = now
    }

    /// An instant in nanoseconds.
    func time(_ name: String) throws(APIError) -> Int64? {
        guard let text = form.nonEmpty(name) else { return nil }
        guard let time = TimeParameter.nanoseconds(text) else {
            throw APIError(.badRequest, "could not parse '\(name)' parameter: cannot parse \"\(text)\" as a time")
        }
        return time
    }

    /// From `start` (or `since` before the end; an hour) to `end` (now), the end left out as in Loki.
    func range(defaultLength: Int64 = hour) throws(APIError) -> (start: Int64, end: Int64) {
        let end = try time("end") ?? now
        var length = defaultLength
        if let since = form.nonEmpty("since") {
            guard let parsed = DurationParameter.nanoseconds(since) else {
                throw APIError(.badRequest, "could not parse 'since' parameter: \"\(since)\" is no duration")
            }
            length = parsed
        }
        let start = try time("start") ?? end.subtractingReportingOverflow(length).partialValue
        guard start <= end else { throw APIError(.badRequest, "end timestamp must not be before or equal to start time") }
        guard !end.subtractingReportingOverflow(start).overflow else { throw APIError(.badRequest, "the time range is too long") }
        return (start, end)
    }

    /// The range as a store takes it: both ends inside.
    func closedRange(defaultLength: Int64 = hour) throws(APIError) -> TimeRange {
        let (start, end) = try range(defaultLength: defaultLength)
        return TimeRange(start, end)
    }

    func limit(default standard: Int) throws(APIError) -> Int {
        guard let text = form.nonEmpty("limit") else { return standard }
        guard let limit = Int(text) else { throw APIError(.badRequest, "could not parse 'limit' parameter: \"\(text)\" is no number") }
        guard limit > 0 else { throw APIError(.badRequest, "limit must be a positive value") }
        guard limit <= Self.entryCountMax else {
            throw APIError(.badRequest, "max entries limit per query exceeded, limit > max_entries_limit_per_query (\(limit) > \(Self.entryCountMax))")
        }
        return limit
    }

    /// Ten times Loki's default: a page of that many lines is a few megabytes.
    private static let entryCountMax = 50_000

    var isForward: Bool {
        get throws(APIError) {
            switch form.nonEmpty("direction")?.lowercased() {
            case nil, "backward": return false
            case "forward": return true
            case let other?: throw APIError(.badRequest, "invalid direction '\(other)'")
            }
        }
    }

    /// The step of a range query: what is asked for, or a 250th of the range, at least a second (Loki, HTTP API, "step").
    func stepNanoseconds(start: Int64, end: Int64) throws(APIError) -> Int64 {
        guard let text = form.nonEmpty("step") else {
            return max(1, (end - start) / 250 / 1_000_000_000) * 1_000_000_000
        }
        let step: Int64?
        if let seconds = Double(text), seconds.isFinite {
            step = Int64(exactly: (seconds * 1e9).rounded())
        } else {
            step = DurationParameter.nanoseconds(text)
        }
        guard let step else { throw APIError(.badRequest, "could not parse 'step' parameter: \"\(text)\" is no duration") }
        guard step > 0 else { throw APIError(.badRequest, "zero or negative query resolution step widths are not accepted. Try a positive integer") }
        guard (end - start) / step <= Limits.pointsPerSeriesMax else {
            throw APIError(
                .badRequest, "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
        }
        return step
    }
}
