/// Texts that are too long.
enum TextCut {
    /// The beginning of a text, of at most so many bytes, without half a character at its end.
    static func prefix(_ text: String, _ byteCountMax: Int) -> String {
        guard text.utf8.count > byteCountMax else { return text }
        var bytes = Array(text.utf8.prefix(max(0, byteCountMax)))
        if let last = bytes.lastIndex(where: { $0 & 0xc0 != 0x80 }), String(validating: bytes[last...], as: UTF8.self) == nil {
            bytes.removeSubrange(last...)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
