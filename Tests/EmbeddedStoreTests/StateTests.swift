import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Small state that moves with rows")
struct StateTests {
    private func open(_ folder: String, log: EventLog = EventLog()) throws -> EmbeddedStore {
        var options = options(folder, log: log)
        options.catalog = { folder throws(StoreError) in try Catalog.open(dataFolder: folder) }
        return try EmbeddedStore.open(options)
    }

    private func batch(_ number: Int, _ changes: [StateChange]) -> TelemetryBatch {
        var batch = logs(["app": "x"], [LogEntry(timestamp: noon + Int64(number), line: "line \(number)")])
        batch.state = changes
        return batch
    }

    @Test("changes are visible once the append returns, and outlive a kill before and after a flush")
    func changes() async throws {
        let folder = try ScratchFolder()
        var store = try open(folder.path)
        try await store.append(batch(1, [StateChange("tail", "a", [1]), StateChange("tail", "b", [2]), StateChange("other", "a", [9])]))
        try await store.append(batch(2, [StateChange("tail", "a", [3]), StateChange("tail", "b", nil)]))
        #expect(try store.values(in: "tail") == ["a": [3]])
        #expect(try store.value("b", in: "tail") == nil)
        store.lock.withLock { $0 = nil }
        store = try open(folder.path)
        #expect(try store.values(in: "tail") == ["a": [3]])
        try await store.flush()
        #expect(try store.stateTable.catalog?.values(in: "tail") == ["a": [3]])
        #expect(try store.value("a", in: "other") == [9])
        try await store.append(batch(3, [StateChange("tail", "a", nil), StateChange("tail", "c", [])]))
        #expect(try store.values(in: "tail") == ["c": []])
        store.lock.withLock { $0 = nil }
        store = try open(folder.path)
        #expect(try store.values(in: "tail") == ["c": []])
        #expect(try await store.lines() == ["line 1", "line 2", "line 3"])
    }

    @Test("a value that was set stands behind a change that came with rows, also when the log is replayed")
    func order() async throws {
        let folder = try ScratchFolder()
        var store = try open(folder.path)
        try await store.append(batch(1, [StateChange("tail", "a", [1])]))
        try store.set(["a": [2], "b": [5]], in: "tail")
        store.lock.withLock { $0 = nil }
        store = try open(folder.path)
        #expect(try store.values(in: "tail") == ["a": [2], "b": [5]])
        try store.set(["a": nil], in: "tail")
        #expect(try store.value("a", in: "tail") == nil)
        try await store.close()
        store = try open(folder.path)
        #expect(try store.values(in: "tail") == ["b": [5]])
    }

    @Test("rows that are refused for their time do not hold the state up, and the error says how many they were")
    func refusedRows() async throws {
        let folder = try ScratchFolder()
        let store = try open(folder.path)
        var batch = batch(1, [StateChange("tail", "a", [1])])
        batch.logs.streams.append(.init(labels: Labels(["app": "y"]), entries: [LogEntry(timestamp: 5, line: "old")]))
        do throws(StoreError) {
            try await store.append(batch)
            Issue.record("taken")
        } catch { #expect(error.refusedRowCount == 1, "\(error)") }
        #expect(try await store.lines() == ["line 1"])
        #expect(try store.value("a", in: "tail") == [1])
    }

    @Test("a store without a catalogue refuses a batch with state as a whole")
    func noCatalogue() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        await #expect(throws: StoreError.self) { try await store.append(self.batch(1, [StateChange("tail", "a", [1])])) }
        #expect(throws: StoreError.self) { try store.set(["a": [1]], in: "tail") }
        #expect(try await store.lines().isEmpty)
    }

    @Test("state alone is flushed by its age, so that it does not hold the log")
    func age() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        var options = options(folder.path, clock: clock)
        options.catalog = { folder throws(StoreError) in try Catalog.open(dataFolder: folder) }
        let store = try EmbeddedStore.open(options)
        try store.set(["a": [1]], in: "tail")
        clock.advance(by: .seconds(1_000))
        try await store.maintain()
        #expect(try store.stateTable.catalog?.value("a", in: "tail") == [1])
        #expect(store.log.byteCount == 0)
    }

    @Test("a snapshot holds the state of the rows that it holds")
    func snapshot() async throws {
        let folder = try ScratchFolder()
        let store = try open(folder.path + "/data")
        try await store.append(batch(1, [StateChange("tail", "a", [1])]))
        try await store.flush()
        try await store.append(batch(2, [StateChange("tail", "a", [2])]))
        try await store.snapshot(to: folder.path + "/without", skipsMemory: true)
        try await store.snapshot(to: folder.path + "/with")
        for (name, lineCount, value) in [("without", 1, UInt8(1)), ("with", 2, 2)] {
            let copy = try open(folder.path + "/" + name)
            #expect(try await copy.lines().count == lineCount)
            #expect(try copy.value("a", in: "tail") == [value])
        }
    }
}
