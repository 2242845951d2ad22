import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("A full disk")
struct DiskFullTests {
    private func options(_ disk: SimulatedDisk, _ clock: TestClock, log: EventLog = EventLog()) -> EmbeddedStore.Options {
        var options = CrashTests.options(disk, clock, log: log)
        options.diskReserveByteCount = 20_000
        return options
    }

    private func append(_ store: EmbeddedStore, _ number: Int) async -> StoreError? {
        do throws(StoreError) {
            try await store.append(logs(["app": "x"], [LogEntry(timestamp: noon + Int64(number), line: "line \(number)")]))
            return nil
        } catch { return error }
    }

    @Test("writes are refused while the flush still has room, with the free and the wanted bytes; reads go on; writes resume")
    func reserve() async throws {
        let (disk, log, clock) = (SimulatedDisk(seed: 1), EventLog(), TestClock(noon))
        let store = try EmbeddedStore.open(options(disk, clock, log: log))
        disk.setByteCountMax(disk.byteCount + 30_000)
        var (taken, refusal) = (0, StoreError?.none)
        while refusal == nil, taken < 10_000 {
            refusal = await append(store, taken)
            if refusal == nil { taken += 1 }
        }
        #expect(taken > 10 && taken < 10_000)
        #expect(refusal?.code == .diskFull)
        let figures = try #require(store.diskGuard.figures())
        #expect(refusal?.message.contains("\(figures.freeByteCount) bytes are free") == true, "\(refusal?.message ?? "")")
        #expect(refusal?.message.contains("20000 are wanted") == true && refusal?.remedy.isEmpty == false)
        #expect(try await store.lines().count == taken)
        // What is in memory still gets to the disk: that is what the reserve is for.
        try await store.flush()
        #expect(await store.statistics().walByteCount == 0)
        #expect(await store.statistics().refusedDiskFullCount == 1)
        #expect(await append(store, taken) == nil, "the flush gave the log's bytes back")
        disk.setByteCountMax(nil)
        #expect(await append(store, taken + 1) == nil)
        #expect(try await store.lines().count == taken + 2)
        #expect(log.errors.count == 1 && log.errors[0].contains("refused"), "\(log.errors)")
    }

    @Test("a disk that others fill to the brim loses nothing that was acknowledged, and recovers by itself", arguments: UInt64(0)..<20)
    func brim(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let (disk, clock) = (SimulatedDisk(seed: seed), TestClock(noon))
        var options = options(disk, clock)
        // No reserve: every write may be the one that fails half-way.
        options.diskReserveByteCount = 0
        var store = try EmbeddedStore.open(options)
        var acknowledged: [String] = []
        for number in 0..<60 {
            switch random.next() % 8 {
            case 0: disk.setByteCountMax(disk.byteCount + Int(random.next() % 3_000))
            case 1: try? await store.flush()
            case 2: try? await store.compact()
            case 3: disk.setByteCountMax(nil)
            default: if await append(store, number) == nil { acknowledged.append("line \(number)") }
            }
            #expect(try await Set(store.lines()).isSuperset(of: acknowledged), "seed \(seed)")
        }
        disk.setByteCountMax(nil)
        #expect(await append(store, 100) == nil)
        try await store.maintain()
        disk.crash()
        store = try EmbeddedStore.open(options)
        #expect(try await Set(store.lines()).isSuperset(of: acknowledged + ["line 100"]), "seed \(seed)")
    }

    @Test("the reserve is one hundredth of the disk, within bounds")
    func standardReserve() {
        for (total, reserve) in [(1 << 30, 64 << 20), (100 << 30, 1 << 30), (8 << 40, 4 << 30)] {
            #expect(DiskGuard.standardReserve(DiskSpace(freeByteCount: 0, totalByteCount: total)) == reserve)
        }
    }
}
