import Codecs
import Glibc
import Telemetry

/// One log block opened: its head read, its columns not yet.
struct LogBlockReader {
    let head: LogBlockHead
    let rowCount: Int
    private let bytes: [UInt8]
    private let rowTemplates: Range<Int>
    private let fieldRanges: [Range<Int>]
    private let rest: Range<Int>
    private let metadata: Range<Int>
    private let identifiers: Range<Int>

    /// Reads the head, and moves `reader` behind the block.
    init(_ reader: inout ByteReader, rowCount: Int) throws(DecodeError) {
        guard let plain = try BlockCodec.frame(&reader, isWanted: true) else {
            throw DecodeError(offset: reader.offset, field: "head", "missing")
        }
        head = try LogBlockHead(plain, rowCount: rowCount)
        self.rowCount = rowCount
        bytes = reader.bytes
        rowTemplates = try reader.take(head.rowTemplatesByteCount, "row templates")
        var ranges: [Range<Int>] = []
        for field in head.fields { ranges.append(try reader.take(field.byteCount, "field")) }
        fieldRanges = ranges
        rest = try reader.take(head.restByteCount, "rest")
        metadata = try reader.take(head.metadataByteCount, "metadata")
        identifiers = try reader.take(head.identifiersByteCount, "identifiers")
    }

    func readMetadata(into columns: inout LogColumns) throws(DecodeError) {
        guard !metadata.isEmpty else {
            columns.metadata = Array(repeating: .empty, count: rowCount)
            return
        }
        var reader = ByteReader(bytes, metadata)
        let table = try BlockCodec.frame(&reader, isWanted: true) ?? []
        columns.metadata = try BlockCodec.rows(table, rowCount) { table throws(DecodeError) in try table.labels() }
    }

