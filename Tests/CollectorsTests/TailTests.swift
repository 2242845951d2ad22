import Foundation
import Logging
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A folder of logs, and a tailer that looks when told to.
struct TailBench {
    let folder: ScratchFolder
    let store = MemoryStore()
    var options = TailOptions()
    var configuration: TailConfiguration
    var encoding: LineEncoding?
    var decompression: TailJob.Decompression?

    init(include: [String] = ["*.log"], exclude: [String] = [], format: TailConfiguration.Format = .plain) throws {
        folder = try ScratchFolder()
        let path = folder.path
        configuration = TailConfiguration(
            name: "test", include: include.map { path + "/" + $0 }, exclude: exclude.map { path + "/" + $0 },
            labels: Labels(["job": "shop"]), format: format)
        options.partialLineTimeout = .seconds(3_600)
        options.orphanTimeout = .zero
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func start(_ store: (any TelemetryStore)? = nil) -> TailSet {
        TailSet(
            delivery: StoreDelivery(store: store ?? self.store), positions: self.store, options: options, time: .system,
            logger: Logger(label: "test"))
    }

    /// As the files under `include`, but read in another manner.
    var job: TailJob {
        var job = TailJob(configuration)
        job.encoding = encoding
        job.decompression = decompression
        return job
    }

    func poll(_ set: inout TailSet) async { _ = await set.poll([job]) }

    func append(_ text: String, to name: String) throws { try append(Array(text.utf8), to: name) }

    func append(_ bytes: [UInt8], to name: String) throws {
        if !FileManager.default.fileExists(atPath: path(name)) { try Data().write(to: URL(filePath: path(name))) }
        let handle = try #require(FileHandle(forWritingAtPath: path(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
    }

    func lines() async throws -> [String] { try await store.logEntries().map(\.entry.line) }
}

@Suite("LogTailer")
struct TailTests {
    @Test("lines are stored once, in order, under the labels and the file's name; a partial line waits for its newline")
    func lines() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append("one\ntwo\r\npart", to: "a.log")
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["one", "two"])
        try bench.append("ial\n", to: "a.log")
        await bench.poll(&tailer)
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["one", "two", "partial"])
        let labels = try #require(try await bench.store.logEntries().first?.labels)
        #expect(labels == Labels(["job": "shop", "filename": bench.path("a.log")]))
    }

    @Test("equal lines are all kept")
    func equalLines() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append(String(repeating: "same\n", count: 1_000), to: "a.log")
        await bench.poll(&tailer)
        #expect(try await bench.lines().count == 1_000)
    }

    @Test("a partial line is taken when its file stays as it is for long enough")
    func quietPartialLine() async throws {
        var bench = try TailBench()
        bench.options.partialLineTimeout = .milliseconds(1)
        var tailer = bench.start()
        try bench.append("no newline", to: "a.log")
        await bench.poll(&tailer)
        try await Task.sleep(for: .milliseconds(10))
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["no newline"])
    }

    @Test("a renamed file is read to its end, and the new one from its start")
    func rename() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append("one\n", to: "a.log")
        await bench.poll(&tailer)
        try bench.append("two\n", to: "a.log")
        try bench.move("a.log", to: "a.log.1")
        try bench.append("three\n", to: "a.log")
        await bench.poll(&tailer)
        try bench.append("four\n", to: "a.log")
        await bench.poll(&tailer)
        #expect(Set(try await bench.lines()) == ["one", "two", "three", "four"])
        #expect(try await bench.lines().count == 4)
    }

    @Test("a file that is truncated and written anew is read from its start", arguments: [false, true])
    func copyTruncate(isLonger: Bool) async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append("one\ntwo\n", to: "a.log")
        await bench.poll(&tailer)
        let new = isLonger ? "a much longer first line than before\n" : "x\n"
        let handle = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(new.utf8))
        try handle.close()
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["one", "two", String(new.dropLast())])
    }

    @Test("a deleted file that comes back is a new one")
    func deletedAndMadeAgain() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append("one\n", to: "a.log")
        await bench.poll(&tailer)
        try FileManager.default.removeItem(atPath: bench.path("a.log"))
        await bench.poll(&tailer)
        #expect(try bench.store.values(in: TailPosition.namespace).isEmpty)
        try bench.append("two\n", to: "a.log")
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["one", "two"])
    }

    @Test("after a restart reading goes on where it was, also in a file renamed meanwhile")
    func restart() async throws {
        let bench = try TailBench()
        var before = bench.start()
        try bench.append("one\n", to: "a.log")
        await bench.poll(&before)
        try bench.append("two\n", to: "a.log")
        try bench.move("a.log", to: "a.log.1")
        try bench.append("three\n", to: "a.log")
        var after = bench.start()
        await bench.poll(&after)
        await bench.poll(&after)
        #expect(Set(try await bench.lines()) == ["one", "two", "three"])
        #expect(try await bench.lines().count == 3)
        let names = Set(try await bench.store.logEntries().compactMap { $0.labels["filename"] })
        #expect(names == [bench.path("a.log")])
    }

    @Test("a file that took a remembered one's inode is read from its start")
    func inodeTakenOver() async throws {
        let bench = try TailBench()
        var before = bench.start()
        try bench.append("one\n", to: "a.log")
        await bench.poll(&before)
        // The same inode with other content stands for an inode that was given away again.
        let handle = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data("other and longer\n".utf8))
        try handle.close()
        var after = bench.start()
        await bench.poll(&after)
        #expect(try await bench.lines() == ["one", "other and longer"])
    }

    @Test("lines that could not be stored are read again; none is lost and none comes twice")
    func storeFails() async throws {
        let bench = try TailBench()
        let failing = FailingStore(bench.store)
        var tailer = bench.start(failing)
        try bench.append("one\n", to: "a.log")
        failing.isFailing = true
        await bench.poll(&tailer)
        #expect(try await bench.lines().isEmpty)
        try bench.append("two\n", to: "a.log")
        failing.isFailing = false
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["one", "two"])
    }

    @Test("globs with **, braces and excludes choose the files")
    func globs() async throws {
        let bench = try TailBench(include: ["**/{app,web}*.log"], exclude: ["**/*debug*"])
        try FileManager.default.createDirectory(atPath: bench.path("deep/er"), withIntermediateDirectories: true)
        for name in [
            "app.log", "deep/web1.log", "deep/er/app-debug.log", "deep/er/app.log", "other.log", "deep/app.txt",
        ] {
            try bench.append(name + "\n", to: name)
        }
        var tailer = bench.start()
        await bench.poll(&tailer)
        #expect(Set(try await bench.lines()) == ["app.log", "deep/web1.log", "deep/er/app.log"])
    }

    @Test("a line that is too long is cut at a character and marked; the next line is whole", arguments: [true, false])
    func longLine(comesAtOnce: Bool) async throws {
        var bench = try TailBench()
        bench.options.lineByteCountMax = 1_000
        bench.options.chunkByteCount = 1_000
        var tailer = bench.start()
        let long = String(repeating: "ü", count: 5_000)
        try bench.append(comesAtOnce ? long + "\nnext\n" : long, to: "a.log")
        await bench.poll(&tailer)
        if !comesAtOnce {
            try bench.append(long + "\nnext\n", to: "a.log")
            await bench.poll(&tailer)
        }
        let entries = try await bench.store.logEntries().map(\.entry)
        #expect(entries.map(\.line) == [String(repeating: "ü", count: 500), "next"])
        #expect(entries.first?.metadata["cut_from_bytes"] != nil)
    }

    @Test("bytes that are no UTF-8 are replaced")
    func invalidText() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append([0x61, 0xff, 0x62, 0x0a], to: "a.log")
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["a\u{fffd}b"])
    }

    @Test("zap's JSON gives time, level, trace and span")
    func zap() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        let line =
            "{\"level\":\"error\",\"ts\":\"2026-11-22T17:00:00.123456789Z\",\"msg\":\"x\",\"trace_id\":\"0123456789abcdef0123456789abcdef\",\"span_id\":\"0123456789abcdef\"}"
        try bench.append(line + "\n", to: "a.log")
        await bench.poll(&tailer)
        let entry = try #require(try await bench.store.logEntries().first?.entry)
        #expect(entry.line == line)
        #expect(entry.timestamp == 1_795_366_800_123_456_789)
        #expect(entry.traceID.description == "0123456789abcdef0123456789abcdef")
        #expect(entry.spanID.description == "0123456789abcdef")
        #expect(entry.metadata == Labels(["detected_level": "error"]))
    }

    @Test("Docker's records are unwrapped and their pieces joined")
    func docker() async throws {
        let bench = try TailBench(format: .docker)
        var tailer = bench.start()
        try bench.append(
            #"{"log":"a long ","stream":"stdout","time":"2026-11-22T17:00:00Z"}"# + "\n"
                + #"{"log":"err\n","stream":"stderr","time":"2026-11-22T17:00:01Z"}"# + "\n", to: "a.log")
        await bench.poll(&tailer)
        try bench.append(
            #"{"log":"line\n","stream":"stdout","time":"2026-11-22T17:00:02Z"}"# + "\nnot json\n", to: "a.log")
        await bench.poll(&tailer)
        let entries = try await bench.store.logEntries().map(\.entry)
        #expect(entries.map(\.line) == ["err", "a long line", "not json"])
        #expect(entries[0].metadata == Labels(["stream": "stderr"]))
        #expect(entries[1].timestamp == 1_795_366_802_000_000_000)
    }

    @Test("CRI's records are unwrapped and their pieces joined")
    func cri() async throws {
        let bench = try TailBench(format: .cri)
        var tailer = bench.start()
        try bench.append(
            "2026-11-22T17:00:00Z stdout P a long \n2026-11-22T17:00:01Z stdout F line\n2026-11-22T17:00:02Z stderr F \n",
            to: "a.log")
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["a long line"])
    }

    @Test("a tailer that runs finds new files by itself")
    func running() async throws {
        let bench = try TailBench()
        let tailer = LogTailer(
            jobs: [bench.job], delivery: StoreDelivery(store: bench.store), positions: bench.store, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await tailer.run() }
            try await Task.sleep(for: .milliseconds(100))
            try bench.append("one\n", to: "late.log")
            try await until { try await bench.lines() == ["one"] }
            #expect(tailer.files().map(\.path) == [bench.path("late.log")])
            group.cancelAll()
        }
    }
}

