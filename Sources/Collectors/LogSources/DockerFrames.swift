import Formats

/// Cuts what Docker's logs API answers (with timestamps) into lines: frames of stdout and stderr, or, of a container with a
/// terminal, plain text (Docker Engine API, "ContainerAttach").
struct DockerFrames {
    struct Line: Equatable {
        /// `stdout` or `stderr`.
        var stream: String
        /// Nanoseconds since the Unix epoch; nil where the daemon wrote none.
        var timestamp: Int64?
        var text: [UInt8]
        /// How long it was where it had to be cut.
        var originalByteCount: Int?
    }

    private struct Piece {
        var timestamp: Int64?
        var text: [UInt8] = []
        var byteCount = 0
    }

    private let hasTerminal: Bool
    private let byteCountMax: Int
    private var buffer: [UInt8] = []
    /// What the streams have written without a newline yet.
    private var pieces: [String: Piece] = [:]

    init(hasTerminal: Bool, byteCountMax: Int) {
        self.hasTerminal = hasTerminal
        self.byteCountMax = byteCountMax
    }

    /// Takes bytes, and adds the lines that are whole now.
    ///
    /// - Returns: false where they are no frames: nothing behind them can be understood.
    mutating func feed(_ bytes: [UInt8], into lines: inout [Line]) -> Bool {
        buffer += bytes
        var start = 0
        defer { buffer.removeFirst(start) }
        if hasTerminal {
            while let newline = buffer[start...].firstIndex(of: 0x0a) {
                take(buffer[start...newline], stream: "stdout", into: &lines)
                start = newline + 1
            }
            return true
        }
        while buffer.count - start >= 8 {
            guard buffer[start] <= 2, buffer[start + 1] == 0, buffer[start + 2] == 0, buffer[start + 3] == 0 else { return false }
            let size = (4..<8).reduce(0) { $0 << 8 | Int(buffer[start + $1]) }
            guard buffer.count - start - 8 >= size else { break }
            take(buffer[(start + 8)..<(start + 8 + size)], stream: buffer[start] == 2 ? "stderr" : "stdout", into: &lines)
            start += 8 + size
        }
        return true
    }

    /// What a frame holds: a timestamp, a blank and a line, or a piece of a long one.
    private mutating func take(_ bytes: ArraySlice<UInt8>, stream: String, into lines: inout [Line]) {
        var text = bytes
        var piece = pieces.removeValue(forKey: stream) ?? Piece()
        if let blank = text.prefix(40).firstIndex(of: UInt8(ascii: " ")), let time = RFC3339.nanoseconds(Array(text[..<blank])) {
            // Of a line in pieces the last one's time counts: it tells where to go on.
            piece.timestamp = time
            text = text[(blank + 1)...]
        }
        let isWhole = text.last == 0x0a
        if isWhole { text.removeLast() }
        if isWhole, text.last == 0x0d { text.removeLast() }
        piece.byteCount += text.count
        piece.text += text.prefix(max(0, byteCountMax - piece.text.count))
        guard isWhole else {
            pieces[stream] = piece
            return
        }
        lines.append(
            Line(
                stream: stream, timestamp: piece.timestamp, text: piece.text,
                originalByteCount: piece.byteCount > piece.text.count ? piece.byteCount : nil))
    }
}
