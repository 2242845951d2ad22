import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Operating a store")
struct OperationTests {
    @Test("a folder in use is refused, naming the process that holds it")
    func inUse() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        do throws(StoreError) {
            _ = try EmbeddedStore.open(options(folder.path))
            Issue.record("opened twice")
        } catch {
            #expect(error.code == .inUse && error.message.contains("process ") && !error.remedy.isEmpty, "\(error)")
        }
        try await store.close()
        let second = try EmbeddedStore.open(options(folder.path))
        try await second.close()
    }

    @Test("a folder that cannot be made is an error with a remedy")
    func unusableFolder() throws {
        do throws(StoreError) {
            _ = try EmbeddedStore.open(options("/proc/apus-cannot-be-here"))
            Issue.record("opened")
        } catch { #expect(error.code == .system && !error.remedy.isEmpty, "\(error)") }
    }

    @Test("rows beyond retention or the future bound are refused, the others of the batch kept")
    func bounds() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path, retention: .seconds(86_400)))
        do throws(StoreError) {
            try await store.append(
                samples(["a": "1"], [(noonMilliseconds - 25 * hourMilliseconds, 1), (noonMilliseconds, 2), (noonMilliseconds + 2 * hourMilliseconds, 3)]))
            Issue.record("taken")
        } catch { #expect(error.code == .rejected && error.message.contains("2 rows"), "\(error)") }
        #expect(try await store.floats().map(\.timestamp) == [noonMilliseconds])
    }

    @Test("days older than retention go, folder and all; younger ones stay")
    func retention() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        var options = options(folder.path, clock: clock, retention: .seconds(2 * 86_400))
        options.retention[.logs] = .seconds(10 * 86_400)
        let store = try EmbeddedStore.open(options)
        try await store.append(samples(["a": "1"], [(noonMilliseconds - 24 * hourMilliseconds, 1), (noonMilliseconds, 2)]))
        try await store.append(logs(["a": "1"], [LogEntry(timestamp: noon, line: "kept")]))
        try await store.flush()
        clock.advance(by: .seconds(86_400 + 43_201))
        try await store.maintain()
        #expect(try await store.floats().map(\.timestamp) == [noonMilliseconds])
        clock.advance(by: .seconds(86_400))
        try await store.maintain()
        #expect(try await store.floats().isEmpty)
        #expect(try await store.streams(.metrics, matching: [], in: .all).isEmpty)
        #expect(try PosixFileSystem().list(folder.path + "/metrics") == [])
        #expect(try await store.lines() == ["kept"])
    }

    @Test("memtables are flushed by age, and the log's segments go")
    func flushByAge() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        let store = try EmbeddedStore.open(options(folder.path, clock: clock))
        try await store.append(samples(["a": "1"], [(noonMilliseconds, 1)]))
        try await store.maintain()
        #expect(await store.statistics().signals[.metrics]?.partCount == 0)
        #expect(await store.statistics().walByteCount > 0)
        clock.advance(by: .seconds(400))
        try await store.maintain()
        let statistics = await store.statistics()
        #expect(statistics.signals[.metrics]?.partCount == 1 && statistics.signals[.metrics]?.memtableRowCount == 0)
        #expect(statistics.walByteCount == 0)
        #expect(try PosixFileSystem().list(folder.path + "/wal") == [])
    }

    @Test("small parts of a day are merged, and nothing changes for readers")
    func merges() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var wanted: [Int64] = []
        for number in 0..<9 {
            // Every third one overlaps the one before it.
            let start = noonMilliseconds - Int64(number - number % 3) * 60_000
            try await store.append(samples(["a": "1"], (0..<50).map { (start - Int64($0 * 10), Double(number)) }))
            wanted += (0..<50).map { start - Int64($0 * 10) }
            try await store.flush()
        }
        let before = try await store.floats()
        try await store.maintain()
        let figures = await store.statistics()
        #expect(figures.mergeCount > 0 && (figures.signals[.metrics]?.partCount ?? 9) < 4)
        #expect(try await store.floats() == before)
        #expect(before.map(\.timestamp) == Set(wanted).sorted())
    }

    @Test("too much in memory is refused until it is flushed")
    func overload() async throws {
        let folder = try ScratchFolder()
        var options = options(folder.path)
        options.waitingByteCountMax = 4_000
        options.overloadPatience = .milliseconds(50)
        let store = try EmbeddedStore.open(options)
        var refused: StoreError?
        for number in 0..<1_000 where refused == nil {
            do throws(StoreError) { try await store.append(samples(["a": "\(number)"], [(noonMilliseconds, 1)])) } catch { refused = error }
        }
        #expect(refused?.code == .overloaded)
        try await store.flush()
        try await store.append(samples(["a": "x"], [(noonMilliseconds, 1)]))
    }

    @Test("a write waits for what came before it to be flushed")
    func waitsForRoom() async throws {
        let folder = try ScratchFolder()
        var options = options(folder.path)
        options.waitingByteCountMax = 1
        options.overloadPatience = .seconds(60)
        let store = try EmbeddedStore.open(options)
        try await store.append(samples(["a": "1"], [(noonMilliseconds, 1)]))
        let held = Task { try await store.append(samples(["a": "2"], [(noonMilliseconds, 2)])) }
        try await Task.sleep(for: .milliseconds(30))
        #expect(try await store.floats().count == 1)
        try await store.flush()
        try await held.value
        #expect(try await store.floats().count == 2)
        #expect(await store.statistics().refusedOverloadedCount == 0)
    }

    @Test("a closed store refuses writes")
    func closed() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        try await store.close()
        do throws(StoreError) {
            try await store.append(samples(["a": "1"], [(noonMilliseconds, 1)]))
            Issue.record("taken")
        } catch { #expect(error.code == .closed) }
    }

    @Test("scans in the order of time keep their horizon", arguments: [ScanRequest.Order.newestFirst, .oldestFirst])
    func timeOrders(order: ScanRequest.Order) async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var random = SplitMix64(seed: 3)
        for round in 0..<6 {
            for app in 0..<4 {
                let entries = (0..<20).map { LogEntry(timestamp: noon - Int64(random.next() % 172_800) * 1_000_000_000, line: "\(round) \(app) \($0)") }
                try await store.append(logs(["app": "\(app)"], entries))
            }
            if round % 2 == 0 { try await store.flush() }
        }
        let range = TimeRange(noon - 100_000 * 1_000_000_000, noon - 1_000_000_000_000)
        let blocks = try await store.blocks(.logs, in: range, order: order)
        let byStream = try await store.blocks(.logs, in: range)
        #expect(blocks.reduce(0) { $0 + $1.count } == byStream.reduce(0) { $0 + $1.count })
        for (index, block) in blocks.enumerated() {
            #expect(block.timestamps == block.timestamps.sorted() && block.timestamps.allSatisfy { range.contains($0) })
            for later in blocks[(index + 1)...] {
                if order == .newestFirst {
                    #expect(later.timestamps[later.count - 1] <= block.horizon)
                } else {
                    #expect(later.timestamps[0] >= block.horizon)
                }
            }
        }
    }

    @Test("a scan stops where its reader says so, and ends when its task is cancelled")
    func stopping() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        for number in 0..<10 { try await store.append(samples(["a": "\(number)"], [(noonMilliseconds, 1)])) }
        let streams = try await store.streams(.metrics, matching: [], in: .all)
        #expect(try await store.streams(.metrics, matching: [], in: .all, limit: 3).count == 3)
        var count = 0
        try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { _ in
            count += 1
            return count == 4 ? .stop : .continue
        }
        #expect(count == 4)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { _ in .continue }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("many writers and readers at once while flushes and merges run: each sees its own writes, none is lost")
    func concurrency() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for round in 0..<40 {
                        let time = noonMilliseconds - Int64(round * 1000)
                        try await store.append(samples(["writer": "\(writer)"], [(time, Double(round))]))
                        if round % 8 == 0 {
                            let rows = try await store.floats([LabelMatcher("writer", .equal, "\(writer)")])
                            #expect(rows.count == round + 1)
                        }
                    }
                }
            }
            group.addTask { for _ in 0..<6 { try await store.flush() } }
            group.addTask { for _ in 0..<6 { try await store.compact() } }
            try await group.waitForAll()
        }
        #expect(try await store.floats().count == 320)
        // Appends that wait for one sync share the next.
        #expect(await store.statistics().walSyncCount <= 320)
    }

    @Test("the catalogue keeps state over a restart")
    func catalogue() throws {
        let folder = try ScratchFolder()
        do {
            let catalog = try Catalog.open(dataFolder: folder.path)
            try catalog.set(["a": [1, 2], "b": [], "c": [3]], in: "tail")
            try catalog.set(["a": [9]], in: "alerts")
            try catalog.set(["c": nil, "b": [0, 255]], in: "tail")
        }
        let catalog = try Catalog.open(dataFolder: folder.path)
        #expect(try catalog.values(in: "tail") == ["a": [1, 2], "b": [0, 255]])
        #expect(try catalog.value("a", in: "alerts") == [9])
        #expect(try catalog.value("x", in: "alerts") == nil)
        do throws(StoreError) {
            _ = try Catalog.open(dataFolder: folder.path + "/missing")
            Issue.record("opened")
        } catch { #expect(error.message.contains("catalog.sqlite")) }
    }

    @Test("days have the names of the calendar", arguments: [(0, "1970-01-01"), (-1, "1969-12-31"), (20_779, "2026-11-22"), (11_016, "2000-02-29")])
    func days(day: Int64, name: String) {
        #expect(Days.name(day) == name)
        #expect(Days.number(named: name) == day)
        #expect(Days.number(of: day * 86_400_000 + 86_399_999, .metrics) == day)
    }
}
