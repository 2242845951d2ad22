import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("RelabelRule")
struct RelabelRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var yaml: String
        /// nil: dropped.
        var result: KeyValuePairs<String, String>?
        var testDescription: String { name }
    }

    /// What every case starts from.
    static let input = Labels(["a": "foo", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop", "d": ""])

    static let cases: [Case] = [
        Case(
            name: "replace with groups",
            yaml: "{source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: d, replacement: '${1}-$2'}",
            result: ["a": "foo", "b": "bar", "c": "baz", "d": "oo-ba", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "replace that does not match changes nothing",
            yaml: "{source_labels: [a], regex: 'x', target_label: d, replacement: y}",
            result: ["a": "foo", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "the expression must match the whole value",
            yaml: "{source_labels: [a], regex: 'o', target_label: d, replacement: y}",
            result: ["a": "foo", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "an empty replacement removes the label", yaml: "{target_label: a, replacement: ''}",
            result: ["b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "the target may be a template",
            yaml: "{source_labels: [a], regex: '(.*)', target_label: 'x_$1', replacement: 'v'}",
            result: ["a": "foo", "b": "bar", "c": "baz", "x_foo": "v", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "keep that matches", yaml: "{source_labels: [a], regex: 'fo+', action: keep}",
            result: ["a": "foo", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "keep that does not match drops", yaml: "{source_labels: [a], regex: 'x', action: keep}", result: nil),
        Case(name: "drop that matches", yaml: "{source_labels: [a], regex: 'foo', action: drop}", result: nil),
        Case(
            name: "dropequal with equal values",
            yaml: "{source_labels: [missing], target_label: missing2, action: dropequal}", result: nil),
        Case(
            name: "keepequal with other values", yaml: "{source_labels: [a], target_label: b, action: keepequal}",
            result: nil),
        Case(
            name: "hashmod is Prometheus'",
            yaml: "{source_labels: [c], target_label: d, action: hashmod, modulus: 1000}",
            result: ["a": "foo", "b": "bar", "c": "baz", "d": "976", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "labelmap", yaml: "{regex: '__meta_kubernetes_label_(.+)', action: labelmap}",
            result: ["a": "foo", "b": "bar", "c": "baz", "app": "shop", "__meta_kubernetes_label_app": "shop"]),
        Case(name: "labeldrop", yaml: "{regex: '[ab]|__.*', action: labeldrop}", result: ["c": "baz"]),
        Case(name: "labelkeep", yaml: "{regex: '[ab]', action: labelkeep}", result: ["a": "foo", "b": "bar"]),
        Case(
            name: "uppercase", yaml: "{source_labels: [a], target_label: a, action: Uppercase}",
            result: ["a": "FOO", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
        Case(
            name: "lowercase of joined values",
            yaml: "{source_labels: [a, b], separator: '', target_label: a, action: lowercase}",
            result: ["a": "foobar", "b": "bar", "c": "baz", "__meta_kubernetes_label_app": "shop"]),
    ]

    @Test("each action does what Prometheus' does", arguments: cases)
    func actions(_ test: Case) throws {
        let rule = try RelabelRule(ConfigurationNode.parse(test.yaml, file: "a.yml"))
        var labels = Self.input
        let stays = rule.apply(to: &labels)
        #expect(stays == (test.result != nil))
        if let result = test.result { #expect(labels == Labels(result)) }
    }

    @Test(
        "what Prometheus refuses is refused",
        arguments: [
            ("{action: replce}", "unknown relabel action \"replce\"; did you mean \"replace\"?"),
            ("{action: hashmod, target_label: a}", "relabel configuration for hashmod requires non-zero modulus"),
            (
                "{action: replace, source_labels: [a]}",
                "relabel configuration for replace action requires 'target_label' value"
            ),
            (
                "{action: labeldrop, regex: a, target_label: b}",
                "labeldrop action requires only 'regex', and no other fields"
            ),
            (
                "{action: keepequal, source_labels: [a], target_label: b, regex: x}",
                "keepequal action requires only 'source_labels' and 'target_label'"
            ),
            ("{regex: '(', target_label: a}", "error parsing regexp: missing ): ^(?:()$"),
            ("{sources: [a]}", "unknown key"),
        ])
    func refused(yaml: String, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try RelabelRule(ConfigurationNode.parse(yaml, file: "a.yml"))
        }
        #expect(error.message.hasPrefix(message))
    }
}
