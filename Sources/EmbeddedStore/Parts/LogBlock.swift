import Codecs
import Telemetry

/// Log rows as a block holds them, behind their timestamps. Lines that are JSON objects are taken apart: what repeats from line to line
/// stands once, each field is a column of its own kind. Byte for byte: docs/format/logs.md.
enum LogBlock {
    /// Rows of a block: a look-up decodes one, while dictionaries and templates are paid for once in so many rows.
    static let rowCountMax = 4096
    /// Rows below which a block's lines are left as they are: templates and columns would cost more than all else. A merge joins such blocks.
    static let takenApartRowCountMin = 64
    /// Bytes of a block's lines.
    static let byteCountMax = 2 << 20

    /// Whether a block is so full that rewriting it with its neighbours would gain little.
    static func isFull(rowCount: Int, byteCount: Int) -> Bool {
        rowCount * 2 >= rowCountMax || byteCount * 4 >= byteCountMax
    }

    /// - Parameter takesApart: whether lines are taken apart; few are cheaper to keep, and to read, as they are.
    static func encode(_ columns: LogColumns, timestamps: [Int64], takesApart: Bool = true, to bytes: inout [UInt8]) {
        let shredded = takesApart ? LineShredder.shred(columns) : ShreddedLines(whole: columns)
        var head = LogBlockHead()
        var sections: [UInt8] = []
        BlockCodec.appendTimes(timestamps, to: &sections)
        head.timesByteCount = sections.count
        head.lineByteCount = columns.bytes.count
        head.templates = shredded.templates.map { LogBlockHead.Template(pieces: $0.pieces, fields: $0.fields) }
        head.restCount = shredded.rest.count
        CodeColumn.append(shredded.rowTemplates, entryCount: head.rowCodeCount, to: &sections)
        head.rowTemplatesByteCount = sections.count - head.timesByteCount
        columns.bytes.withUnsafeBufferPointer { lines in
            guard let base = lines.baseAddress else { return }
            for (index, field) in shredded.fields.enumerated() {
                let encoder = FieldEncoder(base: base, slices: shredded.slices[field.values]) {
                    field.values.count == timestamps.count ? timestamps : shredded.rows(of: index).map { timestamps[$0] }
                }
                let (encoding, section) = encoder.encode()
                head.fields.append(
                    LogBlockHead.Field(
                        path: field.path, isQuoted: field.isQuoted, valueCount: field.values.count, encoding: encoding,
                        byteCount: section.count))
                sections += section
            }
        }
        if !shredded.rest.isEmpty {
            let start = sections.count
            columns.bytes.withUnsafeBufferPointer { lines in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { none in
                    // Lines may all be empty.
                    guard let base = lines.baseAddress ?? none.baseAddress.map({ UnsafePointer($0) }) else { return }
                    let (filter, section) = FieldEncoder.text(base, shredded.rest[...])
                    head.restFilter = filter
                    sections += section
                }
            }
            head.restByteCount = sections.count - start
        }
        var start = sections.count
        if !columns.metadata.allSatisfy(\.isEmpty) {
            BlockCodec.append(columns.metadata, to: &sections) { labels, writer in writer.append(labels) }
        }
        head.metadataByteCount = sections.count - start
        start = sections.count
        appendIdentifiers(columns, to: &sections)
        head.identifiersByteCount = sections.count - start
        head.checksums = checksums(head, sections)
        BlockCodec.appendFrame(head.encode(), to: &bytes)
        bytes += sections
    }

    private static func checksums(_ head: LogBlockHead, _ sections: [UInt8]) -> [UInt32] {
        var (checksums, start) = ([UInt32](), 0)
        let counts =
            [head.timesByteCount, head.rowTemplatesByteCount] + head.fields.map(\.byteCount)
            + [head.restByteCount, head.metadataByteCount, head.identifiersByteCount]
        for count in counts {
            checksums.append(CRC32C.checksum(sections.span.extracting(start..<start + count)))
            start += count
        }
        return checksums
    }

    private static func appendIdentifiers(_ columns: LogColumns, to bytes: inout [UInt8]) {
        guard !columns.traceIDs.allSatisfy(\.isNone) || !columns.spanIDs.allSatisfy(\.isNone) else { return }
        var ids: [UInt8] = []
        ids.reserveCapacity(columns.traceIDs.count * 24)
        for id in columns.traceIDs {
            ids.append(fixed64: id.high)
            ids.append(fixed64: id.low)
        }
        for id in columns.spanIDs { ids.append(fixed64: id.value) }
        BlockCodec.appendFrame(ids, to: &bytes)
    }

    /// Reads the columns wanted of a block that `reader` holds to its end.
    static func decode(
        _ reader: inout ByteReader, _ timestamps: [Int64], _ wanted: ScanRequest.Columns, fields: [String] = []
    ) throws(DecodeError) -> LogColumns {
        try LogBlockReader(&reader, rowCount: timestamps.count).read(timestamps, wanted, fields: fields)
    }
}

extension LogBlockReader {
    /// Reads the columns and JSON fields wanted. Where the lines are not wanted and the block has the fields, the line column holds only
    /// the lines that were not taken apart.
    func read(_ timestamps: [Int64], _ wanted: ScanRequest.Columns, fields: [String]) throws(DecodeError) -> LogColumns {
        var columns = LogColumns()
        columns.fields = fields.isEmpty ? nil : try self.fields(fields, timestamps)
        if wanted.contains(.line) || (!fields.isEmpty && columns.fields == nil) {
            try readLines(into: &columns, timestamps)
        } else if let rows = columns.fields?.unparsedRows {
            try readRest(at: rows, into: &columns)
        }
        if wanted.contains(.metadata) { try readMetadata(into: &columns) }
        if wanted.contains(.identifiers) { try readIdentifiers(into: &columns) }
        return columns
    }
}
