import Codecs
import Settings
import Telemetry

/// `docker`: the records of Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"…"}`.
///
/// Other than in Promtail, the newline that ends the record's text goes, and a line that Docker has cut into records comes out as one.
struct DockerStage: Stage {
    private var timestamp = TimestampStage(rfc3339: "timestamp")
    private var partials = PartialLines()

    /// Docker cuts lines into pieces of that size (moby, `daemon/logger/copier.go`).
    private static let pieceByteCount = 16 << 10
    /// A line without an end must not fill the memory.
    private static let lineByteCountMax = 16 << 20
    /// The pieces of a line come at once: what has waited for so long was the end of what a container said.
    private static let waitMax: Int64 = 5_000_000_000

    init(_: StageOptions, _: inout StageContext) throws(ConfigurationError) {}

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        entry.extracted.setBase(entry.labels)
        let bytes = Array(entry.line.utf8)
        guard let value = try? JSONValue(parsing: bytes.span), value.object != nil else { return true }
        for (name, field) in [("output", "log"), ("stream", "stream"), ("timestamp", "time")] {
            entry.extracted[name] = StageValue(value[field] ?? .null)
        }
        if let stream = entry.extracted["stream"]?.text { entry.labels["stream"] = stream }
        _ = timestamp.process(&entry, &run)
        guard let text = entry.extracted["output"]?.text else { return true }
        let isWhole = text.utf8.last == UInt8(ascii: "\n")
        entry.line = isWhole ? String(decoding: Array(text.utf8.dropLast()), as: UTF8.self) : text
        _ = partials.join(&entry)
        guard !isWhole, text.utf8.count >= Self.pieceByteCount, entry.line.utf8.count < Self.lineByteCountMax else { return true }
        partials.hold(entry, now: run.now)
        return false
    }

    var nextFlush: Int64? { partials.due(after: Self.waitMax) }

    mutating func flush(isFinal: Bool, _ run: inout StageRun) {
        partials.release(&run, waitingFor: isFinal ? nil : Self.waitMax)
    }

    var held: [HeldEntry] { partials.held }
    mutating func restore(_ held: [HeldEntry]) { partials.restore(held) }
}
