import Codecs

/// What of a line its pattern is made of: the words of plain text, the message of a JSON object.
///
/// A word with a digit in it differs from line to line; of `key=value` only the value does.
struct PatternText {
    /// Where the text lies in the line.
    let range: Range<Int>
    /// Around the text: what the line has there, told by the field's name.
    let isMessage: Bool
    /// The name of the field that the message stands in.
    let field: StaticString?

    /// Words behind these are not looked at: lines are told apart by their beginning.
    static let wordCountMax = 40
    private static let byteCountMax = 400
    /// The fields that hold what a person wrote, by rank.
    private static let fields: [StaticString] = ["\"msg\":\"", "\"message\":\"", "\"event\":\"", "\"log\":\"", "\"body\":\""]

    /// Finds the text of `line`; nil for a JSON object without a message.
    init?(_ line: UnsafeBufferPointer<UInt8>) {
        guard line.first == UInt8(ascii: "{") else {
            (range, isMessage, field) = (0..<min(line.count, Self.byteCountMax), false, nil)
            return
        }
        for name in Self.fields {
            let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            guard let start = ByteSearch.offset(of: wanted, in: line) else { continue }
            let first = start + wanted.count
            var end = first
            let limit = min(line.count, first + Self.byteCountMax)
            while end < limit, line[end] != UInt8(ascii: "\"") { end += line[end] == UInt8(ascii: "\\") ? 2 : 1 }
            (range, isMessage, field) = (first..<min(end, limit), true, name)
            return
        }
        return nil
    }

    /// A number that lines of one pattern mostly share: of their words, without what differs from line to line.
    func shape(_ line: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var shape: UInt64 = isMessage ? 0x9e37_79b9_7f4a_7c15 : 0
        forEachWord(line) { _, hash in
            shape = (shape ^ hash) &* 0xff51_afd7_ed55_8ccd
            shape ^= shape &>> 29
        }
        return shape
    }

    /// The hash of a word that differs from line to line, and how it is written.
    static let wildcard: UInt64 = 1
    static let wildcardText = "<_>"

    /// The hash of a word of a pattern.
    static func hash(ofWord word: String) -> UInt64 {
        if word == wildcardText { return wildcard }
        // Of `key=<_>` the key alone.
        let known = word.hasSuffix("=" + wildcardText) ? String(word.dropLast(wildcardText.count)) : word
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in known.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash
    }

    /// A pattern as LogQL's `|>` reads it: no two wildcards side by side.
    static func text(_ words: [String], field: String?) -> String {
        var kept: [String] = []
        for word in words where !(word == wildcardText && kept.last == wildcardText) { kept.append(word) }
        let joined = kept.joined(separator: " ")
        guard let field else { return joined }
        return wildcardText + field + joined + (joined.hasSuffix(wildcardText) ? "" : "\"" + wildcardText)
    }

    /// Calls `body` with each word, and its hash: of `key=` where only the value differs.
    func forEachWord(_ line: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, UInt64) -> Void) {
        var (index, count) = (range.lowerBound, 0)
        while index < range.upperBound, count < Self.wordCountMax {
            while index < range.upperBound, line[index] == 0x20 { index += 1 }
            let start = index
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            var (keyHash, hasDigit) = (UInt64(0), false)
            while index < range.upperBound, line[index] != 0x20 {
                let byte = line[index]
                if byte &- 0x30 < 10 { hasDigit = true }
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
                if byte == UInt8(ascii: "="), keyHash == 0, !hasDigit { keyHash = hash }
                index += 1
            }
            if index == start { break }
            body(start..<index, hasDigit ? keyHash == 0 ? Self.wildcard : keyHash : hash)
            count += 1
        }
    }

    /// The words as a pattern shows them.
    func words(_ line: UnsafeBufferPointer<UInt8>) -> (hashes: [UInt64], texts: [String]) {
        var (hashes, texts) = ([UInt64](), [String]())
        forEachWord(line) { range, hash in
            hashes.append(hash)
            let word = UnsafeBufferPointer(rebasing: line[range])
            let hasDigit = word.contains { $0 &- 0x30 < 10 }
            if hash == Self.wildcard {
                texts.append(Self.wildcardText)
            } else if hasDigit, let equal = word.firstIndex(of: UInt8(ascii: "=")) {
                texts.append(String(decoding: word[...equal], as: UTF8.self) + Self.wildcardText)
            } else {
                texts.append(String(decoding: word, as: UTF8.self))
            }
        }
        return (hashes, texts)
    }

    /// How severe a line is by its field of that name, or by the words of plain text; `unknown` where nothing tells.
    static func level(_ line: UnsafeBufferPointer<UInt8>) -> Level {
        let beginning = UnsafeBufferPointer(rebasing: line[..<min(line.count, 256)])
        for name in levelFields {
            let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            guard let start = ByteSearch.offset(of: wanted, in: beginning) else { continue }
            var index = start + wanted.count
            if index < beginning.count, beginning[index] == UInt8(ascii: "\"") { index += 1 }
            if index < beginning.count, let level = Level(initial: beginning[index]) { return level }
        }
        if line.first == UInt8(ascii: "{") { return .unknown }
        for (word, level) in levelWords {
            let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            if ByteSearch.offset(of: wanted, in: beginning) != nil { return level }
        }
        return .unknown
    }

    private static let levelFields: [StaticString] = ["\"level\":", "level=", "\"severity\":", "\"lvl\":", "lvl="]
    private static let levelWords: [(StaticString, Level)] = [
        ("ERROR", .error), ("WARN", .warn), ("INFO", .info), ("DEBUG", .debug), ("FATAL", .fatal), ("error", .error),
    ]

    enum Level: UInt8, Sendable, CaseIterable {
        case unknown, trace, debug, info, warn, error, fatal

        var name: String { "\(self)" }

        /// By the first letter of its name.
        init?(initial: UInt8) {
            switch initial | 0x20 {
            case UInt8(ascii: "t"): self = .trace
            case UInt8(ascii: "d"): self = .debug
            case UInt8(ascii: "i"): self = .info
            case UInt8(ascii: "w"): self = .warn
            case UInt8(ascii: "e"): self = .error
            case UInt8(ascii: "f"), UInt8(ascii: "c"), UInt8(ascii: "p"): self = .fatal
            default: return nil
            }
        }
    }
}
