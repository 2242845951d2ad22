import LogQL
import Query
import Telemetry

/// The parameters of Loki's endpoints, with its words where they are wrong.
struct LokiParameters {
    static let hour: Int64 = 3_600_000_000_000

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

    /// From `start` (or `since` before the end; an hour) to `end` (now), the end left out as in Loki. Of an end that lies in the future
    /// `since` counts from now.
    func range(defaultLength: Int64 = hour) throws(APIError) -> (start: Int64, end: Int64) {
        let end = try time("end") ?? now
        var length = defaultLength
        if let since = form.nonEmpty("since") {
            guard let parsed = DurationParameter.nanoseconds(since) else {
                throw APIError(.badRequest, "could not parse 'since' parameter: \"\(since)\" is no duration")
            }
            length = parsed
        }
        let start = try time("start") ?? min(end, now).subtractingReportingOverflow(length).partialValue
        guard start <= end else { throw APIError(.badRequest, "end timestamp must not be before or equal to start time") }
        guard !end.subtractingReportingOverflow(start).overflow else { throw APIError(.badRequest, "the time range is too long") }
        return (start, end)
    }

    /// The range as a store takes it: both ends inside.
    func closedRange(defaultLength: Int64 = hour) throws(APIError) -> TimeRange {
        let (start, end) = try range(defaultLength: defaultLength)
        return TimeRange(start, end)
    }

    func integer(_ name: String) throws(APIError) -> Int? {
        guard let text = form.nonEmpty(name) else { return nil }
        guard let value = Int(text) else { throw APIError(.badRequest, "could not parse '\(name)' parameter: \"\(text)\" is no number") }
        return value
    }

    func limit(_ name: String = "limit", default standard: Int) throws(APIError) -> Int {
        guard let limit = try integer(name) else { return standard }
        guard limit > 0 else { throw APIError(.badRequest, "\(name) must be a positive value") }
        guard limit <= Self.entryCountMax else {
            throw APIError(
                .badRequest, "max entries limit per query exceeded, limit > max_entries_limit_per_query (\(limit) > \(Self.entryCountMax))")
        }
        return limit
    }

    /// Ten times Loki's default: a page of that many lines is a few megabytes.
    static let entryCountMax = 50_000

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
        guard let step = try secondsOrDuration("step") else {
            return max(1, (end - start) / 250 / 1_000_000_000) * 1_000_000_000
        }
        guard step > 0 else { throw APIError(.badRequest, "zero or negative query resolution step widths are not accepted. Try a positive integer") }
        guard (end - start) / step <= Limits.pointsPerSeriesMax else {
            throw APIError(
                .badRequest, "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
        }
        return step
    }

    /// How far apart the lines of an answer must lie at least; 0: all lines.
    var intervalNanoseconds: Int64 {
        get throws(APIError) {
            let interval = try secondsOrDuration("interval") ?? 0
            guard interval >= 0 else { throw APIError(.badRequest, "interval must be >= 0") }
            return interval
        }
    }

    private func secondsOrDuration(_ name: String) throws(APIError) -> Int64? {
        guard let text = form.nonEmpty(name) else { return nil }
        let value: Int64?
        if let seconds = Double(text), seconds.isFinite {
            value = Int64(exactly: (seconds * 1e9).rounded())
        } else {
            value = DurationParameter.nanoseconds(text)
        }
        guard let value else { throw APIError(.badRequest, "could not parse '\(name)' parameter: cannot parse \"\(text)\" to a valid duration") }
        return value
    }

    /// The query, with what Loki's first API names in a parameter of its own: `regexp`.
    func queryWithRegexp() throws -> String {
        let query = form["query"] ?? ""
        guard let regexp = form.nonEmpty("regexp") else { return query }
        guard case .logs(var selector) = try LogQLParser.parse(query) else { return query }
        selector.stages.append(.lineFilter(LineFilter(operation: .matches, alternatives: [.text(regexp)])))
        return LogQLExpression.logs(selector).description
    }

    /// The matchers of a selector alone; none for `{}` and where none is given.
    func matchers(_ name: String = "query") throws -> [LabelMatcher] {
        guard let selector = form.nonEmpty(name) else { return [] }
        return try Self.matchers(selector)
    }

    static func matchers(_ selector: String) throws -> [LabelMatcher] {
        if selector.filter({ $0 != " " }) == "{}" { return [] }
        return try LogQLParser.matchers(selector)
    }
}
