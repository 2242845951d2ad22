package import Query
package import Telemetry

/// What a store is told in order to delete single lines: it deletes by stream and time.
package struct LineDeletion: Sendable, Hashable {
    /// They select one stream.
    package var matchers: [LabelMatcher]
    package var range: TimeRange

    /// Ranges of one request: each is a file's rewriting for the store.
    static let countMax = 1_000
}

extension LogQLEngine {
    /// Finds where the lines lie that a selector's line filters let through: as few ranges as there are, without any other line.
    ///
    /// - Throws: ``QueryError`` where a line that stays has the very timestamp, in the same stream, of one that must go, or where the lines
    ///   lie in too many places.
    package func deletions(
        of selector: LogSelector, in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [LineDeletion] {
        let streams = try await Self.reading { try await store.streams(.logs, matching: selector.matchers, in: range) }
        let runs = try await Self.reading {
            var finder = DeletionFinder(pipeline: try LogPipeline(selector.stages, needed: nil), context: context)
            let request = ScanRequest(signal: .logs, streams: streams, range: range, columns: [.line, .metadata])
            try await store.scan(request) { block throws in try finder.take(block) }
            try finder.closeRun()
            return finder.runs
        }
        // Every stream of the selection is told from the others by the names that it lacks.
        let names = Set(streams.flatMap { $0.labels.pairs.map(\.name) })
        return runs.map { labels, range in
            let own = labels.pairs.map { LabelMatcher($0.name, .equal, $0.value) }
            let others = names.filter { labels[$0] == nil }.sorted().map { LabelMatcher($0, .equal, "") }
            return LineDeletion(matchers: selector.matchers + own + others, range: range)
        }
    }
}

/// Gathers runs of lines that a pipeline lets through while the blocks of one stream after the other come.
private struct DeletionFinder {
    let pipeline: LogPipeline
    let context: QueryContext
    private(set) var runs: [(labels: Labels, range: TimeRange)] = []
    private var row = Row(labels: RowLabels(detectsLevel: false))
    private var stream: TelemetryStream?
    private var run: TimeRange?
    /// The timestamp of the last line that stays.
    private var kept: Int64?

    init(pipeline: LogPipeline, context: QueryContext) {
        self.pipeline = pipeline
        self.context = context
    }

    mutating func take(_ block: Block) throws -> ScanControl {
        try context.check()
        try context.read(samples: block.count)
        guard case .logs(let columns) = block.columns else { return .continue }
        if stream?.id != block.stream.id {
            try closeRun()
            (stream, kept) = (block.stream, nil)
        }
        for index in 0..<min(block.count, columns.ends.count) {
            let timestamp = block.timestamps[index]
            row.line = columns.bytes[columns.range(index)]
            row.labels.reset(stream: block.stream.labels, metadata: columns.fullMetadata(index), line: row.line)
            if pipeline.run(&row, applied: 0) {
                if kept == timestamp { throw Self.conflict(timestamp, block.stream) }
                run = TimeRange(run?.start ?? timestamp, timestamp)
            } else {
                if run?.end == timestamp { throw Self.conflict(timestamp, block.stream) }
                try closeRun()
                kept = timestamp
            }
        }
        return .continue
    }

    mutating func closeRun() throws(QueryError) {
        guard let range = run, let stream else { return }
        guard runs.count < LineDeletion.countMax else {
            throw QueryError(
                .execution, "the lines lie in more than \(LineDeletion.countMax) places between others: delete them in smaller ranges of time")
        }
        runs.append((stream.labels, range))
        run = nil
    }

    private static func conflict(_ timestamp: Int64, _ stream: TelemetryStream) -> QueryError {
        QueryError(
            .execution,
            "lines are deleted by stream and time here: a line of \(stream.labels) that would stay has the same timestamp, \(timestamp), as one that would go"
        )
    }
}
