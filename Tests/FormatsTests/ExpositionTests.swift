import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Exposition formats")
struct ExpositionTests {
    static let openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    static func parse(_ text: String, _ contentType: String? = nil, honorTimestamps: Bool = true) throws -> ExpositionResult {
        let bytes = Array(text.utf8)
        return try Exposition.parse(bytes, contentType: contentType, defaultTimestamp: 1_000, honorTimestamps: honorTimestamps)
    }

    @Test(
        "what real targets expose parses to the same samples as by the reference parser",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("prometheus text"))
    func captures(capture: Captures.Capture) throws {
        let isOpenMetrics = capture.type.contains("openmetrics")
        let message = try capture.message()
        let result = try Exposition.parse(
            message, contentType: isOpenMetrics ? Self.openMetrics : "text/plain; version=0.0.4", defaultTimestamp: 5, honorTimestamps: true)
        let families = try capture.expected().array ?? []
        let samples = families.flatMap { $0["samples"].elements }
        let expected = samples.map { sample in
            var labels = sample["l"]?.object?.members.map { Label($0.name, $0.value.string ?? "") } ?? []
            labels.append(Label("__name__", Self.withoutTotal(sample["n"].text)))
            return Self.row(Labels(labels), sample["v"].protoDouble, sample["ex"].map { ($0["v"].protoDouble, $0["t"]?.double) })
        }
        let found = result.series.map { series in
            var labels = series.labels
            labels["__name__"] = Self.withoutTotal(labels["__name__"] ?? "")
            return Self.row(labels, series.value, series.exemplar.map { ($0.value, Double($0.timestamp) / 1_000) })
        }
        #expect(found.count == expected.count)
        #expect(Set(found).symmetricDifference(expected) == [])
        // A family may come twice, as a gauge and as a counter: its last help counts.
        let helps = Set(Dictionary(families.map { ($0["name"].text, $0["help"].text) }, uniquingKeysWith: { $1 }).values)
        #expect(helps.subtracting(result.metadata.map(\.help)).subtracting([""]) == [])
    }

    /// The reference gives all counters of the older format `_total`, also where the text has none.
    static func withoutTotal(_ name: String) -> String {
        name.hasSuffix("_total") ? String(name.dropLast(6)) : name
    }

    /// Bounds and quantiles are compared as numbers: the reference leaves them as they were written.
    static func row(_ labels: Labels, _ value: Double, _ exemplar: (value: Double, time: Double?)?) -> String {
        var labels = labels
        for name in ["le", "quantile"] { labels[name] = labels[name].map { Double($0)?.description ?? $0 } }
        let exemplar = exemplar.map { " # \($0.value) \(Int64(($0.time ?? 0) * 1_000))" } ?? ""
        return "\(labels) \(value)\(exemplar)"
    }

