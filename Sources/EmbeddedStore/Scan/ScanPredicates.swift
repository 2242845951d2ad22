import Codecs
import Telemetry

/// The predicates of a request that this store applies by itself, and how.
struct ScanPredicates {
    /// Bit i: the request's i-th predicate is applied.
    private(set) var applied: UInt64 = 0
    /// Columns that applying needs.
    private(set) var columns: ScanRequest.Columns = []
    /// All log rows wanted belong to this trace.
    private(set) var trace: TraceID?
    /// What a line must hold.
    private(set) var contained: [[UInt8]] = []
    private(set) var excluded: [[UInt8]] = []
    /// What is asked of spans; they are applied to the columns of a block, before its rows are made.
    private(set) var spans = SpanConditions()

    var isEmpty: Bool { applied == 0 }

    /// All rows wanted belong to one of these traces; nil: to any.
    var traces: Set<TraceID>? { trace.map { [$0] } ?? spans.traces }

    init(_ request: ScanRequest) {
        for (index, predicate) in request.predicates.prefix(64).enumerated() where add(predicate, request.signal) {
            applied |= 1 << UInt64(index)
        }
    }

    private mutating func add(_ predicate: Predicate, _ signal: Signal) -> Bool {
        switch (signal, predicate) {
        case (.logs, .lineContains(let text)):
            contained.append(Array(text.utf8))
            columns.insert(.line)
        case (.logs, .lineExcludes(let text)):
            excluded.append(Array(text.utf8))
            columns.insert(.line)
        case (.logs, .trace(let id)):
            // Two different ones cannot both hold; the reader sees that by itself.
            guard trace == nil || trace == id, !id.isNone else { return false }
            trace = id
            columns.insert(.identifiers)
        case (.spans, _): return spans.add(predicate)
        default: return false
        }
        return true
    }

    /// Only the rows for which all applied predicates hold.
    func filter(_ run: Run) -> Run {
        if isEmpty { return run }
        let rows: [Int]
        switch run.rows {
        case .logs(let columns):
            // One search over the whole block usually settles it.
            for needle in contained where !ByteSearch.contains(columns.bytes, 0..<columns.bytes.count, needle) { return run.slice(0..<0) }
            rows = run.timestamps.indices.filter { holds(columns, $0) }
        case .spans(let values): rows = values.indices.filter { spans.holds(values[$0]) }
        default: return run
        }
        return rows.count == run.count ? run : run.selecting(rows)
    }

    private func holds(_ columns: LogColumns, _ row: Int) -> Bool {
        if let trace, columns.traceIDs[row] != trace { return false }
        if contained.isEmpty, excluded.isEmpty { return true }
        return holds(columns, line: columns.range(row))
    }

    /// Whether a line holds what it must, and nothing that it must not.
    func holds(_ columns: LogColumns, line range: Range<Int>) -> Bool {
        contained.allSatisfy { ByteSearch.contains(columns.bytes, range, $0) }
            && !excluded.contains { ByteSearch.contains(columns.bytes, range, $0) }
    }
}
