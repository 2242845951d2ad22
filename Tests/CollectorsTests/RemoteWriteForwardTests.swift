import Codecs
import Formats
import Logging
import Query
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A queue in memory that keeps everything.
final class MemoryQueue: RecordQueue {
    private struct State {
        var records: [QueueRun.Record] = []
        var listeners: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    func append(_ record: [UInt8], rowCount: Int) async throws(StoreError) {
        let listeners = state.withLock { state in
            state.records.append(QueueRun.Record(bytes: record, rowCount: rowCount))
            return state.listeners
        }
        for listener in listeners { listener.yield() }
    }

    func read(from position: QueuePosition, byteCountMax: Int) throws(StoreError) -> QueueRun {
        state.withLock { state in
            var run = QueueRun(end: position)
            var byteCount = 0
            for record in state.records.dropFirst(position.offset) where run.records.isEmpty || byteCount < byteCountMax {
                byteCount += record.bytes.count
                run.records.append(record)
                run.end.offset += 1
                run.end.rowCount += UInt64(record.rowCount)
            }
            return run
        }
    }

    var newest: QueuePosition {
        state.withLock { state in
            QueuePosition(segment: 1, offset: state.records.count, rowCount: state.records.reduce(0) { $0 + UInt64($1.rowCount) })
        }
    }

    func release(before position: QueuePosition) throws(StoreError) {}

    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.listeners.append(continuation) }
        return stream
    }

    var byteCount: Int { state.withLock { state in state.records.reduce(0) { $0 + $1.bytes.count } } }
}

/// What a receiver of remote write has got.
final class Receiver: Sendable {
    struct Got: Sendable {
        var samples: [Labels: [Sample]] = [:]
        var histograms = 0
        var exemplars = 0
        var metadata: [MetricMetadata] = []
        var requests: [LoopbackServer.Request] = []
    }

    let got = Mutex(Got())
    let server: LoopbackServer

    /// - Parameter answer: the status for a request and its samples; what gets 2xx counts as stored.
    init(_ answer: @escaping @Sendable (LoopbackServer.Request, MetricBatch, _ number: Int) -> Int) throws {
        let box = Box()
        server = try LoopbackServer { request in
            guard let receiver = box.receiver.withLock({ $0 }) else { return .hangUp }
            guard let batch = try? Self.decode(request) else { return .text("not remote write", status: 400) }
            let number = receiver.got.withLock { got in
                got.requests.append(request)
                return got.requests.count - 1
            }
            let status = answer(request, batch, number)
            if status / 100 == 2 { receiver.take(batch) }
            return .answer(status: status, headers: [:], body: [])
        }
        box.receiver.withLock { $0 = self }
    }

    private final class Box: Sendable {
        let receiver = Mutex<Receiver?>(nil)
    }

    private static func decode(_ request: LoopbackServer.Request) throws -> MetricBatch {
        let bytes = try Compression.snappy.decompress(request.body.span, byteCountMax: 1 << 24)
        if request.headers["content-type"]?.contains("v2") == true { return try RemoteWrite2.decode(bytes.span).batch }
        return try RemoteWrite.decode(bytes.span).metrics
    }

    private func take(_ batch: MetricBatch) {
        got.withLock { got in
            for row in 0..<batch.sampleCount {
                let sample = Sample(timestamp: batch.timestamps[row], value: batch.values[row])
                got.samples[batch.series[Int(batch.sampleSeries[row])], default: []].append(sample)
            }
            got.histograms += batch.histograms.count
            got.exemplars += batch.exemplars.count
            got.metadata += batch.metadata
        }
    }

    /// Waits until so many samples are there.
    func wait(samples count: Int) async throws {
        for _ in 0..<400 {
            if got.withLock({ $0.samples.values.reduce(0) { $0 + $1.count } }) >= count { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("\(got.withLock { $0.samples.values.reduce(0) { $0 + $1.count } }) of \(count) samples arrived")
    }
}

@Suite("Remote write out")
struct RemoteWriteForwardTests {
    /// A store with a queue behind it, and its manager.
    struct Fixture {
        let queue = MemoryQueue()
        let state = MemoryState()
        let store: ForwardingStore

        init() {
            store = ForwardingStore(MemoryStore(), queue: queue)
        }

        func manager(_ remote: RemoteWriteConfiguration, external: Labels = .empty, time: TimeSource = .system) -> RemoteWriteManager {
            var configuration = PrometheusConfiguration()
            configuration.remoteWrites = [remote]
            configuration.global.externalLabels = external
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            return RemoteWriteManager(configuration: configuration, queue: queue, store: store, positions: state, time: time, logger: logger)
        }

        /// Runs the manager while `body` does.
        func run(_ manager: RemoteWriteManager, _ body: @escaping @Sendable () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await manager.run() }
                try await body()
                group.cancelAll()
            }
        }

        func append(_ labels: [Labels], from start: Int64, count: Int) async throws {
            for step in 0..<count {
                var batch = TelemetryBatch()
                for labels in labels {
                    batch.metrics.append(series: batch.metrics.addSeries(labels), timestamp: start + Int64(step) * 1_000, value: Double(step))
                }
                try await store.append(batch)
            }
        }
    }

