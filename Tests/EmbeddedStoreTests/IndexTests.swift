import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Stream index")
struct IndexTests {
    /// Two hours after the end of the day that ``noon`` lies on: it is sealed then.
    private static let toTheNextNight = Duration.seconds(14 * 3600)

    private func expect(_ store: EmbeddedStore, _ model: IndexModel, _ random: inout SplitMix64, questions: Int) async throws {
        let differences = try await store.compare(model, &random, questions: questions)
        #expect(differences.isEmpty, "\(differences.count) differences, as \(differences.prefix(2))")
    }

    @Test("answers from memory, from sealed days and from both are those of a naive model", arguments: UInt64(0)..<6)
    func naiveModel(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let model = IndexModel.draw(&random, count: 300)
        let folder = try ScratchFolder()
        let (clock, log) = (TestClock(noon), EventLog())
        var options = options(folder.path, clock: clock, log: log)
        // Every third run with a hash that knows only 16 values: most streams share theirs.
        if seed % 3 == 2 { options.streamHash = { StreamHash.id($0, $1, $2) & 15 } }
        var store = try EmbeddedStore.open(options)
        try await store.write(model.streams.prefix(200), at: noonMilliseconds)
        try await expect(store, IndexModel(streams: Array(model.streams.prefix(200))), &random, questions: 20)
        try await store.flush()
        // The rest, and some again, on the day before.
        try await store.write(model.streams.suffix(150), at: noonMilliseconds - 20 * hourMilliseconds)
        try await expect(store, model, &random, questions: 20)
        try await store.close()
        store = try EmbeddedStore.open(options)
        try await expect(store, model, &random, questions: 20)

        // Both days are sealed; the streams leave memory.
        clock.advance(by: Self.toTheNextNight)
        try await store.maintain()
        clock.advance(by: .seconds(2 * 3600))
        try await store.maintain()
        if seed % 3 != 2 { #expect(store[.metrics].registry.count == 0) }
        try await expect(store, model, &random, questions: 30)
        #expect(try await store.floats().count == 350)
        // Some come back on a sealed day: late rows.
        try await store.write(model.streams.shuffled(using: &random).prefix(50), at: noonMilliseconds + 5)
        try await expect(store, model, &random, questions: 20)
        try await store.flush()
        #expect(try await store.floats().count == 400)
        try await store.close()
        store = try EmbeddedStore.open(options)
        try await expect(store, model, &random, questions: 20)
        #expect(try await store.floats().count == 400)
        #expect(log.errors == [])
    }

    @Test("a stream keeps its rows apart from those of another with the same hash, over restarts and seals", arguments: UInt64(0)..<6)
    func collisions(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        var options = options(folder.path, clock: clock)
        options.streamHash = { signal, labels, resource in StreamHash.id(signal, labels, resource) & 1 }
        var store = try EmbeddedStore.open(options)
        var wanted: Set<FloatRow> = []
        for step in 0..<30 {
            let series = Labels(["__name__": "m", "n": "\(random.next() % 12)"])
            let row = FloatRow(
                labels: series, timestamp: clock.milliseconds - Int64(random.next() % 3) * 24 * hourMilliseconds + Int64(step), bits: 1.0.bitPattern)
            try await store.append(samples(["__name__": "m", "n": series["n"] ?? ""], [(row.timestamp, 1)]))
            wanted.insert(row)
            switch random.next() % 6 {
            case 0:
                try await store.close()
                store = try EmbeddedStore.open(options)
            case 1: try await store.flush()
            case 2:
                clock.advance(by: .seconds(9 * 3600))
                try await store.maintain()
            case 3: try await store.compact()
            default: break
            }
            let found = try await store.floats()
            #expect(Set(found) == wanted && found.count == wanted.count, "seed \(seed), step \(step): \(found.count) of \(wanted.count), missing \(wanted.subtracting(found))")
        }
    }

    @Test("churn stays bounded: what is quiet for an hour leaves memory and is still found")
    func churn() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon - 11 * 3_600_000_000_000)
        let store = try EmbeddedStore.open(options(folder.path, clock: clock))
        let (steady, perRound) = (100, 3000)
        let names = (0..<steady).map { Labels(["__name__": "steady", "n": "\($0)"]) }
        var most = 0
        for round in 0..<18 {
            let new = (0..<perRound).map { Labels(["__name__": "churn", "pod": "p\(round)-\($0)"]) }
            try await store.write(names + new, at: clock.milliseconds)
            try await store.flush()
            clock.advance(by: .seconds(1800))
            try await store.maintain()
            most = max(most, store[.metrics].registry.count)
        }
        // 54,000 came by; an hour has 6,000, and quiet ones wait until they are worth a file.
        #expect(most < 27_000)
        let figures = store[.metrics].registry.figures
        #expect(figures.streams < 27_000 && figures.pairs < 28_000 && figures.chunks < 10 && figures.generation > 1)
        let all = try await store.streams(.metrics, matching: [LabelMatcher("__name__", .equal, "churn")], in: .all)
        #expect(all.count == 18 * perRound)
        #expect(try await store.streams(.metrics, matching: [LabelMatcher("pod", .equal, "p0-17")], in: .all).count == 1)
        #expect(try await store.floats([LabelMatcher("pod", .matches, "p0-1.|p17-1.")]).count == 20)
        #expect(try await store.floats([LabelMatcher("__name__", .equal, "steady"), LabelMatcher("n", .equal, "3")]).count == 18)
    }

    @Test("a slot is never another stream's, and one that is forgotten says so")
    func slots() {
        let clock = TestClock(noon)
        let registry = StreamRegistry(signal: .metrics, time: clock.source)
        let labels = (0..<5000).map { Labels(["__name__": "m", "n": "\($0)"]) }
        let first = registry.slots(for: labels.map { ($0, .unknown) })
        #expect(registry.slots(for: labels.map { ($0, .unknown) }) == first)
        clock.advance(by: .seconds(10))
        #expect(registry.refresh(Array(first[..<100])))
        let cutoff = registry.seconds
        #expect(registry.stale(before: cutoff).count == 4900)
        #expect(registry.forget(registry.stale(before: cutoff), seenBefore: cutoff).count == 4900)
        #expect(registry.count == 100)
        #expect(registry.figures.pairs == 101)
        #expect(registry.isAlive(first[99]) && !registry.isAlive(first[100]))
        #expect(registry.refresh(Array(first[..<100])) && !registry.refresh([first[100]]))
        let again = registry.slots(for: labels.map { ($0, .unknown) })
        #expect(Array(again[..<100]) == Array(first[..<100]))
        #expect(Set(again[100...]).isDisjoint(with: first))
        #expect(registry[again].map(\.labels) == labels)
        #expect(registry.slots(of: registry[again]) == again)
    }

    @Test("streams that share a hash are not forgotten: their ids are found from it on")
    func ambiguous() {
        let clock = TestClock(noon)
        let registry = StreamRegistry(signal: .metrics, time: clock.source) { _, labels, _ in labels["n"] == "alone" ? 99 : 7 }
        let labels = ["a", "b", "c", "alone"].map { Labels(["n": $0]) }
        let slots = registry.slots(for: labels.map { ($0, .unknown) })
        #expect(registry.ids(slots) == [7, 8, 9, 99])
        clock.advance(by: .seconds(10))
        #expect(registry.forget(Bitmap(slots), seenBefore: registry.seconds).values == [slots[3]])
        #expect(registry.slots(for: labels.dropLast().map { ($0, .unknown) }) == Array(slots[..<3]))
    }

    @Test("each distinct value is tried with an expression at most once a query, and bounds rule most out")
    func trials() throws {
        let registry = StreamRegistry(signal: .metrics)
        _ = registry.slots(for: (0..<2000).map { (Labels(["svc": "svc-\($0)", "n": "\($0 % 7)"]), .unknown) })
        let members = Bitmap(below: 2000)
        for (expression, most) in [("svc-1[0-9]", 1120), ("svc-19.*|svc-1[5-6]", 600), ("x.*", 0), (".*9", 2000)] {
            let matcher = try CompiledMatcher(LabelMatcher("svc", .matches, expression))
            let before = matcher.trialCount
            let found = registry.matching([matcher], among: members)
            #expect(matcher.trialCount - before <= most, "\(expression): \(matcher.trialCount - before)")
            #expect(found.count == registry[found.values].count { $0.labels["svc"].map { matcher.isHit($0) } == true })
        }
        let matcher = try CompiledMatcher(LabelMatcher("n", .matches, "[0-3]"))
        #expect(registry.matching([matcher], among: members).count == 1144)
        #expect(matcher.trialCount <= 8)
    }

    @Test("spans' resources and logs' streams come back from a sealed day")
    func resources() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        let store = try EmbeddedStore.open(options(folder.path, clock: clock))
        let span = TraceSpan(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3), name: "n", start: noon, duration: 5)
        try await store.append(spans("orders", [span]))
        try await store.append(logs(["app": "a"], [LogEntry(timestamp: noon, line: "x")]))
        let before = try await store.streams(.spans, matching: [], in: .all)
        try await store.flush()
        clock.advance(by: Self.toTheNextNight)
        try await store.maintain()
        clock.advance(by: .seconds(7200))
        try await store.maintain()
        #expect(store[.spans].registry.count == 0 && store[.logs].registry.count == 0)
        #expect(try await store.streams(.spans, matching: [], in: .all) == before)
        #expect(try await store.allSpans() == [span])
        #expect(try await store.lines() == ["x"])
    }

    @Test("a flipped bit anywhere in a sealed index is reported with its place; nothing crashes, nothing else is lost")
    func damage() async throws {
        var random = SplitMix64(seed: 4)
        let (clock, disk) = (TestClock(noon), SimulatedDisk(seed: 1))
        let model = IndexModel.draw(&random, count: 60)
        let store = try EmbeddedStore.open(CrashTests.options(disk, clock))
        try await store.write(model.streams, at: noonMilliseconds)
        try await store.flush()
        clock.advance(by: Self.toTheNextNight)
        try await store.maintain()
        try await store.close()
        let path = try #require(disk.paths.first { $0.hasSuffix(".index") })
        let whole = try #require(disk.contents(path))
        for offset in whole.indices {
            var bytes = whole
            bytes[offset] ^= 1 << UInt8(random.next() % 8)
            disk.setContents(path, bytes)
            let log = EventLog()
            let store = try EmbeddedStore.open(CrashTests.options(disk, clock, log: log))
            for name in ["n", "job", "pod", "__name__"] {
                let found = try await store.streams(.metrics, matching: [LabelMatcher(name, .matches, ".*[0-9a-z].*")], in: .all)
                #expect(Set(found.map(\.labels)).isSubset(of: model.streams))
            }
            _ = try await store.labelNames(.metrics, matching: [LabelMatcher("n", .notEqual, "")], in: .all)
            _ = try await store.cardinality(.metrics, matching: [], in: .all, limit: 10)
            #expect(!log.errors.isEmpty, "byte \(offset) of \(whole.count)")
            #expect(log.errors.allSatisfy { $0.contains(path) })
        }
        for count in stride(from: 0, to: whole.count, by: 7) {
            disk.setContents(path, Array(whole[..<count]))
            let log = EventLog()
            let store = try EmbeddedStore.open(CrashTests.options(disk, clock, log: log))
            _ = try await store.streams(.metrics, matching: [], in: .all)
            #expect(!log.errors.isEmpty, "cut to \(count)")
        }
    }

    @Test("a crash at every single write of a seal loses no stream")
    func crashes() async throws {
        func script(powerOffAt operation: Int?) async throws -> Int {
            var random = SplitMix64(seed: 9)
            let (clock, disk, log) = (TestClock(noon), SimulatedDisk(seed: UInt64(operation ?? 0)), EventLog())
            let model = IndexModel.draw(&random, count: 40)
            var store = try EmbeddedStore.open(CrashTests.options(disk, clock, log: log))
            try await store.write(model.streams.prefix(30), at: noonMilliseconds)
            try await store.flush()
            let start = disk.operationCount
            if let operation { disk.fail(.powerOff(at: start + operation)) }
            clock.advance(by: Self.toTheNextNight)
            try? await store.maintain()
            // Late streams on a sealed day, then a second seal that joins both files.
            var isAcknowledged = false
            do throws(StoreError) {
                var batch = TelemetryBatch()
                for labels in model.streams.suffix(10) {
                    let series = batch.metrics.addSeries(labels)
                    batch.metrics.append(series: series, timestamp: noonMilliseconds, value: 1)
                }
                try await store.append(batch)
                isAcknowledged = true
            } catch {}
            try? await store.flush()
            clock.advance(by: .seconds(7200))
            try? await store.maintain()
            let count = disk.operationCount - start
            disk.crash()
            store = try EmbeddedStore.open(CrashTests.options(disk, clock, log: log))
            for _ in 0..<2 {
                let rows = try await store.floats()
                #expect(rows.count >= (isAcknowledged ? 40 : 30), "operation \(operation ?? 0)")
                #expect(Set(rows).count == rows.count, "operation \(operation ?? 0)")
                let streams = try await store.streams(.metrics, matching: [], in: .all).map(\.labels)
                #expect(Set(streams).count == streams.count && streams.count >= rows.count, "operation \(operation ?? 0)")
                clock.advance(by: .seconds(7200))
                try await store.maintain()
            }
            #expect(log.errors == [], "operation \(operation ?? 0)")
            return count
        }
        let last = try await script(powerOffAt: nil)
        for operation in 1...last { _ = try await script(powerOffAt: operation) }
    }
}
