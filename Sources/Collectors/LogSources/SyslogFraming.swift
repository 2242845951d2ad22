/// Cuts what comes over a connection into messages: by their lengths (`123 <34>…`, RFC 6587, 3.4.1) or by newlines (3.4.2), as
/// each message begins.
struct SyslogFraming {
    /// A message, and how long it was where it had to be cut.
    struct Frame: Equatable {
        var bytes: [UInt8]
        var originalByteCount: Int?
    }

    private let byteCountMax: Int
    private var buffer: [UInt8] = []
    /// Bytes of a message that was cut, to be left out: so many, or (`Int.max`) up to the next newline.
    private var skipped = 0
    /// Bytes of the message that is being left out.
    private var cut: Frame?

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Takes bytes, and adds the messages that are whole now.
    ///
    /// - Returns: false where the bytes are no syslog: nothing behind them can be understood.
    mutating func feed(_ bytes: some Sequence<UInt8>, into frames: inout [Frame]) -> Bool {
        buffer += bytes
        var start = 0
        defer { buffer.removeFirst(start) }
        while start < buffer.count {
            if cut != nil {
                skip(&start, into: &frames)
                continue
            }
            let first = buffer[start]
            if first == 0x0a || first == 0x0d || first == 0 {
                start += 1
            } else if first >= UInt8(ascii: "1"), first <= UInt8(ascii: "9") {
                guard let length = length(from: &start) else { return false }
                guard length > 0 else { return true }
                if length > byteCountMax {
                    guard buffer.count - start >= byteCountMax else {
                        start = lengthStart
                        return true
                    }
                    cut = Frame(bytes: Array(buffer[start..<(start + byteCountMax)]), originalByteCount: length)
                    start += byteCountMax
                    skipped = length - byteCountMax
                } else {
                    guard buffer.count - start >= length else {
                        start = lengthStart
                        return true
                    }
                    frames.append(Frame(bytes: Array(buffer[start..<(start + length)])))
                    start += length
                }
            } else if first == UInt8(ascii: "<") {
                guard let end = buffer[start...].firstIndex(of: 0x0a) else {
                    guard buffer.count - start > byteCountMax else { return true }
                    cut = Frame(bytes: Array(buffer[start..<(start + byteCountMax)]), originalByteCount: byteCountMax)
                    start += byteCountMax
                    skipped = .max
                    continue
                }
                frames.append(frame(buffer[start..<end]))
                start = end + 1
            } else {
                return false
            }
        }
        return true
    }

    /// The connection has ended: what came without a newline is a message too.
    mutating func finish(into frames: inout [Frame]) {
        if let cut { frames.append(cut) } else if buffer.first == UInt8(ascii: "<") { frames.append(frame(buffer[...])) }
        (buffer, cut) = ([], nil)
    }

    private func frame(_ bytes: ArraySlice<UInt8>) -> Frame {
        let text = bytes.last == 0x0d ? bytes.dropLast() : bytes
        guard text.count > byteCountMax else { return Frame(bytes: Array(text)) }
        return Frame(bytes: Array(text.prefix(byteCountMax)), originalByteCount: text.count)
    }

    /// Where the length that was read last begins.
    private var lengthStart = 0

    /// Moves behind a length and its blank.
    ///
    /// - Returns: 0 where it is not whole yet; nil where it is none.
    private mutating func length(from start: inout Int) -> Int? {
        lengthStart = start
        var index = start
        var value = 0
        while index < buffer.count, index - start < 10, buffer[index] >= UInt8(ascii: "0"), buffer[index] <= UInt8(ascii: "9") {
            value = value * 10 + Int(buffer[index] - UInt8(ascii: "0"))
            index += 1
        }
        if index == buffer.count { return 0 }
        guard buffer[index] == UInt8(ascii: " ") else { return nil }
        start = index + 1
        return value
    }

    private mutating func skip(_ start: inout Int, into frames: inout [Frame]) {
        guard var frame = cut else { return }
        if skipped == .max {
            let end = buffer[start...].firstIndex(of: 0x0a)
            let left = (end ?? buffer.count) - start
            frame.originalByteCount = (frame.originalByteCount ?? 0) + left
            start += left + (end == nil ? 0 : 1)
            cut = frame
            guard end != nil else { return }
        } else {
            let left = min(skipped, buffer.count - start)
            skipped -= left
            start += left
            guard skipped == 0 else { return }
        }
        frames.append(frame)
        cut = nil
    }
}
