import Codecs
import Telemetry

extension LogBlock {
    /// Whether a row may satisfy the predicates: asked before anything of the block is decoded. Only the head is read, and of ids
    /// the columns in which an id of that form could stand.
    ///
    /// - Parameter bytes: what ``encode(_:timestamps:to:)`` wrote, without the timestamps before it.
    static func mayHold(_ bytes: Span<UInt8>, rowCount: Int, _ predicates: ScanPredicates) -> Bool {
        if predicates.contained.isEmpty { return true }
        // What does not decode is for the reader to report.
        guard let outline = try? LogBlockOutline(bytes, rowCount: rowCount) else { return true }
        return predicates.contained.allSatisfy { outline.mayHold(LogNeedle($0), bytes) }
    }
}

/// What is looked for in lines, and its words.
///
/// Templates put a quote, a colon, a comma, a bracket or a space before and behind every value, so that a run of bytes that are none of
/// these stands within one value or one constant piece, or nowhere.
struct LogNeedle {
    let bytes: [UInt8]
    let words: [ArraySlice<UInt8>]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        words = bytes.split { !Self.isWordByte($0) }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "+"), 0x80...: true
        default: false
        }
    }
}

/// A block's head, and where its fields' sections lie.
struct LogBlockOutline {
    let head: LogBlockHead
    private let sections: Int

    init(_ bytes: Span<UInt8>, rowCount: Int) throws(DecodeError) {
        var offset = 0
        let plainByteCount = try Varint.read(bytes, at: &offset)
        let storedByteCount = try Varint.read(bytes, at: &offset)
        guard storedByteCount <= UInt64(bytes.count - offset) else { throw DecodeError(offset: offset, field: "head", "cut short") }
        sections = offset + Int(storedByteCount)
        var frame = ByteReader(bytes.copied(0..<sections))
        guard let plain = try BlockCodec.frame(&frame, isWanted: true), UInt64(plain.count) == plainByteCount else {
            throw DecodeError(offset: 0, field: "head", "missing")
        }
        head = try LogBlockHead(plain, rowCount: rowCount)
    }

    func mayHold(_ needle: LogNeedle, _ bytes: Span<UInt8>) -> Bool {
        if head.restCount > 0, head.restFilter.mayHold(needle.bytes[...]) { return true }
        return !head.templates.isEmpty && needle.words.allSatisfy { mayHold(word: $0, bytes) }
    }

    private func mayHold(word: ArraySlice<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        let text = Array(word)
        for template in head.templates {
            if template.pieces.contains(where: { ByteSearch.contains($0, 0..<$0.count, text) }) { return true }
        }
        var offset = sections + head.rowTemplatesByteCount
        for field in head.fields {
            let section = offset..<offset + field.byteCount
            offset = section.upperBound
            switch field.encoding {
            case .dictionary(let texts):
                if texts.contains(where: { ByteSearch.contains($0, 0..<$0.count, text) }) { return true }
            case .number(let number):
                if word.allSatisfy({ $0 &- 0x30 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }) { return true }
                if number.exceptions.mayHold(text) { return true }
            case .time(let time):
                if word.allSatisfy({ Self.isTimeByte($0) || time.zone.contains($0) }) { return true }
                if time.exceptions.mayHold(text) { return true }
            case .digits(let pattern):
                guard section.upperBound <= bytes.count else { return true }
                if pattern.mayHold(word, bytes.extracting(section)) { return true }
            case .text(let filter):
                if filter.mayHold(word) { return true }
            }
        }
        return false
    }

    private static func isTimeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "T"): true
        default: false
        }
    }
}

extension FieldEncoding.Exceptions {
    fileprivate func mayHold(_ word: [UInt8]) -> Bool {
        texts.contains { ByteSearch.contains($0, 0..<$0.count, word) }
    }
}
