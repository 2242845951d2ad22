import Codecs
import Telemetry

/// One log block opened: its head read, its columns not yet.
struct LogBlockReader {
    let outline: LogBlockOutline
    private let source: LogSectionSource

    var head: LogBlockHead { outline.head }
    var rowCount: Int { outline.rowCount }

    init(_ outline: LogBlockOutline, _ source: LogSectionSource) {
        self.outline = outline
        self.source = source
    }

    /// Reads the head of a block of the newest version that `reader` holds to its end, and moves behind the block.
    init(_ reader: inout ByteReader, rowCount: Int) throws(DecodeError) {
        let (start, count) = (reader.offset, reader.left)
        outline = try LogBlockOutline(reader.bytes, start..<reader.end, byteCount: count, rowCount: rowCount)
        source = LogSectionSource(reader.bytes, at: start)
        _ = try reader.take(count, "block")
    }

    func section(_ section: LogBlockOutline.Section) throws(DecodeError) -> ByteReader { try source.section(section, outline) }

    /// - Parameters:
    ///   - first: the first timestamp.
    ///   - last: the last one.
    func readTimes(first: Int64, last: Int64) throws(DecodeError) -> [Int64] {
        var reader = try section(.times)
        return try BlockCodec.times(&reader, rowCount, first: first, last: last)
    }

    func readMetadata(into columns: inout LogColumns) throws(DecodeError) {
        guard outline.hasMetadata else {
            columns.metadata = Array(repeating: .empty, count: rowCount)
            return
        }
        var reader = try section(.metadata)
        let table = try BlockCodec.frame(&reader, isWanted: true) ?? []
        columns.metadata = try BlockCodec.rows(table, rowCount) { table throws(DecodeError) in try table.labels() }
    }

    func readIdentifiers(into columns: inout LogColumns) throws(DecodeError) {
        guard outline.hasIdentifiers else {
            columns.traceIDs = Array(repeating: .none, count: rowCount)
            columns.spanIDs = Array(repeating: .none, count: rowCount)
            return
        }
        var frame = try section(.identifiers)
        var reader = ByteReader(try BlockCodec.frame(&frame, isWanted: true) ?? [])
        columns.traceIDs.reserveCapacity(rowCount)
        columns.spanIDs.reserveCapacity(rowCount)
        for _ in 0..<rowCount {
            columns.traceIDs.append(TraceID(high: try reader.fixed64("trace id"), low: try reader.fixed64("trace id")))
        }
        for _ in 0..<rowCount { columns.spanIDs.append(SpanID(try reader.fixed64("span id"))) }
    }

    /// The template of each row; the templates' count for a row that follows none.
    func readRowTemplates() throws(DecodeError) -> [UInt8] {
        var reader = try section(.rowTemplates)
        let codes = try CodeColumn.read(&reader, count: rowCount, entryCount: head.rowCodeCount)
        // How many values of each field that takes, before anybody counts on it.
        let rowCounts = CodeColumn.histogram(codes, entryCount: head.templates.count + 1)
        var valueCounts = [Int](repeating: 0, count: head.fields.count)
        for (template, count) in zip(head.templates, rowCounts) {
            for field in template.fields { valueCounts[field] += count }
        }
        guard rowCounts[head.templates.count] == head.restCount, valueCounts == head.fields.map(\.valueCount) else {
            throw DecodeError(offset: outline.rowTemplates.lowerBound, field: "row templates", "they do not agree with the fields")
        }
        return codes
    }

    /// The timestamps of the rows that have a field.
    func times(of field: Int, _ rowTemplates: [UInt8], _ timestamps: [Int64]) -> [Int64] {
        if head.fields[field].valueCount == timestamps.count { return timestamps }
        let has = head.templates.map { $0.fields.contains(field) } + [false]
        var times: [Int64] = []
        times.reserveCapacity(head.fields[field].valueCount)
        for (row, template) in rowTemplates.enumerated() where has[Int(template)] { times.append(timestamps[row]) }
        return times
    }

    /// Adds a field's values as text.
    func render(
        _ field: Int, _ rowTemplates: [UInt8], _ timestamps: [Int64], into values: inout RenderedFields
    ) throws(DecodeError) {
        var reader = try section(.field(field))
        try values.append(head.fields[field].encoding, count: head.fields[field].valueCount, &reader) {
            times(of: field, rowTemplates, timestamps)
        }
    }

    func renderRest(into values: inout RenderedFields) throws(DecodeError) {
        guard head.restCount > 0 else { return }
        var reader = try section(.rest)
        try values.append(.text(head.restFilter), count: head.restCount, &reader) { [] }
    }

    /// The lines that follow no template, at their rows; all others stay empty.
    func readRest(at rows: [Int], into columns: inout LogColumns) throws(DecodeError) {
        var values = RenderedFields(valueCount: head.restCount, byteCount: 0)
        try renderRest(into: &values)
        let (bytes, ends) = values.joined()
        var next = 0
        columns.bytes = bytes
        columns.ends.reserveCapacity(rowCount)
        for row in 0..<rowCount {
            if next < rows.count, rows[next] == row { next += 1 }
            columns.ends.append(next == 0 ? 0 : ends[next - 1])
        }
    }
}
