import Codecs
import Telemetry

extension SpanBlockReader {
    /// The rows for which all conditions hold, ascending; nil where all do.
    mutating func select(_ conditions: SpanConditions, in range: TimeRange) throws(DecodeError) -> [Int]? {
        if conditions.isNever || !conditions.mayHold(durationRange, kindsAndStatuses) { return [] }
        var rows: [Int]?
        if let first = timestamps.first, let last = timestamps.last, first < range.start || range.end < last {
            let start = timestamps.partitioningIndex { $0 >= range.start }
            let end = timestamps.partitioningIndex { $0 > range.end }
            rows = Array(start..<max(start, end))
        }
        // The cheapest and those that leave the fewest come first.
        if let wanted = conditions.traces { try select(&rows, wanted) }
        if kindsAndStatuses & ~conditions.kindsAndStatuses != 0, rows?.isEmpty != true {
            let codes = try kindAndStatusCodes()
            narrow(&rows) { conditions.kindsAndStatuses & (1 << UInt64(codes[$0])) != 0 }
        }
        let isWithin = conditions.durations.lowerBound <= durationRange.lowerBound && durationRange.upperBound <= conditions.durations.upperBound
        if !isWithin || !conditions.excludedDurations.isEmpty, rows?.isEmpty != true {
            let durations = try integers(.durations)
            narrow(&rows) { conditions.durations.contains(durations[$0]) && !conditions.excludedDurations.contains(durations[$0]) }
        }
        for (comparison, text) in conditions.names {
            if rows?.isEmpty == true { return [] }
            guard let names = try texts(.names) else { continue }
            let verdicts =
                switch comparison {
                case .equal: names.verdicts(equalTo: text, isNegated: false)
                case .notEqual: names.verdicts(equalTo: text, isNegated: true)
                default: names.verdicts { comparison.holds($0, text) }
                }
            if verdicts.isNever { return [] }
            narrow(&rows) { verdicts.holds($0) }
        }
        for condition in conditions.attributes {
            if rows?.isEmpty == true { return [] }
            if isEmpty(.attributeShapes) { return [] }
            var columns = try attributes()
            rows = try columns.select(rows, condition, reader(.texts).bytes, try shared())
        }
        return rows
    }

    private func select(_ rows: inout [Int]?, _ wanted: Set<TraceID>) throws(DecodeError) {
        let traces = try traces()
        let isWanted = traces.map { wanted.contains($0) }
        guard isWanted.contains(true) else {
            rows = []
            return
        }
        let indexes = try traceIndexes(count: traces.count)
        narrow(&rows) { isWanted[indexes[$0]] }
    }

    private func narrow(_ rows: inout [Int]?, _ holds: (Int) -> Bool) {
        rows = rows.map { $0.filter(holds) } ?? (0..<rowCount).filter(holds)
    }
}
