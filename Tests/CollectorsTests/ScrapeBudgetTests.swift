import Codecs
import Formats
import Foundation
import Logging
import Query
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("Scrape budgets and formats")
struct ScrapeBudgetTests {
    /// `count` series of `requests`, whose label `user` differs.
    static func exploded(_ count: Int, from first: Int = 0) -> String {
        (first..<first + count).map { "requests{user=\"u\($0)\",code=\"\($0 % 3)\"} \($0)\n" }.joined() + "healthy 1\n"
    }

    @Test("a target over its budget is refused; the error names target, metric and label")
    func target() async throws {
        let bench = try ScrapeBench(.text(Self.exploded(30))) { $0.budget = ScrapeBudget(targetSeriesCountMax: 20) }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("up") == [0])
        #expect(try await bench.values("healthy").isEmpty)
        #expect(try await bench.values("scrape_samples_scraped") == [31])
        let snapshot = bench.loop.snapshot
        #expect(snapshot.health == .down)
        #expect(
            snapshot.lastError.hasPrefix(
                "series budget exceeded: target \(bench.server.url)/metrics exposes more than 20 series (31 in this scrape); metric \"requests\" has "
                    + "the most series (30), and of it label \"user\" has the most values (30)"), "\(snapshot.lastError)")
        #expect(cache.entries.isEmpty)
        // What it had before ends, and it comes back by itself.
        await bench.scrape(.text(Self.exploded(5)), cache: &cache)
        #expect(try await bench.values("up") == [0, 1])
        await bench.client.shutdown()
    }

    @Test("of a metric over its budget the newcomers are refused, and everything else goes on")
    func metric() async throws {
        let bench = try ScrapeBench(.text(Self.exploded(8))) { $0.budget = ScrapeBudget(metricSeriesCountMax: 10) }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(bench.loop.snapshot.lastError == "")
        // Those of before are the last in the text, and stay nevertheless.
        let newcomers = (100..<150).map { "requests{user=\"u\($0)\",code=\"1\"} 1\n" }.joined()
        await bench.scrape(.text(newcomers + Self.exploded(8)), cache: &cache)
        let series = try await bench.store.samples(LabelMatcher("__name__", .equal, "requests")).keys
        #expect(series.count == 10)
        #expect((0..<8).allSatisfy { number in series.contains { $0["user"] == "u\(number)" } })
        #expect(try await bench.values("healthy") == [1, 1])
        #expect(try await bench.values("up") == [1, 1])
        let snapshot = bench.loop.snapshot
        #expect(snapshot.health == .up)
        #expect(
            snapshot.lastError.hasPrefix(
                "series budget exceeded: metric \"requests\" of target \(bench.server.url)/metrics has more than 10 series, 48 are refused; "
                    + "its label \"user\" has the most values (58)"), "\(snapshot.lastError)")
        // Rooms that are left are given to others.
        await bench.scrape(.text(newcomers), cache: &cache)
        await bench.scrape(.text(newcomers), cache: &cache)
        let alive = try await bench.store.samples(LabelMatcher("__name__", .equal, "requests")).filter {
            $0.value.last.map { !Staleness.isMarker($0.value) } ?? false
        }
        #expect(alive.count == 10)
        await bench.client.shutdown()
    }

    @Test("a metric that relabelling makes of many has a budget too, and sample_limit goes before that of the target")
    func relabelled() async throws {
        let bench = try ScrapeBench(.text("a 1\nb 2\nc 3\n")) { options in
            options.budget = ScrapeBudget(targetSeriesCountMax: 1, metricSeriesCountMax: 2)
            options.limits.sampleCountMax = 5
            options.metricRelabelRules = [
                try? RelabelRule(sourceLabels: ["__name__"], targetLabel: "was"),
                try? RelabelRule(targetLabel: "__name__", replacement: "all"),
            ].compactMap { $0 }
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.store.samples(LabelMatcher("__name__", .equal, "all")).count == 2)
        #expect(try await bench.values("scrape_samples_post_metric_relabeling") == [3])
        await bench.client.shutdown()
    }

    @Test("the manager counts what was refused, and the standard budget is on in apus.yaml's settings")
    func counted() {
        let budgets = Budgets()
        budgets.add(.metric, of: "a", samples: 3)
        budgets.add(.metric, of: "a", samples: 4)
        #expect(budgets.figures.refusedSamples == [.init(job: "a", scope: .metric): 7])
        #expect(budgets.figures.exceeded == [.init(job: "a", scope: .metric): 2])
        var configuration = PrometheusConfiguration()
        configuration.scrapes = [ScrapeConfiguration(jobName: "a", interval: .seconds(1), timeout: .seconds(1))]
        configuration.apply(.standard)
        #expect(configuration.scrapes[0].options.budget.targetSeriesCountMax == 100_000)
        #expect(configuration.scrapes[0].options.limits.bodyByteCountMax == 64 << 20)
    }

    // MARK: Formats

    static let protobufType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

    static func histogram(count: UInt64, start: Int64 = 0) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, "h")
        writer.uint64(3, 4)
        writer.message(4) { writer in
            writer.message(7) { writer in
                writer.uint64(1, count)
                writer.sint32(5, 3)
                writer.double(6, 0.001)
                writer.message(12) { $0.uint32(2, 1) }
                writer.packedSInt64s(13, [Int64(count)])
                if start > 0 { writer.message(15) { $0.int64(1, start) } }
            }
        }
        var bytes: [UInt8] = []
        Varint.append(UInt64(writer.bytes.count), to: &bytes)
        return bytes + writer.bytes
    }

    static func protobuf(_ body: [UInt8]) -> LoopbackServer.Response {
        .answer(status: 200, headers: ["Content-Type": protobufType], body: body)
    }

    private func histograms(_ bench: ScrapeBench) async throws -> [(Int64, NativeHistogram)] {
        var found: [(Int64, NativeHistogram)] = []
        let streams = try await bench.store.streams(.metrics, matching: [LabelMatcher("__name__", .equal, "h")], in: .all)
        try await bench.store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all, columns: .values)) { block in
            if case .histograms(let values) = block.columns { found += zip(block.timestamps, values) }
            return .continue
        }
        return found.sorted { $0.0 < $1.0 }
    }

    @Test("native histograms are asked for, stored, limited, and end with a marker of their kind")
    func native() async throws {
        let bench = try ScrapeBench(Self.protobuf(Self.histogram(count: 5))) { options in
            options.formats.scrapesNativeHistograms = true
            options.formats.protocols = ScrapeProtocol.protobufFirst
            options.formats.schemaMax = 1
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(.text("a 1\n"), cache: &cache)
        let found = try await histograms(bench)
        #expect(found.count == 2)
        #expect(found.first?.1.schema == 1)
        #expect(found.first?.1.count == 5)
        #expect(found.last?.1.isStale == true)
        #expect(bench.server.requests.first?.headers["accept"]?.hasPrefix("application/vnd.google.protobuf;proto=") == true)
        #expect(try await bench.values("scrape_samples_scraped") == [1, 1])
        await bench.client.shutdown()
    }

    @Test("a bucket limit that no schema keeps fails the scrape")
    func bucketLimit() async throws {
        let text = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_count 3\n"
        let bench = try ScrapeBench(.text(text)) { options in
            options.formats.convertsClassicHistograms = true
            options.formats.bucketCountMax = 2
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(bench.loop.snapshot.lastError.hasPrefix("histogram bucket limit exceeded"), "\(bench.loop.snapshot.lastError)")
        #expect(try await bench.values("up") == [0])
        await bench.client.shutdown()
    }

    @Test("start times go beside the samples, and begin a series with a zero where that feature is on", arguments: [true, false])
    func startTimes(isInjected: Bool) async throws {
        let bench = try ScrapeBench(Self.protobuf(Self.histogram(count: 5, start: 1_699_999_990))) { options in
            options.formats.scrapesNativeHistograms = true
            options.formats.startTimes = isInjected ? .injected : .recorded
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(cache: &cache)
        let found = try await histograms(bench)
        #expect(found.map(\.1.count) == (isInjected ? [0, 5, 5] : [5, 5]))
        #expect(found.first?.0 == (isInjected ? 1_699_999_990_000 : 1_700_000_000_000))
        await bench.client.shutdown()
    }

    @Test("an answer of an unknown kind fails, one without a byte does not", arguments: [
        ("text/html", "a 1\n", "received unsupported Content-Type"), ("", "a 1\n", "non-compliant scrape target sending blank Content-Type"),
        ("", "", ""),
    ])
    func contentTypes(type: String, body: String, error: String) async throws {
        let bench = try ScrapeBench(.answer(status: 200, headers: type.isEmpty ? [:] : ["Content-Type": type], body: Array(body.utf8)))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("up") == [error.isEmpty ? 1 : 0])
        #expect(bench.loop.snapshot.lastError.hasPrefix(error))
        await bench.client.shutdown()
    }

    @Test("a fallback protocol says what an answer is that does not say so itself")
    func fallback() async throws {
        let bench = try ScrapeBench(.answer(status: 200, headers: ["Content-Type": "text/html"], body: Array("a 1\n".utf8))) {
            $0.formats.fallback = .prometheusText004
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("a") == [1])
        await bench.client.shutdown()
    }

    @Test("legacy validation refuses names that are no identifiers")
    func legacy() async throws {
        let bench = try ScrapeBench(.text("{\"http.requests\"} 1\n")) { $0.formats.validation = .legacy }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(bench.loop.snapshot.lastError == #"invalid metric name or label names: {__name__="http.requests", instance="a:1", job="shop"}"#)
        await bench.client.shutdown()
    }

    @Test("extra metrics say timeout, limit and the answer's size; failed scrapes are written to a file")
    func extra() async throws {
        let folder = try ScratchFolder()
        let bench = try ScrapeBench(.text("a 1\n")) { options in
            options.reportsExtraMetrics = true
            options.failureLogFile = folder.path + "/failures.log"
            options.limits.sampleCountMax = 7
            options.limits.bodyByteCountMax = 100
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(.text("x", status: 500), cache: &cache)
        await bench.scrape(.text(String(repeating: "a 1\n", count: 50)), cache: &cache)
        #expect(try await bench.values("scrape_timeout_seconds") == [5, 5, 5])
        #expect(try await bench.values("scrape_sample_limit") == [7, 7, 7])
        #expect(try await bench.values("scrape_body_size_bytes") == [4, 0, -1])
        let lines = try String(contentsOfFile: folder.path + "/failures.log", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        let first = try JSONValue(parsing: Array(lines[0].utf8).span)
        #expect(first["msg"]?.string == "server returned HTTP status 500 Internal Server Error")
        #expect(first["job_name"]?.string == "shop")
        #expect(first["target"]?.string == bench.server.url + "/metrics")
        #expect(first["time"]?.string == "2023-11-14T22:13:35.000Z")
        await bench.client.shutdown()
    }

    @Test("a target that writes its labels in another order has not ended its series")
    func order() async throws {
        let bench = try ScrapeBench(.text("a{x=\"1\",y=\"2\"} 1\nb 1\n"))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(.text("a{y=\"2\", x=\"1\"} 2\n"), cache: &cache)
        await bench.scrape(.text("a{x=\"1\",y=\"2\"} 3\n"), cache: &cache)
        #expect(try await bench.values("a") == [1, 2, 3])
        #expect(try await bench.values("b").count == 2)
        await bench.client.shutdown()
    }

    @Test("a target that exposes ever new series is remembered no longer than it exposes them")
    func churn() async throws {
        let bench = try ScrapeBench(.text(""))
        var cache = ScrapeCache()
        for round in 0..<12 { await bench.scrape(.text(Self.exploded(500, from: round * 500)), cache: &cache) }
        #expect(cache.entries.count <= 2 * 502 + 1_000 + 501)
        #expect(cache.positions.count == cache.entries.count)
        #expect(try await bench.store.samples(LabelMatcher("user", .equal, "u0")).values.first?.last.map { Staleness.isMarker($0.value) } == true)
        await bench.client.shutdown()
    }
}
