import PromQL
import Telemetry
import Testing

@Suite("PromQL: script runner")
struct ScriptRunnerTests {
    @Test("an evaluation that fails says where, what was expected and what came")
    func failures() async throws {
        let outcome = try await PromQLScriptRunner.run(
            """
            load 1m
              m{a="1"} 1 2 3

            eval instant at 1m m
              m{a="1"} 2

            eval instant at 1m m
              m{a="1"} 5

            eval instant at 1m m
              {a="2"} 2

            eval instant at 1m m
              expect fail

            eval instant at 1m nosuch(m)

            eval range from 0 to 2m step 1m m
              m{a="1"} 1 2 4
            """)
        #expect(outcome.passed == 1)
        #expect(outcome.failures.map(\.line) == [7, 10, 13, 16, 18])
        #expect(outcome.failures[0].message == #"m: {__name__="m", a="1"}: expected 5, got 2"#)
        for failure in outcome.failures { #expect(failure.message.contains("expected") && failure.message.contains("got"), "\(failure)") }
    }

    static let invalid: [(script: String, line: Int)] = [
        ("nonsense", 1), ("load", 1), ("load 1m\n  m{a=~\"b\"} 1", 2), ("load 1m\n  m 1+", 2), ("load 1m\n  m 1x99999999999", 2),
        ("\neval instant at x m", 2), ("eval range from 5m to 1m step 1m m", 1), ("eval range from 0 to 1m step 0 m", 1),
        ("load 1m\n  m {{schema:9999999999}}", 2), ("load 1m\n  m {{sum:1 sum:2}}", 2), ("load 1m\n  m {{nosuch:1}}", 2),
        ("eval instant at 1m m\n  expect warn\n  expect no_warn", 1), ("eval instant at 0 1\n  1\n  m 2", 3),
    ]

    @Test("what is no script is an error with its line", arguments: invalid)
    func invalidScripts(script: String, line: Int) async throws {
        do {
            _ = try await PromQLScriptRunner.run(script)
            Issue.record("ran: \(script)")
        } catch {
            #expect(error.line == line, "\(script): \(error)")
        }
    }

    @Test("a load that fails ends the script")
    func failingLoad() async throws {
        let outcome = try await PromQLScriptRunner.run(
            """
            load_with_nhcb 1m
              h_bucket{le="1"} 5
              h_bucket{le="2"} 3

            eval instant at 0 1
              1
            """)
        #expect(outcome.passed == 0 && outcome.failures.map(\.line) == [1])
    }

    @Test("a histogram is written in one way for each value")
    func histogramText() throws {
        for text in ["{{}}", "{{schema:1 count:3 sum:-0.5 z_bucket:1 z_bucket_w:0.05 counter_reset_hint:gauge offset:-3 buckets:[5 0 7] n_offset:-5 n_buckets:[4 5]}}"] {
            guard case .histogram(let histogram, _)? = try ScriptSeries("m \(text)", line: 1).values.first else {
                Issue.record("no histogram: \(text)")
                continue
            }
            #expect(histogram.scriptText == text)
        }
        guard case .histogram(let padded, _)? = try ScriptSeries("m {{offset:1 buckets:[0 2 0]}}", line: 1).values.first else { return }
        #expect(padded.scriptText == "{{offset:2 buckets:[2]}}")
    }
}