    static func remote(_ receiver: Receiver) -> RemoteWriteConfiguration {
        var remote = RemoteWriteConfiguration(name: "r", url: receiver.server.url + "/api/v1/write")
        remote.queue.batchSendDeadline = .milliseconds(50)
        remote.queue.backoffMin = .milliseconds(10)
        remote.queue.backoffMax = .milliseconds(40)
        return remote
    }

    static let series: [Labels] = (0..<20).map { Labels(["__name__": "m", "i": String($0)]) }

    /// The times of the first samples that ``Fixture/append(_:from:count:)`` makes from 1,000 on.
    static func times(_ count: Int64) -> [Int64] {
        (0..<count).map { 1_000 + $0 * 1_000 }
    }

    @Test("every sample arrives once and in order, with external labels and relabelled, over several shards")
    func forwards() async throws {
        let receiver = try Receiver { _, _, _ in 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.queue.shardCountMin = 4
        remote.queue.sampleCountPerSendMax = 7
        remote.relabelRules = [
            try RelabelRule(action: .drop, sourceLabels: ["i"], expression: "13"),
            try RelabelRule(sourceLabels: ["i"], targetLabel: "j", expression: "(.*)", replacement: "x$1"),
        ]
        let manager = fixture.manager(remote, external: Labels(["replica": "a", "i": "never"]))
        try await fixture.run(manager) {
            try await fixture.append(Self.series, from: 1_000, count: 30)
            try await receiver.wait(samples: 19 * 30)
        }
        let got = receiver.got.withLock { $0 }
        #expect(got.samples.count == 19)
        let times = Self.times(30)
        for (labels, samples) in got.samples {
            #expect(samples.map(\.timestamp) == times)
            #expect(labels["replica"] == "a")
            #expect(labels["j"] == "x" + (labels["i"] ?? ""))
        }
        let request = try #require(got.requests.first)
        #expect(request.headers["content-encoding"] == "snappy")
        #expect(request.headers["x-prometheus-remote-write-version"] == "0.1.0")
        #expect(request.headers["content-type"] == "application/x-protobuf")
        let figures = try #require(manager.snapshots().first?.figures)
        #expect(figures.sent.samples == 570)
        #expect(figures.droppedByRelabelling.samples == 30)
    }

    @Test("a receiver that is down gets everything once it is back, and a restart goes on where it was")
    func down() async throws {
        let isUp = Mutex(false)
        let receiver = try Receiver { _, _, _ in isUp.withLock { $0 } ? 200 : 503 }
        let fixture = Fixture()
        let manager = fixture.manager(Self.remote(receiver))
        try await fixture.run(manager) {
            try await fixture.append(Self.series, from: 1_000, count: 10)
            try await Task.sleep(for: .milliseconds(300))
        }
        #expect(receiver.got.withLock { $0.samples.isEmpty })
        #expect(receiver.got.withLock { $0.requests.contains { $0.headers["retry-attempt"] == "1" } })
        // While nobody sends, the queue takes on.
        try await fixture.append(Self.series, from: 11_000, count: 10)
        isUp.withLock { $0 = true }
        let second = fixture.manager(Self.remote(receiver))
        #expect(second.snapshots().first?.pendingRowCount == 400)
        try await fixture.run(second) {
            try await receiver.wait(samples: 400)
            while second.snapshots().first?.pendingRowCount != 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
        let samples = receiver.got.withLock { $0.samples }
        let times = Self.times(20)
        #expect(samples.count == 20)
        for series in samples.values { #expect(series.map(\.timestamp) == times) }
        // What is through is not sent again.
        let third = fixture.manager(Self.remote(receiver))
        try await fixture.run(third) { try await Task.sleep(for: .milliseconds(200)) }
        #expect(receiver.got.withLock { $0.samples.values.reduce(0) { $0 + $1.count } } == 400)
    }

    @Test("of a request that is refused for some of its samples the others arrive")
    func split() async throws {
        let receiver = try Receiver { _, batch, _ in batch.values.contains(5) ? 400 : 204 }
        let fixture = Fixture()
        let manager = fixture.manager(Self.remote(receiver))
        try await fixture.run(manager) {
            try await fixture.append([Self.series[0]], from: 1_000, count: 100)
            try await receiver.wait(samples: 99)
        }
        let values = receiver.got.withLock { $0.samples.values.first?.map(\.value) ?? [] }
        let expected: [Double] = (0..<100).map { Double($0) }.filter { $0 != 5 }
        #expect(values == expected)
        #expect(manager.snapshots().first?.figures.failed.samples == 1)
    }

    @Test("429 is final unless retry_on_http_429 says otherwise", arguments: [true, false])
    func tooManyRequests(retries: Bool) async throws {
        let receiver = try Receiver { _, _, number in number == 0 ? 429 : 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.queue.retriesOnTooManyRequests = retries
        let manager = fixture.manager(remote)
        try await fixture.run(manager) {
            try await fixture.append([Self.series[0]], from: 1_000, count: 1)
            while manager.snapshots().first?.pendingRowCount != 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(receiver.got.withLock { $0.samples.count } == (retries ? 1 : 0))
        #expect(manager.snapshots().first?.figures.failed.samples == (retries ? 0 : 1))
    }

    @Test("2.0 carries metadata, histograms, exemplars and start times; a receiver that does not know it gets 1.0", arguments: [true, false])
    func version2(isKnown: Bool) async throws {
        let receiver = try Receiver { request, _, _ in request.headers["content-type"]?.contains("v2") == true && !isKnown ? 415 : 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.message = .v2
        remote.sendsExemplars = true
        remote.sendsNativeHistograms = true
        remote.metadata.isSent = false
        let manager = fixture.manager(remote)
        try await fixture.run(manager) {
            var batch = TelemetryBatch()
            let series = batch.metrics.addSeries(Labels(["__name__": "h_total"]))
            batch.metrics.append(series: series, timestamp: 1_000, value: 1)
            batch.metrics.startTimes.append((series, 1_000, 500))
            batch.metrics.histograms.append((series, 2_000, NativeHistogram(count: 1, sum: 1)))
            batch.metrics.exemplars.append((series, Exemplar(labels: Labels(["trace_id": "t"]), value: 1, timestamp: 1_000)))
            batch.metrics.metadata = [MetricMetadata(family: "h_total", kind: .counter, help: "Help.")]
            try await fixture.store.append(batch)
            try await receiver.wait(samples: 1)
            while manager.snapshots().first?.pendingRowCount != 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
        let got = receiver.got.withLock { $0 }
        #expect(got.histograms == 1)
        #expect(got.exemplars == 1)
        if isKnown {
            #expect(got.metadata.map(\.help) == ["Help."])
            #expect(got.requests.first?.headers["x-prometheus-remote-write-version"] == "2.0.0")
        }
    }

    @Test("2.0 says what is known of a family beside its first sample, though others were looked up before", arguments: ["late", "late_total"])
    func lateFamily(name: String) async throws {
        let receiver = try Receiver { _, _, _ in 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.message = .v2
        try await fixture.run(fixture.manager(remote)) {
            try await fixture.append([Self.series[0]], from: 1_000, count: 1)
            try await receiver.wait(samples: 1)
            var batch = TelemetryBatch()
            batch.metrics.append(series: batch.metrics.addSeries(Labels(["__name__": name])), timestamp: 2_000, value: 1)
            batch.metrics.metadata = [MetricMetadata(family: "late", kind: .counter, help: "Help.", unit: "seconds")]
            try await fixture.store.append(batch)
            try await receiver.wait(samples: 2)
        }
        #expect(receiver.got.withLock { $0.metadata } == [MetricMetadata(family: name, kind: .counter, help: "Help.", unit: "seconds")])
    }

    @Test("samples older than sample_age_limit are dropped and counted")
    func age() async throws {
        let receiver = try Receiver { _, _, _ in 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.queue.sampleAgeLimit = .seconds(60)
        let manager = fixture.manager(remote, time: TimeSource { 100_000 * 1_000_000 })
        try await fixture.run(manager) {
            try await fixture.append([Self.series[0]], from: 30_000, count: 20)
            try await receiver.wait(samples: 10)
        }
        #expect(receiver.got.withLock { $0.samples.values.first?.first?.timestamp } == 40_000)
        #expect(manager.snapshots().first?.figures.droppedByAge.samples == 10)
    }

    @Test("metadata is sent by itself in 1.0")
    func metadata() async throws {
        let receiver = try Receiver { _, _, _ in 204 }
        let fixture = Fixture()
        var remote = Self.remote(receiver)
        remote.metadata.interval = .milliseconds(50)
        remote.metadata.countPerSendMax = 2
        var batch = TelemetryBatch()
        batch.metrics.metadata = (0..<5).map { MetricMetadata(family: "f\($0)", kind: .gauge) }
        try await fixture.store.append(batch)
        try await fixture.run(fixture.manager(remote)) {
            while receiver.got.withLock({ $0.metadata.count }) < 5 { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(receiver.got.withLock { Set($0.metadata.map(\.family)) } == ["f0", "f1", "f2", "f3", "f4"])
    }

    @Test("without remotes nothing is queued")
    func idle() async throws {
        let fixture = Fixture()
        try await fixture.append([Self.series[0]], from: 1_000, count: 3)
        #expect(fixture.queue.newest.rowCount == 0)
    }

    // MARK: Configuration

    static func parse(_ text: String) throws -> PrometheusConfiguration {
        try PrometheusConfiguration.parse(text, file: "prometheus.yml")
    }

    @Test("every option of remote_write is read")
    func options() throws {
        let configuration = try Self.parse(
            """
            remote_write:
              - url: http://a/write
                name: first
                remote_timeout: 7s
                headers: {X-Scope-OrgID: t1}
                send_exemplars: true
                send_native_histograms: true
                protobuf_message: io.prometheus.write.v2.Request
                write_relabel_configs:
                  - {source_labels: [job], regex: a, action: keep}
                queue_config: {capacity: 5, max_shards: 9, min_shards: 2, max_samples_per_send: 100, batch_send_deadline: 1s, min_backoff: 2s,
                  max_backoff: 3s, retry_on_http_429: true, sample_age_limit: 1h}
                metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 10}
              - url: http://b/write
                sigv4: {region: x}
              - url: http://b/write
            """)
        let first = try #require(configuration.remoteWrites.first)
        #expect(first.name == "first")
        #expect(first.timeout == .seconds(7))
        #expect(first.headers == [.init(name: "X-Scope-OrgID", value: "t1")])
        #expect(first.sendsExemplars)
        #expect(first.sendsNativeHistograms)
        #expect(first.message == .v2)
        #expect(first.relabelRules.count == 1)
        var queue = RemoteWriteConfiguration.Queue()
        queue.capacity = 5
        queue.shardCountMax = 9
        queue.shardCountMin = 2
        queue.sampleCountPerSendMax = 100
        queue.batchSendDeadline = .seconds(1)
        queue.backoffMin = .seconds(2)
        queue.backoffMax = .seconds(3)
        queue.retriesOnTooManyRequests = true
        queue.sampleAgeLimit = .seconds(3_600)
        #expect(first.queue == queue)
        var metadata = RemoteWriteConfiguration.Metadata()
        metadata.isSent = false
        metadata.interval = .seconds(300)
        metadata.countPerSendMax = 10
        #expect(first.metadata == metadata)
        #expect(Set(configuration.remoteWrites.map(\.name)).count == 3)
        #expect(configuration.remoteWrites[1].name.count == 6)
        #expect(configuration.warnings.contains { $0.description.contains("sigv4") })
    }

    @Test(
        "what Prometheus refuses is refused, with its place",
        arguments: [
            ("remote_write: [{name: a}]", "url"), ("remote_write: [{url: ''}]", "url"), ("remote_write: [{url: ftp://x}]", "http://"),
            ("remote_write: [{url: http://a, headers: {Content-Type: x}}]", "reserved header"),
            ("remote_write: [{url: http://a, protobuf_message: v3}]", "protobuf_message"),
            ("remote_write: [{url: http://a, queue_config: {min_shards: 5, max_shards: 2}}]", "min_shards"),
            ("remote_write: [{url: http://a, name: n}, {url: http://b, name: n}]", "unique"),
            ("remote_write: [{url: http://a, queue_config: {max_shard: 2}}]", "max_shards"),
            ("otlp: {promote_all_resource_attributes: true, promote_resource_attributes: [a]}", "simultaneously"),
            ("otlp: {ignore_resource_attributes: [a]}", "promote_all_resource_attributes"), ("otlp: {translation_strategy: None}", "translation strategy"),
            ("otlp: {promote_resource_attributes: [a, a]}", "duplicated"),
        ])
    func refusals(text: String, words: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try Self.parse(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("prometheus.yml:1:") == true)
    }

    @Test("the otlp section is read")
    func otlp() throws {
        let options = try Self.parse(
            """
            otlp:
              translation_strategy: NoUTF8EscapingWithSuffixes
              promote_all_resource_attributes: true
              ignore_resource_attributes: [host.id]
              keep_identifying_resource_attributes: true
              convert_histograms_to_nhcb: true
              promote_scope_metadata: true
              label_name_underscore_sanitization: false
              label_name_preserve_multiple_underscores: false
            """
        ).otlp
        #expect(options.strategy == .noUTF8EscapingWithSuffixes)
        #expect(options.promotion == .all(except: ["host.id"]))
        #expect(options.keepsIdentifyingResourceAttributes && options.convertsHistogramsToCustomBuckets && options.promotesScopeMetadata)
        #expect(!options.labelNames.prefixesUnderscores && !options.labelNames.preservesMultipleUnderscores)
    }
}
