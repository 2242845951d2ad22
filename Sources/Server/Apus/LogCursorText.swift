import Codecs
import LogQL

/// A cursor as clients carry it: opaque text.
enum LogCursorText {
    /// Changes with what the bytes mean.
    private static let version: UInt8 = 1

    static func text(_ cursor: LogQLCursor) -> String {
        var bytes: [UInt8] = [version]
        for word in [UInt64(bitPattern: cursor.timestamp), cursor.digest, cursor.digestLow] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
        }
        // As it stands in URLs without escapes (RFC 4648, section 5).
        return Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// nil for no text: the first page.
    static func parse(_ text: String) throws(APIError) -> LogQLCursor? {
        if text.isEmpty { return nil }
        var padded = text.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0, padded.utf8.count < 64 { padded += "=" }
        guard let bytes = Base64.decode(padded), bytes.count == 25, bytes[0] == version else {
            throw APIError(.badRequest, "could not parse 'cursor' parameter: it is none that this server gave")
        }
        let words = (0..<3).map { word in bytes[(1 + word * 8)..<(9 + word * 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return LogQLCursor(timestamp: Int64(bitPattern: words[0]), digest: words[1], digestLow: words[2])
    }
}
