import Telemetry

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