@Suite("LineFields")
struct LineFieldsTests {
    @Test(
        "timestamps in all common shapes",
        arguments: [
            (#"{"ts":1700000000.123456789}"#, 1_700_000_000_123_456_789),
            (#"{"time":1700000000123}"#, 1_700_000_000_123_000_000),
            (#"{"timestamp":1700000000123456}"#, 1_700_000_000_123_456_000),
            (#"{"ts":1700000000123456789}"#, 1_700_000_000_123_456_789),
            (#"{"ts":1.7e9}"#, 1_700_000_000_000_000_000),
            (#"{"a":{"ts":1},"ts":"2023-11-14T22:13:20Z"}"#, 1_700_000_000_000_000_000),
            (#"{"@timestamp":"2023-11-15T00:13:20.5+0200"}"#, 1_700_000_000_500_000_000),
            (#"{"ts":"2023-11-14 22:13:20,25"}"#, 1_700_000_000_250_000_000),
            ("time=2023-11-14T22:13:20Z level=info", 1_700_000_000_000_000_000),
            (#"t="2023-11-14T22:13:20-01:00" x"#, 1_700_003_600_000_000_000),
            (#"{"ts":"yesterday"}"#, nil), (#"{"ts":[1]}"#, nil), ("plain text", nil), (#"{"ts""#, nil),
            (#"{"ts":99999999999999999999}"#, nil),
            (#"{"ts":"9999-12-31T23:59:59Z"}"#, nil), ("", nil), ("{", nil), (#"{"a":"\"#, nil),
        ] as [(String, Int64?)])
    func timestamps(line: String, timestamp: Int64?) {
        #expect(LineFields.read(Array(line.utf8)).timestamp == timestamp)
    }

    @Test(
        "levels have Loki's names",
        arguments: [
            ("INFO", "info"), ("warning", "warn"), ("ERR", "error"), ("panic", "fatal"), ("dpanic", "critical"),
            ("loud", nil),
        ] as [(String, String?)])
    func levels(text: String, level: String?) {
        #expect(LineFields.read(Array("{\"level\":\"\(text)\"}".utf8)).level == level)
        #expect(LineFields.read(Array("level=\(text) msg=\"a b\"".utf8)).level == level)
    }

    @Test("every cut of a line is read without harm")
    func cuts() {
        let line = Array(
            #"{"a":[1,{"b":"}"}],"ts":"2023-11-14T22:13:20.5+02:00","trace_id":"0123456789abcdef0123456789abcdef","x":1.5e3}"#
                .utf8)
        for count in 0...line.count { _ = LineFields.read(Array(line[..<count])) }
    }
}

/// A store that refuses while told to.
final class FailingStore: TelemetryStore {
    private let store: MemoryStore
    private let failing = Mutex(false)
    private let refused = Mutex(0)

    init(_ store: MemoryStore) { self.store = store }

    var isFailing: Bool {
        get { failing.withLock { $0 } }
        set { failing.withLock { $0 = newValue } }
    }

    /// Rows that it says it refused, while it takes all.
    var refusedRowCount: Int {
        get { refused.withLock { $0 } }
        set { refused.withLock { $0 = newValue } }
    }

    func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        if isFailing { throw StoreError(.diskFull, "the disk is full") }
        try await store.append(batch)
        if refusedRowCount > 0 { throw StoreError(.rejected, "too old", refusedRowCount: refusedRowCount) }
    }
    func streams(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?)
        async throws(StoreError) -> [TelemetryStream]
    {
        try await store.streams(signal, matching: matchers, in: range, limit: limit)
    }
    func labelNames(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError)
        -> [String]
    {
        try await store.labelNames(signal, matching: matchers, in: range)
    }
    func labelValues(_ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange)
        async throws(StoreError) -> [String]
    {
        try await store.labelValues(name, signal, matching: matchers, in: range)
    }
    func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        try await store.scan(request, body)
    }
    func exemplars(matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) -> [(
        series: Labels, exemplars: [Exemplar]
    )] {
        try await store.exemplars(matching: matchers, in: range)
    }
    func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] {
        try await store.metadata(family: family)
    }
    func delete(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) {
        try await store.delete(signal, matching: matchers, in: range)
    }
    func statistics() async -> StoreStatistics { await store.statistics() }
}
