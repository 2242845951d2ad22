import Formats
import Telemetry

/// Decides which log lines are taken: those that lie in retention and not in the future; what is longer than a line may be is cut and
/// marked, not dropped. Counts what it refuses by reason, in Loki's words.
struct LogAdmission {
    /// Loki's default (`max_line_size`).
    static let lineByteCountMax = 256 << 10
    /// The structured metadata of a line that was cut: how many bytes it had.
    static let cutLabel = "line_truncated_from"

    enum Reason: String, Sendable, Hashable {
        case tooOld = "greater_than_max_sample_age"
        case tooNew = "too_far_in_future"
    }

    /// The instants that are taken, in nanoseconds.
    let range: TimeRange
    private(set) var refused: [Reason: Int] = [:]
    private(set) var cutCount = 0
    /// One a stream and reason, with the first line refused.
    private var messages: [(text: String, count: Int)] = []

    /// Streams and reasons that a message names.
    private static let messageCountMax = 10

    /// How far ahead of the clock a line may lie: as far as the store takes one.
    private static let futureBound: Int64 = 3_600_000_000_000

    /// What is taken at an instant.
    static func range(at now: Int64, retention: Duration) -> TimeRange {
        let (seconds, overflow) = retention.components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let start = now.subtractingReportingOverflow(overflow ? .max : seconds)
        return TimeRange(start.overflow ? .min : start.partialValue, now.addingReportingOverflow(futureBound).partialValue)
    }

    init(range: TimeRange) {
        self.range = range
    }

    var refusedCount: Int { refused.values.reduce(0, +) }

    /// Says what was refused, and why; empty where nothing was.
    var message: String {
        let named = messages.prefix(Self.messageCountMax).map { $0.count == 1 ? $0.text : "\($0.count) errors like: \($0.text)" }
        var text = named.joined(separator: "; ")
        if messages.count > Self.messageCountMax { text += "; and \(messages.count - Self.messageCountMax) more" }
        return text
    }

    /// The lines that are taken.
    mutating func admit(_ logs: inout LogBatch) {
        for index in logs.streams.indices where !isGood(logs.streams[index].entries) {
            logs.streams[index].entries = filtered(logs.streams[index])
        }
        if refusedCount > 0 { logs.streams.removeAll(where: \.entries.isEmpty) }
    }

    private func isGood(_ rows: LogRows) -> Bool {
        guard rows.timestamps.allSatisfy({ range.contains($0) }) else { return false }
        if rows.bytes.count <= Self.lineByteCountMax { return true }
        return rows.indices.allSatisfy { rows.range($0).count <= Self.lineByteCountMax }
    }

    private mutating func filtered(_ stream: LogBatch.Stream) -> LogRows {
        var kept = LogRows()
        var (old, new): ((first: Int64, count: Int)?, (first: Int64, count: Int)?) = (nil, nil)
        for index in stream.entries.indices {
            let timestamp = stream.entries.timestamps[index]
            if timestamp < range.start {
                old = (old?.first ?? timestamp, (old?.count ?? 0) + 1)
            } else if timestamp > range.end {
                new = (new?.first ?? timestamp, (new?.count ?? 0) + 1)
            } else if stream.entries.range(index).count > Self.lineByteCountMax {
                kept.append(cut(stream.entries[index]))
            } else {
                kept.append(CollectionOfOne(index), of: stream.entries)
            }
        }
        if let old {
            note(
                .tooOld, old.count,
                "entry for stream '\(stream.labels)' has timestamp too old: \(Self.text(old.first)), "
                    + "oldest acceptable timestamp is: \(Self.text(range.start))")
        }
        if let new {
            note(
                .tooNew, new.count,
                "entry for stream '\(stream.labels)' has timestamp too new: \(Self.text(new.first)), "
                    + "newest acceptable timestamp is: \(Self.text(range.end))")
        }
        return kept
    }

    private mutating func note(_ reason: Reason, _ count: Int, _ text: String) {
        refused[reason, default: 0] += count
        messages.append((text, count))
    }

    private mutating func cut(_ entry: LogEntry) -> LogEntry {
        cutCount += 1
        var entry = entry
        let bytes = entry.line.utf8
        var end = bytes.index(bytes.startIndex, offsetBy: Self.lineByteCountMax)
        // Not in the middle of a character.
        while end > bytes.startIndex, bytes[end] & 0xc0 == 0x80 { end = bytes.index(before: end) }
        entry.metadata[Self.cutLabel] = String(bytes.count)
        entry.line = String(entry.line[..<end])
        return entry
    }

    private static func text(_ nanoseconds: Int64) -> String { RFC3339.text(nanoseconds: nanoseconds, digits: 0) }
}
