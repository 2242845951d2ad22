import Codecs

/// One line of a container's log file, as Docker's `json-file` driver or a CRI runtime (containerd, CRI-O) writes it.
package struct ContainerLogLine: Sendable, Hashable {
    package enum Stream: String, Sendable, Hashable {
        case stdout, stderr
    }

    /// Nanoseconds since the Unix epoch.
    package var timestamp: Int64
    package var stream: Stream
    /// What the container wrote, without the line's end.
    package var content: String
    /// Whether the container's line goes on in the next one of the same stream: runtimes split lines at 16 KiB.
    package var isPartial: Bool

    package init(timestamp: Int64, stream: Stream, content: String, isPartial: Bool) {
        self.timestamp = timestamp
        self.stream = stream
        self.content = content
        self.isPartial = isPartial
    }

    /// Reads `{"log":"…\n","stream":"stdout","time":"2026-…Z"}`. A `log` without a line's end is a partial one.
    ///
    /// - Throws: ``FormatError``.
    package static func docker(_ bytes: Span<UInt8>) throws(FormatError) -> ContainerLogLine {
        do throws(DecodeError) {
            var line = ContainerLogLine(timestamp: 0, stream: .stdout, content: "", isPartial: false)
            var (hasLog, hasTime) = (false, false)
            var reader = JSONReader(bytes)
            try reader.beginObject(in: bytes)
            while let name = try reader.nextName(in: bytes) {
                let offset = reader.offset
                switch name {
                case "log":
                    line.content = try reader.string(in: bytes)
                    hasLog = true
                case "stream":
                    let text = try reader.string(in: bytes)
                    guard let stream = Stream(rawValue: text) else {
                        throw DecodeError(
                            offset: offset, field: "stream", "expected stdout or stderr, found \"\(text.prefix(40))\"")
                    }
                    line.stream = stream
                case "time":
                    guard let time = RFC3339.nanoseconds(try reader.string(in: bytes).utf8) else {
                        throw DecodeError(offset: offset, field: "time", "expected a time as in RFC 3339")
                    }
                    line.timestamp = time
                    hasTime = true
                default: try reader.skip(in: bytes)
                }
            }
            try reader.finish(in: bytes)
            guard hasLog else { throw DecodeError(offset: 0, field: "log", "the line has no \"log\"") }
            guard hasTime else { throw DecodeError(offset: 0, field: "time", "the line has no \"time\"") }
            // Unicode scalars, not characters: "\r\n" is one character.
            if line.content.unicodeScalars.last == "\n" {
                line.content.unicodeScalars.removeLast()
            } else {
                line.isPartial = true
            }
            return line
        } catch {
            throw FormatError("Docker json-file", error)
        }
    }

    /// Reads `2026-01-02T15:04:05.123456789Z stdout F the line` (kubernetes.io, "CRI logging format"): the tag `P` says partial.
    ///
    /// - Throws: ``FormatError``.
    package static func cri(_ bytes: Span<UInt8>) throws(FormatError) -> ContainerLogLine {
        var offset = 0
        let time = word(bytes, &offset)
        guard let timestamp = RFC3339.nanoseconds(bytes.copied(time)) else {
            throw criError("time", time.lowerBound, "expected a time as in RFC 3339")
        }
        let streamRange = word(bytes, &offset)
        guard let stream = Stream(rawValue: bytes.text(streamRange)) else {
            throw criError("stream", streamRange.lowerBound, "expected stdout or stderr")
        }
        let tags = word(bytes, &offset)
        // Tags are separated by colons; the first says whether the line is whole.
        let first = bytes.text(tags).split(separator: ":").first
        guard first == "F" || first == "P" else { throw criError("tags", tags.lowerBound, "expected F or P") }
        var end = bytes.count
        if end > offset, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        return ContainerLogLine(
            timestamp: timestamp, stream: stream, content: bytes.text(min(offset, end)..<end), isPartial: first == "P")
    }

    /// The bytes up to the next space, and moves behind it.
    private static func word(_ bytes: Span<UInt8>, _ offset: inout Int) -> Range<Int> {
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: " "), bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
        let end = offset
        if offset < bytes.count, bytes[offset] == UInt8(ascii: " ") { offset += 1 }
        return start..<end
    }

    private static func criError(_ field: String, _ offset: Int, _ message: String) -> FormatError {
        FormatError("CRI log line", DecodeError(offset: offset, field: field, message))
    }
}
