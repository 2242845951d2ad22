import Telemetry

/// What kind of rows a block holds.
enum RowKind: UInt8, Sendable, CaseIterable {
    case floats = 0
    case histograms = 1
    case exemplars = 2
    case logs = 3
    case spans = 4
    case profiles = 5
}

/// Rows of one stream and one kind as columns.
struct Run: Sendable {
    var timestamps: [Int64]
    var rows: Rows

    enum Rows: Sendable {
        case floats([Double])
        case histograms([NativeHistogram])
        case exemplars([Exemplar])
        case logs(LogColumns)
        case spans([TraceSpan])
        case profiles([Profile])
    }

    var count: Int { timestamps.count }
    var isEmpty: Bool { timestamps.isEmpty }

    var kind: RowKind {
        switch rows {
        case .floats: .floats
        case .histograms: .histograms
        case .exemplars: .exemplars
        case .logs: .logs
        case .spans: .spans
        case .profiles: .profiles
        }
    }

    /// The rows of `range`.
    func slice(_ range: Range<Int>) -> Run {
        if range == 0..<count { return self }
        let rows: Rows =
            switch rows {
            case .floats(let values): .floats(Array(values[range]))
            case .histograms(let values): .histograms(Array(values[range]))
            case .exemplars(let values): .exemplars(Array(values[range]))
            case .logs(let columns): .logs(columns.slice(range))
            case .spans(let values): .spans(Array(values[range]))
            case .profiles(let values): .profiles(Array(values[range]))
            }
        return Run(timestamps: Array(timestamps[range]), rows: rows)
    }

    /// The rows at `indices`, in that order.
    func selecting(_ indices: [Int]) -> Run {
        let rows: Rows =
            switch rows {
            case .floats(let values): .floats(indices.map { values[$0] })
            case .histograms(let values): .histograms(indices.map { values[$0] })
            case .exemplars(let values): .exemplars(indices.map { values[$0] })
            case .logs(let columns): .logs(columns.selecting(indices))
            case .spans(let values): .spans(indices.map { values[$0] })
            case .profiles(let values): .profiles(indices.map { values[$0] })
            }
        return Run(timestamps: indices.map { timestamps[$0] }, rows: rows)
    }

    /// Adds the rows of `other`, which is of the same kind, behind these.
    mutating func append(_ other: Run) {
        timestamps += other.timestamps
        switch (rows, other.rows) {
        case (.floats(let left), .floats(let right)): rows = .floats(left + right)
        case (.histograms(let left), .histograms(let right)): rows = .histograms(left + right)
        case (.exemplars(let left), .exemplars(let right)): rows = .exemplars(left + right)
        case (.logs(var left), .logs(let right)):
            left.append(right)
            rows = .logs(left)
        case (.spans(let left), .spans(let right)): rows = .spans(left + right)
        case (.profiles(let left), .profiles(let right)): rows = .profiles(left + right)
        default: preconditionFailure("runs of two kinds are never joined")
        }
    }

    /// The rows within `range`; the timestamps must ascend.
    func clipped(to range: TimeRange) -> Run {
        guard let first = timestamps.first, let last = timestamps.last else { return self }
        if range.start <= first, last <= range.end { return self }
        let start = timestamps.partitioningIndex { $0 >= range.start }
        let end = timestamps.partitioningIndex { $0 > range.end }
        return slice(start..<max(start, end))
    }
}

extension [Int64] {
    /// The first index whose element satisfies `condition`, which holds from there on.
    func partitioningIndex(_ condition: (Int64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension LogColumns {
    /// How many rows there are where fields are: the lines, empty or not, are there then too.
    private var rowCount: Int { ends.count }

    /// The rows of `range`.
    func slice(_ range: Range<Int>) -> LogColumns {
        var columns = LogColumns()
        guard !range.isEmpty else { return columns }
        if !ends.isEmpty {
            let start = self.range(range.lowerBound).lowerBound
            columns.bytes = Array(bytes[start..<ends[range.upperBound - 1]])
            columns.ends = ends[range].map { $0 - start }
        }
        if !metadata.isEmpty { columns.metadata = Array(metadata[range]) }
        if !traceIDs.isEmpty { columns.traceIDs = Array(traceIDs[range]) }
        if !spanIDs.isEmpty { columns.spanIDs = Array(spanIDs[range]) }
        if let fields { columns.fields = fields.selecting(Array(range), of: rowCount) }
        return columns
    }

    /// The rows at `indices`, in that order.
    func selecting(_ indices: [Int]) -> LogColumns {
        var columns = LogColumns()
        if !ends.isEmpty {
            var total = 0
            columns.ends.reserveCapacity(indices.count)
            for index in indices {
                total += range(index).count
                columns.ends.append(total)
            }
            let ranges = indices.lazy.map { range($0) }
            columns.bytes = bytes.withUnsafeBufferPointer { source in
                [UInt8](unsafeUninitializedCapacity: total) { target, initializedCount in
                    for range in ranges {
                        // SAFETY: the ranges lie in `source` (its bounds are checked here), and their counts add up to `total`.
                        let line = UnsafeBufferPointer(rebasing: source[range])
                        if let next = target.baseAddress, let start = line.baseAddress {
                            (next + initializedCount).update(from: start, count: line.count)
                            initializedCount += line.count
                        }
                    }
                }
            }
        }
        if !metadata.isEmpty { columns.metadata = indices.map { metadata[$0] } }
        if !traceIDs.isEmpty { columns.traceIDs = indices.map { traceIDs[$0] } }
        if !spanIDs.isEmpty { columns.spanIDs = indices.map { spanIDs[$0] } }
        if let fields { columns.fields = fields.selecting(indices, of: rowCount) }
        return columns
    }

    /// Adds the rows of `other`, which has the same columns, behind these.
    mutating func append(_ other: LogColumns) {
        let start = bytes.count
        bytes += other.bytes
        ends.reserveCapacity(ends.count + other.ends.count)
        for end in other.ends { ends.append(start + end) }
        metadata += other.metadata
        traceIDs += other.traceIDs
        spanIDs += other.spanIDs
    }
}
