import Codecs
import Telemetry

extension LogBlockReader {
    /// Whether a row may have all of the texts as fields, told by the fields alone: one that is no text is read, and nothing else of the block.
    ///
    /// - Parameter labels: of the block's stream.
    func mayHold(_ wanted: [ScanRequest.FieldText], in labels: Labels) throws(DecodeError) -> Bool {
        guard head.restCount == 0, !outline.hasMetadata, !outline.hasUnsureNames else { return true }
        for text in wanted where labels[text.name] == nil {
            if outline.hasIdentifiers, text.name.hasPrefix("trace_id") || text.name.hasPrefix("span_id") { continue }
            if !(try mayHold(text)) { return false }
        }
        return true
    }

    private func mayHold(_ wanted: ScanRequest.FieldText) throws(DecodeError) -> Bool {
        let name = Array(wanted.name.utf8)
        for field in outline.names.indices where outline.names[field] == name {
            if try mayHold(wanted.text, field) { return true }
        }
        return false
    }

    private func mayHold(_ text: String, _ field: Int) throws(DecodeError) -> Bool {
        let header = head.fields[field]
        let bytes = Array(text.utf8)
        switch header.encoding {
        case .dictionary(let texts): return texts.contains { $0 == bytes || $0.contains(Self.escape) }
        case .number(let number):
            if number.clock != nil || number.exceptions.texts.contains(where: { $0 == bytes || $0.contains(Self.escape) }) { return true }
            guard let digits = LogFieldColumn.digits(of: text, scale: number.scale, isTrimmed: number.isTrimmed) else { return false }
            var reader = try section(.field(field))
            return try reader.integers(header.valueCount).contains(digits)
        case .digits(let pattern):
            if pattern.text.contains(Self.escape) { return true }
            guard pattern.pack(bytes) != nil else { return false }
            var reader = try section(.field(field))
            return try pattern.find(bytes, &reader, count: header.valueCount).contains(LogRowMask.holds)
        case .text(let filter):
            // Quoted texts are stored as they stand in their lines. What has letters that must be escaped there looks different.
            let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != Self.escape && $0 != UInt8(ascii: "/") }
            return !isPlain || filter.mayHold(bytes[...]) || filter.mayHoldEscapedLetter
        case .time: return true
        }
    }

    private static let escape = UInt8(ascii: "\\")
}

extension GramFilter {
    /// Whether `\u` and a hexadecimal digit may occur: then any character may stand in its place.
    fileprivate var mayHoldEscapedLetter: Bool {
        Self.escapes.contains { mayHold($0[...]) }
    }

    private static let escapes: [[UInt8]] = "0123456789abcdefABCDEF".utf8.map { [UInt8(ascii: "\\"), UInt8(ascii: "u"), $0] }
}
