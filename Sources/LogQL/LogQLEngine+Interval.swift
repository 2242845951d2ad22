package import Query
package import Telemetry

extension LogQLEngine {
    /// Lines that lie at least `interval` nanoseconds apart (Loki, HTTP API, "interval"): the first one, and then each that is as far from the
    /// one before.
    package func lines(
        _ selector: LogSelector, in range: TimeRange, spacedBy interval: Int64, limit: Int, direction: LogQLDirection, context: QueryContext
    ) async throws(QueryError) -> LogQLResult {
        let started = ContinuousClock.now
        let isBackward = direction == .backward
        var kept: [(labels: Labels, entry: LogQLEntry)] = []
        var statistics = LogQLStatistics()
        var (rest, cursor): (TimeRange, LogQLCursor?) = (range, nil)
        while kept.count < limit, rest.start <= rest.end {
            // A page holds lines that are passed over too: not too few, or there are many pages.
            let page = try await self.page(selector, in: rest, after: cursor, limit: 1_000, direction: direction, context: context)
            statistics.linesProcessed += page.statistics.linesProcessed
            statistics.bytesProcessed += page.statistics.bytesProcessed
            statistics.streamsSelected = max(statistics.streamsSelected, page.statistics.streamsSelected)
            for line in page.lines where kept.count < limit {
                if let last = kept.last?.entry.timestamp {
                    let (earlier, later) = isBackward ? (line.entry.timestamp, last) : (last, line.entry.timestamp)
                    let distance = later.subtractingReportingOverflow(earlier)
                    guard distance.overflow || distance.partialValue >= interval else { continue }
                }
                kept.append(line)
            }
            guard let next = page.next else { break }
            cursor = next
            // Nothing nearer than the interval is wanted.
            if let last = kept.last?.entry.timestamp {
                if isBackward {
                    rest.end = min(rest.end, last.subtractingReportingOverflow(interval).partialValue)
                } else {
                    rest.start = max(rest.start, last.addingReportingOverflow(interval).partialValue)
                }
                let isBehind = isBackward ? rest.end < next.timestamp : rest.start > next.timestamp
                if isBehind { cursor = nil }
            }
        }
        statistics.linesReturned = kept.count
        statistics.seconds = (ContinuousClock.now - started).seconds
        return LogQLResult(value: .streams(LogQLStream.grouping(kept)), statistics: statistics)
    }
}
