import Codecs
import Telemetry

/// Lines put together again.
extension LogBlockReader {
    /// All lines.
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
        try assemble(rowTemplates, values, &cursors, byteCount: head.lineByteCount, into: &columns)
    }

    /// The lines of some rows, ascending.
    ///
    /// - Parameter times: the block's timestamps, asked for where a field is stored relative to them.
    func readLines(
        of rows: [Int], into columns: inout LogColumns, times: () throws(DecodeError) -> [Int64]
    ) throws(DecodeError) {
        let all = try readRowTemplates()
        let rowTemplates = rows.map { all[$0] }
        let places = places(of: rows, all)
        var values = RenderedFields(valueCount: places.reduce(0) { $0 + $1.count }, byteCount: 512 * rows.count)
        var cursors: [Int] = []
        for (field, header) in head.fields.enumerated() {
            cursors.append(values.valueCount)
            if places[field].isEmpty { continue }
            var reader = try section(.field(field))
            try values.append(header.encoding, count: header.valueCount, at: places[field], &reader) { () throws(DecodeError) in
                let timestamps = try times()
                return self.times(of: field, all, timestamps)
            }
            // A template that names a field twice would read values that are not there.
            guard values.valueCount - cursors[field] == places[field].count else {
                throw DecodeError(offset: 0, field: "field", "it does not have the values of its templates")
            }
        }
        cursors.append(values.valueCount)
        let rest = places[head.fields.count]
        if !rest.isEmpty {
            var reader = try section(.rest)
            try values.append(.text(head.restFilter), count: head.restCount, at: rest, &reader) { () throws(DecodeError) in [] }
        }
        let byteCount = LinePlan(head).byteCount(rowTemplates, values, cursors)
        try assemble(rowTemplates, values, &cursors, byteCount: byteCount, into: &columns)
    }

    /// By field, the rest behind them: the places of the rows' values among all of the field's.
    private func places(of rows: [Int], _ rowTemplates: [UInt8]) -> [[Int]] {
        let templateCount = head.templates.count
        // By field: the templates that have it.
        var owners = [[Int]](repeating: [], count: head.fields.count)
        for (template, fields) in head.templates.map(\.fields).enumerated() {
            for field in fields { owners[field].append(template) }
        }
        owners.append([templateCount])
        // How many rows of each template stand before the row at hand.
        var counts = [Int](repeating: 0, count: templateCount + 1)
        var places = [[Int]](repeating: [], count: owners.count)
        var next = 0
        for row in rows {
            while next < row {
                counts[Int(rowTemplates[next])] += 1
                next += 1
            }
            let template = Int(rowTemplates[row])
            let fields = template < templateCount ? head.templates[template].fields : [head.fields.count]
            for field in fields { places[field].append(owners[field].reduce(0) { $0 + counts[$1] }) }
        }
        return places
    }

    private func assemble(
        _ rowTemplates: [UInt8], _ values: borrowing RenderedFields, _ cursors: inout [Int], byteCount: Int, into columns: inout LogColumns
    ) throws(DecodeError) {
        let plan = LinePlan(head)
        var ends = [Int](repeating: 0, count: rowTemplates.count)
        var written = 0
        columns.bytes = try values.withValues { (texts, slices) throws(DecodeError) in
            let lines = [UInt8](unsafeUninitializedCapacity: byteCount + RenderedFields.slack) { output, initializedCount in
                written = plan.assemble(rowTemplates, texts, slices, &cursors, &ends, output)
                initializedCount = max(0, min(written, byteCount))
            }
            guard written == byteCount else {
                throw DecodeError(offset: 0, field: "lines", "they do not take the \(byteCount) bytes announced")
            }
            return lines
        }
        columns.ends = ends
    }
}
