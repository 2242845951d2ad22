import Telemetry

/// What a filter says of a row.
enum ColumnVerdict {
    static let fails: UInt8 = 0
    static let passes: UInt8 = 1
    /// A value has the wrong type, which marks the line with an error: the line runs through the pipeline.
    static let lineTells: UInt8 = 2
}

extension LabelFilterStage {
    /// Labels that must be these texts for the filter to let a line through.
    var fieldTexts: [ScanRequest.FieldText] {
        switch self {
        case .string(let name, let matcher):
            guard let (text, isEqual) = matcher.equality, isEqual, !text.isEmpty else { return [] }
            return [ScanRequest.FieldText(name: name, text: text)]
        case .and(let left, let right): return left.fieldTexts + right.fieldTexts
        case .or, .number, .duration, .bytes, .ip: return []
        }
    }

    /// By row of the block: a ``ColumnVerdict``; nil where only the lines tell.
    func verdicts(_ block: ColumnBlock) -> [UInt8]? {
        switch self {
        case .and(let left, let right): return Self.combined(left.verdicts(block), right.verdicts(block)) { $0 & $1 }
        case .or(let left, let right): return Self.combined(left.verdicts(block), right.verdicts(block)) { $0 | $1 }
        case .string(let name, _), .number(let name, _, _), .duration(let name, _, _), .bytes(let name, _, _), .ip(let name, _, _, _):
            switch block.source(name) {
            case nil: return nil
            case .constant(let value): return [UInt8](repeating: verdict(value), count: block.rowCount)
            case .field(let field): return verdicts(block.columns(field), block.rowCount)
            case .level(let field):
                let (texts, codes) = block.levels(field)
                let table = texts.map { $0.isEmpty ? ColumnVerdict.lineTells : verdict($0) }
                return codes.map { table[Int($0)] }
            }
        }
    }

    private static func combined(_ left: [UInt8]?, _ right: [UInt8]?, _ join: (UInt8, UInt8) -> UInt8) -> [UInt8]? {
        guard var left, let right else { return nil }
        for row in left.indices {
            // An error changes what the other side says.
            left[row] = (left[row] | right[row]) & 2 != 0 ? ColumnVerdict.lineTells : join(left[row], right[row])
        }
        return left
    }

    private func verdicts(_ columns: [LogFieldColumn], _ rowCount: Int) -> [UInt8] {
        if columns.count == 1, columns[0].rows == nil, columns[0].count == rowCount { return verdicts(columns[0]) }
        var result = [UInt8](repeating: verdict(""), count: rowCount)
        for column in columns {
            let own = verdicts(column)
            if let rows = column.rows {
                for (index, row) in rows.enumerated() { result[row] = own[index] }
            } else {
                result.replaceSubrange(0..<own.count, with: own)
            }
        }
        return result
    }

    /// By value of the column.
    private func verdicts(_ column: LogFieldColumn) -> [UInt8] {
        switch column.values {
        case .dictionary(let texts, let codes):
            let table = texts.map { verdict(LogFieldColumn.label($0, isQuoted: column.isQuoted)) }
            return codes.map { table[Int($0)] }
        case .decimals(let digits, let scale, let isTrimmed):
            if case .number(_, let comparison, let wanted) = self, let verdicts = Self.compare(column, digits, comparison, wanted) { return verdicts }
            if case .string(_, let matcher) = self, let (text, isEqual) = matcher.equality {
                return Self.equal(digits, scale, isTrimmed, text, isEqual)
            }
        case .texts(let bytes, let ends):
            if case .string(_, let matcher) = self, let (text, isEqual) = matcher.equality, column.isQuoted {
                return equal(bytes, ends, Array(text.utf8), isEqual)
            }
        }
        return (0..<column.count).map { verdict(column.label($0)) }
    }

