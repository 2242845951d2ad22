import Query
import Telemetry

extension SampleTable {
    /// Adds the rows of a block that its fields decide.
    ///
    /// - Parameters:
    ///   - verdicts: what the filters say of each row. Rows whose line has to tell are marked so.
    ///   - isWanted: the rows to look at.
    /// - Returns: false, with nothing added, where only the lines tell.
    mutating func add(
        _ block: ColumnBlock, _ verdicts: inout [UInt8], _ isWanted: [UInt8], _ grouping: Grouping?, _ unwrapFilters: [LabelFilterStage]
    ) throws(QueryError) -> Bool {
        var values: [Double] = []
        if let unwrap = aggregation.unwrap {
            guard let found = Self.values(unwrap, unwrapFilters, block, &verdicts) else { return false }
            values = found
        }
        guard var groups = ColumnGroups(block, grouping?.labels ?? []) else { return false }
        groups.leaveUnknownLevels(to: &verdicts)
        for row in verdicts.indices where isWanted[row] == 0 { verdicts[row] = verdicts[row] & ColumnVerdict.lineTells }
        let timestamps = block.block.timestamps
        if let index = try groups.only(&self) {
            if isCounting { count(index, timestamps, verdicts) } else { sample(index, timestamps, values, verdicts) }
            return true
        }
        let indexes = try groups.indexes(verdicts, &self)
        if isCounting {
            count(indexes, timestamps, verdicts)
        } else {
            for row in timestamps.indices where verdicts[row] == ColumnVerdict.passes { sample(Int(indexes[row]), timestamps[row], values[row]) }
        }
        return true
    }

    private mutating func count(_ index: Int, _ timestamps: [Int64], _ verdicts: [UInt8]) {
        var row = 0
        while row < timestamps.count {
            let steps = steps(at: timestamps[row])
            var found = 0
            while row < timestamps.count, timestamps[row] <= steps.end {
                found &+= Int(verdicts[row] & ColumnVerdict.passes)
                row += 1
            }
            if found > 0 { count(index, steps, Double(found), lines: Double(found)) }
        }
    }

    private mutating func count(_ indexes: [Int32], _ timestamps: [Int64], _ verdicts: [UInt8]) {
        var counts = [Int](repeating: 0, count: labels.count)
        var touched: [Int] = []
        var row = 0
        while row < timestamps.count {
            let steps = steps(at: timestamps[row])
            while row < timestamps.count, timestamps[row] <= steps.end {
                if verdicts[row] == ColumnVerdict.passes {
                    let index = Int(indexes[row])
                    if counts[index] == 0 { touched.append(index) }
                    counts[index] &+= 1
                }
                row += 1
            }
            for index in touched {
                count(index, steps, Double(counts[index]), lines: Double(counts[index]))
                counts[index] = 0
            }
            touched.removeAll(keepingCapacity: true)
        }
    }

    /// By row: the number unwrapped. Rows without one fail, and of those with something else the line tells. nil where only lines do.
    private static func values(
        _ unwrap: Unwrap, _ filters: [LabelFilterStage], _ block: ColumnBlock, _ verdicts: inout [UInt8]
    ) -> [Double]? {
        for filter in filters {
            guard let more = filter.verdicts(block) else { return nil }
            for row in verdicts.indices {
                verdicts[row] = (verdicts[row] | more[row]) & 2 != 0 ? ColumnVerdict.lineTells : verdicts[row] & more[row]
            }
        }
        switch block.source(unwrap.label) {
        case nil: return nil
        // No level is a number.
        case .level: return nil
        case .constant(let text):
            guard let number = text.isEmpty ? 0 : unwrap.number(text) else { return nil }
            if text.isEmpty { for row in verdicts.indices where verdicts[row] != ColumnVerdict.lineTells { verdicts[row] = ColumnVerdict.fails } }
            return [Double](repeating: number, count: verdicts.count)
        case .field(let field):
            var values = [Double](repeating: 0, count: verdicts.count)
            var has = [UInt8](repeating: ColumnVerdict.fails, count: verdicts.count)
            for column in block.columns(field) {
                let own = Self.numbers(column, unwrap)
                for index in 0..<column.count {
                    let row = column.rows?[index] ?? index
                    (values[row], has[row]) = (own.values[index], own.verdicts[index])
                }
            }
            for row in verdicts.indices where verdicts[row] == ColumnVerdict.passes { verdicts[row] = has[row] }
            return values
        }
    }

    private static func numbers(_ column: LogFieldColumn, _ unwrap: Unwrap) -> (values: [Double], verdicts: [UInt8]) {
        func number(_ text: String) -> (value: Double, verdict: UInt8) {
            if text.isEmpty { return (0, ColumnVerdict.fails) }
            return unwrap.number(text).map { ($0, ColumnVerdict.passes) } ?? (0, ColumnVerdict.lineTells)
        }
        if case .decimals(let digits, _, _) = column.values, unwrap.conversion == nil, let divisor = column.exactDivisor {
            return (digits.map { Double($0) / divisor }, [UInt8](repeating: ColumnVerdict.passes, count: digits.count))
        }
        if case .dictionary(let texts, let codes) = column.values {
            let table = texts.map { number(LogFieldColumn.label($0, isQuoted: column.isQuoted)) }
            return (codes.map { table[Int($0)].value }, codes.map { table[Int($0)].verdict })
        }
        let all = (0..<column.count).map { number(column.label($0)) }
        return (all.map(\.value), all.map(\.verdict))
    }
}

