import Codecs
package import Telemetry

/// JSON lines: one object a line, each a log line (VictoriaLogs, "JSON stream API").
package enum JSONLines {
    /// Which fields mean what.
    package struct Options: Sendable {
        package var timeFields = ["_time", "@timestamp", "timestamp", "time", "ts"]
        package var messageFields = ["_msg", "message", "msg"]
        package var streamFields: Set<String> = []
        package var ignoredFields: Set<String> = []
        package var extraLabels: [Label] = []

        package init() {}
    }

    private static let format = "JSON lines"
    /// Bad lines that an answer names.
    private static let messageCountMax = 3

    /// Decodes every line that can be; the others are counted, with the reason of the first ones.
    ///
    /// - Parameter time: the clock for objects that bring no time.
    package static func decode(_ bytes: Span<UInt8>, options: Options, time: TimeSource = .system) -> OTLP.Decoded {
        let record = JSONLogRecord(
            timeFields: options.timeFields, messageFields: options.messageFields, streamFields: options.streamFields)
        var grouper = LogGrouper()
        var (rejected, messages): (Int, [String]) = (0, [])
        let now = time.nanoseconds
        for (number, range) in NDJSON.lines(bytes) {
            do throws(DecodeError) {
                guard case .object(var object) = try JSONValue(parsing: bytes.extracting(range)) else {
                    throw DecodeError(offset: 0, field: "", "the line is no JSON object")
                }
                if !options.ignoredFields.isEmpty { object.members.removeAll { options.ignoredFields.contains($0.name) } }
                let (stream, entry) = try record.entry(object, text: bytes.text(range), now: now)
                grouper.add(entry, to: Labels(options.extraLabels + stream))
            } catch {
                rejected += 1
                if messages.count < messageCountMax { messages.append("line \(number): \(FormatError(format, error).description)") }
            }
        }
        var batch = TelemetryBatch()
        batch.logs = grouper.batch
        return OTLP.Decoded(batch: batch, rejected: rejected, rejectionMessage: messages.joined(separator: "; "))
    }
}

/// The lines of newline-delimited JSON.
enum NDJSON {
    /// The lines that are not blank, counted from 1, with their bytes; a carriage return before the end belongs to the end.
    static func lines(_ bytes: Span<UInt8>) -> [(number: Int, range: Range<Int>)] {
        var lines: [(Int, Range<Int>)] = []
        var (start, number) = (0, 1)
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            var last = end
            while last > start, bytes[last - 1] <= UInt8(ascii: " ") { last -= 1 }
            if last > start { lines.append((number, start..<last)) }
            start = end + 1
            number += 1
        }
        return lines
    }
}

/// Puts lines of the same labels into one stream each.
struct LogGrouper {
    private(set) var batch = LogBatch()
    private var indexes: [Labels: Int] = [:]

    mutating func add(_ entry: LogEntry, to labels: Labels) {
        let labels = ServiceName.discover(labels)
        if let index = indexes[labels] {
            batch.streams[index].entries.append(entry)
        } else {
            indexes[labels] = batch.streams.count
            batch.streams.append(LogBatch.Stream(labels: labels, entries: CollectionOfOne(entry)))
        }
    }
}
