import Telemetry
import TestSupport
import Testing

@Suite("Labels")
struct LabelsTests {
    @Test("labels are sorted by name, without empty values, and the last of two equal names stays")
    func normalised() {
        let labels = Labels([Label("b", "1"), Label("a", "2"), Label("c", ""), Label("b", "3")])
        #expect(labels.pairs == [Label("a", "2"), Label("b", "3")])
        #expect(labels["b"] == "3")
        #expect(labels["c"] == nil)
    }

    @Test("an empty value that comes last removes the label")
    func emptyRemoves() {
        #expect(Labels([Label("a", "1"), Label("a", "")]).isEmpty)
    }

    @Test("order is that of the bytes, not of the letters")
    func byteOrder() {
        // "é" composed (C3 A9) and decomposed (65 CC 81): equal as Swift strings compare, different names here.
        #expect("e\u{301}".utf8Precedes("\u{e9}"))
        let labels = Labels([Label("z", "1"), Label("Z", "2"), Label("_", "3")])
        #expect(labels.pairs.map(\.name) == ["Z", "_", "z"])
    }

    @Test("setting a label keeps the order, whatever is set", arguments: UInt64(0)..<32)
    func settingKeepsOrder(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var labels = Labels.empty
        var model: [String: String] = [:]
        for _ in 0..<100 {
            let name = String("abcdefgh".randomElement(using: &random) ?? "a")
            let value = Int.random(in: 0..<3, using: &random) == 0 ? "" : String(Int.random(in: 0..<9, using: &random))
            labels[name] = value
            model[name] = value.isEmpty ? nil : value
            #expect(labels.pairs.map(\.name) == model.keys.sorted(), "seed \(seed)")
        }
        #expect(labels == Labels(model.map { Label($0.key, $0.value) }), "seed \(seed)")
    }

    @Test("text is as Prometheus prints it")
    func description() {
        #expect(Labels(["job": "a\"b\\c\n", "my.label": "x"]).description == #"{job="a\"b\\c\n", "my.label"="x"}"#)
        #expect(Labels.empty.description == "{}")
    }
}
