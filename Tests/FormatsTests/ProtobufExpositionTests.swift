import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Protobuf exposition")
struct ProtobufExpositionTests {
    static func read(_ body: [UInt8], _ configure: (inout ExpositionOptions) -> Void = { _ in }) throws -> ExpositionResult {
        var options = ExpositionOptions(defaultTimestamp: 1_000)
        configure(&options)
        return try Exposition.read(body, as: .protobuf, options: options)
    }

    /// One family with its length before it.
    static func delimited(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        var bytes: [UInt8] = []
        Varint.append(UInt64(writer.bytes.count), to: &bytes)
        return bytes + writer.bytes
    }

    static func family(_ name: String, _ type: UInt64, _ metric: (inout ProtobufWriter) -> Void) -> [UInt8] {
        delimited { writer in
            writer.string(1, name)
            writer.string(2, "help")
            writer.uint64(3, type)
            writer.message(4) { metric(&$0) }
            writer.string(5, "seconds")
        }
    }

    static func label(_ name: String, _ value: String, _ number: Int, _ writer: inout ProtobufWriter) {
        writer.message(number) { writer in
            writer.string(1, name)
            writer.string(2, value)
        }
    }

    // MARK: Captures

    @Test(
        "what real targets expose decodes to the numbers that protobuf's own library reads",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("delimited io.prometheus.client"))
    func captures(capture: Captures.Capture) throws {
        let result = try Self.read(try capture.message()) { $0.readsNativeHistograms = true }
        let families = try capture.expected().array ?? []
        var expected: [String] = []
        var nativeCount = 0
        for family in families {
            let name = family["name"].text
            for metric in family["metric"].elements {
                let labels = metric["label"].elements.map { Label($0["name"].text, $0["value"].text) }
                func add(_ suffix: String, _ value: Double, _ more: [Label] = []) {
                    expected.append("\(Labels(labels + more + [Label("__name__", name + suffix)])) \(value)")
                }
                switch family["type"].text {
                case "GAUGE": add("", metric["gauge"]?["value"].protoDouble ?? 0)
                case "UNTYPED": add("", metric["untyped"]?["value"].protoDouble ?? 0)
                case "SUMMARY":
                    let summary = metric["summary"]
                    add("_count", Double(summary?["sampleCount"].proto64 ?? 0))
                    add("_sum", summary?["sampleSum"].protoDouble ?? 0)
                    for pair in summary?["quantile"].elements ?? [] {
                        add("", pair["value"].protoDouble, [Label("quantile", pair["quantile"].protoDouble.description)])
                    }
                case "HISTOGRAM":
                    let histogram = metric["histogram"]
                    if histogram?["schema"] != nil || histogram?["zeroThreshold"] != nil {
                        nativeCount += 1
                        continue
                    }
                    add("_count", Double(histogram?["sampleCount"].proto64 ?? 0))
                    add("_sum", histogram?["sampleSum"].protoDouble ?? 0)
                    var hasLast = false
                    for bucket in histogram?["bucket"].elements ?? [] {
                        let bound = bucket["upperBound"].protoDouble
                        hasLast = hasLast || bound == .infinity
                        add("_bucket", Double(bucket["cumulativeCount"].proto64), [Label("le", bound.description)])
                    }
                    if !hasLast { add("_bucket", Double(histogram?["sampleCount"].proto64 ?? 0), [Label("le", Double.infinity.description)]) }
                default: add("", metric["counter"]?["value"].protoDouble ?? 0)
                }
            }
        }
        // Bounds and quantiles are compared as numbers.
        let floats = result.series.filter { $0.histogram == nil }.map { series in
            var labels = series.labels
            for name in ["le", "quantile"] { labels[name] = labels[name].map { Double($0)?.description ?? $0 } }
            return "\(labels) \(series.value.isNaN ? .nan : series.value)"
        }
        #expect(floats == expected)
        #expect(result.histograms.count == nativeCount)
        #expect(result.histograms.allSatisfy { $0.flaw == nil })
        #expect(result.metadata.count == families.count)
    }

