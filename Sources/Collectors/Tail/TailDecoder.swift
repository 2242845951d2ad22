import Codecs
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
        // A pod's file says whose it is; what is configured stands.
        if configuration.format == .cri, let pod = PodPath(path) { labels = Labels(pod.labels + labels.pairs) }
        labels["filename"] = path
        self.labels = labels
        format = configuration.format
        self.options = options
        self.time = time
    }

    /// The pieces of lines whose last one has not come yet; empty where there are none.
    var checkpoint: [UInt8] {
        var writer = ProtobufWriter()
        for (stream, bytes) in pieces.sorted(by: { $0.key < $1.key }) {
            writer.message(1) { writer in
                writer.string(1, stream)
                writer.bytes(2, bytes)
            }
        }
        return writer.bytes
    }

    /// Takes up ``checkpoint``.
    ///
    /// - Returns: whether it could be read.
    mutating func restore(_ checkpoint: [UInt8]) -> Bool {
        let bytes = checkpoint.span
        var restored: [String: [UInt8]] = [:]
        do throws(DecodeError) {
            var reader = ProtobufReader(bytes)
            while let field = try reader.next(in: bytes) {
                guard field.number == 1 else { continue }
                var piece = try field.message("piece")
                var (stream, text) = ("", [UInt8]())
                while let field = try piece.next(in: bytes) {
                    switch field.number {
                    case 1: stream = try field.validString("stream", in: bytes)
                    case 2: text = bytes.copied(try field.range("text"))
                    default: break
                    }
                }
                restored[stream] = text
            }
        } catch { return false }
        pieces = restored
        return true
    }

    mutating func decode(_ lines: [LineCutter.Line], now: Int64) -> [LogEntry] {
        lines.compactMap { entry(of: $0, now: now) }
    }

    /// The pieces of lines whose last one never came are lines.
    mutating func finish() -> [LogEntry] {
        let left = pieces.sorted { $0.key < $1.key }
        pieces = [:]
        return left.map { stream, bytes in
            entry(bytes, wrapperTime: nil, metadata: stream.isEmpty ? [] : [Label("stream", stream)], now: time.nanoseconds)
        }
    }

    private mutating func entry(of line: LineCutter.Line, now: Int64) -> LogEntry? {
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
        return entry(bytes, wrapperTime: wrapperTime, metadata: metadata, now: now)
    }

    private mutating func entry(_ bytes: [UInt8], wrapperTime: Int64?, metadata: [Label], now: Int64) -> LogEntry {
        var metadata = metadata
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
