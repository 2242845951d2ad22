import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Deletions")
struct DeletionTests {
    private let hour = hourMilliseconds

    /// Three series with a sample an hour over three days, in several parts and in memory.
    private func written(_ options: EmbeddedStore.Options) async throws -> EmbeddedStore {
        let store = try EmbeddedStore.open(options)
        for round in 0..<6 {
            for series in 0..<3 {
                let rows = (0..<12).map { (noonMilliseconds - Int64(round * 12 + $0) * hour, Double(series)) }
                try await store.append(samples(["__name__": "m", "n": "\(series)"], rows))
            }
            if round < 5 { try await store.flush() }
        }
        return store
    }

    private func keys(_ store: EmbeddedStore) async throws -> Set<String> {
        Set(try await store.floats().map { "\($0.labels["n"] ?? "") \(($0.timestamp - noonMilliseconds) / hour)" })
    }

    private func matcher(_ n: String, _ operation: LabelMatcher.Operation = .equal) -> [LabelMatcher] { [LabelMatcher("n", operation, n)] }

    @Test("deleted rows are gone from every read: at once, after flushes, merges, a restart and cleaning; later rows are not")
    func lifetime() async throws {
        let folder = try ScratchFolder()
        var store = try await written(options(folder.path))
        let all = try await keys(store)
        #expect(all.count == 216)
        let range = TimeRange(noonMilliseconds - 40 * hour, noonMilliseconds - 2 * hour)
        try await store.delete(.metrics, matching: matcher("1|2", .matches), in: range)
        var wanted = all.filter { key in
            let fields = key.split(separator: " ")
            return fields[0] == "0" || !(-40 ... -2).contains(Int(fields[1]) ?? 0)
        }
        #expect(wanted.count == 216 - 2 * 39)
        #expect(try await keys(store) == wanted)
        #expect(await store.statistics().signals[.metrics]?.tombstoneCount == 1)

        // The same instants, written anew.
        try await store.append(samples(["__name__": "m", "n": "1"], [(noonMilliseconds - 5 * hour, 9), (noonMilliseconds - 30 * hour, 9)]))
        wanted.formUnion(["1 -5", "1 -30"])
        #expect(try await keys(store) == wanted)
        try await store.flush()
        #expect(try await keys(store) == wanted)
        try await store.compact()
        #expect(try await keys(store) == wanted)

        try await store.close()
        store = try EmbeddedStore.open(options(folder.path))
        #expect(try await keys(store) == wanted)
        try await store.cleanTombstones()
        #expect(try await keys(store) == wanted)
        let statistics = await store.statistics()
        #expect(statistics.signals[.metrics]?.tombstoneCount == 0)
        #expect(statistics.signals[.metrics]?.partRowCount == wanted.count)

        try await store.close()
        store = try EmbeddedStore.open(options(folder.path))
        #expect(try await keys(store) == wanted)
        #expect(try DataCheckTwin.damages(of: store, folder.path) == [])
    }

    @Test("a deletion of everything leaves nothing, and what comes next is kept over a restart")
    func everything() async throws {
        let folder = try ScratchFolder()
        var store = try await written(options(folder.path))
        try await store.delete(.metrics, matching: [], in: .all)
        #expect(try await store.floats().isEmpty)
        try await store.cleanTombstones()
        #expect(await store.statistics().signals[.metrics]?.partCount == 0)
        try await store.close()
        // Flush numbers start anew above those that deletions name, not above the parts that are left.
        store = try EmbeddedStore.open(options(folder.path))
        try await store.append(samples(["__name__": "m", "n": "1"], [(noonMilliseconds, 9)]))
        try await store.flush()
        #expect(try await keys(store) == ["1 0"])
        try await store.delete(.metrics, matching: [], in: .all)
        try await store.close()
        store = try EmbeddedStore.open(options(folder.path))
        try await store.append(samples(["__name__": "m", "n": "1"], [(noonMilliseconds, 9)]))
        try await store.flush()
        #expect(try await keys(store) == ["1 0"])
    }

