package import Query
package import Telemetry

/// Answers TraceQL queries, and finds traces by id, from a store.
package struct TraceQLEngine: Sendable {
    package struct Options: Sendable {
        /// How far before and after a matched span the rest of its trace may lie.
        package var traceReachNanoseconds: Int64 = 3_600_000_000_000
        /// How many spans of a trace are read at most: a broken client must not fill the memory.
        package var spanCountPerTraceMax = 1_000_000
        /// How many spans the names and values of attributes are gathered from.
        package var tagSpanCountMax = 200_000
        /// How many steps a metrics query may have.
        package var stepCountMax = 11_000

        package init() {}
    }

    let store: any TelemetryStore
    let options: Options

    package init(store: any TelemetryStore, options: Options = Options()) {
        self.store = store
        self.options = options
    }

    /// The spans of a trace by resource; empty where there are none.
    ///
    /// - Parameter range: when it took place (nanoseconds), where that is known; nil: any time.
    package func trace(
        _ id: TraceID, in range: TimeRange? = nil, context: QueryContext
    ) async throws(QueryError) -> [SpanBatch.Group] {
        let range = range ?? .all
        let streams = try await Self.reading { try await store.streams(.spans, matching: [], in: range) }
        let (groups, byteCount) = try await groups(id, streams, range, context)
        context.release(bytes: byteCount)
        return groups
    }

    /// The spans of a trace, and the bytes that were reserved for them.
    func groups(
        _ id: TraceID, _ streams: [TelemetryStream], _ range: TimeRange, _ context: QueryContext
    ) async throws(QueryError) -> ([SpanBatch.Group], byteCount: Int) {
        guard !streams.isEmpty else { return ([], 0) }
        var groups: [SpanBatch.Group] = []
        var indexes: [StreamID: Int] = [:]
        var (spanCount, byteCount) = (0, 0)
        let spanCountMax = options.spanCountPerTraceMax
        let request = ScanRequest(
            signal: .spans, streams: streams, range: range, order: .byStream, columns: .all, predicates: [.trace(id)])
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .spans(let spans) = block.columns else { return .continue }
                let before = spanCount
                for span in spans where span.traceID == id {
                    let index = indexes[block.stream.id] ?? groups.count
                    if index == groups.count {
                        indexes[block.stream.id] = index
                        groups.append(SpanBatch.Group(resource: block.stream.resource))
                    }
                    groups[index].spans.append(span)
                    spanCount += 1
                }
                try context.reserve(bytes: (spanCount - before) * Self.spanByteCountGuess)
                byteCount += (spanCount - before) * Self.spanByteCountGuess
                return spanCount < spanCountMax ? .continue : .stop
            }
        }
        return (groups, byteCount)
    }

    /// The spans of several traces, read at once, and the bytes that were reserved for them.
    ///
    /// - Parameters:
    ///   - wanted: each with a start, around which its spans are looked for as far as ``Options/traceReachNanoseconds``.
    ///   - fields: what will be asked of the spans beside their places, times, names and statuses.
    func groups(
        _ wanted: ArraySlice<(id: TraceID, start: Int64)>, _ streams: [TelemetryStream], _ fields: [SpanField], _ context: QueryContext
    ) async throws(QueryError) -> ([TraceID: [SpanBatch.Group]], byteCount: Int) {
        var reaches: [TraceID: TimeRange] = [:]
        var all = TimeRange(.max, .min)
        for (id, start) in wanted {
            let reach = TimeRange(
                start.subtractingReportingOverflow(options.traceReachNanoseconds).partialValue,
                start.addingReportingOverflow(options.traceReachNanoseconds).partialValue)
            reaches[id] = reach
            all = TimeRange(min(all.start, reach.start), max(all.end, reach.end))
        }
        let request = ScanRequest(
            signal: .spans, streams: streams, range: all, order: .byStream,
            columns: fields.reduce([.identifiers, .intrinsics]) { $0.union($1.columns) }, attributeNames: fields.attributeNames,
            predicates: [.traces(Set(reaches.keys))])
        var traces: [TraceID: [SpanBatch.Group]] = [:]
        var spanCounts: [TraceID: Int] = [:]
        var byteCount = 0
        let spanCountMax = options.spanCountPerTraceMax
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .spans(let spans) = block.columns else { return .continue }
                let before = byteCount
                for (span, start) in zip(spans, block.timestamps) {
                    guard reaches[span.traceID]?.contains(start) == true, spanCounts[span.traceID, default: 0] < spanCountMax else { continue }
                    spanCounts[span.traceID, default: 0] += 1
                    byteCount += Self.spanByteCountGuess
                    let last = (traces[span.traceID]?.count ?? 0) - 1
                    if last >= 0, traces[span.traceID]?[last].resource == block.stream.resource {
                        traces[span.traceID]?[last].spans.append(span)
                    } else {
                        traces[span.traceID, default: []].append(SpanBatch.Group(resource: block.stream.resource, spans: [span]))
                    }
                }
                try context.reserve(bytes: byteCount - before)
                return .continue
            }
        }
        return (traces, byteCount)
    }

    /// About what a span takes in memory with its attributes.
    static let spanByteCountGuess = 1_000

    /// Runs what reads the store, and turns its errors into errors of the query.
    static func reading<Result>(_ body: () async throws -> Result) async throws(QueryError) -> Result {
        do {
            return try await body()
        } catch let error as QueryError {
            throw error
        } catch let error as StoreError {
            throw QueryError(error.code == .invalidPattern ? .parse : .storage, error.description)
        } catch is CancellationError {
            throw QueryError(.cancelled, "query was canceled")
        } catch {
            throw QueryError(.storage, "\(error)")
        }
    }
}
