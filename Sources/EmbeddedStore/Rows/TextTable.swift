import Codecs

/// Writes rows whose texts stand once in a table: `count, texts, rows`, where a row names a text by its position.
struct TextTableWriter {
    private var texts = TextIndex()
    /// The rows.
    var body: [UInt8] = []

    mutating func append(_ text: String) {
        body.append(count: texts.position(of: text))
    }

    /// Table and rows.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(texts.bytes.count + 2 * texts.count + body.count + 16)
        bytes.append(count: texts.count)
        for position in 0..<texts.count {
            let range = texts.range(position)
            bytes.append(count: range.count)
            bytes += texts.bytes[range]
        }
        bytes += body
        return bytes
    }
}

/// Reads what ``TextTableWriter`` wrote.
struct TextTableReader {
    let texts: [String]
    var body: ByteReader

    init(_ reader: ByteReader) throws(DecodeError) {
        var reader = reader
        let count = try reader.count("texts")
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try reader.text("text")) }
        self.texts = texts
        body = reader
    }

    mutating func text(_ field: String) throws(DecodeError) -> String {
        let position = try body.varint(field)
        guard position < UInt64(texts.count) else {
            throw DecodeError(offset: body.offset, field: field, "text \(position) of \(texts.count)")
        }
        return texts[Int(position)]
    }
}
