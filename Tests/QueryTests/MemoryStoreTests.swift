import Query
import Telemetry
import TestSupport
import Testing

@Suite("MemoryStore")
struct MemoryStoreTests {
    private func store() async throws -> MemoryStore {
        let store = MemoryStore()
        var batch = TelemetryBatch()
        for name in ["a", "b"] {
            let series = batch.metrics.addSeries(Labels(["__name__": "m", "x": name]))
            for time in [30, 10, 20] as [Int64] {
                batch.metrics.append(series: series, timestamp: time, value: Double(time))
            }
        }
        batch.logs.streams = [
            LogBatch.Stream(
                labels: Labels(["s": "1"]),
                entries: [LogEntry(timestamp: 5, line: "five"), LogEntry(timestamp: 1, line: "one")]),
            LogBatch.Stream(
                labels: Labels(["s": "2"]),
                entries: [LogEntry(timestamp: 3, line: "three"), LogEntry(timestamp: 3, line: "three")])
        ]
        try await store.append(batch)
        return store
    }

    @Test("rows come in time order, the last write wins")
    func metrics() async throws {
        let store = try await store()
        var batch = TelemetryBatch()
        let series = batch.metrics.addSeries(Labels(["__name__": "m", "x": "a"]))
        batch.metrics.append(series: series, timestamp: 20, value: 99)
        batch.metrics.histograms.append((series: series, timestamp: 30, histogram: NativeHistogram(count: 1)))
        try await store.append(batch)
        let streams = try await store.streams(.metrics, matching: [LabelMatcher("x", .equal, "a")], in: .all)
        var floats: [Double] = []
        var histogramTimes: [Int64] = []
        try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { block in
            if case .floats(let values) = block.columns { floats += values }
            if case .histograms = block.columns { histogramTimes += block.timestamps }
            return .continue
        }
        #expect(floats == [10, 99])
        #expect(histogramTimes == [30])
    }

    @Test("matchers take an absent label for an empty one")
    func matchers() async throws {
        let store = try await store()
        func count(_ matcher: LabelMatcher) async throws -> Int {
            try await store.streams(.metrics, matching: [matcher], in: .all).count
        }
        #expect(try await count(LabelMatcher("y", .equal, "")) == 2)
        #expect(try await count(LabelMatcher("y", .notEqual, "")) == 0)
        #expect(try await count(LabelMatcher("x", .matches, "a|c")) == 1)
        #expect(try await count(LabelMatcher("x", .notMatches, "[a]")) == 1)
        await #expect(throws: StoreError.self) { try await count(LabelMatcher("x", .matches, "(")) }
        #expect(try await store.streams(.metrics, matching: [], in: TimeRange(31, 40)).isEmpty)
        #expect(try await store.labelNames(.metrics, matching: [], in: .all) == ["__name__", "x"])
        #expect(try await store.labelValues("x", .metrics, matching: [], in: .all) == ["a", "b"])
    }

    @Test("blocks of all streams come in the order of time", arguments: [ScanRequest.Order.oldestFirst, .newestFirst])
    func timeOrder(order: ScanRequest.Order) async throws {
        let store = try await store()
        let streams = try await store.streams(.logs, matching: [], in: .all)
        var lines: [String] = []
        var horizons: [Int64] = []
        try await store.scan(ScanRequest(signal: .logs, streams: streams, range: .all, order: order)) { block in
            guard case .logs(let columns) = block.columns else { return .stop }
            for row in 0..<block.count { lines.append(columns.line(row)) }
            horizons.append(block.horizon)
            return .continue
        }
        #expect(lines == (order == .oldestFirst ? ["one", "three", "five"] : ["five", "three", "one"]))
        #expect(horizons == (order == .oldestFirst ? [3, 5, .max] : [3, 1, .min]))
    }
}
