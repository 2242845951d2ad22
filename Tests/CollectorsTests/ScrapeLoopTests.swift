import Codecs
import Foundation
import Logging
import Query
import Settings
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// What a test of scraping needs: a target's answers, a store, and one loop that scrapes when told to.
final class ScrapeBench: Sendable {
    let server: LoopbackServer
    let store = MemoryStore()
    let clock = TestClock(milliseconds: 1_700_000_000_000)
    let client = ScrapeClient(userAgent: "Apus/test")
    let loop: ScrapeLoop
    private let answers: ResponseBox

    init(
        _ first: LoopbackServer.Response, timeout: Duration = .seconds(5),
        _ configure: (inout ScrapeOptions) -> Void = { _ in }
    ) throws {
        let box = ResponseBox(first)
        answers = box
        server = try LoopbackServer { _ in box.value }
        var options = ScrapeOptions()
        configure(&options)
        let target = ScrapeTarget(
            url: server.url + "/metrics", labels: Labels(["job": "shop", "instance": "a:1"]), discoveredLabels: .empty,
            interval: .seconds(15), timeout: timeout, options: options)
        loop = ScrapeLoop(
            target: target, pool: "shop", hostName: "host", client: client, store: store, time: clock.source,
            logger: Logger(label: "test"))
    }

    final class ResponseBox: Sendable {
        private let stored: Mutex<LoopbackServer.Response>
        init(_ value: LoopbackServer.Response) { stored = Mutex(value) }
        var value: LoopbackServer.Response {
            get { stored.withLock { $0 } }
            set { stored.withLock { $0 = newValue } }
        }
    }

    /// Scrapes once; 15 s pass.
    func scrape(_ answer: LoopbackServer.Response? = nil, cache: inout ScrapeCache) async {
        if let answer { answers.value = answer }
        await loop.scrape(scheduled: clock.milliseconds, cache: &cache)
        clock.advance(milliseconds: 15_000)
    }

    func values(_ name: String) async throws -> [Double] {
        try await store.samples(named: name).sorted { $0.timestamp < $1.timestamp }.map(\.value)
    }
}

@Suite("ScrapeLoop")
struct ScrapeLoopTests {
    @Test("a scrape stores samples, exemplars, metadata, up and the scrape_ series under the target's labels")
    func good() async throws {
        let text = """
            # TYPE requests counter
            # HELP requests How many.
            requests_total{code="200",job="own"} 5 # {trace_id="abc"} 0.5
            # EOF

            """
        let bench = try ScrapeBench(.text(text, contentType: "application/openmetrics-text; version=1.0.0"))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        let labels = Labels([
            "__name__": "requests_total", "code": "200", "job": "shop", "exported_job": "own", "instance": "a:1",
        ])
        let stored = try await bench.store.samples(LabelMatcher("__name__", .equal, "requests_total"))
        #expect(stored == [labels: [Sample(timestamp: 1_700_000_000_000, value: 5)]])
        #expect(try await bench.values("up") == [1])
        #expect(try await bench.values("scrape_samples_scraped") == [1])
        #expect(try await bench.values("scrape_samples_post_metric_relabeling") == [1])
        #expect(try await bench.values("scrape_series_added") == [1])
        #expect(try await bench.values("scrape_duration_seconds").count == 1)
        let exemplars = try await bench.store.exemplars(matching: [], in: .all)
        #expect(exemplars.first?.exemplars.first?.labels == Labels(["trace_id": "abc"]))
        #expect(try await bench.store.metadata(family: nil).first?.kind == .counter)
        let snapshot = bench.loop.snapshot
        #expect(snapshot.health == .up)
        #expect(snapshot.lastScrape == 1_700_000_000_000)
        #expect(snapshot.globalURL == "http://host:\(bench.server.port)/metrics")
        let request = try #require(bench.server.requests.first)
        #expect(request.headers["user-agent"] == "Apus/test")
        #expect(request.headers["x-prometheus-scrape-timeout-seconds"] == "5")
        #expect(request.headers["accept"]?.hasPrefix("application/openmetrics-text;version=1.0.0") == true)
        #expect(request.headers["accept-encoding"] == "gzip")
        await bench.client.shutdown()
    }

    @Test("a series that disappears gets a staleness marker, and so do all when the target fails")
    func staleness() async throws {
        let bench = try ScrapeBench(.text("a 1\nb 2\n"))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(.text("a 3\n"), cache: &cache)
        await bench.scrape(.text("no", status: 503), cache: &cache)
        await bench.scrape(.text("no", status: 503), cache: &cache)
        await bench.scrape(.text("a 4\n"), cache: &cache)
        let a = try await bench.values("a")
        #expect(a.map(\.bitPattern) == [1, 3, Staleness.marker, 4].map(\.bitPattern))
        let b = try await bench.values("b")
        #expect(b.map(\.bitPattern) == [2, Staleness.marker].map(\.bitPattern))
        #expect(try await bench.values("up") == [1, 1, 0, 0, 1])
        await bench.client.shutdown()
    }

