package import Query
package import Telemetry

/// A query for lines, run on lines as they come instead of on a store.
package struct LogQLTail {
    package let selector: LogSelector
    private let pipeline: LogPipeline
    /// Whether the query may want lines of a stream.
    package let matchers: MatcherTest
    private let detectsLevel: Bool

    /// - Throws: a ``QueryError`` where the query is wrong, or asks for numbers.
    package init(_ query: String, detectsLevel: Bool = true) throws(QueryError) {
        guard case .logs(let selector) = try LogQLParser.parse(query) else {
            throw QueryError(.parse, "only log selector queries can be tailed, not metric queries")
        }
        self.selector = selector
        self.detectsLevel = detectsLevel
        pipeline = try LogPipeline(selector.stages, needed: nil)
        do throws(StoreError) {
            matchers = try MatcherTest(selector.matchers)
        } catch {
            throw QueryError(.parse, error.description)
        }
    }

    /// The lines of a batch that the query lets through, each with its final labels, in the order in which they stand there.
    package func take(_ batch: LogBatch) -> [(labels: Labels, entry: LogQLEntry)] {
        var found: [(labels: Labels, entry: LogQLEntry)] = []
        var row = Row(labels: RowLabels(detectsLevel: detectsLevel))
        for stream in batch.streams where matchers.holds(stream.labels) {
            var columns = LogColumns()
            columns.append(stream.entries)
            for index in columns.ends.indices {
                let timestamp = stream.entries.timestamps[index]
                row.timestamp = timestamp
                row.line = columns.bytes[columns.range(index)]
                row.labels.reset(stream: stream.labels, metadata: columns.fullMetadata(index), line: row.line)
                guard pipeline.run(&row, applied: 0) else { continue }
                found.append(
                    (
                        row.labels.shown,
                        LogQLEntry(
                            timestamp: timestamp, line: String(decoding: row.line, as: UTF8.self),
                            structuredMetadata: row.labels.structuredMetadata, parsed: row.labels.parsedLabels)
                    ))
            }
        }
        return found
    }
}
