import Telemetry

/// A piece of one stream's rows: a block of a part, or a run from a memtable.
struct ScanItem {
    enum Origin {
        /// A block of the reader at a position of the scan's list.
        case block(reader: Int, index: Int)
        case run(Run)
    }

    /// Which of two writes came later: higher is later.
    var source: Int
    var kind: RowKind
    var minTime: Int64
    var maxTime: Int64
    var origin: Origin
}

/// Pieces of one stream whose times overlap: they are read together. Clusters of a stream do not overlap.
struct ScanCluster {
    /// The stream's position in the request.
    var stream: Int
    var minTime: Int64
    var maxTime: Int64
    var items: [ScanItem]

    /// Groups a stream's items, in the order of time.
    static func clusters(_ items: [ScanItem], stream: Int) -> [ScanCluster] {
        var clusters: [ScanCluster] = []
        for item in items.sorted(by: { ($0.minTime, $0.source) < ($1.minTime, $1.source) }) {
            if let last = clusters.last, item.minTime <= last.maxTime {
                clusters[clusters.count - 1].items.append(item)
                clusters[clusters.count - 1].maxTime = max(last.maxTime, item.maxTime)
            } else {
                clusters.append(ScanCluster(stream: stream, minTime: item.minTime, maxTime: item.maxTime, items: [item]))
            }
        }
        return clusters
    }
}

extension Run {
    /// Joins pieces of one stream, each with its rank in the order of writing, into runs that follow each other in time.
    ///
    /// Floats and histograms of one metric share their timestamps: the last write of either takes the place of the other.
    static func joined(_ pieces: [(source: Int, run: Run)]) -> [Run] {
        let ordered = pieces.enumerated().sorted { ($0.element.source, $0.offset) < ($1.element.source, $1.offset) }.map(\.element)
        guard let first = ordered.first else { return [] }
        // One piece is in order and without duplicates already, and may lack the columns to tell its rows apart.
        if ordered.count == 1 { return [first.run] }
        if ordered.allSatisfy({ $0.run.kind == first.run.kind }) { return [merged(ordered.map(\.run))] }

        var rows: [(time: Int64, piece: Int, row: Int)] = []
        for (index, piece) in ordered.enumerated() {
            for row in 0..<piece.run.count { rows.append((piece.run.timestamps[row], index, row)) }
        }
        rows.sort { $0 < $1 }
        var kept: [(time: Int64, piece: Int, row: Int)] = []
        for row in rows {
            if kept.last?.time == row.time { kept.removeLast() }
            kept.append(row)
        }
        var runs: [Run] = []
        for row in kept {
            let one = ordered[row.piece].run.slice(row.row..<row.row + 1)
            if let last = runs.last, last.kind == one.kind { runs[runs.count - 1].append(one) } else { runs.append(one) }
        }
        return runs
    }
}