    @Test("series with timestamps of their own get no markers unless these are tracked", arguments: [false, true])
    func ownTimestamps(isTracked: Bool) async throws {
        let bench = try ScrapeBench(.text("a 1 1699999999000\n")) { $0.trackTimestampsStaleness = isTracked }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        await bench.scrape(.text("b 1\n"), cache: &cache)
        let a = try await bench.store.samples(named: "a")
        #expect(a.first?.timestamp == 1_699_999_999_000)
        #expect(a.count == (isTracked ? 2 : 1))
        await bench.client.shutdown()
    }

    struct Failure: Sendable, CustomTestStringConvertible {
        var name: String
        var response: LoopbackServer.Response
        var message: String
        var configure: @Sendable (inout ScrapeOptions) -> Void = { _ in }
        var testDescription: String { name }
    }

    static let failures: [Failure] = [
        Failure(name: "status", response: .text("x", status: 404), message: "server returned HTTP status 404"),
        Failure(name: "broken text", response: .text("a 1\nb{x=\"1} 2\n"), message: "line 2"),
        Failure(name: "silence", response: .silence, message: "context deadline exceeded"),
        Failure(
            name: "endless body", response: .endless(chunk: Array("a 1\n".utf8)), message: "body size limit exceeded"
        ) { $0.limits.bodyByteCountMax = 100_000 },
        Failure(name: "hang-up", response: .hangUp, message: "Get \"http://127.0.0.1"),
        Failure(name: "sample limit", response: .text("a 1\nb 1\nc 1\n"), message: "sample limit exceeded") {
            $0.limits.sampleCountMax = 2
        },
        Failure(
            name: "label limit", response: .text("a{x=\"1\",y=\"2\"} 1\n"),
            message: "label_limit exceeded (metric: \"a\", number of labels: 5, limit: 4)"
        ) {
            $0.limits.labelCountMax = 4
        },
        Failure(
            name: "label value length", response: .text("a{x=\"123456\"} 1\n"),
            message: "label_value_length_limit exceeded (metric: \"a\", label name: \"x\", length: 6, limit: 5)"
        ) {
            $0.limits.labelValueByteCountMax = 5
        },
        Failure(
            name: "bomb", response: .answer(status: 200, headers: ["Content-Encoding": "gzip"], body: bomb),
            message: "body size limit exceeded"
        ) { $0.limits.bodyByteCountMax = 1_000_000 },
        Failure(
            name: "damaged gzip",
            response: .answer(status: 200, headers: ["Content-Encoding": "gzip"], body: [1, 2, 3]),
            message: "the answer's gzip body is damaged"),
        Failure(
            name: "unknown encoding", response: .answer(status: 200, headers: ["Content-Encoding": "br"], body: [1]),
            message: "the answer has the unknown Content-Encoding \"br\""),
    ]

    static let bomb = Compression.gzip.compress([UInt8](repeating: 10, count: 5_000_000).span)

    @Test("a scrape that fails stores up 0 and nothing else, and says why", arguments: failures)
    func failing(_ failure: Failure) async throws {
        let bench = try ScrapeBench(failure.response, timeout: .milliseconds(400), failure.configure)
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("up") == [0])
        #expect(try await bench.store.samples(LabelMatcher("__name__", .matches, "[abc]")).isEmpty)
        #expect(bench.loop.snapshot.health == .down)
        #expect(bench.loop.snapshot.lastError.contains(failure.message), "\(bench.loop.snapshot.lastError)")
        await bench.client.shutdown()
    }

    @Test("a compressed answer is read")
    func gzip() async throws {
        let body = Compression.gzip.compress(Array("a 7\n".utf8).span)
        let bench = try ScrapeBench(
            .answer(status: 200, headers: ["Content-Encoding": "gzip", "Content-Type": "text/plain"], body: body))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("a") == [7])
        await bench.client.shutdown()
    }

    @Test("metric relabelling renames, drops, and counts what is left")
    func metricRelabelling() async throws {
        let bench = try ScrapeBench(.text("a{x=\"1\"} 1\nb 2\nc 3\n")) { options in
            options.metricRelabelRules = [
                try? RelabelRule(action: .drop, sourceLabels: ["__name__"], expression: "b"),
                try? RelabelRule(action: .labeldrop, expression: "x"),
            ].compactMap { $0 }
        }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.store.samples(LabelMatcher("__name__", .equal, "a")).keys.first?["x"] == nil)
        #expect(try await bench.values("b").isEmpty)
        #expect(try await bench.values("scrape_samples_scraped") == [3])
        #expect(try await bench.values("scrape_samples_post_metric_relabeling") == [2])
        await bench.client.shutdown()
    }

    @Test("honor_labels lets the target's own labels stand")
    func honorLabels() async throws {
        let bench = try ScrapeBench(.text("a{job=\"own\"} 1\n")) { $0.honorLabels = true }
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        let labels = try #require(try await bench.store.samples(LabelMatcher("__name__", .equal, "a")).keys.first)
        #expect(labels == Labels(["__name__": "a", "job": "own", "instance": "a:1"]))
        await bench.client.shutdown()
    }

    @Test("a sample of a series that comes twice is left out")
    func duplicates() async throws {
        let bench = try ScrapeBench(.text("a 1\na 2\n"))
        var cache = ScrapeCache()
        await bench.scrape(cache: &cache)
        #expect(try await bench.values("a") == [1])
        await bench.client.shutdown()
    }
}

