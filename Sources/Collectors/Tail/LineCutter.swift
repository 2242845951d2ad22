/// Cuts the bytes of a file into lines.
struct LineCutter: Sendable {
    /// A line as it stands in the file.
    struct Line: Equatable {
        var bytes: [UInt8]
        /// How long it was where it had to be cut; else nil.
        var originalByteCount: Int?
    }

    var unit: LineEncoding.Unit = .byte
    /// A longer line is cut.
    var byteCountMax: Int

    /// Cuts `buffer` into lines.
    ///
    /// - Parameters:
    ///   - isInsideCutLine: whether `buffer` begins with the rest of a line that was cut; afterwards whether it ends in one.
    ///   - takesPartialLine: whether a last line without its newline is one.
    /// - Returns: how many bytes of `buffer` are done with.
    func cut(_ buffer: [UInt8], into lines: inout [Line], isInsideCutLine: inout Bool, takesPartialLine: Bool) -> Int {
        var start = 0
        while let newline = newline(in: buffer, from: start) {
            if isInsideCutLine {
                isInsideCutLine = false
            } else {
                lines.append(line(buffer[start..<newline]))
            }
            start = newline + width
        }
        let rest = buffer.count - start
        if rest == 0 { return start }
        // Half a character stays for the next time.
        let whole = rest / width * width
        if isInsideCutLine { return start + whole }
        if rest > byteCountMax {
            // No end in sight: what is here is the line, and everything up to the next newline is left out.
            lines.append(line(buffer[start..<(start + whole)]))
            isInsideCutLine = true
            return start + whole
        }
        guard takesPartialLine else { return start }
        lines.append(line(buffer[start...]))
        return buffer.count
    }

    private var width: Int { unit == .byte ? 1 : 2 }

    private func newline(in buffer: [UInt8], from start: Int) -> Int? {
        switch unit {
        case .byte: buffer[start...].firstIndex(of: UInt8(ascii: "\n"))
        case .utf16LittleEndian: wideNewline(in: buffer, from: start, 0x0a, 0)
        case .utf16BigEndian, .utf16Marked: wideNewline(in: buffer, from: start, 0, 0x0a)
        }
    }

    private func wideNewline(in buffer: [UInt8], from start: Int, _ first: UInt8, _ second: UInt8) -> Int? {
        var index = start
        while index + 1 < buffer.count {
            if buffer[index] == first, buffer[index + 1] == second { return index }
            index += 2
        }
        return nil
    }

    private func line(_ bytes: ArraySlice<UInt8>) -> Line {
        var bytes = bytes
        switch unit {
        case .byte:
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            // A writer that was not told of a truncation goes on where it was: the hole before it reads as zeros.
            if bytes.first == 0 { bytes = bytes.drop { $0 == 0 } }
        case .utf16LittleEndian: if bytes.suffix(2) == [UInt8(ascii: "\r"), 0] { bytes.removeLast(2) }
        case .utf16BigEndian, .utf16Marked: if bytes.suffix(2) == [0, UInt8(ascii: "\r")] { bytes.removeLast(2) }
        }
        guard bytes.count > byteCountMax else { return Line(bytes: Array(bytes)) }
        var kept = bytes.prefix(byteCountMax / width * width)
        // Not within a character: continuation bytes look like 10xxxxxx.
        while unit == .byte, let next = bytes[kept.endIndex...].first, next & 0xc0 == 0x80, !kept.isEmpty {
            kept.removeLast()
            if kept.count < byteCountMax - 4 { break }
        }
        return Line(bytes: Array(kept), originalByteCount: bytes.count)
    }
}