    @Test(
        "a native histogram of a capture has its buckets, sums and exemplars; its classic buckets come where they are wanted",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
    func nativeCapture() throws {
        let body = try SharedCases.bytes("conformance/captures/prometheus/exposition/clientgolang-demo-protobuf.bin")
        let result = try Self.read(body) { $0.readsNativeHistograms = true }
        let native = try #require(
            result.series.first { $0.labels == Labels(["__name__": "demo_native_seconds", "route": "/"]) }?.histogram)
        #expect((native.schema, native.count, native.zeroCount, native.zeroThreshold) == (2, 788, 6, 0.001))
        #expect(native.positiveCounts.reduce(native.zeroCount, +) == 788)
        #expect(native.positiveRuns.first?.offset == -39)
        #expect(Array(native.positiveCounts.prefix(5)) == [2, 2, 3, 2, 2])
        let both = try #require(result.series.first { $0.labels[Labels.metricName] == "demo_both_bytes" })
        #expect(both.histogram?.count == 2363)
        #expect(both.exemplars.map(\.timestamp) == both.exemplars.map(\.timestamp).filter { $0 > 1_790_000_000_000 })
        #expect(both.exemplars.count == 5)
        #expect(!result.series.contains { $0.labels[Labels.metricName] == "demo_both_bytes_bucket" })

        let kept = try Self.read(body) { options in
            options.readsNativeHistograms = true
            options.keepsClassicHistograms = true
        }
        let names = kept.series.compactMap { $0.labels[Labels.metricName] }.filter { $0.hasPrefix("demo_both_bytes") }
        #expect(names.prefix(3) == ["demo_both_bytes", "demo_both_bytes_count", "demo_both_bytes_sum"])
        #expect(names.filter { $0 == "demo_both_bytes_bucket" }.count == 7)

        // Without native histograms the same family is a classic one, and one that has only native buckets has the last bound alone.
        let classic = try Self.read(body)
        #expect(classic.histograms.isEmpty)
        let bounds = classic.series.filter { $0.labels[Labels.metricName] == "demo_native_seconds_bucket" && $0.labels["route"] == "/" }
        #expect(bounds.map { $0.labels["le"] } == ["+Inf"])
    }

    // MARK: Made by hand

