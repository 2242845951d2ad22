import Glibc

/// The character encoding of a file's lines, by its IANA name (`encoding:` of a scrape configuration), as glibc's iconv knows it.
package struct LineEncoding: Sendable, Hashable {
    /// How wide a newline is.
    enum Unit: Sendable, Hashable {
        /// A newline is the byte 0a, and no other character contains it.
        case byte
        case utf16LittleEndian
        case utf16BigEndian
        /// UTF-16 whose first two bytes say which (`ff fe`, `fe ff`); big-endian without them, as RFC 2781 has it.
        case utf16Marked
    }

    /// As it was written.
    package let name: String
    let unit: Unit
    /// iconv's name.
    fileprivate let iconvName: String

    /// nil where the name is UTF-8: nothing is to be converted.
    ///
    /// - Throws: ``EncodingError`` where neither we nor iconv know the name.
    package init?(named name: String) throws(EncodingError) {
        self.name = name
        switch name.lowercased() {
        case "utf-8", "utf8", "": return nil
        case "utf-16": (unit, iconvName) = (.utf16Marked, "UTF-16BE")
        case "utf-16le": (unit, iconvName) = (.utf16LittleEndian, "UTF-16LE")
        case "utf-16be": (unit, iconvName) = (.utf16BigEndian, "UTF-16BE")
        // What writers of these names mean today (WHATWG Encoding Standard, "Names and labels").
        case "shift_jis", "shift-jis", "sjis": (unit, iconvName) = (.byte, "CP932")
        case "gb2312", "gbk": (unit, iconvName) = (.byte, "GBK")
        case "euc-kr": (unit, iconvName) = (.byte, "CP949")
        case let other: (unit, iconvName) = (.byte, other.hasPrefix("windows-") ? "CP" + other.dropFirst(8) : name)
        }
        guard LineConverter(self) != nil else { throw EncodingError(name: name) }
    }

    /// The encoding of a file that starts with `bytes`.
    func resolved(_ bytes: ArraySlice<UInt8>) -> LineEncoding {
        guard unit == .utf16Marked else { return self }
        let isLittleEndian = bytes.starts(with: [0xff, 0xfe])
        return LineEncoding(
            name: name, unit: isLittleEndian ? .utf16LittleEndian : .utf16BigEndian,
            iconvName: isLittleEndian ? "UTF-16LE" : "UTF-16BE")
    }

    private init(name: String, unit: Unit, iconvName: String) {
        self.name = name
        self.unit = unit
        self.iconvName = iconvName
    }
}

/// An encoding that nobody knows.
package struct EncodingError: Error, Sendable, Hashable, CustomStringConvertible {
    package var name: String

    package var description: String {
        "the encoding '\(name)' is unknown: write an IANA name such as UTF-16LE, ISO-8859-15, Windows-1252, Shift_JIS or GBK"
    }
}

/// Turns lines of one encoding into UTF-8. Belongs to one task at a time.
final class LineConverter {
    private let descriptor: iconv_t

    /// nil where iconv does not know the encoding.
    init?(_ encoding: LineEncoding) {
        // (iconv_t)-1 says that there is no such encoding.
        guard let descriptor = iconv_open("UTF-8", encoding.iconvName), Int(bitPattern: descriptor) != -1 else { return nil }
        self.descriptor = descriptor
    }

    deinit {
        iconv_close(descriptor)
    }

    /// - Returns: the line in UTF-8, with U+FFFD for what is no character, and whether there was any of that.
    func convert(_ line: [UInt8]) -> (line: [UInt8], isDamaged: Bool) {
        iconv(descriptor, nil, nil, nil, nil)
        var input = line
        var output: [UInt8] = []
        output.reserveCapacity(line.count + line.count / 2)
        var chunk = [CChar](repeating: 0, count: 4_096)
        var isDamaged = false
        input.withUnsafeMutableBytes { bytes in
            var next = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            var left = bytes.count
            while left > 0 {
                let (status, code, written) = chunk.withUnsafeMutableBufferPointer { chunk in
                    // SAFETY: iconv is told how long both buffers are, and moves the pointers no further.
                    var start = chunk.baseAddress
                    var room = chunk.count
                    errno = 0
                    let status = iconv(descriptor, &next, &left, &start, &room)
                    return (status, errno, chunk.count - room)
                }
                output.append(contentsOf: chunk[..<written].lazy.map { UInt8(bitPattern: $0) })
                guard status == -1 else { break }
                // E2BIG: there is more to write than the chunk holds.
                if code == E2BIG { continue }
                isDamaged = true
                output += [0xef, 0xbf, 0xbd]
                if code != EILSEQ || left == 0 { break }
                next = next.map { $0 + 1 }
                left -= 1
            }
        }
        // A byte order mark says nothing once the text is UTF-8.
        if output.starts(with: [0xef, 0xbb, 0xbf]) { output.removeFirst(3) }
        return (output, isDamaged)
    }
}
