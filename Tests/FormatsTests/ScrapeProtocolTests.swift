import Codecs
import Formats
import Telemetry
import Testing

@Suite("ScrapeProtocol")
struct ScrapeProtocolTests {
    @Test("targets are asked as Prometheus 3 asks them")
    func accept() {
        #expect(
            ScrapeProtocol.acceptHeader(ScrapeProtocol.standard, escaping: .allowUTF8)
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(
            ScrapeProtocol.acceptHeader(ScrapeProtocol.protobufFirst, escaping: .underscores)
                == "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                + "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                + "text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")
        #expect(ScrapeProtocol.acceptHeader([.prometheusText004], escaping: .dots) == "text/plain;version=0.0.4;q=0.6,*/*;q=0.5")
    }

    @Test("an answer says in which format it is", arguments: [
        ("text/plain; version=0.0.4; charset=utf-8", .prometheusText), ("Text/Plain", .prometheusText), ("text/plain;", .prometheusText),
        ("application/openmetrics-text; version=1.0.0", .openMetrics),
        ("application/vnd.google.protobuf; proto=\"io.prometheus.client.MetricFamily\"; encoding=delimited", .protobuf),
    ] as [(String, ExpositionFormat)])
    func formats(contentType: String, format: ExpositionFormat) throws {
        #expect(try ExpositionFormat(contentType: contentType, fallback: nil) == format)
        #expect(try ExpositionFormat(contentType: contentType, fallback: .prometheusProto) == format)
    }

    @Test("one that does not say it fails, unless there is a fallback", arguments: [
        (nil, "non-compliant scrape target sending blank Content-Type"), ("", "non-compliant scrape target sending blank Content-Type"),
        ("text/html", "received unsupported Content-Type \"text/html\""), ("text/plain; version", "cannot parse Content-Type"),
        ("text plain", "cannot parse Content-Type"),
    ] as [(String?, String)])
    func unknown(contentType: String?, message: String) throws {
        let error = #expect(throws: ScrapeProtocolError.self) { try ExpositionFormat(contentType: contentType, fallback: nil) }
        #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
        #expect(error?.description.hasSuffix("no fallback_scrape_protocol specified for target") == true)
        #expect(try ExpositionFormat(contentType: contentType, fallback: .openMetricsText001) == .openMetrics)
    }

    private static func read(_ text: String, _ configure: (inout ExpositionOptions) -> Void = { _ in }) throws -> ExpositionResult {
        var options = ExpositionOptions(defaultTimestamp: 1_000)
        configure(&options)
        return try Exposition.read(Array(text.utf8), as: .openMetrics, options: options)
    }

    static let openMetrics = """
        # TYPE r counter
        r_total{code="200"} 5
        r_created{code="200"} 1700000000.25
        r_total{code="500"} 1
        # TYPE h histogram
        h_bucket{le="1"} 1 # {t="x"} 0.5 1700000001
        h_bucket{le="2.0"} 3 # {t="y"} 1.5
        h_bucket{le="+Inf"} 4
        h_sum 6
        h_count 4
        h_created 1700000002
        # TYPE g gauge
        g_created 7
        # EOF

        """.replacing("\n\n", with: "\n")

    @Test("_created lines are series, or start times where those are read")
    func created() throws {
        let plain = try Self.read(Self.openMetrics)
        #expect(plain.samples.count == 10)
        #expect(plain.samples.allSatisfy { $0.startTime == 0 })
        let read = try Self.read(Self.openMetrics) { $0.readsStartTimes = true }
        let starts = read.series.map { "\($0.labels[Labels.metricName] ?? "") \($0.startTime)" }
        #expect(
            starts == [
                "r_total 1700000000250", "r_total 0", "h_bucket 1700000002000", "h_bucket 1700000002000", "h_bucket 1700000002000",
                "h_sum 1700000002000", "h_count 1700000002000", "g_created 0",
            ])
    }

    @Test("classic histograms of a text become native ones with custom bounds")
    func converted() throws {
        let result = try Self.read(Self.openMetrics) { options in
            options.convertsClassicHistograms = true
            options.readsStartTimes = true
        }
        #expect(result.series.map { $0.labels[Labels.metricName] ?? "" } == ["r_total", "r_total", "h", "g_created"])
        let series = result.series[2]
        let histogram = try #require(series.histogram)
        #expect(histogram.customBounds == [1, 2])
        #expect(histogram.positiveCounts == [1, 2, 1])
        #expect((histogram.count, histogram.sum) == (4, 6))
        #expect(series.startTime == 1_700_000_002_000)
        // One exemplar has no time of its own.
        #expect(series.exemplars.map { $0.labels["t"] } == ["x"])
        let kept = try Self.read(Self.openMetrics) { options in
            options.convertsClassicHistograms = true
            options.keepsClassicHistograms = true
        }
        #expect(kept.samples.count == 11)
    }

    @Test("bounds and quantiles are written one way, whoever wrote them", arguments: [
        ("1", "1.0"), ("1e3", "1000.0"), ("0.10", "0.1"), ("+Inf", "+Inf"), ("2.5e-05", "2.5e-05"), ("16777216", "1.6777216e+07"),
        ("-1", "-1.0"), ("x", "x"), ("1234567", "1.234567e+06"), ("123456", "123456.0"), ("0.0001", "0.0001"), ("1e-5", "1e-05"),
    ])
    func bounds(text: String, expected: String) throws {
        let series = try Self.read("# TYPE h histogram\nh_bucket{le=\"\(text)\"} 1\n# TYPE g gauge\ng{le=\"\(text)\"} 1\n# EOF\n").series
        #expect(series.map { $0.labels["le"] } == [expected, text])
    }

    @Test("buckets out of order, twice and with a count of their own make the histogram that they mean")
    func disorder() throws {
        let text = "# TYPE h histogram\nh_bucket{le=\"2\"} 3\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1\"} 2\nh_count 4\n# EOF\n"
        let result = try Self.read(text) { $0.convertsClassicHistograms = true }
        #expect(result.histograms.first?.positiveCounts == [1, 2, 1])
        #expect(result.histograms.first?.customBounds == [1, 2])
    }

    @Test("histograms are made coarser without losing an observation")
    func coarser() {
        var histogram = NativeHistogram(
            schema: 2, count: 10, positiveRuns: [.init(offset: -3, length: 4), .init(offset: 5, length: 2)], positiveCounts: [1, 2, 3, 0, 3, 1])
        histogram.compact()
        #expect(histogram.positiveRuns == [.init(offset: -3, length: 3), .init(offset: 6, length: 2)])
        histogram.coarsen(to: 0)
        #expect(histogram.schema == 0)
        #expect(histogram.positiveCounts.reduce(0, +) == 10)
        // Buckets (2^-1, 1] and (2, 4] hold what -3…0 and 6…7 of a quarter each held.
        #expect(histogram.positiveRuns == [.init(offset: 0, length: 1), .init(offset: 1, length: 1)])
        #expect(histogram.positiveCounts == [6, 4])
    }
}
