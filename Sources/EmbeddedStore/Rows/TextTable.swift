import Codecs

/// Writes rows whose texts stand once in a table: `count, texts, rows`, where a row names a text by its position.
struct TextTableWriter {
    private var positions: [String: Int] = [:]
    private var texts: [UInt8] = []
    /// The rows.
    var body: [UInt8] = []

    mutating func append(_ text: String) {
        if let position = positions[text] {
            body.append(count: position)
            return
        }
        let position = positions.count
        positions[text] = position
        texts.append(text: text)
        body.append(count: position)
    }

    /// Table and rows.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(texts.count + body.count + 8)
        bytes.append(count: positions.count)
        bytes += texts
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
