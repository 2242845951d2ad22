import PromQL
import Query
import Telemetry

/// The parameters that Prometheus' endpoints share, with its words where they are wrong (web/api/v1).
struct PrometheusParameters {
    /// Instants beyond the years 1 and 9999 are brought back to these: farther out, milliseconds overflow.
    private static let timeMin: Int64 = -62_135_596_800_000
    private static let timeMax: Int64 = 253_402_300_799_000

    let form: FormParameters

    init(_ call: Call) throws(APIError) {
        form = try call.form()
    }

    /// An instant in milliseconds.
    func time(_ name: String) throws(APIError) -> Int64? {
        guard let text = form.nonEmpty(name) else { return nil }
        guard let time = Self.time(text) else {
            throw .parameter(name, "invalid time value for '\(name)': cannot parse \"\(text)\" to a valid timestamp")
        }
        return time
    }

    func requiredTime(_ name: String) throws(APIError) -> Int64 {
        let text = form[name] ?? ""
        guard let time = Self.time(text) else { throw .parameter(name, "cannot parse \"\(text)\" to a valid timestamp") }
        return time
    }

    private static func time(_ text: String) -> Int64? {
        TimeParameter.milliseconds(text).map { min(max($0, timeMin), timeMax) }
    }

    /// The range of the metadata endpoints; everything where it is not given, and nothing where it ends before it starts.
    func range() throws(APIError) -> TimeRange {
        TimeRange(try time("start") ?? Self.timeMin, try time("end") ?? Self.timeMax)
    }

    func stepMilliseconds() throws(APIError) -> Int64 {
        let text = form["step"] ?? ""
        guard let step = TimeParameter.stepMilliseconds(text) else { throw .parameter("step", "cannot parse \"\(text)\" to a valid duration") }
        guard step > 0 else {
            throw .parameter("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        return step
    }

    func timeout() throws(APIError) -> Duration? {
        guard let text = form.nonEmpty("timeout") else { return nil }
        guard let milliseconds = TimeParameter.stepMilliseconds(text) else {
            throw .parameter("timeout", "cannot parse \"\(text)\" to a valid duration")
        }
        return .milliseconds(milliseconds)
    }

    /// How old a sample may be to stand for its series, in milliseconds; nil: as the server is set.
    func lookback() throws(APIError) -> Int64? {
        guard let text = form.nonEmpty("lookback_delta") else { return nil }
        guard let milliseconds = TimeParameter.stepMilliseconds(text) else {
            throw APIError(.badRequest, "error parsing lookback delta duration: cannot parse \"\(text)\" to a valid duration")
        }
        return milliseconds > 0 ? milliseconds : nil
    }

    /// How many results are wanted; nil: all.
    func limit(_ name: String = "limit") throws(APIError) -> Int? {
        guard let text = form.nonEmpty(name) else { return nil }
        guard let limit = Int(text) else { throw .parameter(name, "cannot parse \"\(text)\" to a valid limit") }
        guard limit >= 0 else { throw .parameter(name, "limit must be non-negative") }
        return limit == 0 ? nil : limit
    }

    /// How many entries of metadata are wanted; nil: all. Unlike elsewhere, 0 is none.
    func count(_ name: String = "limit") throws(APIError) -> Int? {
        guard let text = form.nonEmpty(name) else { return nil }
        guard let count = Int(text) else { throw APIError(.badRequest, "\(name) must be a number") }
        return count < 0 ? nil : count
    }

    /// The selectors of `match[]`; none where there are none.
    func matchers() throws(APIError) -> [[LabelMatcher]] {
        var sets: [[LabelMatcher]] = []
        for text in form.all("match[]") {
            do {
                sets.append(try PromQLParser.selector(text))
            } catch {
                throw .parameter("match[]", error.description)
            }
        }
        for set in sets {
            // A series without labels is what matches everything.
            let isEmptyMatched: Bool
            do { isEmptyMatched = try MatcherTest(set).holds(.empty) } catch { throw .parameter("match[]", error.description) }
            if isEmptyMatched { throw .parameter("match[]", "match[] must contain at least one non-empty matcher") }
        }
        return sets
    }
}
