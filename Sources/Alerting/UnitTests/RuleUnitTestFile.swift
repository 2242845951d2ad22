import Foundation
package import PromQL
package import Settings
package import Telemetry

/// A file of rule unit tests in the format of `promtool test rules`.
package struct RuleUnitTestFile: Sendable {
    /// One group of tests, with a store of its own.
    package struct Group: Sendable {
        /// "" where the file gives none.
        package var name = ""
        /// Between the samples of the input series.
        package var interval: Duration
        /// Of the first sample and the first evaluation, in milliseconds since the Unix epoch.
        package var start: Int64 = 0
        package var series: [ScriptSeries] = []
        package var alertTests: [AlertTest] = []
        package var expressionTests: [ExpressionTest] = []
        package var externalLabels = Labels.empty
        package var externalURL = ""
    }

    /// Which alerts of a name fire at an instant.
    package struct AlertTest: Sendable {
        package var time: Duration
        package var name: String
        package var expected: [(labels: Labels, annotations: Labels)]
    }

    /// What an expression gives at an instant.
    package struct ExpressionTest: Sendable {
        package var expression: String
        package var time: Duration
        package var expected: [(labels: Labels, value: PromQLSampleValue)]
        /// Why ``expected`` cannot be read: the test fails with it, the others of its group go on.
        package var mistake: String?
    }

    /// As the file writes them, relative to it.
    package var ruleFiles: [String] = []
    package var evaluationInterval = Duration.seconds(60)
    /// Names of rule groups in the order in which they are evaluated.
    package var groupOrder: [String] = []
    /// Values may differ by the last bit.
    package var isFuzzy = false
    package var groups: [Group] = []

    /// Reads a file.
    package static func load(path: String) throws(ConfigurationError) -> RuleUnitTestFile {
        try read(ConfigurationNode.load(path: path))
    }

    /// Parses the text of a file.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> RuleUnitTestFile {
        try read(ConfigurationNode.parse(text, file: file))
    }

    private static func read(_ root: ConfigurationNode) throws(ConfigurationError) -> RuleUnitTestFile {
        let mapping = try root.mapping(["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"])
        var file = RuleUnitTestFile()
        file.ruleFiles = try mapping["rule_files"]?.strings ?? []
        if let interval = try mapping["evaluation_interval"]?.duration, interval > .zero { file.evaluationInterval = interval }
        if let order = mapping["group_eval_order"] {
            file.groupOrder = try order.strings
            guard Set(file.groupOrder).count == file.groupOrder.count else {
                throw order.error("a group name is repeated in group_eval_order")
            }
        }
        file.isFuzzy = try mapping["fuzzy_compare"]?.bool ?? false
        for node in try mapping["tests"]?.list ?? [] { file.groups.append(try group(node, interval: file.evaluationInterval)) }
        return file
    }

    private static func group(_ node: ConfigurationNode, interval: Duration) throws(ConfigurationError) -> Group {
        let mapping = try node.mapping([
            "interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels", "external_url", "name",
            "start_timestamp",
        ])
        var group = Group(interval: interval)
        group.name = try mapping["name"]?.string ?? ""
        if let own = try mapping["interval"]?.duration, own > .zero { group.interval = own }
        if let start = mapping["start_timestamp"] { group.start = try instant(start) }
        group.externalLabels = try labels(mapping["external_labels"])
        group.externalURL = try mapping["external_url"]?.string ?? ""
        for node in try mapping["input_series"]?.list ?? [] { group.series.append(try series(node)) }
        for node in try mapping["alert_rule_test"]?.list ?? [] { group.alertTests.append(try alertTest(node)) }
        for node in try mapping["promql_expr_test"]?.list ?? [] { group.expressionTests.append(try expressionTest(node)) }
        return group
    }

    private static func series(_ node: ConfigurationNode) throws(ConfigurationError) -> ScriptSeries {
        let mapping = try node.mapping(["series", "values"])
        let labels = try mapping["series"]?.string ?? ""
        let values = try mapping["values"]?.string ?? ""
        do {
            return try ScriptSeries("\(labels) \(values)", line: node.line)
        } catch {
            throw node.error((error as? ScriptError)?.message ?? "\(error)")
        }
    }

    private static func alertTest(_ node: ConfigurationNode) throws(ConfigurationError) -> AlertTest {
        let mapping = try node.mapping(["eval_time", "alertname", "exp_alerts"])
        let name = try mapping["alertname"]?.string ?? ""
        guard !name.isEmpty else { throw node.error("an item under alert_rule_test misses required attribute alertname") }
        var test = AlertTest(time: try mapping["eval_time"]?.duration ?? .zero, name: name, expected: [])
        for node in try mapping["exp_alerts"]?.list ?? [] {
            let alert = try node.mapping(["exp_labels", "exp_annotations"])
            // Every alert has its name among its labels: a file need not say so.
            var labels = try labels(alert["exp_labels"])
            labels[Alert.nameLabel] = name
            test.expected.append((labels, try Self.labels(alert["exp_annotations"])))
        }
        return test
    }

    private static func expressionTest(_ node: ConfigurationNode) throws(ConfigurationError) -> ExpressionTest {
        let mapping = try node.mapping(["expr", "eval_time", "exp_samples"])
        var test = ExpressionTest(
            expression: try mapping["expr"]?.string ?? "", time: try mapping["eval_time"]?.duration ?? .zero, expected: [])
        for node in try mapping["exp_samples"]?.list ?? [] {
            let sample = try node.mapping(["labels", "value", "histogram"])
            let text = try sample["labels"]?.string ?? ""
            let histogram = try sample["histogram"]?.string ?? ""
            let value = try sample["value"].map { node throws(ConfigurationError) in try number(node) } ?? 0
            do {
                let labels = try ScriptSeries(text, line: node.line)
                guard labels.values.isEmpty else { throw ScriptError(line: node.line, message: "expected labels alone") }
                guard !histogram.isEmpty else {
                    test.expected.append((labels.labels, .float(value)))
                    continue
                }
                let values = try ScriptSeries("{} \(histogram)", line: node.line).values
                guard values.count == 1, case .histogram(let one, _) = values[0] else {
                    throw ScriptError(line: node.line, message: "expected one histogram")
                }
                test.expected.append((labels.labels, .histogram(one)))
            } catch {
                test.mistake = "labels \(text.debugDescription): \((error as? ScriptError)?.message ?? "\(error)")"
            }
        }
        return test
    }

    /// A number as YAML and Go write it.
    private static func number(_ node: ConfigurationNode) throws(ConfigurationError) -> Double {
        let text = try node.string
        switch text.lowercased() {
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        case ".nan": return .nan
        default: break
        }
        guard let value = PromQLNumber.parse(text) else { throw node.error("found \(text.debugDescription), expected a number") }
        return value
    }

    private static func labels(_ node: ConfigurationNode?) throws(ConfigurationError) -> Labels {
        var labels: [Label] = []
        for pair in try node?.stringPairs ?? [] { labels.append(Label(pair.name, pair.value)) }
        return Labels(labels)
    }

    /// An instant as Unix seconds or RFC 3339, in milliseconds.
    private static func instant(_ node: ConfigurationNode) throws(ConfigurationError) -> Int64 {
        let text = try node.string
        if let seconds = Double(text), abs(seconds) < 9e12 { return Int64((seconds * 1_000).rounded()) }
        for fraction in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            if let date = try? fraction.parse(text) { return Int64((date.timeIntervalSince1970 * 1_000).rounded()) }
        }
        throw node.error("found \(text.debugDescription), expected Unix seconds or a time such as 2026-01-01T00:00:00Z")
    }
}
