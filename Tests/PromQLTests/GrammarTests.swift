import PromQL
import Query
import Telemetry
import TestSupport
import Testing

/// Queries drawn from a grammar: what must hold for all of them.
@Suite("PromQL: drawn queries")
struct GrammarTests {
    private static let script = """
        load 1m
          m_total{a="1", b="x"} 1+1x8 0+3x10
          m_total{a="2", b="x"} _ 5 stale 7 _ NaN 3 Inf 4 2 1 _ _ 9
          m_total{a="2", b="y"} -3+2x20
          g{a="1", c="p"} 4 3 2 1 0 -1 -2 _ _ _ _ _ _ _ _ 5
          g{a="2", c="q"} 1e300x20
          h{a="1"} {{schema:1 sum:3 count:4 buckets:[1 2 1]}}+{{schema:0 sum:3 count:4 buckets:[1 2 1]}}x20
          h{a="2"} {{schema:-53 sum:3 count:4 custom_values:[1 2] buckets:[1 2 1]}}x5 3 4 {{sum:1 count:1}}x5
          d_bucket{a="1", le="1"} 0+1x20
          d_bucket{a="1", le="2"} 0+3x20
          d_bucket{a="1", le="+Inf"} 0+4x20
        """

    @Test(
        "a query formats back to itself, and at an instant gives what it gives within a range",
        arguments: UInt64(0)..<40)
    func drawn(seed: UInt64) async throws {
        let engine = PromQLEngine(store: try await PromQLScriptRunner.store(Self.script))
        var draw = QueryDraw(seed: seed)
        var comparedCount = 0
        for _ in 0..<15 {
            let text = draw.vector(depth: 3)
            let expression: PromQLExpression
            do { expression = try PromQLParser.parse(text) } catch {
                Issue.record("seed \(seed): \(text): \(error)")
                continue
            }
            #expect(try PromQLParser.parse("\(expression)") == expression, "seed \(seed): \(text)")
            let range: PromQLResult
            do {
                range = try await engine.range(text, from: 0, to: 1_200_000, step: 75_000, context: QueryContext())
            } catch {
                // A range fails where one of its instants does; which one is not worth finding here.
                #expect(error.code == .execution, "seed \(seed): \(text): \(error)")
                continue
            }
            guard case .matrix(let matrix) = range.value else { continue }
            for time in [0, 300_000, 675_000, 1_200_000] as [Int64] {
                let instant = try await engine.instant(text, at: time, context: QueryContext())
                guard case .vector(let samples) = instant.value else { continue }
                let expected = Self.texts(matrix, at: time)
                let found = samples.map { "\($0.labels) \(Self.text($0.value))" }.sorted()
                comparedCount += found.count
                #expect(found == expected, "seed \(seed) at \(time): \(text)")
            }
        }
        #expect(comparedCount > 0, "seed \(seed) compared nothing")
    }

    private static func texts(_ matrix: [SeriesPoints], at time: Int64) -> [String] {
        matrix.compactMap { points in
            if let index = points.timestamps.firstIndex(of: time) {
                return "\(points.labels) \(text(.float(points.values[index])))"
            }
            if let index = points.histogramTimestamps.firstIndex(of: time) {
                return "\(points.labels) \(text(.histogram(points.histograms[index])))"
            }
            return nil
        }.sorted()
    }

    private static func text(_ value: PromQLSampleValue) -> String {
        switch value {
        case .float(let value): PromQLNumber.format(value)
        case .histogram(let histogram): histogram.promQLText
        }
    }
}

/// Draws well-typed queries.
private struct QueryDraw {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func one(of choices: [String]) -> String { choices[Int(random.next() % UInt64(choices.count))] }

    private mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    private mutating func selector() -> String {
        one(of: [
            "m_total", "g", "h", "d_bucket", "m_total{a=\"1\"}", "{a=~\"1|2\", b!=\"\"}", "g{c=~\"p.*\"}", "h{a=\"2\"}"
        ])
    }

    private mutating func modifier() -> String {
        chance(25) ? one(of: [" offset 1m", " offset -2m", " @ 600", " @ 600 offset 1m"]) : ""
    }

    private mutating func matrix(depth: Int) -> String {
        if depth > 0, chance(30) {
            return
                "\(one(of: ["(", "sum by (a) (", "abs("]))\(vector(depth: depth - 1)))[\(one(of: ["4m:1m", "3m:45s", "10m:"]))]"
                + modifier()
        }
        return "\(selector())[\(one(of: ["1m", "3m", "150s", "20m"]))]" + modifier()
    }

    private mutating func scalar() -> String {
        one(of: ["1", "-0.5", "2", "0", "time() / 100", "Inf", "NaN", "scalar(g{a=\"1\"})", "90s"])
    }

    mutating func vector(depth: Int) -> String {
        guard depth > 0 else { return selector() + modifier() }
        let inner = depth - 1
        switch random.next() % 12 {
        case 0, 1:
            let name = one(of: [
                "rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time", "min_over_time",
                "max_over_time", "count_over_time",
                "last_over_time", "stddev_over_time", "changes", "resets", "deriv", "present_over_time",
                "first_over_time", "mad_over_time",
                "ts_of_max_over_time", "absent_over_time"
            ])
            return "\(name)(\(matrix(depth: inner)))"
        case 2:
            return chance(50)
                ? "predict_linear(\(matrix(depth: inner)), 60)" : "quantile_over_time(0.5, \(matrix(depth: inner)))"
        case 3:
            let name = one(of: [
                "abs", "ceil", "sgn", "exp", "sqrt", "timestamp", "histogram_count", "histogram_sum", "histogram_avg",
                "absent", "hour"
            ])
            return "\(name)(\(vector(depth: inner)))"
        case 4, 5:
            let grouping = one(of: ["", " by (a)", " by (a, b)", " without (a)", " without (b, le)"])
            return
                "\(one(of: ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]))\(grouping) (\(vector(depth: inner)))"
        case 6:
            return
                "\(one(of: ["topk", "bottomk", "limitk", "limit_ratio", "quantile"])) (\(one(of: ["0.5", "1", "2"])), \(vector(depth: inner)))"
        case 7: return "histogram_quantile(\(one(of: ["0.5", "0.9", "1"])), \(vector(depth: inner)))"
        case 8:
            return
                "(\(vector(depth: inner))) \(one(of: ["+", "-", "*", "/", "%", "^", ">", "==", "<= bool", "!="])) \(scalar())"
        case 9:
            let matching = one(of: [
                "", " on (a)", " ignoring (b, c)", " on (a) group_left ()", " on (a) group_right (c)"
            ])
            return
                "(\(vector(depth: inner))) \(one(of: ["+", "-", "*", "/", ">", "!= bool"]))\(matching) (\(vector(depth: inner)))"
        case 10:
            return
                "(\(vector(depth: inner))) \(one(of: ["and", "or", "unless"]))\(one(of: ["", " on (a)"])) (\(vector(depth: inner)))"
        default: return "label_replace(\(vector(depth: inner)), \"z\", \"$1-\", \"a\", \"(.)\")"
        }
    }
}
