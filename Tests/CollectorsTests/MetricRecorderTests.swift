import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("MetricRecorder")
struct MetricRecorderTests {
    static let plain = MetricFamily("plain", .gauge, "A \"plain\" one.\nTwo lines.")
    static let byDevice = MetricFamily("by_device_total", .counter, "By device.", ["device"])
    static let byInstance = MetricFamily("by_instance", .gauge, "By instance.", ["instance"])

    static func rows(_ batch: MetricBatch) -> [String] {
        (0..<batch.sampleCount).map { index in
            let value = batch.values[index]
            let labels = batch.series[Int(batch.sampleSeries[index])]
            return "\(labels) \(batch.timestamps[index]) \(Staleness.isMarker(value) ? "stale" : "\(value)")"
        }
    }

    @Test("samples carry the target's labels, and what those replace stays as exported_NAME")
    func labels() {
        var recorder = MetricRecorder(targetLabels: Labels(["job": "node", "instance": "a"]))
        recorder.add(Self.byDevice, "sda", 1)
        recorder.add(Self.byInstance, "b", 2)
        #expect(
            Self.rows(recorder.finish(at: 5)) == [
                #"{__name__="by_device_total", device="sda", instance="a", job="node"} 5 1.0"#,
                #"{__name__="by_instance", exported_instance="b", instance="a", job="node"} 5 2.0"#,
            ])
    }

    @Test("a series that a round lacks ends with one marker, and begins anew when it comes back")
    func staleness() {
        var recorder = MetricRecorder()
        recorder.add(Self.byDevice, "sda", 1)
        recorder.add(Self.byDevice, "sdb", 2)
        #expect(recorder.addedCount == 2)
        _ = recorder.finish(at: 1)
        recorder.add(Self.byDevice, "sdb", 3)
        #expect(recorder.addedCount == 0)
        #expect(
            Self.rows(recorder.finish(at: 2)) == [
                #"{__name__="by_device_total", device="sdb"} 2 3.0"#, #"{__name__="by_device_total", device="sda"} 2 stale"#,
            ])
        recorder.add(Self.byDevice, "sda", 4)
        recorder.add(Self.byDevice, "sdb", 5)
        #expect(recorder.addedCount == 1)
        #expect(Self.rows(recorder.finish(at: 3)).count == 2)
        #expect(
            Self.rows(recorder.end(at: 4)) == [
                #"{__name__="by_device_total", device="sda"} 4 stale"#, #"{__name__="by_device_total", device="sdb"} 4 stale"#,
            ])
        #expect(recorder.end(at: 5).isEmpty)
    }

    @Test("of a sample that comes twice in a round the first counts")
    func duplicates() {
        var recorder = MetricRecorder()
        for value in [1.0, 2.0] { recorder.add(Self.byDevice, "sda", value) }
        #expect(recorder.duplicateCount == 1)
        #expect(Self.rows(recorder.finish(at: 1)) == [#"{__name__="by_device_total", device="sda"} 1 1.0"#])
    }

    @Test("rounds in any order give what a plain dictionary gives", arguments: UInt64(0)..<32)
    func againstModel(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var recorder = MetricRecorder()
        var before: Set<String> = []
        for round in 1...20 {
            var model: [String: Double] = [:]
            let devices = (0..<12).map { "d\($0)" }.filter { _ in random.next() % 4 != 0 }
            for device in round % 3 == 0 ? devices.reversed() : devices {
                let value = Double(random.next() % 100)
                recorder.add(Self.byDevice, device, value)
                model[device] = value
            }
            let batch = recorder.finish(at: Int64(round))
            var found: [String: Double] = [:]
            var ended: Set<String> = []
            for index in 0..<batch.sampleCount {
                let device = batch.series[Int(batch.sampleSeries[index])]["device"] ?? ""
                if Staleness.isMarker(batch.values[index]) { ended.insert(device) } else { found[device] = batch.values[index] }
            }
            #expect(found == model, "seed \(seed), round \(round)")
            #expect(ended == before.subtracting(model.keys), "seed \(seed), round \(round)")
            before = Set(model.keys)
        }
    }

    @Test("a family is described once")
    func metadata() {
        var recorder = MetricRecorder()
        recorder.add(Self.byDevice, "sda", 1)
        recorder.add(Self.byDevice, "sdb", 1)
        #expect(recorder.finish(at: 1).metadata == [MetricMetadata(family: "by_device_total", kind: .counter, help: "By device.")])
        recorder.add(Self.byDevice, "sda", 1)
        #expect(recorder.finish(at: 2).metadata.isEmpty)
    }

    @Test("the text is Prometheus' format, families by name")
    func text() {
        var recorder = MetricRecorder()
        recorder.add(Self.plain, 0.25)
        recorder.add(Self.byDevice, "a\"b\\c\nd", 1e6)
        recorder.add(Self.byDevice, "inf", .infinity)
        #expect(
            String(decoding: recorder.text, as: UTF8.self) == #"""
                # HELP by_device_total By device.
                # TYPE by_device_total counter
                by_device_total{device="a\"b\\c\nd"} 1000000
                by_device_total{device="inf"} +Inf
                # HELP plain A "plain" one.\nTwo lines.
                # TYPE plain gauge
                plain 0.25

                """#)
    }
}

@Suite("TextCursor")
struct TextCursorTests {
    @Test("it walks lines and fields; numbers of any size and sign are read")
    func walk() {
        var text = TextCursor(Array("\n a\t12  -3 18446744073709551615\n\nb: 1.5e3 x\n  last".utf8))
        #expect(text.nextLine() == true)
        #expect(text.text() == "a")
        #expect(text.number() == 12)
        #expect(text.number() == -3)
        #expect(text.number() == Double(UInt64.max))
        #expect(text.number() == nil)
        #expect(text.nextLine() == true)
        #expect(text.upTo(";") == nil)
        #expect(text.upTo(":").map { text.text($0) } == "b")
        #expect(text.number() == 1_500)
        #expect(text.number() == nil)
        #expect(text.nextLine() == true)
        let field = text.field()
        #expect(field.map { text.equals($0, "last") } == true)
        #expect(field.map { text.equals($0, "las") } == false)
        #expect(field.map { text.hasPrefix($0, "las") } == true)
        #expect(text.nextLine() == false)
        #expect(text.field() == nil)
    }
}