    func readIdentifiers(into columns: inout LogColumns) throws(DecodeError) {
        guard !identifiers.isEmpty else {
            columns.traceIDs = Array(repeating: .none, count: rowCount)
            columns.spanIDs = Array(repeating: .none, count: rowCount)
            return
        }
        var frame = ByteReader(bytes, identifiers)
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
        var reader = ByteReader(bytes, rowTemplates)
        let codes = try CodeColumn.read(&reader, count: rowCount, entryCount: head.rowCodeCount)
        // How many values of each field that takes, before anybody counts on it.
        var rowCounts = [Int](repeating: 0, count: head.templates.count + 1)
        for code in codes { rowCounts[Int(code)] += 1 }
        var valueCounts = [Int](repeating: 0, count: head.fields.count)
        for (template, count) in zip(head.templates, rowCounts) {
            for field in template.fields { valueCounts[field] += count }
        }
        guard rowCounts[head.templates.count] == head.restCount, valueCounts == head.fields.map(\.valueCount) else {
            throw DecodeError(offset: rowTemplates.lowerBound, field: "row templates", "they do not agree with the fields")
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

    /// A reader of a field's section.
    func section(of field: Int) -> ByteReader { ByteReader(bytes, fieldRanges[field]) }

    /// Adds a field's values as text.
    func render(
        _ field: Int, _ rowTemplates: [UInt8], _ timestamps: [Int64], into values: inout RenderedFields
    ) throws(DecodeError) {
        var reader = section(of: field)
        try values.append(head.fields[field].encoding, count: head.fields[field].valueCount, &reader) {
            times(of: field, rowTemplates, timestamps)
        }
    }

    func renderRest(into values: inout RenderedFields) throws(DecodeError) {
        guard head.restCount > 0 else { return }
        var reader = ByteReader(bytes, rest)
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

    /// Puts the lines together again.
    func readLines(into columns: inout LogColumns, _ timestamps: [Int64]) throws(DecodeError) {
        let rowTemplates = try readRowTemplates()
        let valueCount = head.fields.reduce(head.restCount) { $0 + $1.valueCount }
        var values = RenderedFields(valueCount: valueCount, byteCount: head.lineByteCount)
        // By field, the rest behind them: its next value.
        var cursors: [Int] = []
        for field in head.fields.indices {
            cursors.append(values.valueCount)
            try render(field, rowTemplates, timestamps, into: &values)
        }
        cursors.append(values.valueCount)
        try renderRest(into: &values)
        let plan = LinePlan(head)
        var ends = [Int](repeating: 0, count: rowCount)
        let count = head.lineByteCount
        var written = 0
        let lines = try values.withValues { (texts, slices) throws(DecodeError) in
            let lines = [UInt8](unsafeUninitializedCapacity: count + RenderedFields.slack) { output, initializedCount in
                written = plan.assemble(rowTemplates, texts, slices, &cursors, &ends, output)
                initializedCount = max(0, min(written, count))
            }
            guard written == count else {
                throw DecodeError(offset: 0, field: "lines", "they do not take the \(count) bytes announced")
            }
            return lines
        }
        columns.bytes = lines
        columns.ends = ends
    }
}

/// How lines are put together: for each template, alternating constant bytes and fields.
private struct LinePlan {
    private struct Step {
        var offset: Int32
        var count: Int32
        /// The field whose value follows; -1 at the line's end.
        var field: Int32
    }

    private var literal: [UInt8] = []
    private var steps: [Step] = []
    /// By template, and for none: its first step.
    private var firsts: [Int] = []

    init(_ head: LogBlockHead) {
        for template in head.templates {
            firsts.append(steps.count)
            for (index, piece) in template.pieces.enumerated() {
                let field = index < template.fields.count ? template.fields[index] : -1
                steps.append(Step(offset: Int32(literal.count), count: Int32(piece.count), field: Int32(field)))
                literal += piece
            }
        }
        firsts.append(steps.count)
        steps.append(Step(offset: 0, count: 0, field: Int32(head.fields.count)))
        steps.append(Step(offset: 0, count: 0, field: -1))
        literal += [UInt8](repeating: 0, count: RenderedFields.slack)
    }

    /// Writes all lines.
    ///
    /// - Returns: their bytes, at most what `output` holds without its slack; -1 where they would be more.
    ///
    /// SAFETY: codes name a template or none, and the cursors run over as many values as the codes ask for: both were checked by
    /// ``LogBlockReader/readRowTemplates()``. Values and literals have slack behind them; room in `output` is checked at every copy.
    func assemble(
        _ codes: [UInt8], _ texts: UnsafePointer<UInt8>, _ slices: UnsafePointer<ValueSlice>, _ cursors: inout [Int],
        _ ends: inout [Int], _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let start = output.baseAddress else { return codes.isEmpty ? 0 : -1 }
        let limit = start + (output.count - RenderedFields.slack)
        var next = start
        let isWhole = literal.withUnsafeBufferPointer { literal in
            steps.withUnsafeBufferPointer { steps in
                cursors.withUnsafeMutableBufferPointer { cursors in
                    ends.withUnsafeMutableBufferPointer { ends in
                        guard let literal = literal.baseAddress else { return false }
                        for row in codes.indices {
                            var step = firsts[Int(codes[row])]
                            while true {
                                let part = steps[step]
                                let count = Int(part.count)
                                guard limit - next >= count else { return false }
                                Self.copy(literal + Int(part.offset), next, count)
                                next += count
                                if part.field < 0 { break }
                                let cursor = cursors[Int(part.field)]
                                cursors[Int(part.field)] = cursor &+ 1
                                let slice = slices[cursor]
                                guard limit - next >= slice.count else { return false }
                                Self.copy(texts + slice.start, next, slice.count)
                                next += slice.count
                                step &+= 1
                            }
                            ends[row] = next - start
                        }
                        return true
                    }
                }
            }
        }
        return isWhole ? next - start : -1
    }

    /// Copies `count` bytes; up to 16 are one load and one store, whatever the count.
    @inline(__always)
    private static func copy(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) {
        if count <= 16 {
            let bytes = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt8>.self)
            UnsafeMutableRawPointer(target).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
        } else {
            memcpy(target, source, count)
        }
    }
}
