import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

/// What a store must answer: every acknowledged row, and of refused batches all rows or none.
struct StoreModel {
    struct Key: Hashable {
        var series: Int
        var timestamp: Int64
    }

    struct Value {
        /// The bits that the last acknowledged write left; nil where there was none.
        var acknowledged: UInt64?
        /// What refused writes since then may have left.
        var possible: [UInt64] = []
    }

    var samples: [Key: Value] = [:]
    /// Lines of acknowledged batches.
    var lines: Set<String> = []
    /// Lines of refused batches, by batch.
    var refusedLines: [[String]] = []
    var spans: Set<UInt64> = []
    var refusedSpans: [[UInt64]] = []
    private var nextNumber: UInt64 = 1

    /// Draws a batch of all signals.
    mutating func draw(_ random: inout SplitMix64, now: Int64) -> (batch: TelemetryBatch, record: Record) {
        var batch = TelemetryBatch()
        var record = Record()
        for _ in 0..<(1 + random.next() % 3) {
            let series = Int(random.next() % 6)
            let index = batch.metrics.addSeries(Self.labels(series))
            for _ in 0..<(1 + random.next() % 8) {
                // Few instants, over three days, so that writes meet.
                let timestamp = now / 1_000_000 - Int64(random.next() % 72) * hourMilliseconds - Int64(random.next() % 4) * 250
                let value = Double(random.next() % 1000) / 10
                batch.metrics.append(series: index, timestamp: timestamp, value: value)
                record.samples.append((Key(series: series, timestamp: timestamp), value.bitPattern))
            }
        }
        var entries: [LogEntry] = []
        for _ in 0..<(random.next() % 6) {
            let line = "line \(nextNumber)"
            nextNumber += 1
            entries.append(LogEntry(timestamp: now - Int64(random.next() % 200_000) * 1_000_000_000, line: line))
            record.lines.append(line)
        }
        if !entries.isEmpty {
            batch.logs.streams.append(LogBatch.Stream(labels: Labels(["app": "\(random.next() % 3)"]), entries: entries))
        }
        var group = SpanBatch.Group(resource: Resource([Attribute("service.name", .string("s\(random.next() % 3)"))]))
        for _ in 0..<(random.next() % 4) {
            group.spans.append(
                TraceSpan(
                    traceID: TraceID(high: 1, low: nextNumber % 5 + 1), spanID: SpanID(nextNumber), name: "n",
                    start: now - Int64(random.next() % 200_000) * 1_000_000_000, duration: 5))
            record.spans.append(nextNumber)
            nextNumber += 1
        }
        if !group.spans.isEmpty { batch.spans.groups.append(group) }
        return (batch, record)
    }

    struct Record {
        var samples: [(key: Key, bits: UInt64)] = []
        var lines: [String] = []
        var spans: [UInt64] = []
    }

    static func labels(_ series: Int) -> Labels { Labels(["__name__": "m\(series % 2)", "n": "\(series)"]) }

    mutating func acknowledge(_ record: Record) {
        for (key, bits) in record.samples { samples[key] = Value(acknowledged: bits) }
        lines.formUnion(record.lines)
        spans.formUnion(record.spans)
    }

    mutating func refuse(_ record: Record) {
        for (key, bits) in record.samples { samples[key, default: Value()].possible.append(bits) }
        refusedLines.append(record.lines)
        refusedSpans.append(record.spans)
    }

    /// Holds the store's answers against the model, and takes over what it finds of refused batches.
    ///
    /// - Parameter settles: after a crash: what a refused batch left is there now, or never will be.
    mutating func check(_ store: EmbeddedStore, seed: UInt64, settles: Bool) async throws {
        var found: [Key: UInt64] = [:]
        for row in try await store.floats() {
            let key = Key(series: Int(row.labels["n"] ?? "") ?? -1, timestamp: row.timestamp)
            #expect(found.updateValue(row.bits, forKey: key) == nil, "seed \(seed): \(key) came twice")
        }
        for (key, value) in samples {
            let allowed = [value.acknowledged].compactMap { $0 } + value.possible
            if let bits = found[key] {
                #expect(allowed.contains(bits), "seed \(seed): \(key) has a value that was not written last")
            } else {
                #expect(value.acknowledged == nil, "seed \(seed): \(key) is missing")
            }
        }
        #expect(Set(found.keys).isSubset(of: samples.keys), "seed \(seed): rows that nobody wrote")
        let lines = try await store.lines()
        #expect(Set(lines).count == lines.count, "seed \(seed): a line came twice")
        Self.check(Set(lines), self.lines, refusedLines, "lines", seed)
        let spans = try await store.allSpans().map(\.spanID.value)
        #expect(Set(spans).count == spans.count, "seed \(seed): a span came twice")
        Self.check(Set(spans), self.spans, refusedSpans, "spans", seed)
        for trace in 1...5 {
            let byTrace = try await store.allSpans([.trace(TraceID(high: 1, low: UInt64(trace)))]).map(\.spanID.value)
            #expect(Set(byTrace) == Set(spans.filter { $0 % 5 + 1 == UInt64(trace) }), "seed \(seed): spans of trace \(trace)")
        }
        guard settles else { return }
        samples = found.mapValues { Value(acknowledged: $0) }
        self.lines = Set(lines)
        self.spans = Set(spans)
        refusedLines = []
        refusedSpans = []
    }

    private static func check<Row: Hashable>(
        _ found: Set<Row>, _ acknowledged: Set<Row>, _ refused: [[Row]], _ what: String, _ seed: UInt64
    ) {
        #expect(acknowledged.isSubset(of: found), "seed \(seed): \(acknowledged.subtracting(found).count) \(what) are missing")
        var rest = found.subtracting(acknowledged)
        for batch in refused where !batch.isEmpty {
            let present = batch.filter { found.contains($0) }
            #expect(present.isEmpty || present.count == batch.count, "seed \(seed): half a batch of \(what)")
            rest.subtract(batch)
        }
        #expect(rest.isEmpty, "seed \(seed): \(what) that nobody wrote")
    }
}
