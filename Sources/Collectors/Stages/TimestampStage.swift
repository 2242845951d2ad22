import Formats
import Foundation
import Settings
import Telemetry
import Templates

/// `timestamp`: the time that a line says.
struct TimestampStage: Stage {
    /// How a time is written.
    private enum Form: Sendable {
        case layout(GoLayout)
        /// RFC 3339 with or without a fraction: by far the commonest.
        case rfc3339
        /// Seconds since the epoch, perhaps with a fraction.
        case unix
        /// Milliseconds, microseconds or nanoseconds since the epoch: so many nanoseconds each.
        case unixUnits(Int64)
    }

    private let source: String
    private let forms: [Form]
    private let zone: TimeZone
    /// A line without a time gets the last one of its stream and a nanosecond.
    private let fudges: Bool
    /// The last time of each stream.
    private var last: [Labels: Int64] = [:]

    /// Streams whose last time is known: beyond them all are forgotten.
    private static let streamCountMax = 10_000

    /// - Parameter source: what holds a time in RFC 3339, as the container runtimes write it.
    init(rfc3339 source: String) {
        self.source = source
        forms = [.rfc3339]
        zone = .gmt
        fudges = true
    }

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["source", "format", "fallback_formats", "location", "action_on_failure"], &context)
        guard let source = try fields.source() else { throw fields.place.error("timestamp source value is required") }
        self.source = source
        let format = try fields.required("format")
        var forms = [Self.form(try format.nonEmptyString)]
        for fallback in try fields["fallback_formats"]?.list ?? [] { forms.append(Self.form(try fallback.nonEmptyString)) }
        self.forms = forms
        if let node = fields["location"] {
            guard let zone = GoTime.zone(try node.string) else { throw node.error("unknown time zone \(try node.string)") }
            self.zone = zone
        } else {
            zone = .gmt
        }
        let action = try fields["action_on_failure"]?.choice(["skip", "fudge"]) ?? "fudge"
        fudges = action == "fudge"
    }

    private static func form(_ name: String) -> Form {
        switch name {
        case "Unix": .unix
        case "UnixMs": .unixUnits(1_000_000)
        case "UnixUs": .unixUnits(1_000)
        case "UnixNs": .unixUnits(1)
        case "RFC3339", "RFC3339Nano": .rfc3339
        default: .layout(GoLayout.named[name] ?? GoLayout(name))
        }
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        if let text = entry.extracted[source]?.text, let time = time(text, now: run.now) {
            entry.timestamp = time
            if fudges { remember(entry) }
        } else if fudges, let time = last[entry.labels] {
            entry.timestamp = time &+ 1
            remember(entry)
        }
        return true
    }

    private mutating func remember(_ entry: StageEntry) {
        if last.count >= Self.streamCountMax, last[entry.labels] == nil { last = [:] }
        last[entry.labels] = entry.timestamp
    }

    private func time(_ text: String, now: Int64) -> Int64? {
        for form in forms {
            if let time = time(text, form, now: now) { return time }
        }
        return nil
    }

    private func time(_ text: String, _ form: Form, now: Int64) -> Int64? {
        switch form {
        case .rfc3339:
            let bytes = Array(text.utf8)
            // RFC 3339 allows other letters, and blanks; Go does not.
            if bytes.count > 19, bytes[10] == UInt8(ascii: "T"), bytes.last != UInt8(ascii: "z"), let time = RFC3339.nanoseconds(bytes) { return time }
            return GoLayout.named["RFC3339"]?.parse(text)
        case .unixUnits(let unit):
            guard let count = Int64(text) else { return nil }
            let (nanoseconds, overflows) = count.multipliedReportingOverflow(by: unit)
            return overflows ? nil : nanoseconds
        case .unix: return Self.unix(text)
        case .layout(let layout):
            if layout.hasYear { return layout.parse(text, zone: zone) }
            guard var fields = layout.fields(of: text) else { return nil }
            // Without a year the nearest one counts: around New Year the line may be of the year before or after.
            let today = GoLayout("2006-01-02").fields(of: GoLayout("2006-01-02").text(now))
            let (year, month) = (today?.year ?? 1970, today?.month ?? 1)
            fields.year = fields.month == 12 && month == 1 ? year - 1 : fields.month == 1 && month == 12 ? year + 1 : year
            return fields.nanoseconds(in: zone)
        }
    }

    /// `1700000000` or `1700000000.123`.
    private static func unix(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let seconds = Int64(parts[0]) else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard parts[1].utf8.count <= 18, let value = Int64(parts[1]) else { return nil }
            fraction = value
            for _ in 0..<max(0, 9 - parts[1].utf8.count) { fraction = fraction.multipliedReportingOverflow(by: 10).partialValue }
            for _ in 0..<max(0, parts[1].utf8.count - 9) { fraction /= 10 }
        }
        let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflows) = nanoseconds.addingReportingOverflow(fraction)
        return overflows || sumOverflows ? nil : sum
    }
}
