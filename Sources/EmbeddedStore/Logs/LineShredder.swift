import Telemetry

/// Lines taken apart: which template each follows, and by field the places of its values.
struct ShreddedLines {
    struct Template {
        /// One more than values.
        var pieces: [[UInt8]]
        /// By value: its position in ``fields``.
        var fields: [Int]
    }

    struct Field {
        var path: [[UInt8]]
        var isQuoted: Bool
        /// Where its values stand in ``slices``, in the order of rows.
        var values: Range<Int>
    }

    var templates: [Template] = []
    var fields: [Field] = []
    var slices: [ValueSlice] = []
    /// By row: the template, or their count where the line follows none.
    var rowTemplates: [UInt8] = []
    /// The lines that follow none.
    var rest: [ValueSlice] = []

    init() {}

    /// All lines as they are.
    init(whole columns: LogColumns) {
        rowTemplates = [UInt8](repeating: 0, count: columns.ends.count)
        rest = columns.ends.indices.map { row in
            let line = columns.range(row)
            return ValueSlice(start: line.lowerBound, count: line.count)
        }
    }

    /// The rows that have a field.
    func rows(of field: Int) -> [Int] {
        let has = templates.map { $0.fields.contains(field) } + [false]
        return rowTemplates.indices.filter { has[Int(rowTemplates[$0])] }
    }
}

/// Takes the lines of a block apart.
enum LineShredder {
    /// Templates of fewer rows cost more than they save.
    private static let rowCountMin = 4
    /// How many templates are tried before a line is parsed: a handful covers what one stream logs most.
    private static let triedTemplateCountMax = 6

    /// - Parameter columns: fewer than 2^32 bytes of lines.
    static func shred(_ columns: LogColumns) -> ShreddedLines {
        var set = TemplateSet()
        let rowCount = columns.ends.count
        // By row: the template, -1 for none; and where its values begin in `slices`.
        var templates = [Int](repeating: -1, count: rowCount)
        var starts = [Int](repeating: 0, count: rowCount + 1)
        var slices: [ValueSlice] = []
        slices.reserveCapacity(rowCount * 16)
        columns.bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            withUnsafeTemporaryAllocation(of: ValueSlice.self, capacity: TemplateSet.valueCountMax + 1) { scratch in
                guard let values = scratch.baseAddress else { return }
                var last = 0
                var failureCount = 0
                for row in 0..<rowCount {
                    let line = columns.range(row)
                    starts[row] = slices.count
                    // SAFETY: `ends` ascend to the buffer's end, so that the range lies inside it.
                    precondition(line.lowerBound >= 0 && line.upperBound <= bytes.count)
                    var found = set.count > 0 && set.match(last, base: base, line: line, into: values) ? last : -1
                    var candidate = 0
                    while found < 0, candidate < min(set.count, triedTemplateCountMax) {
                        if candidate != last, set.match(candidate, base: base, line: line, into: values) { found = candidate }
                        candidate += 1
                    }
                    // Plain text is told by its first bytes; of JSON that never repeats, the first failures are enough.
                    if found < 0, failureCount < 256 || failureCount * 4 < row * 3 {
                        found = parse(base, line, &set, values)
                        if found < 0 { failureCount += 1 }
                    }
                    if found >= 0 {
                        slices.append(contentsOf: UnsafeBufferPointer(start: values, count: set.valueCount(found)))
                        last = found
                    }
                    templates[row] = found
                }
                starts[rowCount] = slices.count
            }
        }
        return gather(columns, set, templates, starts, slices)
    }

    private static func parse(
        _ base: UnsafePointer<UInt8>, _ line: Range<Int>, _ set: inout TemplateSet, _ values: UnsafeMutablePointer<ValueSlice>
    ) -> Int {
        for template in triedTemplateCountMax..<max(triedTemplateCountMax, set.count)
        where set.match(template, base: base, line: line, into: values) { return template }
        var parser = LineParser(base: base, line: line)
        guard set.count < TemplateSet.templateCountMax, parser.parse(), set.append(parser.values, base: base, line: line) else { return -1 }
        for (index, value) in parser.values.enumerated() { values[index] = value.slice }
        return set.count - 1
    }

    /// Orders the values by field, without the templates that are not worth it.
    private static func gather(
        _ columns: LogColumns, _ set: borrowing TemplateSet, _ rows: [Int], _ starts: [Int], _ slices: [ValueSlice]
    ) -> ShreddedLines {
        var rowCounts = [Int](repeating: 0, count: set.count)
        for template in rows where template >= 0 { rowCounts[template] += 1 }
        var result = ShreddedLines()
        // By template of the set: its position in the result.
        var positions = [Int](repeating: -1, count: set.count)
        var fieldIndexes: [FieldKey: Int] = [:]
        var fieldCounts: [Int] = []
        for template in 0..<set.count where rowCounts[template] >= rowCountMin {
            positions[template] = result.templates.count
            var kept = ShreddedLines.Template(pieces: [], fields: [])
            for index in 0...set.valueCount(template) {
                let piece = set.piece(template, index)
                kept.pieces.append([UInt8](piece.bytes))
                guard index < set.valueCount(template) else { break }
                let key = FieldKey(path: set.paths[template][index], isQuoted: piece.isQuoted)
                let field = fieldIndexes[key] ?? result.fields.count
                if field == result.fields.count {
                    fieldIndexes[key] = field
                    result.fields.append(ShreddedLines.Field(path: key.path, isQuoted: key.isQuoted, values: 0..<0))
                    fieldCounts.append(0)
                }
                fieldCounts[field] += rowCounts[template]
                kept.fields.append(field)
            }
            result.templates.append(kept)
        }
        var total = 0
        var cursors: [Int] = []
        for field in result.fields.indices {
            result.fields[field].values = total..<total + fieldCounts[field]
            cursors.append(total)
            total += fieldCounts[field]
        }
        let none = UInt8(result.templates.count)
        result.rowTemplates = [UInt8](repeating: none, count: rows.count)
        result.slices = [ValueSlice](repeating: ValueSlice(start: 0, count: 0), count: total)
        let fields = result.templates.map(\.fields)
        for row in rows.indices {
            let template = rows[row] < 0 ? -1 : positions[rows[row]]
            guard template >= 0 else {
                let line = columns.range(row)
                result.rest.append(ValueSlice(start: line.lowerBound, count: line.count))
                continue
            }
            result.rowTemplates[row] = UInt8(template)
            var source = starts[row]
            for field in fields[template] {
                result.slices[cursors[field]] = slices[source]
                cursors[field] += 1
                source += 1
            }
        }
        return result
    }

    private struct FieldKey: Hashable {
        var path: [[UInt8]]
        var isQuoted: Bool
    }
}