/// Which series each row of a block belongs to.
struct ColumnGroups {
    private let names: [String]
    private let sources: [ColumnSource]
    private let block: ColumnBlock
    /// The series of the rows by the codes of their labels.
    private var known: [Int: Int32] = [:]

    /// nil where only the lines tell.
    init?(_ block: ColumnBlock, _ names: [String]) {
        var sources: [ColumnSource] = []
        for name in names {
            guard let source = block.source(name) else { return nil }
            sources.append(source)
        }
        (self.block, self.names, self.sources) = (block, names, sources)
    }

    /// Rows whose level only the line tells are for the line to tell.
    func leaveUnknownLevels(to verdicts: inout [UInt8]) {
        for case .level(let field) in sources {
            let codes = block.levels(field).codes
            for row in verdicts.indices where codes[row] == 0 && verdicts[row] == ColumnVerdict.passes { verdicts[row] = ColumnVerdict.lineTells }
        }
    }

    /// The series of all rows, where that is one.
    func only(_ table: inout SampleTable) throws(QueryError) -> Int? {
        var pairs: [Label] = []
        for (name, source) in zip(names, sources) {
            switch source {
            case .constant(let value): pairs.append(Label(name, value))
            case .field(let field):
                guard block.columns(field).isEmpty else { return nil }
                pairs.append(Label(name, ""))
            case .level: return nil
            }
        }
        return try table.index(of: Labels(pairs))
    }

    /// By row that passes: its series.
    mutating func indexes(_ verdicts: [UInt8], _ table: inout SampleTable) throws(QueryError) -> [Int32] {
        let columns = sources.map { source -> CodedLabel in
            switch source {
            case .constant(let value): CodedLabel(constant: value)
            case .field(let field): CodedLabel(block.columns(field), rowCount: block.rowCount)
            case .level(let field): CodedLabel(block.levels(field))
            }
        }
        var indexes = [Int32](repeating: -1, count: verdicts.count)
        var combinationCount = 1
        for column in columns where !column.codes.isEmpty {
            // So many that rows are told apart one by one.
            let (product, overflow) = combinationCount.multipliedReportingOverflow(by: column.values.count)
            combinationCount = overflow ? .max : product
        }
        var flat = combinationCount <= Self.flatCountMax ? [Int32](repeating: -1, count: combinationCount) : []
        for row in verdicts.indices where verdicts[row] == ColumnVerdict.passes {
            var key = 0
            for column in columns where !column.codes.isEmpty { key = key &* column.values.count &+ Int(column.codes[row]) }
            if !flat.isEmpty {
                if flat[key] < 0 { flat[key] = try index(row, columns, &table) }
                indexes[row] = flat[key]
            } else if combinationCount == .max {
                indexes[row] = try index(row, columns, &table)
            } else if let index = known[key] {
                indexes[row] = index
            } else {
                indexes[row] = try index(row, columns, &table)
                known[key] = indexes[row]
            }
        }
        return indexes
    }

    private static let flatCountMax = 4096

    private func index(_ row: Int, _ columns: [CodedLabel], _ table: inout SampleTable) throws(QueryError) -> Int32 {
        var pairs: [Label] = []
        for (name, column) in zip(names, columns) {
            pairs.append(Label(name, column.codes.isEmpty ? column.values[0] : column.values[Int(column.codes[row])]))
        }
        return Int32(try table.index(of: Labels(pairs)))
    }
}

/// A label as a code a row.
private struct CodedLabel {
    private(set) var values: [String]
    /// By row; empty where all rows have the one value.
    private(set) var codes: [Int32] = []

    init(constant: String) {
        values = [constant]
    }

    init(_ levels: (texts: [String], codes: [UInt8])) {
        values = levels.texts
        codes = levels.codes.map { Int32($0) }
    }

    init(_ columns: [LogFieldColumn], rowCount: Int) {
        values = [""]
        codes = [Int32](repeating: 0, count: rowCount)
        for column in columns {
            var known: [String: Int32] = [:]
            func code(_ text: String) -> Int32 {
                if text.isEmpty { return 0 }
                if let code = known[text] { return code }
                let code = Int32(values.count)
                values.append(text)
                known[text] = code
                return code
            }
            if case .dictionary(let texts, let own) = column.values {
                let table = texts.map { code(LogFieldColumn.label($0, isQuoted: column.isQuoted)) }
                for (index, value) in own.enumerated() { codes[column.rows?[index] ?? index] = table[Int(value)] }
            } else {
                for index in 0..<column.count { codes[column.rows?[index] ?? index] = code(column.label(index)) }
            }
        }
    }
}