@Suite("ScrapeManager")
struct ScrapeManagerTests {
    private func configuration(_ ports: [Int], interval: String = "200ms") throws -> PrometheusConfiguration {
        let targets = ports.map { "'127.0.0.1:\($0)'" }.joined(separator: ", ")
        return try PrometheusConfiguration.parse(
            """
            global: {scrape_interval: \(interval), scrape_timeout: 100ms}
            scrape_configs:
              - job_name: shop
                static_configs: [{targets: [\(targets)]}]
            """, file: "p.yml")
    }

    @Test("targets are scraped at even timestamps; one that goes gets markers, one that stays is not disturbed")
    func reload() async throws {
        let first = try LoopbackServer { _ in .text("a 1\n") }
        let second = try LoopbackServer { _ in .text("b 1\n") }
        let store = MemoryStore()
        let manager = ScrapeManager(
            configuration: try configuration([first.port, second.port]), store: store, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            try await until {
                let (a, b) = (try await store.samples(named: "a").count, try await store.samples(named: "b").count)
                return min(a, b) >= 3
            }
            manager.apply(try configuration([first.port]))
            try await until { try await store.samples(named: "b").contains { Staleness.isMarker($0.value) } }
            let count = try await store.samples(named: "a").count
            try await until { try await store.samples(named: "a").count > count + 1 }
            group.cancelAll()
        }
        let a = try await store.samples(named: "a")
        #expect(!a.contains { Staleness.isMarker($0.value) })
        // All at the same place within the interval, but for those that a busy machine started late.
        let places = Dictionary(grouping: a.map { $0.timestamp % 200 }, by: { $0 }).values.map(\.count)
        #expect((places.max() ?? 0) >= 2)
        #expect(manager.targets().first?.active.count == 1)
        #expect(manager.targets().first?.active.first?.health == .up)
    }

    @Test("a slow target and one that is not there harm no other")
    func isolation() async throws {
        let good = try LoopbackServer { _ in .text("a 1\n") }
        let slow = try LoopbackServer { _ in .silence }
        let gone = try LoopbackServer { _ in .hangUp }
        gone.stop()
        let store = MemoryStore()
        let manager = ScrapeManager(
            configuration: try configuration([slow.port, good.port, gone.port]), store: store,
            logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            try await until {
                let health = manager.targets().first?.active.map(\.health) ?? []
                let count = try await store.samples(named: "a").count
                return count >= 4 && health.filter { $0 == .down }.count == 2
            }
            group.cancelAll()
        }
        let errors = manager.targets().first?.active.map(\.lastError).filter { !$0.isEmpty } ?? []
        #expect(errors.contains { $0.contains("context deadline exceeded") })
        #expect(errors.contains { $0.contains("connection refused") }, "\(errors)")
    }

    @Test("targets that are discovered are scraped; over a reload they stay until the new discovery has answered")
    func discovery() async throws {
        let target = try LoopbackServer { _ in .text("a 1\n") }
        let list = "[{\"targets\":[\"127.0.0.1:\(target.port)\"]}]"
        let first = try LoopbackServer { _ in .text(list, contentType: "application/json") }
        let isSlow = Box(true)
        let second = try LoopbackServer { _ in
            while isSlow.value { Thread.sleep(forTimeInterval: 0.01) }
            return .text("[]", contentType: "application/json")
        }
        func configuration(_ url: String) throws -> PrometheusConfiguration {
            try PrometheusConfiguration.parse(
                "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
                    + "scrape_configs: [{job_name: j, http_sd_configs: [{url: '\(url)'}]}]", file: "p.yml")
        }
        let store = MemoryStore()
        let manager = ScrapeManager(configuration: try configuration(first.url), store: store, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            try await until { try await store.samples(named: "a").count >= 2 }
            #expect(manager.discoveries().map(\.targetCount) == [1])
            manager.apply(try configuration(second.url))
            let count = try await store.samples(named: "a").count
            try await until { try await store.samples(named: "a").count >= count + 3 }
            #expect(manager.targets().first?.active.count == 1)
            isSlow.value = false
            try await until { manager.targets().first?.active.isEmpty == true }
            try await until { try await store.samples(named: "a").contains { Staleness.isMarker($0.value) } }
            group.cancelAll()
        }
    }
}

/// Waits for a condition: up to a minute, since other suites keep the cores busy meanwhile.
func until(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<1_200 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("what was waited for did not come")
}