    @Test("reads Prometheus' text with escapes, timestamps, loose space and comments")
    func prometheusText() throws {
        let result = try Self.parse(
            """
            # HELP http_requests_total The total,\\nwith \\\\ and "quotes".
            # TYPE http_requests_total counter
            http_requests_total{method="post",code="200"} 1027 1395066363000
            http_requests_total{method="post",code="400",}    3\t1395066363000

            # A comment.
              # TYPE spaced untyped
              spaced { a = "b\\"c\\\\d\\ne\\q" , } -Inf
            #TYPE tight gauge
            metric_without_labels 12.47
            colon:name 1e-3
            nan NaN
            hist_bucket{le="+Inf"} +Inf -3982045
            last 5
            """)
        #expect(
            result.series.map { "\($0.labels) \($0.value) \($0.timestamp) \($0.hasOwnTimestamp)" } == [
                #"{__name__="http_requests_total", code="200", method="post"} 1027.0 1395066363000 true"#,
                #"{__name__="http_requests_total", code="400", method="post"} 3.0 1395066363000 true"#,
                #"{__name__="spaced", a="b\"c\\d\ne\\q"} -inf 1000 false"#, #"{__name__="metric_without_labels"} 12.47 1000 false"#,
                #"{__name__="colon:name"} 0.001 1000 false"#, #"{__name__="nan"} nan 1000 false"#,
                #"{__name__="hist_bucket", le="+Inf"} inf -3982045 true"#, #"{__name__="last"} 5.0 1000 false"#,
            ])
        #expect(
            result.metadata == [
                MetricMetadata(family: "http_requests_total", kind: .counter, help: "The total,\nwith \\ and \"quotes\"."),
                MetricMetadata(family: "spaced", kind: .unknown), MetricMetadata(family: "tight", kind: .gauge),
            ])
    }

    @Test("lines may end as Windows writes them, and an empty answer is no error")
    func lineEnds() throws {
        #expect(try Self.parse("a 1\r\nb 2 5\r\n\r\n").series.map(\.value) == [1, 2])
        #expect(try Self.parse("").series.isEmpty)
        #expect(try Self.parse("\n\n#\n").series.isEmpty)
    }

    @Test("reads names that are UTF-8, quoted, in both dialects", arguments: [nil, openMetrics])
    func utf8(contentType: String?) throws {
        let result = try Self.parse(
            """
            # HELP "http.ü" Text
            # TYPE "http.ü" gauge
            {"http.ü","label.ż"="v",plain="w"} 1
            {"no.labels"} 2

            """.replacing("\n\n", with: "\n") + (contentType == nil ? "" : "# EOF\n"), contentType)
        #expect(result.series.map(\.labels) == [Labels(["__name__": "http.ü", "label.ż": "v", "plain": "w"]), Labels(["__name__": "no.labels"])])
        #expect(result.metadata == [MetricMetadata(family: "http.ü", kind: .gauge, help: "Text")])
    }

    @Test("reads OpenMetrics with units, exemplars, seconds and its end")
    func wholeOpenMetrics() throws {
        let result = try Self.parse(
            """
            # TYPE latency_seconds histogram
            # UNIT latency_seconds seconds
            # HELP latency_seconds A \\"quoted\\" help
            latency_seconds_bucket{le="0.5"} 3 # {trace_id="abc"} 0.43 1520879607.789
            latency_seconds_bucket{le="+Inf"} 4 1520879608.5 # {} 0.7
            latency_seconds_count 4
            latency_seconds_created 1520430000.123
            # TYPE state stateset
            state{state="on"} 1
            # TYPE gh gaugehistogram
            # TYPE i info
            i_info{v="1"} 1
            # EOF

            """.replacing("\n\n", with: "\n"), Self.openMetrics)
        #expect(result.series.map(\.value) == [3, 4, 4, 1_520_430_000.123, 1, 1])
        #expect(result.series[0].exemplar == Exemplar(labels: Labels(["trace_id": "abc"]), value: 0.43, timestamp: 1_520_879_607_789))
        #expect(result.series[1].timestamp == 1_520_879_608_500)
        #expect(result.series[1].exemplar == Exemplar(labels: .empty, value: 0.7, timestamp: 1_520_879_608_500))
        #expect(result.metadata.map(\.kind) == [.histogram, .stateset, .gaugeHistogram, .info])
        #expect(result.metadata[0].unit == "seconds")
        #expect(result.metadata[0].help == #"A "quoted" help"#)
    }

    @Test("timestamps are left aside where they are not honoured")
    func timestamps() throws {
        let series = try Self.parse("a 1 5\n", honorTimestamps: false).series
        #expect(series.map(\.timestamp) == [1_000])
        #expect(series.map(\.hasOwnTimestamp) == [false])
    }

    @Test(
        "says what is wrong in which line",
        arguments: [
            ("a 1\nb{c=\"d\" 2\n", nil, 2, "found '2', expected a comma or the end of the labels"), ("a\n", nil, 1, "the line ends, expected a space"),
            ("a x\n", nil, 1, "expected a value, found \"x\""), ("a 0x1\n", nil, 1, "expected a value, found \"0x1\""),
            ("a 1_0\n", nil, 1, "expected a value, found \"1_0\""), ("a 1 2.5\n", nil, 1, "expected a timestamp in milliseconds, found \"2.5\""),
            ("a 1 2 3\n", nil, 1, "found '3', expected the end of the line"), ("9a 1\n", nil, 1, "a metric's name must not start with a digit"),
            ("\na{9b=\"c\"} 1\n", nil, 2, "found '9', expected a label's name"), ("a{b=\"c} 1\n", nil, 1, "the label's value has no closing quote"),
            ("a{b=c} 1\n", nil, 1, "found 'c', expected the label's value in double quotes"), ("a{b=\"c\",b=\"d\"} 1\n", nil, 1, "the label \"b\" occurs twice"),
            ("# TYPE a thing\n", nil, 1, "\"thing\" is no type of a metric"), ("{a=\"b\"} 1\n", nil, 1, "the sample has no metric name"),
            ("<html>\n", nil, 1, "found '<', expected a metric's name"), ("a{", nil, 1, "the text ends within labels"),
            ("a 1\n", openMetrics, 2, "the text does not end with \"# EOF\""), ("a 1\n\n# EOF\n", openMetrics, 2, "the line ends, expected a metric's name"),
            ("# EOF\na 1\n", openMetrics, 2, "text follows \"# EOF\""), ("# UNIT a b\n# EOF\n", openMetrics, 1, "the unit \"b\" is no suffix of the family \"a\""),
            ("a  1\n# EOF\n", openMetrics, 1, "expected a value, found \"\""), ("# comment\n# EOF\n", openMetrics, 1, "expected # TYPE, # HELP, # UNIT or # EOF"),
            ("a 1 # {b=\"c\"}\n# EOF\n", openMetrics, 1, "the line ends, expected a space"), ("a 1 NaN\n# EOF\n", openMetrics, 1, "the timestamp is out of range"),
        ] as [(String, String?, Int, String)])
    func errors(text: String, contentType: String?, line: Int, message: String) {
        let error = #expect(throws: FormatError.self) { try Self.parse(text, contentType) }
        #expect(error?.line == line)
        #expect(error?.message == message)
    }

    @Test("text that is not UTF-8 is refused with its line and byte")
    func invalidText() {
        let bytes = Array("a 1\nb{c=\"".utf8) + [0xff] + Array("\"} 1\n".utf8)
        let error = #expect(throws: FormatError.self) {
            try Exposition.parse(bytes, contentType: nil, defaultTimestamp: 0, honorTimestamps: true)
        }
        #expect(error?.description == "Prometheus text: line 2, byte 9: the label's value is not valid UTF-8")
    }

    @Test("a label set of thousands is read in linear time, doubles found all the same")
    func manyLabels() throws {
        let labels = (0..<20_000).map { "l\($0)=\"v\"" }.joined(separator: ",")
        #expect(try Self.parse("a{\(labels)} 1\n").series.first?.labels.count == 20_001)
        #expect(throws: FormatError.self) { try Self.parse("a{\(labels),l19999=\"v\"} 1\n") }
    }

    @Test("survives every truncation and flipped bit", arguments: [nil, openMetrics])
    func damage(contentType: String?) {
        let text = "# TYPE a counter\n# HELP a x\\n\na_total{b=\"c\\\"\",\"d\"=\"e\"} 1e3 5 # {t=\"u\"} 1 2\n{\"f.g\"} NaN\n# EOF\n"
        Damage.both(Array(text.utf8)) { bytes in
            _ = try? Exposition.parse(bytes, contentType: contentType, defaultTimestamp: 0, honorTimestamps: true)
        }
    }
}
