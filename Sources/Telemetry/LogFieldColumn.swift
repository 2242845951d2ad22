/// One field of the JSON lines of a block, typed, without the lines.
///
/// A name may have two: rows where the field is a string, and rows where it is anything else.
package struct LogFieldColumn: Sendable {
    package enum Values: Sendable {
        /// A code a value, each the index of a text.
        case dictionary(texts: [[UInt8]], codes: [UInt8])
        /// Decimal numbers: each `digits` / 10^`scale`, written with `scale` digits behind the point; trimmed: without zeros at the end.
        case decimals(digits: [Int64], scale: Int, isTrimmed: Bool)
        /// Texts end to end; each starts where the one before it ends.
        case texts(bytes: [UInt8], ends: [Int])
    }

    /// Whether the line has it in quotes. Texts are as the line has them: of strings with their escapes, of everything else as JSON; an
    /// array is one text that begins with `[`.
    package var isQuoted: Bool
    /// The row of each value, ascending; nil: row i has value i.
    package var rows: [Int]?
    package var values: Values

    package init(isQuoted: Bool, rows: [Int]?, values: Values) {
        self.isQuoted = isQuoted
        self.rows = rows
        self.values = values
    }

    package var count: Int {
        switch values {
        case .dictionary(_, let codes): codes.count
        case .decimals(let digits, _, _): digits.count
        case .texts(_, let ends): ends.count
        }
    }

    /// Value `index` as the line has it.
    package func text(_ index: Int) -> [UInt8] {
        switch values {
        case .dictionary(let texts, let codes): return texts[Int(codes[index])]
        case .decimals(let digits, let scale, let isTrimmed): return Self.text(digits[index], scale: scale, isTrimmed: isTrimmed)
        case .texts(let bytes, let ends): return Array(bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
        }
    }

    private static func text(_ digits: Int64, scale: Int, isTrimmed: Bool) -> [UInt8] {
        var text = Array(String(digits.magnitude).utf8)
        if scale > 0 {
            // At least one digit before the point.
            if text.count <= scale { text.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: scale + 1 - text.count), at: 0) }
            text.insert(UInt8(ascii: "."), at: text.count - scale)
            if isTrimmed {
                while text.last == UInt8(ascii: "0") { text.removeLast() }
                if text.last == UInt8(ascii: ".") { text.removeLast() }
            }
        }
        return digits < 0 ? [UInt8(ascii: "-")] + text : text
    }

    /// The digits whose text is `text`; nil where no number of such a column is written so.
    package static func digits(of text: String, scale: Int, isTrimmed: Bool) -> Int64? {
        let bytes = Array(text.utf8)
        guard let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? (bytes.isEmpty ? nil : bytes.count) else { return nil }
        let fraction = point < bytes.count ? bytes.count - point - 1 : 0
        guard fraction <= scale, isTrimmed || fraction == scale else { return nil }
        let plain = String(decoding: bytes.filter { $0 != UInt8(ascii: ".") }, as: UTF8.self)
        guard var digits = Int64(plain) else { return nil }
        for _ in 0..<(scale - fraction) {
            let (next, overflow) = digits.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            digits = next
        }
        let column = LogFieldColumn(isQuoted: false, rows: nil, values: .decimals(digits: [digits], scale: scale, isTrimmed: isTrimmed))
        return column.text(0) == bytes ? digits : nil
    }

    /// The number that value `index` is, as near as a double can be; nil where it is not known to be one.
    package func number(_ index: Int) -> Double? {
        switch values {
        case .decimals(let digits, let scale, _):
            // Both sides are exact, so that the quotient is rounded once, as a parser of the text rounds.
            guard digits[index].magnitude <= 1 << 53, scale < Self.powers.count else { return nil }
            return Double(digits[index]) / Self.powers[scale]
        case .dictionary, .texts: return nil
        }
    }

    /// The values of the rows at `indices` of `rowCount`, in that order.
    package func selecting(_ indices: [Int], of rowCount: Int) -> LogFieldColumn {
        // By row: its value, or -1.
        var positions = [Int](repeating: -1, count: rowCount)
        for index in 0..<count { positions[rows?[index] ?? index] = index }
        var (kept, keptRows) = ([Int](), [Int]())
        for (row, index) in indices.enumerated() where positions[index] >= 0 {
            kept.append(positions[index])
            keptRows.append(row)
        }
        let values: Values
        switch self.values {
        case .dictionary(let texts, let codes): values = .dictionary(texts: texts, codes: kept.map { codes[$0] })
        case .decimals(let digits, let scale, let isTrimmed):
            values = .decimals(digits: kept.map { digits[$0] }, scale: scale, isTrimmed: isTrimmed)
        case .texts(let bytes, let ends):
            var (text, textEnds) = ([UInt8](), [Int]())
            for index in kept {
                text += bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
                textEnds.append(text.count)
            }
            values = .texts(bytes: text, ends: textEnds)
        }
        return LogFieldColumn(isQuoted: isQuoted, rows: kept.count == indices.count ? nil : keptRows, values: values)
    }

    /// The powers of ten that a double holds exactly.
    private static let powers: [Double] = (0...22).map { exponent in (0..<exponent).reduce(1.0) { power, _ in power * 10 } }
}

/// The fields that a request names, of the rows of a block.
package struct LogFields: Sendable {
    /// By field of the request: its columns; none where no row has it.
    package var columns: [[LogFieldColumn]]
    /// The rows whose lines were not taken apart, ascending: whether they have the fields, the lines say.
    package var unparsedRows: [Int]

    package init(columns: [[LogFieldColumn]], unparsedRows: [Int]) {
        self.columns = columns
        self.unparsedRows = unparsedRows
    }

    /// The rows at `indices` of `rowCount`, in that order.
    package func selecting(_ indices: [Int], of rowCount: Int) -> LogFields {
        let unparsed = Set(unparsedRows)
        return LogFields(
            columns: columns.map { $0.map { $0.selecting(indices, of: rowCount) } },
            unparsedRows: indices.indices.filter { unparsed.contains(indices[$0]) })
    }
}
