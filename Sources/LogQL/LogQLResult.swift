package import Telemetry

/// The answer to a LogQL query.
package struct LogQLResult: Sendable {
    package var value: LogQLValue
    package var statistics: LogQLStatistics

    package init(value: LogQLValue, statistics: LogQLStatistics) {
        self.value = value
        self.statistics = statistics
    }
}

/// What a LogQL query yields: lines, or numbers.
package enum LogQLValue: Sendable, Hashable {
    /// Lines by their final label sets, in the order of the labels.
    case streams([LogQLStream])
    case vector([LogQLSample])
    case matrix([LogQLSeries])
    case scalar(timestamp: Int64, value: Double)
}

/// The lines of one final label set, in the direction asked for.
package struct LogQLStream: Sendable, Hashable {
    /// The stream's labels, structured metadata, and what the pipeline made.
    package var labels: Labels
    package var entries: [LogQLEntry]

    package init(labels: Labels, entries: [LogQLEntry]) {
        self.labels = labels
        self.entries = entries
    }
}

extension LogQLStream {
    /// Lines by their final label sets, in the order of the labels; those of a set keep their order.
    package static func grouping(_ lines: [(labels: Labels, entry: LogQLEntry)]) -> [LogQLStream] {
        var streams: [LogQLStream] = []
        var indexes: [Labels: Int] = [:]
        for line in lines {
            if let index = indexes[line.labels] {
                streams[index].entries.append(line.entry)
            } else {
                indexes[line.labels] = streams.count
                streams.append(LogQLStream(labels: line.labels, entries: [line.entry]))
            }
        }
        return streams.sorted { $0.labels < $1.labels }
    }
}

/// A line of a result.
package struct LogQLEntry: Sendable, Hashable {
    /// Nanoseconds since the Unix epoch.
    package var timestamp: Int64
    package var line: String
    package var structuredMetadata: Labels
    /// The labels that the pipeline made.
    package var parsed: Labels
}

/// A number at one instant.
package struct LogQLSample: Sendable, Hashable {
    package var labels: Labels
    /// Nanoseconds since the Unix epoch.
    package var timestamp: Int64
    package var value: Double
}

/// Numbers over time.
package struct LogQLSeries: Sendable, Hashable {
    package var labels: Labels
    /// Nanoseconds since the Unix epoch.
    package var timestamps: [Int64]
    package var values: [Double]
}

/// What a query read.
package struct LogQLStatistics: Sendable, Hashable {
    package var linesProcessed = 0
    package var bytesProcessed = 0
    package var linesReturned = 0
    package var streamsSelected = 0
    package var seconds = 0.0

    package init() {}
}

/// The order of lines in a result.
package enum LogQLDirection: Sendable, Hashable {
    case forward
    case backward
}
