import Codecs
import Telemetry

extension LogBlockReader {
    /// Reads fields without the lines.
    ///
    /// - Parameter names: as LogQL's `json` names fields: the names on the way joined by underscores, which also stand for everything
    ///   but letters and digits.
    /// - Returns: nil where two fields of the block have one of the names: then only the lines tell which counts.
    func fields(_ names: [String], _ timestamps: [Int64]) throws(DecodeError) -> LogFields? {
        guard !outline.hasUnsureNames else { return nil }
        let rowTemplates = try readRowTemplates()
        var columns: [[LogFieldColumn]] = []
        for name in names {
            if name == ScanRequest.levelField {
                columns.append(try levelColumns(rowTemplates, timestamps))
                continue
            }
            let wanted = Array(name.utf8)
            let fields = outline.names.indices.filter { outline.names[$0] == wanted }
            if let first = fields.first, fields.count > 1, fields.contains(where: { head.fields[$0].path != head.fields[first].path }) { return nil }
            var own: [LogFieldColumn] = []
            for field in fields { own.append(try column(field, rowTemplates, timestamps)) }
            columns.append(own)
        }
        let none = UInt8(head.templates.count)
        return LogFields(columns: columns, unparsedRows: rowTemplates.indices.filter { rowTemplates[$0] == none })
    }

    /// The field that tells the level, where that is one in all templates that have any.
    private func levelColumns(_ rowTemplates: [UInt8], _ timestamps: [Int64]) throws(DecodeError) -> [LogFieldColumn] {
        var found: Int?
        for template in head.templates {
            let first = template.fields.first { field in
                let header = head.fields[field]
                return header.isQuoted && header.path.count <= 2 && Self.levelFieldNames.contains(header.path[header.path.count - 1])
            }
            guard let first else { continue }
            if let found, found != first { return [] }
            found = first
        }
        guard let found else { return [] }
        return [try column(found, rowTemplates, timestamps)]
    }

    private static let levelFieldNames = Set(ScanRequest.levelFieldNames.map { Array($0.utf8) })

    /// A field as a typed column.
    private func column(
        _ field: Int, _ rowTemplates: [UInt8], _ timestamps: [Int64]
    ) throws(DecodeError) -> LogFieldColumn {
        let (header, rows) = (head.fields[field], rows(of: field, rowTemplates))
        return LogFieldColumn(
            isQuoted: header.isQuoted, rows: rows, values: try values(field, rowTemplates, timestamps))
    }

    private func values(
        _ field: Int, _ rowTemplates: [UInt8], _ timestamps: [Int64]
    ) throws(DecodeError) -> LogFieldColumn.Values {
        let header = head.fields[field]
        switch header.encoding {
        case .dictionary(let texts):
            var reader = try section(.field(field))
            let codes = try CodeColumn.read(&reader, count: header.valueCount, entryCount: texts.count)
            return .dictionary(texts: texts, codes: codes)
        case .number(let number) where number.exceptions.places.isEmpty:
            var reader = try section(.field(field))
            var digits = try reader.integers(header.valueCount)
            if let clock = number.clock {
                Clock.restore(&digits, to: times(of: field, rowTemplates, timestamps), unit: DecimalText.powers[clock])
            }
            return .decimals(digits: digits, scale: number.scale, isTrimmed: number.isTrimmed)
        default:
            var values = RenderedFields(valueCount: header.valueCount, byteCount: header.byteCount)
            try render(field, rowTemplates, timestamps, into: &values)
            let (bytes, ends) = values.joined()
            return .texts(bytes: bytes, ends: ends)
        }
    }

    /// The rows that have a field; nil: all.
    private func rows(of field: Int, _ rowTemplates: [UInt8]) -> [Int]? {
        if head.fields[field].valueCount == rowCount { return nil }
        let has = head.templates.map { $0.fields.contains(field) } + [false]
        return rowTemplates.indices.filter { has[Int(rowTemplates[$0])] }
    }
}
