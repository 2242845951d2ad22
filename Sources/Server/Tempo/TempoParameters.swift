import Query
import Telemetry

/// The parameters of Tempo's endpoints.
struct TempoParameters {
    let form: FormParameters
    /// Nanoseconds.
    let now: Int64

    init(_ call: Call, now: Int64) throws(APIError) {
        form = try call.form()
        self.now = now
    }

    /// `start` and `end` in seconds since the epoch as nanoseconds; nil where neither is given.
    func range() throws(APIError) -> TimeRange? {
        let start = try time("start")
        let end = try time("end")
        guard start != nil || end != nil else { return nil }
        let range = TimeRange(start ?? .min, end ?? .max)
        guard !range.isEmpty else { throw APIError(.badRequest, "invalid start: http parameter start must be before end") }
        return range
    }

    /// The same with both ends: the last hour where they are not given.
    func closedRange() throws(APIError) -> TimeRange {
        let range = try range() ?? TimeRange(.min, .max)
        let end = range.end == .max ? now.addingReportingOverflow(60_000_000_000).partialValue : range.end
        let start = range.start == .min ? end.subtractingReportingOverflow(3_660_000_000_000).partialValue : range.start
        guard start <= end, !end.subtractingReportingOverflow(start).overflow else { throw APIError(.badRequest, "invalid start: it is too far from end") }
        return TimeRange(start, end)
    }

    private func time(_ name: String) throws(APIError) -> Int64? {
        guard let text = form.nonEmpty(name), text != "0" else { return nil }
        guard let time = TimeParameter.nanoseconds(text) else { throw APIError(.badRequest, "invalid \(name): \"\(text)\" is no time") }
        return time
    }

    func count(_ name: String, default standard: Int, max maximum: Int) throws(APIError) -> Int {
        guard let text = form.nonEmpty(name) else { return standard }
        guard let count = Int(text), count > 0 else { throw APIError(.badRequest, "invalid \(name): \"\(text)\" must be a positive number") }
        return min(count, maximum)
    }

    /// The TraceQL query: `q`, with what the older parameters `tags`, `minDuration` and `maxDuration` ask for added as conditions.
    func query() throws(APIError) -> String {
        var conditions: [String] = []
        if let tags = form.nonEmpty("tags") {
            for (name, value) in try Self.tags(tags) { conditions.append(Self.condition(name, value)) }
        }
        for (name, comparison) in [("minDuration", ">="), ("maxDuration", "<=")] {
            guard let text = form.nonEmpty(name) else { continue }
            guard let nanoseconds = DurationParameter.nanoseconds(text) else {
                throw APIError(.badRequest, "invalid \(name): \"\(text)\" is no duration")
            }
            conditions.append("duration \(comparison) \(nanoseconds)ns")
        }
        guard let query = form.nonEmpty("q") else { return "{ \(conditions.joined(separator: " && ")) }" }
        if conditions.isEmpty { return query }
        return "\(query) && { \(conditions.joined(separator: " && ")) }"
    }

    /// One of the tags that Tempo's search took before TraceQL: intrinsics by their short names, attributes wherever they are.
    private static func condition(_ name: String, _ value: String) -> String {
        switch name {
        case "name", "span.name": return "name = \(value.quoted)"
        case "root.name": return "rootName = \(value.quoted)"
        case "root.service.name": return "rootServiceName = \(value.quoted)"
        case "status", "status.code":
            return ["error", "ok", "unset"].contains(value) ? "status = \(value)" : "status = error"
        case "error": return value == "false" ? "status != error" : "status = error"
        case "service.name", "service": return "resource.service.name = \(value.quoted)"
        default:
            let attribute = ".\(name.utf8.allSatisfy(Self.isPlain) ? name : name.quoted)"
            // The type of an attribute cannot be told from the text: a number or a boolean is looked for as both.
            if Int64(value) != nil || (Double(value)?.isFinite ?? false) || value == "true" || value == "false" {
                return "(\(attribute) = \(value.quoted) || \(attribute) = \(value))"
            }
            return "\(attribute) = \(value.quoted)"
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    /// `name=value name2="value with spaces"` (logfmt, as Tempo's `tags`).
    static func tags(_ text: String) throws(APIError) -> [(name: String, value: String)] {
        var tags: [(name: String, value: String)] = []
        var rest = text[...]
        while let start = rest.firstIndex(where: { $0 != " " }) {
            rest = rest[start...]
            guard let equals = rest.firstIndex(of: "="), equals != rest.startIndex, !rest[..<equals].contains(" ") else {
                throw APIError(.badRequest, "invalid tags: expected name=value at \"\(rest.prefix(40))\"")
            }
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                var isClosed = false
                while let character = rest.first {
                    rest = rest.dropFirst()
                    if character == "\"" {
                        isClosed = true
                        break
                    }
                    if character == "\\", let escaped = rest.first {
                        value.append(escaped == "n" ? "\n" : escaped == "t" ? "\t" : escaped)
                        rest = rest.dropFirst()
                    } else {
                        value.append(character)
                    }
                }
                guard isClosed else { throw APIError(.badRequest, "invalid tags: the value of \(name) has no closing quote") }
            } else {
                value = String(rest.prefix { $0 != " " })
                rest = rest.dropFirst(value.count)
            }
            tags.append((name, value))
        }
        return tags
    }
}