    /// Of a value as it is told from "none" by being "".
    private func verdict(_ text: String) -> UInt8 {
        func compare<Value: Comparable>(_ value: Value?, _ comparison: LabelFilter.Comparison, _ wanted: Value) -> UInt8 {
            if text.isEmpty { return ColumnVerdict.fails }
            guard let value else { return ColumnVerdict.lineTells }
            return comparison.holds(value, wanted) ? ColumnVerdict.passes : ColumnVerdict.fails
        }
        switch self {
        case .string(_, let matcher): return matcher.holds(text) ? ColumnVerdict.passes : ColumnVerdict.fails
        case .number(_, let comparison, let wanted): return compare(Double(text), comparison, wanted)
        case .duration(_, let comparison, let wanted): return compare(Units.duration(text, allowsDays: false), comparison, wanted)
        case .bytes(_, let comparison, let wanted): return compare(Units.bytes(text), comparison, wanted)
        case .ip(_, let isEqual, let matcher, _):
            return !text.isEmpty && matcher.matches(text) == isEqual ? ColumnVerdict.passes : ColumnVerdict.fails
        case .and, .or: return ColumnVerdict.lineTells
        }
    }

    // MARK: Kernels

    /// Numbers as numbers; nil where some are not known to be what a parser makes of them.
    private static func compare(
        _ column: LogFieldColumn, _ digits: [Int64], _ comparison: LabelFilter.Comparison, _ wanted: Double
    ) -> [UInt8]? {
        guard let divisor = column.exactDivisor else { return nil }
        @inline(__always) func map(_ holds: (Double) -> Bool) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: digits.count) { output, initializedCount in
                for index in digits.indices { output[index] = holds(Double(digits[index]) / divisor) ? 1 : 0 }
                initializedCount = digits.count
            }
        }
        return switch comparison {
        case .equal: map { $0 == wanted }
        case .notEqual: map { $0 != wanted }
        case .greater: map { $0 > wanted }
        case .greaterOrEqual: map { $0 >= wanted }
        case .less: map { $0 < wanted }
        case .lessOrEqual: map { $0 <= wanted }
        }
    }

    /// Numbers as texts: each has one spelling.
    private static func equal(_ digits: [Int64], _ scale: Int, _ isTrimmed: Bool, _ text: String, _ isEqual: Bool) -> [UInt8] {
        let (same, other): (UInt8, UInt8) = isEqual ? (1, 0) : (0, 1)
        guard let wanted = LogFieldColumn.digits(of: text, scale: scale, isTrimmed: isTrimmed) else {
            return [UInt8](repeating: other, count: digits.count)
        }
        return digits.map { $0 == wanted ? same : other }
    }

    private func equal(_ bytes: [UInt8], _ ends: [Int], _ text: [UInt8], _ isEqual: Bool) -> [UInt8] {
        let (same, other): (UInt8, UInt8) = isEqual ? (1, 0) : (0, 1)
        var verdicts: [UInt8] = []
        verdicts.reserveCapacity(ends.count)
        var start = 0
        for end in ends {
            let value = bytes[start..<end]
            start = end
            if value.count == text.count, value.elementsEqual(text), !value.contains(UInt8(ascii: "\\")) {
                verdicts.append(same)
            } else if value.count > text.count, value.contains(UInt8(ascii: "\\")) {
                verdicts.append(verdict(LogFieldColumn.label(Array(value), isQuoted: true)))
            } else {
                verdicts.append(other)
            }
        }
        return verdicts
    }
}

extension LogFieldColumn {
    /// What `digits` are divided by, where every quotient is what a parser makes of the text.
    var exactDivisor: Double? {
        guard case .decimals(let digits, let scale, _) = values, scale <= 22 else { return nil }
        var largest: UInt64 = 0
        for value in digits { largest |= value.magnitude }
        guard largest < 1 << 53 else { return nil }
        var divisor = 1.0
        for _ in 0..<scale { divisor *= 10 }
        return divisor
    }
}
