import Codecs
import Formats

/// A record that a container runtime wrote around a line, or around a piece of a long one.
struct ContainerRecord {
    var text: [UInt8]
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64?
    /// `stdout` or `stderr`.
    var stream: String?
    /// Whether the line goes on in the next record.
    var isPartial = false

    /// Reads a record; nil where the line is none, and is then taken as it is.
    init?(_ bytes: [UInt8], format: TailConfiguration.Format) {
        switch format {
        case .plain: return nil
        case .docker: self.init(docker: bytes)
        case .cri: self.init(cri: bytes)
        }
    }

    /// Docker's json-file: `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.6Z"}`. The text of a piece lacks its
    /// newline.
    private init?(docker bytes: [UInt8]) {
        guard case .object(let object)? = try? JSONValue(parsing: bytes.span), let log = object["log"]?.string else {
            return nil
        }
        text = Array(log.utf8)
        isPartial = text.last != UInt8(ascii: "\n")
        if !isPartial { text.removeLast() }
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        stream = object["stream"]?.string
        timestamp = object["time"]?.string.flatMap { RFC3339.nanoseconds(Array($0.utf8)) }
    }

    /// The container runtime interface's: `2026-01-02T03:04:05.6Z stdout F text`, `P` instead of `F` for a piece.
    private init?(cri bytes: [UInt8]) {
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, let time = RFC3339.nanoseconds(parts[0]) else { return nil }
        let stream = String(decoding: parts[1], as: UTF8.self)
        guard stream == "stdout" || stream == "stderr", let tag = parts[2].first else { return nil }
        self.stream = stream
        timestamp = time
        isPartial = tag == UInt8(ascii: "P")
        text = parts.count > 3 ? Array(parts[3]) : []
    }
}