    @Test("float histograms, gauge histograms and custom bounds")
    func floats() throws {
        let body = Self.family("f", 5) { writer in
            Self.label("a", "b", 1, &writer)
            writer.message(7) { writer in
                writer.double(4, 6.5)
                writer.double(2, 3.25)
                writer.sint32(5, 3)
                writer.double(6, 0.5)
                writer.double(8, 1.5)
                writer.message(12) { writer in
                    writer.sint32(1, -2)
                    writer.uint32(2, 2)
                }
                writer.packedDoubles(14, [2, 3])
            }
            writer.int64(6, 5_000)
        }
        let series = try #require(try Self.read(body) { $0.readsNativeHistograms = true }.series.first)
        #expect(series.labels == Labels(["__name__": "f", "a": "b"]))
        #expect(series.timestamp == 5_000)
        #expect(series.hasOwnTimestamp)
        let histogram = try #require(series.histogram)
        #expect(
            histogram
                == NativeHistogram(
                    schema: 3, zeroThreshold: 0.5, zeroCount: 1.5, count: 6.5, sum: 3.25, positiveRuns: [.init(offset: -2, length: 2)],
                    positiveCounts: [2, 3], resetHint: .gauge))
    }

    static let classic = family("c", 4) { writer in
        writer.message(7) { writer in
            writer.uint64(1, 7)
            writer.double(2, 12.5)
            for (bound, count) in [(0.5, UInt64(2)), (1, 2), (2.5, 6)] {
                writer.message(3) { writer in
                    writer.uint64(1, count)
                    writer.double(2, bound)
                }
            }
            writer.message(15) { writer in
                writer.int64(1, 1_700_000_000)
                writer.int32(2, 500_000_000)
            }
        }
    }

    @Test("classic buckets become a histogram with custom bounds where that is asked for", arguments: [false, true])
    func converted(isKept: Bool) throws {
        let result = try Self.read(Self.classic) { options in
            options.convertsClassicHistograms = true
            options.keepsClassicHistograms = isKept
            options.readsStartTimes = true
        }
        let histogram = try #require(result.series.last?.histogram)
        #expect(histogram.schema == NativeHistogram.customBoundsSchema)
        #expect(histogram.customBounds == [0.5, 1, 2.5])
        #expect(histogram.positiveRuns == [.init(offset: 0, length: 1), .init(offset: 1, length: 2)])
        #expect(histogram.positiveCounts == [2, 4, 1])
        #expect((histogram.count, histogram.sum) == (7, 12.5))
        #expect(result.samples.count == (isKept ? 7 : 1))
        #expect(result.series.last?.labels == Labels(["__name__": "c"]))
        #expect(result.samples.allSatisfy { $0.startTime == 1_700_000_000_500 })
        #expect(result.metadata == [MetricMetadata(family: "c", kind: .histogram, help: "help", unit: "seconds")])
    }

    @Test("what contradicts itself is refused with its family", arguments: [
        ("counts", [(0.5, UInt64(3)), (1, 2)], "count is not cumulative"),
        ("total", [(.infinity, 9)], "count mismatch"),
    ] as [(String, [(Double, UInt64)], String)])
    func contradictions(name: String, buckets: [(Double, UInt64)], message: String) {
        let body = Self.family("bad", 4) { writer in
            writer.message(7) { writer in
                writer.uint64(1, 7)
                for (bound, count) in buckets {
                    writer.message(3) { writer in
                        writer.uint64(1, count)
                        writer.double(2, bound)
                    }
                }
            }
        }
        let error = #expect(throws: FormatError.self) { try Self.read(body) { $0.convertsClassicHistograms = true } }
        #expect(error?.description.contains("histogram \"bad\": \(message)") == true, "\(String(describing: error))")
    }

    @Test("native buckets that do not add up are refused")
    func nativeContradictions() {
        func body(_ spanLength: UInt32, _ count: UInt64) -> [UInt8] {
            Self.family("bad", 4) { writer in
                writer.message(7) { writer in
                    writer.uint64(1, count)
                    writer.message(12) { $0.uint32(2, spanLength) }
                    writer.packedSInt64s(13, [1, 1])
                }
            }
        }
        for (bytes, message) in [(body(3, 3), "spans need 3 buckets, have 2"), (body(2, 4), "3 observations found in buckets, but the Count field is 4")] {
            let error = #expect(throws: FormatError.self) { try Self.read(bytes) { $0.readsNativeHistograms = true } }
            #expect(error?.message.contains(message) == true, "\(String(describing: error))")
        }
    }

    @Test("names and values must be UTF-8, families whole and of a known type")
    func damaged() {
        let bad = Self.delimited { writer in
            writer.string(1, "x")
            writer.message(4) { writer in
                writer.message(1) { writer in
                    writer.string(1, "l")
                    writer.bytes(2, [0xff])
                }
            }
        }
        #expect(throws: FormatError.self) { try Self.read(bad) }
        #expect(throws: FormatError.self) { try Self.read(Self.family("x", 9) { _ in }) }
        #expect(throws: FormatError.self) { try Self.read(Array(Self.classic.dropLast())) }
        #expect(throws: FormatError.self) { try Self.read(Self.delimited { $0.message(4) { _ in } }) }
        // The label comes twice: found when it is read.
        let twice = Self.family("x", 0) { writer in
            Self.label("l", "1", 1, &writer)
            Self.label("l", "2", 1, &writer)
        }
        #expect(throws: FormatError.self) {
            let result = try Self.read(twice)
            _ = try result.labels(of: result.samples[0])
        }
    }

    @Test("survives every truncation and flipped bit")
    func damage() {
        let body = Self.classic + Self.family("f", 5) { writer in
            Self.label("a", "b", 1, &writer)
            writer.message(7) { writer in
                writer.double(4, 6.5)
                writer.message(12) { $0.uint32(2, 2) }
                writer.packedDoubles(14, [2, 3])
                writer.message(16) { writer in
                    Self.label("trace_id", "x", 1, &writer)
                    writer.message(3) { $0.int64(1, 5) }
                }
            }
        }
        Damage.both(body) { bytes in
            for isNative in [false, true] {
                let result = try? Self.read(bytes) { options in
                    options.readsNativeHistograms = isNative
                    options.convertsClassicHistograms = !isNative
                    options.keepsClassicHistograms = true
                }
                _ = result?.series
            }
        }
    }
}
