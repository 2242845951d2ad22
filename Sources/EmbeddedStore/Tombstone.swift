import Telemetry

/// A deletion: the rows of some streams within a range of time, as far as they were written before it.
///
/// Reads leave the rows out; a rewrite of their part takes them away. Which rows came before it, the numbers of the flushes say: a
/// part whose flushes are all at or below ``sequence`` holds nothing but older rows, any other part nothing but newer ones and what a
/// merge has cleaned.
final class Tombstone: Sendable {
    let range: TimeRange
    /// The last flush before the deletion.
    let sequence: UInt64
    /// By day, the ids of its streams. They are named one by one, so that no stream that comes later is meant, and no read has to look
    /// at labels.
    let streams: [Int64: Set<UInt64>]

    init(range: TimeRange, sequence: UInt64, streams: [Int64: Set<UInt64>]) {
        self.range = range
        self.sequence = sequence
        self.streams = streams
    }

    /// Whether it may concern a part of a day.
    func concerns(_ part: Part, day: Int64) -> Bool {
        part.sequence.upperBound <= sequence && streams[day] != nil && part.footer.range.overlaps(range)
    }
}

/// What deletions leave out of one part.
struct PartDeletions: Sendable {
    private let deletions: [(streams: Set<UInt64>, range: TimeRange)]

    /// - Returns: nil where the part is served whole.
    init?(_ tombstones: [Tombstone], _ part: Part, day: Int64) {
        deletions = tombstones.filter { $0.concerns(part, day: day) }.map { ($0.streams[day] ?? [], $0.range) }
        if deletions.isEmpty { return nil }
    }

    /// The ranges of time without the rows of a stream, by its id in the day.
    func ranges(of stream: UInt64) -> [TimeRange] {
        deletions.filter { $0.streams.contains(stream) }.map(\.range)
    }
}

extension [TimeRange] {
    /// What deletions of these ranges leave of rows that lie within `range`.
    enum Remainder: Hashable {
        case all
        case some
        case none
    }

    func remainder(of range: TimeRange) -> Remainder {
        if contains(where: { $0.start <= range.start && range.end <= $0.end }) { return .none }
        return contains { $0.overlaps(range) } ? .some : .all
    }
}

extension Run {
    /// The rows that lie in none of the ranges.
    func without(_ ranges: [TimeRange]) -> Run {
        let kept = timestamps.indices.filter { row in !ranges.contains { $0.contains(timestamps[row]) } }
        return kept.count == count ? self : selecting(kept)
    }
}
