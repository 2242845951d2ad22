import Settings
import Telemetry

/// `cri`: the records of Kubernetes' container runtimes: `2019-01-01T01:00:00.000000001Z stderr F text`. The pieces of a long
/// line (`P`) are held back until its end (`F`).
struct CRIStage: Stage {
    private let partialCountMax: Int
    /// Bytes of a line that is put together; nil: as long as it comes, up to ``lineByteCountMax``.
    private let cutAt: Int?
    private var timestamp = TimestampStage(rfc3339: "time")
    private var partials = PartialLines()

    /// A line without an end must not fill the memory.
    private static let lineByteCountMax = 16 << 20

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["max_partial_lines", "max_partial_line_size", "max_partial_line_size_truncate"], &context)
        let count = try fields["max_partial_lines"]?.int ?? 0
        guard count >= 0 else { throw fields.place.error("max_partial_lines must not be negative") }
        partialCountMax = count == 0 ? 100 : count
        let byteCount = try fields["max_partial_line_size"]?.goByteCount ?? 0
        cutAt = try fields.bool("max_partial_line_size_truncate") ? byteCount : nil
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        entry.extracted.setBase(entry.labels)
        read(&entry)
        if let stream = entry.extracted["stream"]?.text { entry.labels["stream"] = stream }
        _ = timestamp.process(&entry, &run)
        if let text = entry.extracted["content"]?.text { entry.line = text }
        let isPartial = entry.extracted["flags"] == .string("P")
        if isPartial, !partials.contains(entry.labels), partials.count >= partialCountMax { partials.release(&run) }
        let isJoined = partials.join(&entry)
        if isPartial || isJoined { cut(&entry) }
        guard isPartial, entry.line.utf8.count < Self.lineByteCountMax else { return true }
        partials.hold(entry, now: run.now)
        return false
    }

    /// Takes the record apart; what is none stays as it is.
    private func read(_ entry: inout StageEntry) {
        let bytes = entry.line.utf8
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, !parts[0].isEmpty, !parts[2].isEmpty, parts[0].allSatisfy({ $0 > 0x20 }), parts[2].allSatisfy({ $0 > 0x20 })
        else { return }
        let stream = String(Swift.Substring(parts[1]))
        guard stream == "stdout" || stream == "stderr" else { return }
        entry.extracted["time"] = .string(String(Swift.Substring(parts[0])))
        entry.extracted["stream"] = .string(stream)
        entry.extracted["flags"] = .string(String(Swift.Substring(parts[2])))
        entry.extracted["content"] = .string(String(Swift.Substring(parts[3])))
    }

    private func cut(_ entry: inout StageEntry) {
        if let cutAt { entry.line = TextCut.prefix(entry.line, cutAt) }
    }

    /// Pieces wait for their end, however long it takes.
    var nextFlush: Int64? { partials.isEmpty ? nil : .max }

    mutating func flush(isFinal: Bool, _ run: inout StageRun) {
        if isFinal { partials.release(&run) }
    }

    var held: [HeldEntry] { partials.held }
    mutating func restore(_ held: [HeldEntry]) { partials.restore(held) }
}
