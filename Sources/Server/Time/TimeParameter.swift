import Formats
import Telemetry

/// Instants and ranges in the parameters of the query APIs.
enum TimeParameter {
    /// Seconds since the epoch with a fraction, or RFC 3339, as milliseconds (Prometheus, HTTP API, "Format overview").
    static func milliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text) {
            guard seconds.isFinite else { return nil }
            return Int64(exactly: (seconds * 1_000).rounded())
        }
        return RFC3339.nanoseconds(text.utf8).map { $0.floorDivided(by: 1_000_000) }
    }

    /// Loki's: nanoseconds as an integer, seconds as one of up to 10 digits or with a point, or RFC 3339; as nanoseconds.
    static func nanoseconds(_ text: String) -> Int64? {
        if let value = Int64(text) {
            let digitCount = text.utf8.count - (value < 0 ? 1 : 0)
            return digitCount <= 10 ? value * 1_000_000_000 : value
        }
        if let seconds = Double(text) {
            guard seconds.isFinite else { return nil }
            // Seconds and fraction apart: a double has not the digits for nanoseconds.
            let whole = seconds.rounded(.down)
            guard let high = Int64(exactly: whole), abs(high) < 9_000_000_000 else { return nil }
            return high * 1_000_000_000 + Int64(((seconds - whole) * 1e6).rounded()) * 1_000
        }
        return RFC3339.nanoseconds(text.utf8)
    }

    /// A duration, or a number of seconds, as milliseconds.
    static func stepMilliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text) {
            guard seconds.isFinite else { return nil }
            return Int64(exactly: (seconds * 1_000).rounded())
        }
        return DurationParameter.nanoseconds(text).map { $0 / 1_000_000 }
    }
}
