import Logging
package import PromQL
import Query
import Settings
import Telemetry

/// Runs the tests of a ``RuleUnitTestFile`` (Prometheus, cmd/promtool/unittest.go): the rules are evaluated step by step on the
/// input series, alerts are held against the tests as the steps pass, expressions afterwards.
package struct RuleUnitTestRunner: Sendable {
    /// How many evaluations one group may ask for; Prometheus has no bound, but a misread unit would run for days.
    static let evaluationCountMax: Int64 = 10_000_000

    private let file: RuleUnitTestFile
    private let path: String
    private let options: PromQLOptions

    /// - Parameter path: where the file lies: rule files are named relative to it.
    package init(_ file: RuleUnitTestFile, path: String, options: PromQLOptions = PromQLOptions()) {
        self.file = file
        self.path = path
        self.options = options
    }

    /// Runs the groups that `isWanted` names and returns what failed, in promtool's words.
    package func failures(of isWanted: (String) -> Bool = { _ in true }) async -> [String] {
        var failures: [String] = []
        for group in file.groups where isWanted(group.name) { failures += await run(group) }
        return failures
    }

    // MARK: One group

    private func run(_ group: RuleUnitTestFile.Group) async -> [String] {
        let ruleGroups: [RuleGroup]
        do throws(RuleFile.LoadError) {
            ruleGroups = try RuleManager.load(
                files: RuleFileSet(promql: file.ruleFiles.map { FileGlob.resolve($0, relativeToFile: path) })
            ).groups
        } catch {
            return error.errors.map { "    \($0)" }
        }
        let store = MemoryStore()
        let engine = PromQLEngine(store: store, options: options)
        let surroundings = RuleSurroundings(
            engine: engine, store: store, logger: Logger(label: "apus.test") { _ in SwiftLogNoOpLogHandler() },
            externalLabels: group.externalLabels, externalURL: group.externalURL)
        let loops = ordered(ruleGroups).map { ruleGroup in
            GroupLoop(
                group: ruleGroup, options: RuleManagerOptions(), surroundings: surroundings, notifier: nil, time: .system,
                adopting: [])
        }
        var input: InputSeries
        do throws(ScriptError) {
            input = try InputSeries(group.series, from: group.start, spacing: group.interval.milliseconds)
        } catch {
            return ["    \(error.message)"]
        }

        var failures: [String] = []
        let step = max(1, file.evaluationInterval.milliseconds)
        let length = (group.alertTests.map(\.time) + group.expressionTests.map(\.time)).max()?.milliseconds ?? 0
        guard length / step < Self.evaluationCountMax else {
            return ["    the tests reach over \(length / step) evaluations: use a longer evaluation_interval"]
        }
        let alertTests = group.alertTests.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        var next = 0
        for offset in stride(from: Int64(0), through: length, by: Int64.Stride(step)) {
            do throws(StoreError) {
                try await input.append(until: group.start + offset, to: store)
            } catch {
                return failures + ["    \(error)"]
            }
            let errors = await evaluate(loops, at: group.start + offset, offset)
            guard errors.isEmpty else { return failures + errors }
            // A test between two evaluations sees the alerts of the former.
            while next < alertTests.count, alertTests[next].time.milliseconds < offset + step {
                if let failure = check(alertTests[next], loops, group) { failures.append(failure) }
                next += 1
            }
        }
        do throws(StoreError) {
            try await input.append(until: .max, to: store)
        } catch {
            return failures + ["    \(error)"]
        }
        for test in group.expressionTests {
            if let failure = await check(test, at: group.start + test.time.milliseconds, surroundings) { failures.append(failure) }
        }
        return failures
    }

    /// The groups in the order asked for; those that it does not name come first.
    private func ordered(_ groups: [RuleGroup]) -> [RuleGroup] {
        func rank(_ group: RuleGroup) -> Int { file.groupOrder.firstIndex(of: group.name) ?? 0 }
        return groups.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
    }

    /// Evaluates all groups and returns what went wrong.
    private func evaluate(_ loops: [GroupLoop], at time: Int64, _ offset: Int64) async -> [String] {
        var errors: [String] = []
        for loop in loops {
            await loop.evaluate(at: time)
            for rule in loop.snapshot.rules where rule.health == .failed {
                errors.append("    rule: \(rule.rule.name), time: \(Self.text(offset)), err: \(rule.lastError)")
            }
        }
        return errors
    }

    private func check(
        _ test: RuleUnitTestFile.AlertTest, _ loops: [GroupLoop], _ group: RuleUnitTestFile.Group
    ) -> String? {
        var found: [(labels: Labels, annotations: Labels)] = []
        for rule in loops.flatMap(\.snapshot.rules) where rule.rule.kind == .alerting && rule.rule.name == test.name {
            for alert in rule.alerts where alert.state == .firing { found.append((alert.labels, alert.annotations)) }
        }
        found.sort { $0.labels < $1.labels }
        let expected = test.expected.sorted { $0.labels < $1.labels }
        guard !expected.elementsEqual(found, by: { $0.labels == $1.labels && $0.annotations == $1.annotations }) else { return nil }
        let name = group.name.isEmpty ? "" : "    name: \(group.name),\n"
        let time = Self.text(test.time.milliseconds)
        return """
            \(name)    alertname: \(test.name), time: \(time), 
                    exp:\(UnitTestText.alerts(expected)), 
                    got:\(UnitTestText.alerts(found))
            """
    }

    private func check(
        _ test: RuleUnitTestFile.ExpressionTest, at time: Int64, _ surroundings: RuleSurroundings
    ) async -> String? {
        let place = "    expr: \(test.expression.debugDescription), time: \(Self.text(test.time.milliseconds)),"
        if let mistake = test.mistake { return "\(place) err: \(mistake)" }
        var found: [(labels: Labels, value: PromQLSampleValue)]
        do throws(QueryError) {
            found = try await surroundings.vector(test.expression, at: time).map { ($0.labels, $0.value) }
        } catch {
            return "\(place) err: \(error)"
        }
        found.sort { $0.labels < $1.labels }
        let expected = test.expected.sorted { $0.labels < $1.labels }
        let isEqual = expected.elementsEqual(found) { wanted, got in
            wanted.labels == got.labels && wanted.value.equals(got.value, isFuzzy: file.isFuzzy)
        }
        guard !isEqual else { return nil }
        return "\(place)\n        exp: \(UnitTestText.samples(expected))\n        got: \(UnitTestText.samples(found))"
    }

    private static func text(_ milliseconds: Int64) -> String { PromQLDuration.format(milliseconds: milliseconds) }
}

