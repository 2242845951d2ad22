import Formats
import Telemetry

/// Turns the lines of one file into log entries.
struct TailDecoder {
    /// The labels of the stream.
    let labels: Labels
    private let format: TailConfiguration.Format
    private let options: TailOptions
    private let time: TimeSource
    /// The timestamp of the last line that had none of its own.
    private var lastTimestamp: Int64 = 0
    /// The pieces of a container's line whose last one has not come yet, by the stream (stdout, stderr) they belong to.
    private var pieces: [String: [UInt8]] = [:]

    /// A line's own time counts unless it lies so far ahead: then its clock, or what we took for a time, is wrong.
    private static let futureNanosecondsMax: Int64 = 600_000_000_000

    init(configuration: TailConfiguration, path: String, options: TailOptions, time: TimeSource) {
        var labels = configuration.labels
        labels["filename"] = path
        self.labels = labels
        format = configuration.format
        self.options = options
        self.time = time
    }

    /// Whether lines wait for their last piece.
    var holdsBack: Bool { !pieces.isEmpty }

    mutating func decode(_ lines: [TailedFile.Line]) -> [LogEntry] {
        let now = time.nanoseconds
        return lines.compactMap { entry(of: $0, now: now) }
    }

    private mutating func entry(of line: TailedFile.Line, now: Int64) -> LogEntry? {
        var bytes = line.bytes
        var wrapperTime: Int64?
        var metadata: [Label] = []
        if format != .plain, let record = ContainerRecord(bytes, format: format) {
            wrapperTime = record.timestamp
            if let stream = record.stream { metadata.append(Label("stream", stream)) }
            let key = record.stream ?? ""
            bytes = (pieces.removeValue(forKey: key) ?? []) + record.text
            if record.isPartial, bytes.count < options.lineByteCountMax {
                pieces[key] = bytes
                return nil
            }
        }
        if bytes.isEmpty { return nil }
        if let count = line.originalByteCount { metadata.append(Label("cut_from_bytes", String(count))) }
        let fields = LineFields.read(bytes)
        if let level = fields.level { metadata.append(Label("detected_level", level)) }
        return LogEntry(
            timestamp: timestamp(fields.timestamp ?? wrapperTime, now: now),
            line: String(decoding: bytes, as: UTF8.self),
            metadata: Labels(metadata), traceID: fields.traceID, spanID: fields.spanID)
    }

    /// Lines without a time get the time they were read at, each a later one: equal lines at one instant would count as one.
    private mutating func timestamp(_ own: Int64?, now: Int64) -> Int64 {
        if let own, own > 0, own <= now + Self.futureNanosecondsMax { return own }
        lastTimestamp = max(lastTimestamp + 1, now)
        return lastTimestamp
    }
}
