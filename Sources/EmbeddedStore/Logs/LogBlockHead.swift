import Codecs

/// What a log block says about itself before its columns: the templates of its lines, the fields and how each is kept, and where
/// everything lies. Enough to rule the block out for a search. Byte for byte: docs/format/logs.md, "Head".
struct LogBlockHead: Sendable {
    struct Template: Sendable {
        var pieces: [[UInt8]]
        var fields: [Int]
    }

    struct Field: Sendable {
        var path: [[UInt8]]
        var isQuoted: Bool
        var valueCount: Int
        var encoding: FieldEncoding
        var byteCount: Int
    }

    /// Of all lines together.
    var lineByteCount = 0
    var templates: [Template] = []
    var fields: [Field] = []
    /// The lines that follow no template.
    var restCount = 0
    var restFilter = GramFilter(words: [])
    /// Which template each row follows.
    var rowTemplatesByteCount = 0
    var restByteCount = 0
    var metadataByteCount = 0
    var identifiersByteCount = 0
    var timesByteCount = 0
    /// CRC32C of each section, in their order: times, row templates, fields, rest, metadata, ids. Empty in parts of version 2, which
    /// are read page by page.
    var checksums: [UInt32] = []

    /// What the codes of rows tell apart: the templates, and that there is none.
    var rowCodeCount: Int { templates.count + (restCount > 0 ? 1 : 0) }

    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: lineByteCount)
        bytes.append(count: templates.count)
        for template in templates {
            bytes.append(count: template.fields.count)
            for field in template.fields { bytes.append(count: field) }
            for piece in template.pieces { bytes.append(counted: piece) }
        }
        bytes.append(count: fields.count)
        for field in fields {
            bytes.append(field.isQuoted ? 1 : 0)
            bytes.append(count: field.path.count)
            for name in field.path { bytes.append(counted: name) }
            bytes.append(count: field.valueCount)
            field.encoding.append(to: &bytes)
            bytes.append(count: field.byteCount)
        }
        bytes.append(count: restCount)
        if restCount > 0 { FieldEncoding.text(restFilter).append(to: &bytes) }
        for count in [rowTemplatesByteCount, restByteCount, metadataByteCount, identifiersByteCount, timesByteCount] { bytes.append(count: count) }
        for checksum in checksums { bytes.append(fixed32: checksum) }
        return bytes
    }

    init() {}

    /// - Parameter version: of the part that the block lies in.
    init(_ bytes: [UInt8], rowCount: Int, version: UInt8 = PartFooter.logVersion) throws(DecodeError) {
        var reader = ByteReader(bytes)
        func fail(_ field: String, _ message: String) -> DecodeError { DecodeError(offset: reader.offset, field: field, message) }
        let total = try reader.varint("line bytes")
        guard total <= UInt64(Limits.blockContentByteCountMax) else { throw fail("line bytes", "\(total)") }
        lineByteCount = Int(total)
        let templateCount = try reader.count("templates", byteCountMin: 2)
        guard templateCount <= TemplateSet.templateCountMax else { throw fail("templates", "\(templateCount)") }
        for _ in 0..<templateCount {
            var template = Template(pieces: [], fields: [])
            let valueCount = try reader.count("values")
            for _ in 0..<valueCount { template.fields.append(Int(try reader.uint32("field"))) }
            for _ in 0...valueCount { template.pieces.append(try reader.counted("piece")) }
            templates.append(template)
        }
        let fieldCount = try reader.count("fields", byteCountMin: 5)
        for _ in 0..<fieldCount {
            let flags = try reader.byte("flags")
            var path: [[UInt8]] = []
            let depth = try reader.count("path")
            for _ in 0..<depth { path.append(try reader.counted("name")) }
            let valueCount = Int(try reader.uint32("values"))
            guard flags <= 1, valueCount <= rowCount else { throw fail("values", "\(valueCount) in \(rowCount) rows, flags \(flags)") }
            let encoding = try FieldEncoding(&reader, count: valueCount)
            let byteCount = Int(try reader.uint32("field bytes"))
            fields.append(Field(path: path, isQuoted: flags == 1, valueCount: valueCount, encoding: encoding, byteCount: byteCount))
        }
        guard templates.allSatisfy({ $0.fields.allSatisfy { $0 < fieldCount } }) else { throw fail("templates", "of unknown fields") }
        restCount = Int(try reader.uint32("rest"))
        guard restCount <= rowCount, restCount > 0 || templateCount > 0 || rowCount == 0 else { throw fail("rest", "\(restCount) of \(rowCount) rows") }
        if restCount > 0 {
            guard case .text(let filter) = try FieldEncoding(&reader, count: restCount) else { throw fail("rest", "no text") }
            restFilter = filter
        }
        rowTemplatesByteCount = Int(try reader.uint32("row templates"))
        restByteCount = Int(try reader.uint32("rest"))
        metadataByteCount = Int(try reader.uint32("metadata"))
        identifiersByteCount = Int(try reader.uint32("identifiers"))
        guard version >= PartFooter.logVersion else { return }
        timesByteCount = Int(try reader.uint32("times"))
        for _ in 0..<(fieldCount + 5) { checksums.append(try reader.fixed32("checksum")) }
    }
}
