package import Query
package import Telemetry

/// A place in the total order of the lines of a query: behind a line, whatever lines share its timestamp.
///
/// Equal rows of a stream are one, so that timestamp, stream, structured metadata and line tell every row from every other; the cursor
/// holds a digest of the last three.
package struct LogQLCursor: Sendable, Hashable {
    package var timestamp: Int64
    package var digest: UInt64
    package var digestLow: UInt64

    package init(timestamp: Int64, digest: UInt64, digestLow: UInt64) {
        self.timestamp = timestamp
        self.digest = digest
        self.digestLow = digestLow
    }

    /// Lines in any order of time: those of one instant come by their digests.
    func precedes(_ other: LogQLCursor, isBackward: Bool) -> Bool {
        if timestamp != other.timestamp { return isBackward ? timestamp > other.timestamp : timestamp < other.timestamp }
        return (digest, digestLow) < (other.digest, other.digestLow)
    }
}

/// Lines in order of time, and where the next page begins.
package struct LogQLPage: Sendable {
    package var lines: [(labels: Labels, entry: LogQLEntry)]
    /// nil: there are no more.
    package var next: LogQLCursor?
    package var statistics: LogQLStatistics
}

extension LogQLEngine {
    /// The next `limit` lines behind a cursor. Pages of one query, put together, hold each line once, also where many share a timestamp,
    /// and whatever is flushed, merged or written meanwhile; of lines written meanwhile those that lie ahead come too.
    package func page(
        _ selector: LogSelector, in range: TimeRange, after cursor: LogQLCursor?, limit: Int, direction: LogQLDirection,
        context: QueryContext
    ) async throws(QueryError) -> LogQLPage {
        let started = ContinuousClock.now
        let isBackward = direction == .backward
        var range = range
        if let cursor {
            if isBackward { range.end = min(range.end, cursor.timestamp) } else { range.start = max(range.start, cursor.timestamp) }
        }
        guard limit > 0, range.start <= range.end else { return LogQLPage(lines: [], next: nil, statistics: LogQLStatistics()) }
        let pipeline = try LogPipeline(selector.stages, needed: nil)
        var collector = PageCollector(
            pipeline: pipeline, cursor: cursor, limit: limit, isBackward: isBackward, detectsLevel: options.detectsLevel)
        let wanted = range
        let streams = try await Self.reading { try await store.streams(.logs, matching: selector.matchers, in: wanted) }
        collector.statistics.streamsSelected = streams.count
        if !streams.isEmpty {
            let request = ScanRequest(
                signal: .logs, streams: streams, range: wanted, order: isBackward ? .newestFirst : .oldestFirst,
                columns: [.line, .metadata, .identifiers], predicates: pipeline.predicates)
            try await Self.reading {
                try await store.scan(request) { block in
                    try context.check()
                    try context.read(samples: block.count)
                    return collector.take(block)
                }
            }
        }
        return collector.page(since: started)
    }
}

/// Gathers the lines of a page while blocks come in order of time.
private struct PageCollector {
    private struct Found {
        var place: LogQLCursor
        var labels: Labels
        var entry: LogQLEntry
    }

    let pipeline: LogPipeline
    let cursor: LogQLCursor?
    let limit: Int
    let isBackward: Bool
    var statistics = LogQLStatistics()
    private var found: [Found] = []
    private var row: Row
    /// The last line of a full page so far: nothing behind it is wanted.
    private var last: LogQLCursor?

    init(pipeline: LogPipeline, cursor: LogQLCursor?, limit: Int, isBackward: Bool, detectsLevel: Bool) {
        self.pipeline = pipeline
        self.cursor = cursor
        self.limit = limit
        self.isBackward = isBackward
        row = Row(labels: RowLabels(detectsLevel: detectsLevel))
    }

    mutating func take(_ block: Block) -> ScanControl {
        if case .logs(let columns) = block.columns {
            let count = min(block.count, columns.ends.count)
            for offset in 0..<count {
                let index = isBackward ? count - 1 - offset : offset
                let timestamp = block.timestamps[index]
                if let last, isBackward ? timestamp < last.timestamp : timestamp > last.timestamp { break }
                take(block, columns, index, timestamp)
            }
        }
        if found.count > limit { trim() }
        guard found.count >= limit, let last else { return .continue }
        return (isBackward ? block.horizon < last.timestamp : block.horizon > last.timestamp) ? .stop : .continue
    }

    private mutating func take(_ block: Block, _ columns: LogColumns, _ index: Int, _ timestamp: Int64) {
        let range = columns.range(index)
        let metadata = columns.fullMetadata(index)
        statistics.linesProcessed += 1
        statistics.bytesProcessed += range.count
        row.timestamp = timestamp
        row.line = columns.bytes[range]
        row.labels.reset(stream: block.stream.labels, metadata: metadata, line: row.line)
        guard pipeline.run(&row, applied: block.applied) else { return }
        let (digest, digestLow) = RowDigest.of(block.stream.labels, metadata, columns.bytes[range])
        let place = LogQLCursor(timestamp: timestamp, digest: digest, digestLow: digestLow)
        if let cursor, !cursor.precedes(place, isBackward: isBackward) { return }
        if let last, !place.precedes(last, isBackward: isBackward) { return }
        let entry = LogQLEntry(
            timestamp: timestamp, line: String(decoding: row.line, as: UTF8.self), structuredMetadata: row.labels.structuredMetadata,
            parsed: row.labels.parsedLabels)
        found.append(Found(place: place, labels: row.labels.shown, entry: entry))
        if found.count >= 2 * limit + 1_024 || found.count == limit { trim() }
    }

    private mutating func trim() {
        found.sort { $0.place.precedes($1.place, isBackward: isBackward) }
        if found.count > limit { found.removeSubrange(limit...) }
        if found.count == limit { last = found.last?.place }
    }

    mutating func page(since started: ContinuousClock.Instant) -> LogQLPage {
        trim()
        statistics.linesReturned = found.count
        statistics.seconds = (ContinuousClock.now - started).seconds
        return LogQLPage(
            lines: found.map { ($0.labels, $0.entry) }, next: found.count == limit ? found.last?.place : nil, statistics: statistics)
    }
}

/// 128 bits that tell rows of one instant apart (two FNV-1a hashes of different primes and seeds over the same bytes).
enum RowDigest {
    static func of(_ stream: Labels, _ metadata: Labels, _ line: ArraySlice<UInt8>) -> (UInt64, UInt64) {
        var (high, low): (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x9e37_79b9_7f4a_7c15)
        func add(_ byte: UInt8) {
            high = (high ^ UInt64(byte)) &* 0x0100_0000_01b3
            low = (low &+ UInt64(byte) &+ 1) &* 0xd6e8_feb8_6659_fd93
            low ^= low >> 32
        }
        for labels in [stream, metadata] {
            for pair in labels.pairs {
                for byte in pair.name.utf8 { add(byte) }
                add(0xfe)
                for byte in pair.value.utf8 { add(byte) }
                add(0xff)
            }
            add(0xfd)
        }
        for byte in line { add(byte) }
        return (high, low)
    }
}
