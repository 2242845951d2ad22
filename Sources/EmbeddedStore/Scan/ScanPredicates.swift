import Codecs
import Telemetry

/// The predicates of a request that this store applies by itself, and how.
struct ScanPredicates {
    /// Bit i: the request's i-th predicate is applied.
    private(set) var applied: UInt64 = 0
    /// Columns that applying needs.
    private(set) var columns: ScanRequest.Columns = []
    /// All rows wanted belong to this trace.
    private(set) var trace: TraceID?
    private var contained: [[UInt8]] = []
    private var excluded: [[UInt8]] = []
    private var spanConditions: [Predicate] = []

    var isEmpty: Bool { applied == 0 }

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
        case (.logs, .trace(let id)), (.spans, .trace(let id)):
            // Two different ones cannot both hold; the reader sees that by itself.
            guard trace == nil || trace == id, !id.isNone else { return false }
            trace = id
            columns.insert(.identifiers)
        case (.spans, .spanName(.equal, _)), (.spans, .spanName(.notEqual, _)), (.spans, .duration),
            (.spans, .status(.equal, _)), (.spans, .status(.notEqual, _)), (.spans, .kind(.equal, _)), (.spans, .kind(.notEqual, _)):
            spanConditions.append(predicate)
            columns.insert(.intrinsics)
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
        case .spans(let spans): rows = spans.indices.filter { holds(spans[$0]) }
        default: return run
        }
        return rows.count == run.count ? run : run.selecting(rows)
    }

    private func holds(_ columns: LogColumns, _ row: Int) -> Bool {
        if let trace, columns.traceIDs[row] != trace { return false }
        if contained.isEmpty, excluded.isEmpty { return true }
        let range = columns.range(row)
        return contained.allSatisfy { ByteSearch.contains(columns.bytes, range, $0) }
            && !excluded.contains { ByteSearch.contains(columns.bytes, range, $0) }
    }

    private func holds(_ span: TraceSpan) -> Bool {
        if let trace, span.traceID != trace { return false }
        return spanConditions.allSatisfy { condition in
            switch condition {
            case .spanName(let comparison, let name): (span.name == name) == (comparison == .equal)
            case .status(let comparison, let status): (span.status == status) == (comparison == .equal)
            case .kind(let comparison, let kind): (span.kind == kind) == (comparison == .equal)
            case .duration(let comparison, let bound): comparison.holds(span.duration, bound)
            default: true
            }
        }
    }
}

extension Predicate.Comparison {
    func holds(_ left: Int64, _ right: Int64) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
