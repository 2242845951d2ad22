import Codecs
import Telemetry

/// A piece of one stream's log rows as a scan meets it.
struct LogPiece {
    enum Rows {
        /// A chunk of a part: its reader, the page and the chunk's place in it.
        case chunk(part: Int, page: Int, position: Int)
        /// Encoded rows of a memtable.
        case block(MemtableLogs.Block)
        /// The last rows of a memtable, as they came.
        case run(Run)
    }

    var rows: Rows
    /// Which of two writes came later: higher is later.
    var source: Int
    var range: TimeRange
}

/// Pieces of one stream whose times overlap, each with what it takes to tell equal rows.
///
/// A row that two pieces have is a row of the one that was written first. Equal rows have equal timestamps, which hardly any two rows
/// of different pieces have: so the timestamps are compared, and only rows that share theirs are read to the end.
struct LogCluster {
    private let pieces: [LogPiece]
    private var times: [[Int64]?]

    init(_ pieces: [LogPiece]) {
        self.pieces = pieces
        times = Array(repeating: nil, count: pieces.count)
    }

    /// What the whole content of a row is compared by.
    private struct Content: Hashable {
        var timestamp: Int64
        var line: [UInt8]
        var metadata: Labels
        var trace: TraceID
        var span: SpanID
    }

    /// The rows of a piece that one written before has too.
    ///
    /// - Parameters:
    ///   - read: a piece's timestamps.
    ///   - select: some rows of a piece with all columns.
    mutating func duplicates(
        _ piece: Int, read: (LogPiece) throws -> [Int64], select: (LogPiece, [Int]) throws -> Run
    ) throws -> [Int] {
        var rows: Set<Int> = []
        for other in pieces.indices where isBefore(other, piece) && pieces[other].range.overlaps(pieces[piece].range) {
            let (own, others) = (try times(of: piece, read), try times(of: other, read))
            let shared = Self.shared(own, others)
            if shared.rows.isEmpty { continue }
            var known: Set<Content> = []
            Self.forEach(try select(pieces[other], shared.others)) { known.insert($1) }
            Self.forEach(try select(pieces[piece], shared.rows)) { position, content in
                if known.contains(content) { rows.insert(shared.rows[position]) }
            }
        }
        return rows.sorted()
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (pieces[left].source, left) < (pieces[right].source, right)
    }

    /// A piece's timestamps, where they are known.
    func knownTimes(of piece: Int) -> [Int64]? { times[piece] }

    mutating func know(_ timestamps: [Int64], of piece: Int) { times[piece] = timestamps }

    private mutating func times(of piece: Int, _ read: (LogPiece) throws -> [Int64]) throws -> [Int64] {
        if let known = times[piece] { return known }
        let found = try read(pieces[piece])
        times[piece] = found
        return found
    }

    /// The rows on either side whose timestamps the other side has too. Both ascend.
    private static func shared(_ left: [Int64], _ right: [Int64]) -> (rows: [Int], others: [Int]) {
        guard let leftFirst = left.first, let rightFirst = right.first else { return ([], []) }
        var row = left.partitioningIndex { $0 >= rightFirst }
        var other = right.partitioningIndex { $0 >= leftFirst }
        var (rows, others) = ([Int](), [Int]())
        while row < left.count, other < right.count {
            if left[row] < right[other] {
                row += 1
            } else if right[other] < left[row] {
                other += 1
            } else {
                let time = left[row]
                while row < left.count, left[row] == time {
                    rows.append(row)
                    row += 1
                }
                while other < right.count, right[other] == time {
                    others.append(other)
                    other += 1
                }
            }
        }
        return (rows, others)
    }

    private static func forEach(_ run: Run, _ body: (Int, Content) -> Void) {
        guard case .logs(let columns) = run.rows else { return }
        for row in run.timestamps.indices {
            body(
                row,
                Content(
                    timestamp: run.timestamps[row], line: Array(columns.bytes[columns.range(row)]),
                    metadata: columns.metadata.isEmpty ? .empty : columns.metadata[row],
                    trace: columns.traceIDs.isEmpty ? .none : columns.traceIDs[row],
                    span: columns.spanIDs.isEmpty ? .none : columns.spanIDs[row]))
        }
    }
}
