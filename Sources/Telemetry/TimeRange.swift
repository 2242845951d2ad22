/// A closed range of time since the Unix epoch, in the unit of the signal it is used with:
/// milliseconds for metrics, nanoseconds for logs, spans and profiles (``Signal/unitsPerSecond``).
package struct TimeRange: Sendable, Hashable {
    /// The first instant inside.
    package var start: Int64
    /// The last instant inside; a range whose end lies before its start is empty.
    package var end: Int64

    package init(_ start: Int64, _ end: Int64) {
        self.start = start
        self.end = end
    }

    /// Every instant there is.
    package static let all = TimeRange(.min, .max)

    package var isEmpty: Bool { end < start }

    package func contains(_ time: Int64) -> Bool { start <= time && time <= end }

    package func overlaps(_ other: TimeRange) -> Bool { start <= other.end && other.start <= end }

    /// What lies in both; empty where they do not meet.
    package func intersection(_ other: TimeRange) -> TimeRange {
        TimeRange(max(start, other.start), min(end, other.end))
    }
}