/// The input series of a group as rows in the order of time: a rule must not see those of the future.
private struct InputSeries {
    private var labels: [Labels] = []
    private var rows: [(time: Int64, series: Int, value: ScriptValue)] = []
    private var next = 0

    init(_ series: [ScriptSeries], from start: Int64, spacing: Int64) throws(ScriptError) {
        // The last one of a label set counts.
        var last: [Labels: Int] = [:]
        for (index, one) in series.enumerated() { last[one.labels] = index }
        for (index, one) in series.enumerated() where last[one.labels] == index {
            let (length, overflows) = Int64(one.values.count).multipliedReportingOverflow(by: spacing)
            guard !overflows, length < 1 << 61 else {
                throw ScriptError(line: 0, message: "the samples of \(one.labels) reach beyond the end of time")
            }
            for (position, value) in one.values.enumerated() where value != .none {
                rows.append((start + Int64(position) * spacing, labels.count, value))
            }
            labels.append(one.labels)
        }
        rows.sort { ($0.time, $0.series) < ($1.time, $1.series) }
    }

    mutating func append(until end: Int64, to store: MemoryStore) async throws(StoreError) {
        guard next < rows.count, rows[next].time <= end else { return }
        var batch = TelemetryBatch()
        var indexes: [Int: UInt32] = [:]
        while next < rows.count, rows[next].time <= end {
            let row = rows[next]
            next += 1
            let index = indexes[row.series] ?? batch.metrics.addSeries(labels[row.series])
            indexes[row.series] = index
            switch row.value {
            case .none: break
            case .float(let value): batch.metrics.append(series: index, timestamp: row.time, value: value)
            case .histogram(let histogram, _): batch.metrics.histograms.append((index, row.time, histogram))
            }
        }
        try await store.append(batch)
    }
}
