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
        options.catalog = { folder throws(StoreError) in try SimulatedCatalog(disk, folder: folder) }
        options.time = clock.source
        return options
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
        let wrong = try await model.check(store, limits: [:], settles: true)
        #expect(wrong == nil, "operation \(operation ?? 0): \(wrong ?? "")")
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
