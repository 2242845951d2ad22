import PromQL
import Query
import Telemetry
import TestSupport
import Testing

/// Aggregations that take series in as they are read give what those give that evaluate their input first.
@Suite("PromQL: fused aggregations")
struct FusedTests {
    /// Counters with resets, gaps, staleness markers and NaN, of targets that share their scrape times and of some that do not.
    static func store(seed: UInt64) async throws -> MemoryStore {
        var random = SplitMix64(seed: seed)
        let store = MemoryStore()
        var batch = TelemetryBatch()
        // Enough series for several chunks.
        for target in 0..<40 {
            let offset = Int64.random(in: 0..<15_000, using: &random)
            let times = (0..<50).map { Int64($0) * 15_000 + offset }
            for path in 0..<13 {
                let series = batch.metrics.addSeries(
                    Labels([
                        "__name__": "requests_total", "instance": "i\(target)", "path": "/\(path)", "zone": "z\(target % 3)",
                    ]))
                var value = Double.random(in: 0..<10, using: &random)
                for time in times where Int.random(in: 0..<20, using: &random) > 0 {
                    switch Int.random(in: 0..<60, using: &random) {
                    case 0: value = 0
                    case 1:
                        batch.metrics.append(series: series, timestamp: time, value: Staleness.marker)
                        continue
                    case 2 where path == 9:
                        batch.metrics.append(series: series, timestamp: time, value: .nan)
                        continue
                    default: value += Double(Int.random(in: 0..<100, using: &random)) / 8
                    }
                    batch.metrics.append(series: series, timestamp: time, value: value)
                }
            }
        }
        try await store.append(batch)
        return store
    }

    static let inputs = [
        "requests_total", "requests_total offset 1m", "requests_total @ 600", "rate(requests_total[2m])",
        "increase(requests_total{path=\"/1\"}[5m])", "delta(requests_total[90s])", "max_over_time(requests_total[1m])",
        "last_over_time(requests_total[2m])", "count_over_time(requests_total[3m])", "rate(requests_total{zone=\"none\"}[2m])",
        "irate(requests_total[1m])", "rate(requests_total[1s])",
    ]
    static let groupings = ["", "by (zone)", "by (zone, path)", "without (instance)", "by (__name__)", "by (nothing)"]

    @Test("they equal the general way", arguments: [UInt64(1), 2], [false, true])
    func equalsGeneral(seed: UInt64, delayed: Bool) async throws {
        var options = PromQLOptions()
        options.delayedNameRemoval = delayed
        let engine = PromQLEngine(store: try await Self.store(seed: seed), options: options)
        let operations = ["sum", "avg", "count", "group", "min", "max"]
        for (index, input) in Self.inputs.enumerated() {
            for (place, grouping) in Self.groupings.enumerated() {
                let operation = operations[(index + place + Int(seed)) % operations.count]
                let fused = "\(operation) \(grouping) (\(input))"
                // A sort within keeps the aggregation from taking the series in by itself.
                let general = "\(operation) \(grouping) (sort(\(input)))"
                let step: Int64 = index % 2 == 0 ? 60_000 : 47_000
                let (a, b) = (try await run(engine, fused, step), try await run(engine, general, step))
                #expect(Set(a.keys) == Set(b.keys), "\(fused), seed \(seed)")
                for (key, value) in a {
                    let other = try #require(b[key])
                    let isEqual =
                        value == other || value.isNaN && other.isNaN
                        || (value - other).magnitude <= 1e-12 * max(value.magnitude, other.magnitude)
                    #expect(isEqual, "\(fused), seed \(seed), \(key): \(value), \(other)")
                }
            }
        }
    }

    private struct Point: Hashable {
        var labels: Labels
        var time: Int64
    }

    private func run(_ engine: PromQLEngine, _ query: String, _ step: Int64) async throws -> [Point: Double] {
        let result = try await engine.range(query, from: 300_000, to: 800_000, step: step, context: QueryContext())
        guard case .matrix(let matrix) = result.value else { return [:] }
        var points: [Point: Double] = [:]
        for series in matrix {
            for (time, value) in zip(series.timestamps, series.values) { points[Point(labels: series.labels, time: time)] = value }
        }
        return points
    }

    @Test("native histograms among the series are summed as ever")
    func histograms() async throws {
        let store = try await PromQLScriptRunner.store(
            """
            load 1m
              h{a="1"} {{schema:0 count:3 sum:4 buckets:[1 2]}}x5
              h{a="2"} {{schema:0 count:3 sum:4 buckets:[1 2]}}x5
              h{a="3"} {{schema:0 count:1 sum:1 buckets:[1]}}x5
            """)
        let result = try await PromQLEngine(store: store).instant("sum(h)", at: 60_000, context: QueryContext())
        guard case .vector(let samples) = result.value, case .histogram(let sum)? = samples.first?.value else {
            Issue.record("no histogram: \(result.value)")
            return
        }
        #expect(sum.count == 7)
    }

    @Test("series that become alike without their metadata are an error, fused or not")
    func duplicates() async throws {
        let store = try await PromQLScriptRunner.store(
            """
            load 1m
              m_total{__type__="counter"} 0+1x5
              m_total{__type__="gauge"} 0+1x5
            """)
        let engine = PromQLEngine(store: store)
        await #expect(throws: QueryError.self) {
            try await engine.instant("sum(rate(m_total[3m]))", at: 180_000, context: QueryContext())
        }
    }

    @Test("the sample budget holds over all chunks")
    func budget() async throws {
        var limits = QueryContext.Limits()
        limits.sampleCountMax = 1_000
        let engine = PromQLEngine(store: try await Self.store(seed: 3))
        let context = QueryContext(limits: limits)
        await #expect(throws: QueryError.self) {
            try await engine.instant("sum(rate(requests_total[10m]))", at: 800_000, context: context)
        }
    }

    @Test("a plan names each operator with its series and samples")
    func plan() async throws {
        let engine = PromQLEngine(store: try await Self.store(seed: 4))
        let query = "topk(2, sum by (path) (rate(requests_total[5m]))) + on (path) group_left () vector(1)"
        let recorder = PlanRecorder()
        let expression = try PromQLParser.parse("topk(2, sum by (path) (rate(requests_total[5m])))")
        _ = try await engine.instant(expression, text: query, at: 600_000, context: QueryContext(), plan: recorder)
        let root = try #require(recorder.root)
        #expect(root.name == "topk" && root.seriesCount == 2)
        let sum = try #require(root.children.first { $0.name == "sum" })
        #expect(sum.seriesCount == 13 && sum.sampleCount > 1_000 && sum.strategy.hasPrefix("fused"))
        #expect(root.duration >= sum.duration)
    }
}
