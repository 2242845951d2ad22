import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("EmbeddedStore on a disk that fails")
struct CrashTests {
    static func options(_ disk: SimulatedDisk, _ clock: TestClock, log: EventLog = EventLog()) -> EmbeddedStore.Options {
        var options = EmbeddedStore.Options(dataFolder: "/data")
        options.log = { log.record($0) }
        options.fileSystem = disk
        options.time = clock.source
        return options
    }

    @Test("drawn sequences of appends, flushes, merges, restarts and crashes lose nothing", arguments: UInt64(0)..<80)
    func sequences(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let clock = TestClock(noon)
        let disk = SimulatedDisk(seed: seed &+ 1000)
        var model = StoreModel()
        let log = EventLog()
        var store = try EmbeddedStore.open(Self.options(disk, clock, log: log))
        for _ in 0..<40 {
            clock.advance(by: .seconds(Int64(random.next() % 400)))
            switch random.next() % 20 {
            case 0..<10:
                let (batch, record) = model.draw(&random, now: noon)
                do throws(StoreError) {
                    try await store.append(batch)
                    model.acknowledge(record)
                } catch { model.refuse(record) }
            case 10, 11: try? await store.flush()
            case 12: try? await store.compact()
            case 13: try? await store.maintain()
            case 14: disk.fail(.powerOff(at: disk.operationCount + 1 + Int(random.next() % 12)))
            case 15: disk.fail(.errors(perThousand: 200, code: random.next() % 2 == 0 ? .diskFull : .system))
            case 16: disk.fail(.none)
            case 17, 18:
                disk.crash()
                store = try EmbeddedStore.open(Self.options(disk, clock, log: log))
                try await model.check(store, seed: seed, settles: true)
            default:
                // Reads go on whatever the disk does to writes.
                try await model.check(store, seed: seed, settles: false)
            }
        }
        disk.crash()
        store = try EmbeddedStore.open(Self.options(disk, clock, log: log))
        try await model.check(store, seed: seed, settles: true)
        try await store.compact()
        try await model.check(store, seed: seed, settles: true)
        #expect(log.errors == [], "seed \(seed)")
    }

    @Test("a crash at every single write of a flush and a merge leaves the old parts or the new")
    func crashAtEveryWrite() async throws {
        // How many operations the whole script takes.
        let last = try await script(powerOffAt: nil)
        for operation in 1...last { _ = try await script(powerOffAt: operation) }
    }

    /// Appends, flushes and merges; with a crash at an operation, checks what is left.
    private func script(powerOffAt operation: Int?) async throws -> Int {
        var random = SplitMix64(seed: 5)
        let clock = TestClock(noon)
        let disk = SimulatedDisk(seed: UInt64(operation ?? 0))
        var model = StoreModel()
        if let operation { disk.fail(.powerOff(at: operation)) }
        if let store = try? EmbeddedStore.open(Self.options(disk, clock)) {
            for step in 0..<4 {
                let (batch, record) = model.draw(&random, now: noon)
                do throws(StoreError) {
                    try await store.append(batch)
                    model.acknowledge(record)
                } catch { model.refuse(record) }
                if step % 2 == 1 { try? await store.flush() }
            }
            try? await store.compact()
        }
        let count = disk.operationCount
        disk.crash()
        let store = try EmbeddedStore.open(Self.options(disk, clock))
        try await model.check(store, seed: UInt64(operation ?? 0), settles: true)
        #expect(await store.statistics().quarantinedCount == 0, "operation \(operation ?? 0)")
        return count
    }

    @Test("a full disk refuses writes with its own error, serves reads, and recovers by itself")
    func diskFull() async throws {
        let clock = TestClock(noon)
        let disk = SimulatedDisk(seed: 1)
        let store = try EmbeddedStore.open(Self.options(disk, clock))
        try await store.append(samples(["a": "1"], [(noonMilliseconds, 1)]))
        disk.fail(.errors(perThousand: 1000, code: .diskFull))
        for number in 0..<5 {
            do throws(StoreError) {
                try await store.append(samples(["a": "1"], [(noonMilliseconds + Int64(number) + 1, 2)]))
                Issue.record("acknowledged on a full disk")
            } catch { #expect(error.code == .diskFull) }
        }
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(try await store.floats().count == 1)
        disk.fail(.none)
        try await store.append(samples(["a": "1"], [(noonMilliseconds + 100, 3)]))
        try await store.maintain()
        #expect(try await store.floats().map(\.timestamp) == [noonMilliseconds, noonMilliseconds + 100])
        #expect(await store.statistics().signals[.metrics]?.partCount == 1)
    }
}
