import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("OTLP metrics")
struct OTLPMetricTests {
    /// Every float sample as `name{labels} time value`, sorted.
    static func rows(_ batch: MetricBatch) -> [String] {
        zip(batch.sampleSeries, zip(batch.timestamps, batch.values)).map { series, row in
            "\(batch.series[Int(series)]) \(row.0) \(DecimalNumber.text(row.1))"
        }.sorted()
    }

    static func decode(_ json: String, _ options: OTLPMetricOptions = OTLPMetricOptions()) throws -> OTLP.Decoded {
        let bytes = Array(json.utf8)
        return try OTLP.decodeMetrics(bytes.span, encoding: .json, options: options)
    }

    /// A request of one metric with that data, of a resource `shop`.
    static func request(_ metric: String) -> String {
        #"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"metrics":[\#(metric)]}]}]}"#
    }

    @Test(
        "a client's request decodes to a sample for every number, bucket and quantile that was sent",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("ExportMetricsServiceRequest"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let encoding: OTLP.Encoding = capture.path.contains("/json/") ? .json : .protobuf
        var options = OTLPMetricOptions()
        options.deltas = DeltaAccumulator()
        let decoded = try OTLP.decodeMetrics(message.span, encoding: encoding, options: options)
        let expected = ExpectedMetrics(try capture.expected())
        let batch = decoded.batch.metrics
        let values = zip(batch.sampleSeries, batch.values).filter { batch.series[Int($0.0)]["__name__"] != "target_info" }.map(\.1)
        #expect(values.filter { !$0.isNaN }.sorted() == expected.values.filter { !$0.isNaN }.sorted())
        #expect(values.count(where: \.isNaN) == expected.values.count(where: \.isNaN))
        #expect(batch.histograms.map(\.histogram.count).sorted() == expected.nativeCounts.sorted())
        // A histogram's buckets hold as many observations as it has, whatever the resolution.
        for (_, _, histogram) in batch.histograms {
            let total = (histogram.positiveCounts + histogram.negativeCounts).reduce(histogram.zeroCount, +)
            #expect(total == histogram.count)
        }
        #expect(batch.exemplars.count == expected.exemplarCount)
        #expect(decoded.rejected == expected.rejectedCount)
        #expect(batch.series.allSatisfy { $0["job"] != nil })
    }

    @Test("series have job and instance, the unit and _total in their names, and target_info has the rest of the resource")
    func counter() throws {
        let decoded = try Self.decode(
            #"""
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}},
             {"key":"service.namespace","value":{"stringValue":"shop"}},{"key":"service.instance.id","value":{"stringValue":"i-1"}},
             {"key":"host.name","value":{"stringValue":"node"}}]},"scopeMetrics":[{"scope":{"name":"lib"},"metrics":[
             {"name":"http.server.bytes","description":"Sent","unit":"By","sum":{"isMonotonic":true,"aggregationTemporality":2,"dataPoints":[
              {"attributes":[{"key":"http.route","value":{"stringValue":"/a"}},{"key":"code","value":{"intValue":200}}],
               "startTimeUnixNano":"1","timeUnixNano":"2000000","asInt":"7",
               "exemplars":[{"timeUnixNano":"1000000","asDouble":3,"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7",
                "filteredAttributes":[{"key":"user.id","value":{"stringValue":"u"}}]}]}]}}]}]}]}
            """#)
        let batch = decoded.batch.metrics
        #expect(
            Self.rows(batch) == [
                #"{__name__="http_server_bytes_total", code="200", http_route="/a", instance="i-1", job="shop/orders"} 2 7"#,
                #"{__name__="target_info", host_name="node", instance="i-1", job="shop/orders"} 2 1"#,
            ])
        #expect(
            batch.metadata == [
                MetricMetadata(family: "http_server_bytes_total", kind: .counter, help: "Sent", unit: "bytes"),
                MetricMetadata(family: "target_info", kind: .gauge, help: "Target metadata"),
            ])
        let exemplar = try #require(batch.exemplars.first)
        #expect(batch.series[Int(exemplar.series)]["__name__"] == "http_server_bytes_total")
        #expect(exemplar.exemplar.labels == Labels(["span_id": "00f067aa0ba902b7", "trace_id": "0af7651916cd43dd8448eb211c80319c", "user_id": "u"]))
        #expect(exemplar.exemplar.timestamp == 1)
    }

    @Test("a histogram is its buckets, cumulative, its sum and its count, with exemplars at their buckets")
    func histogram() throws {
        let decoded = try Self.decode(
            Self.request(
                #"{"name":"d","unit":"s","histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","dataPoints":[{"timeUnixNano":"5000000","count":"6","sum":9.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.5,2],"exemplars":[{"asDouble":7},{"asDouble":0.5}]}]}}"#))
        let batch = decoded.batch.metrics
        #expect(
            Self.rows(batch) == [
                #"{__name__="d_seconds_bucket", job="shop", le="+Inf"} 5 6"#, #"{__name__="d_seconds_bucket", job="shop", le="0.5"} 5 1"#,
                #"{__name__="d_seconds_bucket", job="shop", le="2"} 5 3"#, #"{__name__="d_seconds_count", job="shop"} 5 6"#,
                #"{__name__="d_seconds_sum", job="shop"} 5 9.5"#,
            ])
        #expect(batch.exemplars.map { batch.series[Int($0.series)]["le"] } == ["0.5", "+Inf"])
        #expect(batch.metadata == [MetricMetadata(family: "d_seconds", kind: .histogram, unit: "seconds")])
    }

    @Test("an exponential histogram is a native one: indexes move by one, finer scales than 8 merge, gaps split")
    func exponential() throws {
        let decoded = try Self.decode(
            Self.request(
                #"""
                {"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
                 {"timeUnixNano":"5000000","count":"10","sum":1,"scale":0,"zeroCount":"1","zeroThreshold":0.001,
                  "positive":{"offset":-2,"bucketCounts":["1","0","2","0","0","0","3"]},"negative":{"offset":3,"bucketCounts":["0","3"]}},
                 {"timeUnixNano":"5000000","count":"4","scale":9,"positive":{"offset":-1,"bucketCounts":["1","1","2"]}},
                 {"timeUnixNano":"5000000","count":"4","scale":-5}]}}
                """#))
        let histograms = decoded.batch.metrics.histograms.map(\.histogram)
        try #require(histograms.count == 2)
        #expect(
            histograms[0]
                == NativeHistogram(
                    schema: 0, zeroThreshold: 0.001, zeroCount: 1, count: 10, sum: 1,
                    positiveRuns: [.init(offset: -1, length: 3), .init(offset: 3, length: 1)], positiveCounts: [1, 0, 2, 3],
                    negativeRuns: [.init(offset: 5, length: 1)], negativeCounts: [3]))
        // Scale 9: buckets -1, 0 and 1 are -1, 0 and 0 of scale 8, one further each in Prometheus.
        #expect(histograms[1].schema == 8)
        #expect(histograms[1].positiveRuns == [.init(offset: 0, length: 2)])
        #expect(histograms[1].positiveCounts == [1, 3])
        #expect(histograms[1].zeroThreshold == 1e-128)
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains("scale -5"))
    }

    @Test("a summary is its quantiles, sum and count; a flag that says no value is a staleness marker")
    func summary() throws {
        let batch = try Self.decode(
            Self.request(
                #"{"name":"s","summary":{"dataPoints":[{"timeUnixNano":"5000000","count":"2","sum":3,"quantileValues":[{"quantile":0.5,"value":1},{"quantile":1,"value":2}]}]}},{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"5000000","flags":1}]}}"#)).batch.metrics
        #expect(
            Self.rows(batch).dropFirst() == [
                #"{__name__="s", job="shop", quantile="0.5"} 5 1"#, #"{__name__="s", job="shop", quantile="1"} 5 2"#,
                #"{__name__="s_count", job="shop"} 5 2"#, #"{__name__="s_sum", job="shop"} 5 3"#,
            ])
        #expect(Staleness.isMarker(try #require(batch.values.last)))
    }

    static let deltaSum = request(
        #"{"name":"c","sum":{"isMonotonic":true,"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"5000000","asInt":"1"},{"timeUnixNano":"6000000","asInt":"2"}]}},{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"5000000","asInt":"1"}]}}"#)

    @Test("deltas are rejected with the remedy where there is no accumulator, the rest is kept")
    func deltasRejected() throws {
        let decoded = try Self.decode(Self.deltaSum)
        #expect(decoded.rejected == 2)
        #expect(decoded.rejectionMessage == #"metric "c" is not cumulative: set the exporter's temporality preference to cumulative"#)
        #expect(decoded.batch.metrics.values == [1])
    }

    @Test("deltas add up over requests; a point sent again counts once; an older one is rejected")
    func deltasAccumulate() throws {
        var options = OTLPMetricOptions()
        options.deltas = DeltaAccumulator()
        #expect(try Self.decode(Self.deltaSum, options).batch.metrics.values == [1, 3, 1])
        let again = try Self.decode(Self.deltaSum, options)
        #expect(again.batch.metrics.values == [3, 1])
        #expect(again.rejected == 1)
        let histogram = { (time: Int) in
            Self.request(
                #"{"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"\#(time)","count":"3","sum":2,"bucketCounts":["1","2"],"explicitBounds":[1]}]}}"#)
        }
        _ = try Self.decode(histogram(1_000_000), options)
        let second = try Self.decode(histogram(2_000_000), options)
        #expect(second.batch.metrics.values == [4, 6, 2, 6])
    }

    @Test(
        "rejects points that have no place in Prometheus, with the reason",
        arguments: [
            (#"{"name":"c","sum":{"dataPoints":[{"timeUnixNano":"1","asInt":1}]}}"#, "no aggregation_temporality"),
            (#"{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}"#, "no time_unix_nano"),
            (#"{"gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":1}]}}"#, "no name"),
        ])
    func rejections(metric: String, reason: String) throws {
        let decoded = try Self.decode(Self.request(metric))
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains(reason))
        #expect(decoded.batch.metrics.values.isEmpty)
    }

    @Test("attributes whose names become the same label are joined; the resource's job wins over an attribute's")
    func collisions() throws {
        let batch = try Self.decode(
            Self.request(
                #"{"name":"g","unit":"1","gauge":{"dataPoints":[{"timeUnixNano":"5000000","asDouble":0.5,"attributes":[{"key":"b_c","value":{"stringValue":"2"}},{"key":"b.c","value":{"stringValue":"1"}},{"key":"job","value":{"stringValue":"x"}}]}]}}"#)).batch.metrics
        #expect(Self.rows(batch) == [#"{__name__="g_ratio", b_c="1;2", job="shop"} 5 0.5"#])
    }

    @Test("promoted resource attributes are labels of every series, and other strategies keep names as they are")
    func options() throws {
        var options = OTLPMetricOptions()
        options.strategy = .noTranslation
        options.promotion = .named(["service.name"])
        options.keepsIdentifyingResourceAttributes = true
        let batch = try Self.decode(Self.request(#"{"name":"a.b","unit":"s","gauge":{"dataPoints":[{"timeUnixNano":"5000000","asInt":1}]}}"#), options).batch.metrics
        // What identifies a resource alone makes no target_info (Prometheus, `addResourceTargetInfo`).
        #expect(Self.rows(batch) == [#"{__name__="a.b", job="shop", "service.name"="shop"} 5 1"#])
    }

    static let scoped =
        #"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"n1"}},{"key":"a__b","value":{"stringValue":"x"}},{"key":"_own","value":{"stringValue":"y"}}]},"scopeMetrics":[{"scope":{"name":"lib","version":"1.2","attributes":[{"key":"team.name","value":{"stringValue":"core"}}]},"schemaUrl":"https://x","metrics":[{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"5000000","startTimeUnixNano":"2000000","asInt":1,"attributes":[{"key":"host.name","value":{"stringValue":"point"}}]}]}}]}]}]}"#

    @Test("all resource attributes but those ignored are promoted, a point's own win; scopes are labels")
    func promotion() throws {
        var options = OTLPMetricOptions()
        options.promotion = .all(except: ["service.name"])
        options.promotesScopeMetadata = true
        options.labelNames.preservesMultipleUnderscores = false
        options.labelNames.prefixesUnderscores = false
        let batch = try Self.decode(Self.scoped, options).batch.metrics
        #expect(
            Self.rows(batch) == [
                #"{__name__="g", _own="y", a_b="x", host_name="point", job="shop", otel_scope_name="lib", otel_scope_schema_url="https://x", otel_scope_team_name="core", otel_scope_version="1.2"} 5 1"#,
                #"{__name__="target_info", _own="y", a_b="x", host_name="n1", job="shop"} 5 1"#,
            ])
        #expect(batch.startTimes.map(\.start) == [2])
    }

    @Test("histograms become ones of custom buckets where that is asked for")
    func customBuckets() throws {
        var options = OTLPMetricOptions()
        options.convertsHistogramsToCustomBuckets = true
        let point = #"{"timeUnixNano":"5000000","count":"6","sum":9.5,"bucketCounts":["0","2","4"],"explicitBounds":[0.5,2],"exemplars":[{"asDouble":7}]}"#
        let decoded = try Self.decode(
            Self.request(#"{"name":"d","histogram":{"aggregationTemporality":2,"dataPoints":[\#(point),{"timeUnixNano":"5000000","count":"1","bucketCounts":["1"],"explicitBounds":[1]}]}}"#),
            options)
        let batch = decoded.batch.metrics
        #expect(
            batch.histograms.map(\.histogram) == [
                NativeHistogram(
                    schema: -53, count: 6, sum: 9.5, positiveRuns: [.init(offset: 1, length: 2)], positiveCounts: [2, 4], customBounds: [0.5, 2])
            ])
        #expect(batch.sampleCount == 0)
        #expect(batch.exemplars.count == 1)
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains("bounds"))
    }

    static func exponential(_ time: Int, scale: Int, offset: Int, _ counts: [Int]) -> String {
        let total = counts.reduce(0, +)
        return request(
            #"{"name":"e","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"startTimeUnixNano":"1000000","timeUnixNano":"\#(time)","count":"\#(total)","sum":\#(total),"scale":\#(scale),"positive":{"offset":\#(offset),"bucketCounts":["\#(counts.map(String.init).joined(separator: "\",\""))"]}}]}}"#)
    }

    @Test("deltas of exponential histograms add up, in the coarser resolution")
    func exponentialDeltas() throws {
        var options = OTLPMetricOptions()
        options.deltas = DeltaAccumulator()
        _ = try Self.decode(Self.exponential(2_000_000, scale: 1, offset: 0, [1, 2, 3]), options)
        let second = try Self.decode(Self.exponential(3_000_000, scale: 0, offset: 2, [5]), options).batch.metrics
        // At scale 0 the first one's buckets 0, 1 and 2 are 0, 0 and 1; Prometheus counts from 1.
        let histogram = try #require(second.histograms.first?.histogram)
        #expect(histogram.schema == 0)
        #expect(histogram.positiveRuns == [.init(offset: 1, length: 3)])
        #expect(histogram.positiveCounts == [3, 3, 5])
        #expect(histogram.count == 11)
        #expect(second.startTimes.map(\.start) == [1])
        let third = try Self.decode(Self.exponential(4_000_000, scale: 0, offset: 100_000, [1]), options).batch.metrics
        #expect(third.histograms.isEmpty, "a scale below -4 has no schema")
    }

    @Test("deltas stay deltas where that is asked for")
    func keptDeltas() throws {
        var options = OTLPMetricOptions()
        options.deltas = DeltaAccumulator()
        options.keepsDeltas = true
        _ = try Self.decode(Self.deltaSum, options)
        let batch = try Self.decode(Self.deltaSum, options).batch.metrics
        #expect(batch.values == [1, 2, 1])
        #expect(batch.metadata.first?.kind == .unknown)
        let native = try Self.decode(Self.exponential(2_000_000, scale: 1, offset: 0, [1]), options).batch.metrics
        #expect(native.histograms.first?.histogram.resetHint == .gauge)
    }

    @Test("a request cannot make labels without end")
    func limits() throws {
        let bounds = (0..<100_000).map(String.init).joined(separator: ",")
        let attributes = (0..<120).map { #"{"key":"a\#($0)","value":{"intValue":1}}"# }.joined(separator: ",")
        let decoded = try Self.decode(
            Self.request(
                #"{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"1000000","count":"1","explicitBounds":[\#(bounds)],"attributes":[\#(attributes)]}]}}"#))
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains("labels"))
    }
}

/// What the metrics of a request come to, computed from its JSON independently of the decoders.
struct ExpectedMetrics {
    /// The values of all float samples but `target_info`.
    var values: [Double] = []
    var nativeCounts: [Double] = []
    var exemplarCount = 0
    var rejectedCount = 0

    init(_ json: JSONValue) {
        for group in json["resourceMetrics"].elements {
            for metric in group["scopeMetrics"].elements.flatMap({ $0["metrics"].elements }) { add(metric) }
        }
    }

    private mutating func add(_ metric: JSONValue) {
        for kind in ["gauge", "sum"] {
            for point in metric[kind]?["dataPoints"].elements ?? [] {
                values.append(point["asInt"].map { Double($0.proto64) } ?? point["asDouble"].protoDouble)
                exemplarCount += point["exemplars"].elements.count
            }
        }
        for point in metric["histogram"]?["dataPoints"].elements ?? [] {
            exemplarCount += point["exemplars"].elements.count
            if let sum = point["sum"] { values.append(sum.protoDouble) }
            let count = Double(point["count"].proto64)
            values += [count, count]
            var cumulative = 0.0
            for bucket in point["bucketCounts"].elements.prefix(point["explicitBounds"].elements.count) {
                cumulative += Double(bucket.proto64)
                values.append(cumulative)
            }
        }
        for point in metric["summary"]?["dataPoints"].elements ?? [] {
            values += [point["sum"].protoDouble, Double(point["count"].proto64)]
            values += point["quantileValues"].elements.map { $0["value"].protoDouble }
        }
        for point in metric["exponentialHistogram"]?["dataPoints"].elements ?? [] {
            nativeCounts.append(Double(point["count"].proto64))
            exemplarCount += point["exemplars"].elements.count
        }
    }
}

@Suite("Prometheus' names for OpenTelemetry's")
struct PrometheusNamingTests {
    @Test(
        "metrics",
        arguments: [
            ("http.server.duration", "s", .other, "http_server_duration_seconds"),
            ("http.server.duration", "ms", .other, "http_server_duration_milliseconds"),
            ("system.disk.io", "By", .monotonicSum, "system_disk_io_bytes_total"),
            ("requests.total", "", .monotonicSum, "requests_total"), ("requests", "{request}", .monotonicSum, "requests_total"),
            ("cpu.utilization", "1", .gauge, "cpu_utilization_ratio"), ("things", "1", .monotonicSum, "things_total"),
            ("speed", "m/s", .gauge, "speed_meters_per_second"), ("rate", "{packet}/s", .gauge, "rate_per_second"),
            ("memory_bytes", "By", .gauge, "memory_bytes"), ("2xx", "", .gauge, "_2xx"), ("a__b..c", "", .gauge, "a_b_c"),
            ("load", "%", .gauge, "load_percent"), ("custom", "widget", .gauge, "custom_widget"), ("a:b", "", .gauge, "a:b"),
            ("żółw", "", .gauge, "w"),
        ] as [(String, String, PrometheusNaming.Kind, String)])
    func metricNames(name: String, unit: String, kind: PrometheusNaming.Kind, expected: String) {
        #expect(PrometheusNaming.metricName(name, unit: unit, kind: kind) == expected)
    }

    @Test(
        "metrics by the other strategies",
        arguments: [
            (.underscoreEscapingWithoutSuffixes, "a_b__c"), (.noUTF8EscapingWithSuffixes, "a.b..c_seconds_total"), (.noTranslation, "a.b..c"),
        ] as [(PrometheusNaming.Strategy, String)])
    func strategies(strategy: PrometheusNaming.Strategy, expected: String) {
        #expect(PrometheusNaming.metricName("a.b..c", unit: "s", kind: .monotonicSum, strategy: strategy) == expected)
    }

    @Test(
        "labels",
        arguments: [
            ("http.route", "http_route"), ("plain", "plain"), ("1st", "key_1st"), ("_private", "key_private"), ("__reserved", "__reserved"),
            ("a..b", "a__b"), ("ż", "key_"), ("", ""),
        ])
    func labelNames(name: String, expected: String) {
        #expect(PrometheusNaming.labelName(name) == expected)
    }
}
