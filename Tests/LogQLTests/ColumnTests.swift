import EmbeddedStore
import LogQL
import Query
import Telemetry
import TestSupport
import Testing

/// Fields answer as lines do: the same queries on the store that keeps lines apart, and on one that has only the lines.
@Suite("Answers from fields")
struct ColumnTests {
    private static let second: Int64 = 1_000_000_000
    private static let start: Int64 = 1_795_348_800 * second

    private struct Lines {
        var random: SplitMix64
        /// All lines are JSON objects.
        var isWhole = false

        mutating func below(_ bound: UInt64) -> UInt64 { random.next() % bound }
        mutating func pick(_ values: [String]) -> String { values[Int(below(UInt64(values.count)))] }

        mutating func line() -> String {
            switch below(12) {
            case 0 where !isWhole: return pick(["plain text", "status=500 took=3ms", "{\"cut", "[1,2]", "{\"status\":500} tail", ""])
            case 1: return "{\"status\":\"\(pick(["500", "abc", "", "1e3", "x\\\"y"]))\",\"level\":\"warn\"}"
            case 2: return "{\"user\":{\"id\":\(below(5)),\"name\":\"\(pick(["Zoë", "a\\nb", "c"]))\"},\"user_id\":\(below(3))}"
            case 3: return "{\"status\":null,\"duration_ms\":true,\"tags\":[\"a\",\"b\"],\"level\":\"info\"}"
            default:
                let level = pick(["info", "error", "warn"])
                return "{\"level\":\"\(level)\",\"msg\":\"\(pick(["request handled", "request failed", "x=\\\"y\\\""]))\","
                    + "\"status\":\(pick(["200", "201", "404", "500", "503"])),\"duration_ms\":\(below(1000)).\(pick(["5", "25", "125"])),"
                    + "\"took\":\"\(below(900))ms\",\"bytes\":\(below(1 << 16)),\"user\":{\"id\":\(below(50))},\"id\":\"\(hex(16))\"}"
            }
        }

        mutating func hex(_ count: Int) -> String {
            (0..<count).map { _ in String(below(16), radix: 16) }.joined()
        }
    }

    /// The answers must be the same, whatever is in memory, in parts, or in several of them at once.
    private static let queries: [String] = [
        #"{app=~".+"} | detected_level="error""#, #"{app="a"} | json | detected_level=~"info|warn""#, #"{app="a"} | pod="2" |= "failed""#,
        #"{app="a"} | json | status >= 500"#, #"{app="a"} | json | status="500""#, #"{app="a"} | json | status!="500" | level="error""#,
        #"{app=~".+"} | json | __error__="" | status > 404 or level="warn""#, #"{app="a"} | json | duration_ms < 12.5"#,
        #"{app="a"} | json | user_id="3""#, #"{app="a"} | json | took > 800ms"#, #"{app="a"} | json | bytes >= 60KB"#,
        #"{app="a"} | json | status=~"5.." | line_format "{{.status}} {{.msg}}""#, #"{app="a"} |= "request failed""#,
        #"{app="a"} |= "\"level\":\"error\"" | json | duration_ms > 900"#, #"{app="a"} != "request" "#, #"{app="a"} |~ "\"status\":40\\d""#,
        #"{app="a"} |= "failed" != "error""#, #"{app="a"} |= "no such thing""#, #"{app="a"} | json | status=~"5.*" | drop __error__"#,
        #"{app="a"} | json | level_extracted="warn""#, #"{app="b"} | json | level="error""#, #"{app="b"} | json | level_extracted="error""#,
        #"{app="a"} | json | tags="""#, #"{app="a"} | json | msg=~".*\"y\"""#, #"{app="m"} | json | status >= 500"#,
        #"{app="w"} | json | status="500""#, #"{app="w"} | json | user_id="3""#, #"{app="w"} | json | user_id="44""#,
        #"{app="w"} | json | id="0123456789abcdef""#, #"{app="w"} | json | duration_ms="12.5" or duration_ms="7.25""#,
        #"{app="w"} | json | took="17ms" and level="error""#, #"{app="w"} | json | status="x\"y""#, #"{app="w"} | json | user_name="Zoë""#,
        #"{app="w"} | json | pod="1""#, #"{app="w"} | json | none="1""#, #"{app="w"} | json | bytes="1""#, #"{app="w"} | json | tags="[""#,
    ]

    private static let metrics: [String] = [
        #"sum by (detected_level) (count_over_time({app=~".+"}[1m]))"#, #"sum by (level, detected_level) (count_over_time({app="a"} |= "request" | drop __error__ [1m]))"#,
        #"sum by (detected_level, status) (count_over_time({app=~"a|b"} | json | __error__="" [1m]))"#,
        #"sum by (app) (count_over_time({app=~".+"} | detected_level="error" [1m]))"#, #"sum by (app) (rate({app=~".+"} | pod="1" [1m]))"#,
        #"sum by (status) (count_over_time({app="a"} | json | __error__="" [1m]))"#,
        #"sum by (status) (rate({app=~"a|b"} | json | status >= 500 | __error__="" [1m]))"#,
        #"sum by (level) (count_over_time({app=~"a|b|m"} | json | __error__="" [90s]))"#,
        #"sum by (app, level, status) (count_over_time({app=~".+"} |= "request" | json | __error__="" [2m]))"#,
        #"quantile_over_time(0.9, {app="a"} | json | __error__="" | unwrap duration_ms | __error__="" [2m]) by (level)"#,
        #"avg_over_time({app=~"a|m"} | json | __error__="" | unwrap duration_ms | __error__="" [1m]) by (app)"#,
        #"max_over_time({app="a"} | json | __error__="" | unwrap duration(took) | __error__="" [1m]) by (status)"#,
        #"sum(sum_over_time({app="a"} | json | __error__="" | unwrap bytes | __error__="" [3m]))"#,
        #"stddev_over_time({app="a"} | json | __error__="" | unwrap duration_ms | __error__="" [1m]) by (user_id)"#,
        #"first_over_time({app="a"} | json | __error__="" | unwrap bytes | __error__="" [1m]) by (app)"#,
        #"last_over_time({app="a"} | json | __error__="" | unwrap bytes | __error__="" [70s]) by (app)"#,
        #"min_over_time({app="a"} | json | __error__="" | unwrap bytes | __error__="" [70s]) by (app)"#,
        #"sum by (app) (count_over_time({app=~".+"}[1m]))"#, #"sum by (app) (count_over_time({app=~".+"} |= "error" [1m]))"#,
        #"sum by (app) (count_over_time({app=~".+"} != "request" [1m]))"#, #"sum by (app) (bytes_over_time({app=~".+"} |= "error" [1m]))"#,
        #"count_over_time({app="a"} | json | __error__="" [5m]) "#, #"absent_over_time({app="a"} | json | status="999" | __error__="" [1m])"#,
        #"sum by (app) (count_over_time({app="w"} | json | user_id="3" | __error__="" [1m]))"#,
        #"sum by (user_id) (count_over_time({app="w"} | json | took="17ms" [2m]))"#,
    ]

    private static func answer(_ query: String, _ store: any TelemetryStore, limit: Int, _ direction: LogQLDirection) async throws -> LogQLValue {
        let engine = LogQLEngine(store: store)
        let result = try await engine.range(
            query, from: start - 60 * second, to: start + 700 * second, step: 30 * second, limit: limit, direction: direction,
            context: QueryContext())
        return result.value
    }

    private static func expectSame(_ left: LogQLValue, _ right: LogQLValue, _ what: String) {
        guard case .matrix(let found) = left, case .matrix(let wanted) = right else {
            #expect(left == right, "\(what)")
            return
        }
        #expect(found.map(\.labels) == wanted.map(\.labels), "\(what)")
        for (one, other) in zip(found, wanted) {
            #expect(one.timestamps == other.timestamps, "\(what) \(one.labels)")
            for (value, expected) in zip(one.values, other.values) {
                #expect(abs(value - expected) <= 1e-9 * max(1, abs(expected)), "\(what) \(one.labels): \(value), expected \(expected)")
            }
        }
    }

    @Test("lines and numbers are the same from memory, from parts, and from both", arguments: UInt64(1)..<5)
    func sameAnswers(seed: UInt64) async throws {
        var lines = Lines(random: SplitMix64(seed: seed))
        let folder = try ScratchFolder()
        var options = EmbeddedStore.Options(dataFolder: folder.path, retention: .seconds(3_000_000_000))
        options.time = TimeSource { Self.start + 3600 * Self.second }
        let store = try EmbeddedStore.open(options)
        let plain = MemoryStore()
        let streams: [Labels] = [
            Labels(["app": "a", "pod": "1"]), Labels(["app": "a", "pod": "2"]), Labels(["app": "a", "pod": "3"]),
            Labels(["app": "b", "level": "stream"]), Labels(["app": "m"]), Labels(["app": "w"]), Labels(["app": "w", "pod": "1"]),
        ]
        for round in 0..<4 {
            var batch = TelemetryBatch()
            for labels in streams {
                var entries: [LogEntry] = []
                lines.isWhole = labels["app"] == "w"
                for row in 0..<150 {
                    // Rounds overlap in time.
                    let at = Self.start + Int64(round) * 120 * Self.second + Int64(row) * Self.second + Int64(lines.below(999_999_999))
                    let metadata: Labels = labels["app"] == "m" && row % 3 == 0 ? Labels(["status": "stored"]) : .empty
                    entries.append(LogEntry(timestamp: at, line: lines.line(), metadata: metadata))
                }
                // The last rows come again, with the next round too.
                batch.logs.streams.append(LogBatch.Stream(labels: labels, entries: LogRows(entries + entries.suffix(5))))
            }
            try await store.append(batch)
            try await plain.append(batch)
            if round < 3 {
                if seed % 2 == 0 { try await store.append(batch) }
                try await store.flush()
            }
            if round == 1, seed % 4 == 1 { try await store.compact() }
        }
        for query in Self.queries {
            for limit in [3, 5000] {
                for direction in [LogQLDirection.backward, .forward] {
                    Self.expectSame(
                        try await Self.answer(query, store, limit: limit, direction), try await Self.answer(query, plain, limit: limit, direction),
                        "seed \(seed), \(query), \(limit), \(direction)")
                }
            }
        }
        for query in Self.metrics {
            Self.expectSame(
                try await Self.answer(query, store, limit: 1, .backward), try await Self.answer(query, plain, limit: 1, .backward),
                "seed \(seed), \(query)")
        }
        try await store.close()
    }
}
