import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Patterns of log lines")
struct PatternTests {
    private static func rows(_ lines: [String], at start: Int64 = noon) -> LogRows {
        LogRows(lines.enumerated().map { LogEntry(timestamp: start + Int64($0.offset), line: $0.element) })
    }

    private static func patterns(_ lines: [String]) -> [String: Int] {
        let book = PatternBook()
        for line in lines { book.observe(Labels(["app": "a"]), rows([line]), now: noon) }
        return Dictionary(
            uniqueKeysWithValues: book.takeCounts().map { (PatternText.text($0.words, field: $0.field), $0.counts.values.reduce(0, +)) })
    }

    @Test("what differs from line to line becomes a wildcard, and only that")
    func plainText() {
        let found = Self.patterns([
            "connected to 10.0.0.1:5432 in 12ms", "connected to 10.0.0.2:5432 in 7ms", "cache miss for user alice", "cache miss for user bob",
            "GET /orders/17 status=200 took=3ms", "GET /orders/18 status=404 took=90ms", "shutting down",
        ])
        #expect(
            found == [
                "connected to <_> in <_>": 2, "cache miss for user <_>": 2, "GET <_> status=<_> took=<_>": 2, "shutting down": 1,
            ])
    }

    @Test("of JSON lines the message counts, and the pattern is one that a pattern filter takes")
    func messages() {
        let found = Self.patterns([
            #"{"level":"info","ts":1,"msg":"request handled","status":200}"#, #"{"level":"info","ts":2,"msg":"request handled","status":201}"#,
            #"{"level":"error","ts":3,"msg":"order 17 failed","err":"x"}"#, #"{"level":"error","ts":4,"msg":"order 18 failed","err":"y"}"#,
            #"{"no":"message"}"#,
        ])
        #expect(found == [#"<_>"msg":"request handled"<_>"#: 2, #"<_>"msg":"order <_> failed"<_>"#: 2])
    }

    @Test("lines of another level have another pattern")
    func levels() {
        let book = PatternBook()
        book.observe(Labels(["app": "a"]), Self.rows(["level=info job done", "level=error job done"]), now: noon)
        #expect(Set(book.takeCounts().map(\.level.name)) == ["info", "error"])
    }

    @Test("of a request with many lines some are looked at, and count for all of them")
    func sampling() {
        let book = PatternBook()
        book.observe(Labels(["app": "a"]), Self.rows((0..<1003).map { "worker \($0) is idle" }), now: noon)
        let counts = book.takeCounts()
        #expect(counts.count == 1)
        #expect((counts.first?.counts.values.reduce(0, +) ?? 0) > 850)
        #expect(book.takeCounts().isEmpty)
    }

    @Test("a service that makes up lines without end has a bounded number of patterns")
    func bounded() {
        var random = SplitMix64(seed: 1)
        let book = PatternBook()
        for _ in 0..<20_000 {
            let words = (0..<Int(2 + random.next() % 9)).map { _ in (0..<4).map { _ in String("abcdefghijklmnop".randomElement(using: &random) ?? "a") }.joined() }
            book.observe(Labels(["app": "a"]), Self.rows([words.joined(separator: " ")]), now: noon)
        }
        let counts = book.takeCounts()
        #expect(counts.count <= ServicePatterns.patternCountMax)
        #expect(counts.reduce(0) { $0 + $1.counts.values.reduce(0, +) } == 20_000)
    }

    @Test("a pattern is news where its service has been there a while, once")
    func news() {
        let book = PatternBook()
        let labels = Labels(["service": "shop"])
        book.observe(labels, Self.rows(["ready to serve"]), now: noon)
        #expect(book.takeNews().isEmpty && book.figures.newCounts.isEmpty && book.figures.patternCount == 1)
        let later = noon + 700 * 1_000_000_000
        book.observe(labels, Self.rows(["ready to serve"], at: later), now: later)
        book.observe(labels, Self.rows(["deadlock found when trying to get lock"], at: later), now: later)
        book.observe(labels, Self.rows(["deadlock found when trying to get lock"], at: later + 9), now: later)
        let news = book.takeNews()
        #expect(news.map(\.pattern) == ["deadlock found when trying to get lock"] && news.first?.service == "shop")
        #expect(book.figures.newCounts == ["shop": 1] && book.takeNews().isEmpty)
    }

    @Test("the file's bytes are what its document says, and come back")
    func file() throws {
        let count = PatternBook.Count(service: "a", id: 7, level: .warn, field: nil, words: ["x", "<_>"], counts: [10: 3, 12: 1])
        let bytes = PatternFile.encode([count])
        // Version, a frame of 27 bytes as they are.
        let body: [UInt8] = [1, 1, 0x61, 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2, 1, 0x78, 3, 0x3c, 0x5f, 0x3e, 2, 20, 3, 4, 1]
        #expect(bytes == [1, UInt8(body.count), UInt8(body.count)] + body)
        let read = try PatternFile.decode(bytes, 0..<bytes.count)
        #expect(read.count == 1 && read[0].words == count.words && read[0].counts == count.counts && read[0].level == .warn && read[0].id == 7)
        for end in 0..<bytes.count { #expect(throws: (any Error).self) { try PatternFile.decode(Array(bytes[..<end]), 0..<end) } }
    }

    @Test("a store counts patterns by minute and service, over flushes and a restart, and tells of new ones")
    func store() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon + 60 * 1_000_000_000)
        let settings = options(folder.path, clock: clock)
        let minute: Int64 = 60 * 1_000_000_000
        func append(_ store: EmbeddedStore, _ line: String, _ at: Int64, _ service: String = "shop") async throws {
            try await store.append(logs(["service": service], [LogEntry(timestamp: at, line: line)]))
        }
        func patterns(_ store: EmbeddedStore, _ service: String) async throws -> [LogPattern] {
            try await store.patterns(
                matching: [LabelMatcher("service", .equal, service)], in: TimeRange(noon, noon + 20 * minute), step: minute)
        }
        var store = try EmbeddedStore.open(settings)
        for row in 0..<3 { try await append(store, "order \(row) paid", noon + Int64(row)) }
        try await append(store, "other", noon, "mail")
        try await store.flush()
        try await append(store, "order 9 paid", noon + minute)
        let found = try await patterns(store, "shop")
        #expect(found.map(\.pattern) == ["order <_> paid"])
        #expect(found.first?.samples.map(\.count) == [3, 1] && found.first?.samples.map(\.timestamp) == [noon, noon + minute])
        try await store.close()

        store = try EmbeddedStore.open(settings)
        #expect(try await patterns(store, "shop").first?.total == 4)
        // Known from before: only what is new now is news.
        clock.advance(by: .seconds(60))
        try await append(store, "order 10 paid", noon + 2 * minute)
        try await append(store, "card refused", noon + 2 * minute)
        try await store.maintain()
        let streams = try await store.streams(.logs, matching: [LabelMatcher("kind", .equal, "log_pattern_new")], in: .all)
        #expect(streams.map { $0.labels["service_name"] } == ["shop"])
        #expect(await store.statistics().newLogPatterns == ["shop": 1])
        try await store.close()
    }
}
