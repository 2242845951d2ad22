import Synchronization
import Telemetry
import TestSupport

@testable import EmbeddedStore

/// A clock that stands where a test puts it.
final class TestClock: Sendable {
    private let now: Mutex<Int64>

    init(_ nanoseconds: Int64) {
        now = Mutex(nanoseconds)
    }

    var source: TimeSource { TimeSource { self.now.withLock { $0 } } }
    var nanoseconds: Int64 { now.withLock { $0 } }
    var milliseconds: Int64 { nanoseconds / 1_000_000 }

    func advance(by duration: Duration) {
        now.withLock { $0 += duration.wholeNanoseconds }
    }
}

/// 2026-11-22T12:00:00Z in nanoseconds.
let noon: Int64 = 1_795_348_800 * 1_000_000_000
let noonMilliseconds = noon / 1_000_000
let hourMilliseconds: Int64 = 3_600_000

/// Everything the store said to the operator.
final class EventLog: Sendable {
    private let events = Mutex<[StoreEvent]>([])

    func record(_ event: StoreEvent) {
        events.withLock { $0.append(event) }
    }

    var errors: [String] { events.withLock { $0.filter { $0.level == .error }.map(\.message) } }
}

func options(
    _ folder: String, clock: TestClock = TestClock(noon), log: EventLog = EventLog(), retention: Duration = .seconds(30 * 86_400)
) -> EmbeddedStore.Options {
    var options = EmbeddedStore.Options(dataFolder: folder, retention: retention)
    options.time = clock.source
    options.log = { log.record($0) }
    return options
}

/// A batch of float samples of one series.
func samples(_ labels: KeyValuePairs<String, String>, _ rows: [(Int64, Double)]) -> TelemetryBatch {
    var batch = TelemetryBatch()
    let series = batch.metrics.addSeries(Labels(labels))
    for (timestamp, value) in rows { batch.metrics.append(series: series, timestamp: timestamp, value: value) }
    return batch
}

func logs(_ labels: KeyValuePairs<String, String>, _ entries: [LogEntry]) -> TelemetryBatch {
    var batch = TelemetryBatch()
    batch.logs.streams.append(LogBatch.Stream(labels: Labels(labels), entries: entries))
    return batch
}

func spans(_ service: String, _ spans: [TraceSpan]) -> TelemetryBatch {
    var batch = TelemetryBatch()
    batch.spans.groups.append(SpanBatch.Group(resource: Resource([Attribute("service.name", .string(service))]), spans: spans))
    return batch
}

extension TelemetryStore {
    /// The blocks of everything that matches.
    func blocks(
        _ signal: Signal, _ matchers: [LabelMatcher] = [], in range: TimeRange = .all, order: ScanRequest.Order = .byStream,
        columns: ScanRequest.Columns = .all, predicates: [Predicate] = []
    ) async throws -> [Block] {
        let streams = try await streams(signal, matching: matchers, in: range).sorted { $0.labels < $1.labels }
        var blocks: [Block] = []
        try await scan(
            ScanRequest(signal: signal, streams: streams, range: range, order: order, columns: columns, predicates: predicates)
        ) { block in
            blocks.append(block)
            return .continue
        }
        return blocks
    }

    /// Float samples as (labels, timestamp, bits), by series and time.
    func floats(_ matchers: [LabelMatcher] = [], in range: TimeRange = .all) async throws -> [FloatRow] {
        try await blocks(.metrics, matchers, in: range).flatMap { block -> [FloatRow] in
            guard case .floats(let values) = block.columns else { return [] }
            return zip(block.timestamps, values).map { FloatRow(labels: block.stream.labels, timestamp: $0, bits: $1.bitPattern) }
        }
    }

    func lines(_ matchers: [LabelMatcher] = [], in range: TimeRange = .all, predicates: [Predicate] = []) async throws -> [String] {
        try await blocks(.logs, matchers, in: range, predicates: predicates).flatMap { block -> [String] in
            guard case .logs(let columns) = block.columns else { return [] }
            return (0..<block.count).map { columns.line($0) }
        }
    }

    func allSpans(_ predicates: [Predicate] = []) async throws -> [TraceSpan] {
        try await blocks(.spans, predicates: predicates).flatMap { block -> [TraceSpan] in
            if case .spans(let spans) = block.columns { spans } else { [] }
        }
    }
}

struct FloatRow: Hashable, CustomStringConvertible {
    var labels: Labels
    var timestamp: Int64
    var bits: UInt64

    var description: String { "\(labels)@\(timestamp)=\(Double(bitPattern: bits))" }
}