    @Test("logs, spans, profiles and exemplars are deleted like samples")
    func allSignals() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var batch = TelemetryBatch()
        let series = batch.metrics.addSeries(Labels(["__name__": "m"]))
        batch.metrics.append(series: series, timestamp: noonMilliseconds, value: 1)
        for time in [noonMilliseconds - 1, noonMilliseconds] {
            batch.metrics.exemplars.append((series, Exemplar(labels: Labels(["trace_id": "a"]), value: 1, timestamp: time)))
        }
        try await store.append(batch)
        try await store.append(logs(["app": "x"], (0..<3).map { LogEntry(timestamp: noon - Int64($0), line: "line \($0)") }))
        try await store.append(logs(["app": "y"], [LogEntry(timestamp: noon, line: "other")]))
        try await store.append(
            spans("s", (1...3).map { TraceSpan(traceID: TraceID(high: 0, low: 7), spanID: SpanID($0), name: "n", start: noon - Int64($0), duration: 1) }))
        try await store.delete(.metrics, matching: [], in: TimeRange(noonMilliseconds, noonMilliseconds))
        try await store.delete(.logs, matching: [LabelMatcher("app", .equal, "x")], in: TimeRange(noon - 1, .max))
        try await store.delete(.spans, matching: [], in: TimeRange(noon - 1, noon))
        for _ in 0..<2 {
            #expect(try await store.floats().isEmpty)
            #expect(try await store.exemplars(matching: [], in: .all).flatMap(\.exemplars).map(\.timestamp) == [noonMilliseconds - 1])
            #expect(try await store.lines().sorted() == ["line 2", "other"])
            #expect(try await store.allSpans().map(\.spanID.value) == [3, 2])
            #expect(try await store.allSpans([.trace(TraceID(high: 0, low: 7))]).count == 2)
            try await store.cleanTombstones()
        }
    }

    @Test("days that are over are rewritten by themselves")
    func background() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        let store = try await written(options(folder.path, clock: clock))
        try await store.delete(.metrics, matching: matcher("0"), in: .all)
        try await store.maintain()
        #expect(await store.statistics().signals[.metrics]?.tombstoneCount == 1, "today is not over")
        clock.advance(by: .seconds(86_400))
        try await store.maintain()
        #expect(await store.statistics().signals[.metrics]?.tombstoneCount == 0)
        #expect(await store.statistics().signals[.metrics]?.partRowCount == 144)
    }

    @Test("a bad expression deletes nothing, and neither does an empty range")
    func refusals() async throws {
        let folder = try ScratchFolder()
        let store = try await written(options(folder.path))
        do throws(StoreError) {
            try await store.delete(.metrics, matching: matcher("(", .matches), in: .all)
            Issue.record("taken")
        } catch { #expect(error.code == .invalidPattern) }
        try await store.delete(.metrics, matching: [], in: TimeRange(5, 4))
        #expect(try await store.floats().count == 216)
    }

    @Test("the list of deletions comes back as it was; every flipped bit and every cut of it is found")
    func list() throws {
        let tombstones = [
            Tombstone(range: .all, sequence: 7, streams: [20_779: [0, 1, .max], -3: [5]]),
            Tombstone(range: TimeRange(-5, 9), sequence: .max, streams: [:]),
        ]
        let bytes = TombstoneTable.encode(tombstones)
        let read = try TombstoneTable.decode(bytes)
        #expect(read.map(\.streams) == tombstones.map(\.streams))
        #expect(read.map(\.range) == tombstones.map(\.range) && read.map(\.sequence) == [7, .max])
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: (any Error).self) { try TombstoneTable.decode(damaged) }
        }
        for length in 0..<bytes.count { #expect(throws: (any Error).self) { try TombstoneTable.decode(Array(bytes[..<length])) } }
    }
}

/// Checks the folder of a store that is open: as a stopped one.
enum DataCheckTwin {
    static func damages(of store: EmbeddedStore, _ folder: String) throws -> [StoreDamage] {
        store.lock.withLock { $0 = nil }
        return try DataCheck.run(folder: folder).damages
    }
}
