import Codecs
import Telemetry

/// One block of logs on its way through a scan: which of its rows are wanted, from what costs least to what costs most.
struct LogBlockScan {
    let block: LogBlockReader
    private let range: TimeRange
    private var knownTimes: [Int64]?
    /// By row: other than 0 where the row is wanted still.
    var isWanted: [UInt8] = []
    private(set) var isEmpty = false
    private(set) var fields: LogFields?
    /// The lines that predicates had to look at, with the rows that they are of.
    private var lines: (rows: [Int], columns: LogColumns)?

    /// - Parameter times: the block's timestamps, where they are known.
    init(_ block: LogBlockReader, _ range: TimeRange, times: [Int64]?) {
        self.block = block
        knownTimes = times
        self.range = range
    }

    var timestamps: [Int64] { knownTimes ?? [] }

    private mutating func times() throws(DecodeError) -> [Int64] {
        if let known = knownTimes { return known }
        let times = try block.readTimes(first: range.start, last: range.end)
        knownTimes = times
        return times
    }

    /// Leaves the rows that lie in `wanted` and satisfy the predicates.
    mutating func narrow(_ wanted: TimeRange, _ predicates: ScanPredicates) throws(DecodeError) {
        // The head rules most blocks out, and the times of what is wanted still the most of the others.
        guard let plans = block.plans(predicates.contained) else {
            isEmpty = true
            return
        }
        let count = block.rowCount
        let times = try times()
        let low = wanted.start <= range.start ? 0 : times.partitioningIndex { $0 >= wanted.start }
        let high = range.end <= wanted.end ? count : times.partitioningIndex { $0 > wanted.end }
        let mask = low < high ? try block.rows(plans) { () throws(DecodeError) in times } : .none
        if mask == .none {
            isEmpty = true
            return
        }
        if case .some(let rows) = mask { isWanted = rows } else { isWanted = [UInt8](repeating: LogRowMask.holds, count: count) }
        for row in 0..<low { isWanted[row] = 0 }
        for row in max(low, high)..<count { isWanted[row] = 0 }
        if let trace = predicates.trace {
            var columns = LogColumns()
            try block.readIdentifiers(into: &columns)
            for row in isWanted.indices where columns.traceIDs[row] != trace { isWanted[row] = 0 }
        }
        for needle in predicates.excluded { try leaveOut(needle) }
        try lookAtLines(predicates)
        isEmpty = !isWanted.contains { $0 != 0 }
    }

    mutating func leaveOut(rows: [Int]) {
        if rows.isEmpty { return }
        for row in rows { isWanted[row] = 0 }
        isEmpty = !isWanted.contains { $0 != 0 }
    }

    /// Leaves out the rows that hold a needle; those that may are left for the lines to tell.
    private mutating func leaveOut(_ needle: [UInt8]) throws(DecodeError) {
        let times = try times()
        switch try block.rows(holding: [needle], { () throws(DecodeError) in times }) {
        case .none: return
        case .all: isWanted = [UInt8](repeating: 0, count: isWanted.count)
        case .some(let mask):
            for row in mask.indices where mask[row] != 0 && isWanted[row] != 0 {
                isWanted[row] = mask[row] == LogRowMask.holds ? 0 : LogRowMask.mayHold
            }
        }
    }

    /// Builds the lines of the rows that are not decided, and decides.
    private mutating func lookAtLines(_ predicates: ScanPredicates) throws(DecodeError) {
        let rows = isWanted.indices.filter { isWanted[$0] == LogRowMask.mayHold }
        if rows.isEmpty { return }
        var columns = LogColumns()
        let times = try times()
        try block.read(.line, of: rows, times, into: &columns)
        var kept: [Int] = []
        for (position, row) in rows.enumerated() {
            isWanted[row] = predicates.holds(columns, line: columns.range(position)) ? LogRowMask.holds : 0
            if isWanted[row] != 0 { kept.append(position) }
        }
        lines = (kept.map { rows[$0] }, kept.count == rows.count ? columns : columns.selecting(kept))
    }

    mutating func readFields(_ names: [String]) throws(DecodeError) {
        fields = try block.fields(names, try times())
    }

    /// Leaves the newest (oldest) rows.
    mutating func keep(_ count: Int, isNewestFirst: Bool) {
        var left = count
        for step in isWanted.indices {
            let row = isNewestFirst ? isWanted.count - 1 - step : step
            guard isWanted[row] != 0 else { continue }
            if left > 0 { left -= 1 } else { isWanted[row] = 0 }
        }
    }

    /// What is left, with the columns wanted.
    mutating func rest(_ columns: ScanRequest.Columns) throws(DecodeError) -> (timestamps: [Int64], payload: Block.Payload) {
        let times = try times()
        let rows = isWanted.indices.filter { isWanted[$0] != 0 }
        if rows.isEmpty { return ([], .timestampsOnly) }
        let timestamps = rows.count == times.count ? times : rows.map { times[$0] }
        if columns.isEmpty { return (timestamps, .timestampsOnly) }
        var found = LogColumns()
        if let lines, lines.rows == rows {
            found = lines.columns
            try block.read(columns.subtracting(.line), of: rows, times, into: &found)
        } else {
            try block.read(columns, of: rows, times, into: &found)
        }
        return (timestamps, .logs(found))
    }
}

extension LogBlockReader {
    /// Reads columns of some rows, ascending. Metadata and ids stay empty where no row of the block has any.
    func read(
        _ wanted: ScanRequest.Columns, of rows: [Int], _ timestamps: [Int64], into columns: inout LogColumns
    ) throws(DecodeError) {
        if wanted.contains(.line) {
            if rows.count == rowCount {
                try readLines(into: &columns, timestamps)
            } else {
                try readLines(of: rows, into: &columns) { () throws(DecodeError) in timestamps }
            }
        }
        var others = LogColumns()
        if wanted.contains(.metadata), outline.hasMetadata {
            try readMetadata(into: &others)
            columns.metadata = rows.map { others.metadata[$0] }
        }
        if wanted.contains(.identifiers), outline.hasIdentifiers {
            try readIdentifiers(into: &others)
            columns.traceIDs = rows.map { others.traceIDs[$0] }
            columns.spanIDs = rows.map { others.spanIDs[$0] }
        }
    }
}
