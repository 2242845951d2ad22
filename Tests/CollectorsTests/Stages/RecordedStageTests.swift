import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// Pipelines whose results Promtail's own stages (Loki 3.7) gave. `differs` says where Apus goes another way, and why.
@Suite("Stages against what Promtail made of the same lines")
struct RecordedStageTests {
    struct Output: Decodable, Equatable {
        var line: String
        var labels: [String: String]
        var ts: Int64
        var metadata: [String: String]
    }

    struct Case: Decodable, Sendable {
        var yaml: String
        var lines: [String]
        var labels: [String: String]
        var ts: Int64
        var out: [Output]?
        var error: String?
        var differs: String?
    }

    static let cases: [Case] = {
        let path = SharedCases.checkout.appending(path: "Tests/CollectorsTests/Stages/promtail-stages.jsonl")
        guard let text = try? String(contentsOf: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
    }()

    /// Later than all times in the cases, as it was when they were recorded.
    static let now: Int64 = 1_795_876_400_000_000_000

    @Test("the cases are there")
    func present() { #expect(Self.cases.count > 400) }

    @Test("a pipeline gives what Promtail's gives, and refuses what Promtail refuses", arguments: cases.indices)
    func same(index: Int) throws {
        let one = Self.cases[index]
        if one.differs != nil { return }
        let error = StageHarness.error(one.yaml)
        guard let expected = one.out else {
            #expect((error != nil) == (one.error != nil), "\(one.yaml): Promtail says \(one.error ?? "nothing")")
            return
        }
        guard error == nil else {
            Issue.record("\(one.yaml): Promtail takes it, Apus says \(error ?? "")")
            return
        }
        var pipeline = try StageHarness.pipeline(one.yaml, now: Self.now)
        var records: [LogRecord] = []
        let labels = Labels(one.labels.map { Label($0.key, $0.value) })
        for (offset, line) in one.lines.enumerated() {
            pipeline.process(LogRecord(labels: labels, timestamp: one.ts + Int64(offset), line: line), into: &records)
        }
        pipeline.finish(into: &records)
        let found = records.map { record in
            var labels = Dictionary(record.labels.pairs.map { ($0.name, $0.value) }) { $1 }
            if !record.tenant.isEmpty { labels[LogRecord.tenantLabel] = record.tenant }
            return Output(
                line: record.line, labels: labels, ts: record.timestamp,
                metadata: Dictionary(record.metadata.pairs.map { ($0.name, $0.value) }) { $1 })
        }
        // A label without a value is none.
        let wanted = expected.map { output in
            var output = output
            output.labels = output.labels.filter { !$0.value.isEmpty }
            return output
        }
        #expect(found == wanted, "\(one.yaml)\n\(one.lines)")
    }
}
