import Telemetry
import TestSupport

@testable import EmbeddedStore

/// One drawn history of a store on a disk that fails, held against a model. The same seed gives the same history.
struct Simulation {
    private let seed: UInt64
    private var random: SplitMix64
    private let clock = TestClock(noon)
    private let disk: SimulatedDisk
    private let log = EventLog()
    private var model = StoreModel()
    private var store: EmbeddedStore
    /// What was done, for the report of a failure.
    private var history: [String] = []
    private var snapshotCount = 0

    private static let retentionDays: Int64 = 6

    /// - Returns: what went wrong, with the seed and what was done; nil where nothing.
    static func run(seed: UInt64, stepCount: Int = 14) async -> String? {
        do {
            var simulation = try Simulation(seed: seed)
            for _ in 0..<stepCount {
                if let wrong = try await simulation.step() { return simulation.report(wrong) }
            }
            if let wrong = try await simulation.end() { return simulation.report(wrong) }
            return nil
        } catch {
            return "seed \(seed): \(error)"
        }
    }

    private init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        disk = SimulatedDisk(seed: seed &+ 1000, isOrderly: seed % 2 == 0)
        store = try EmbeddedStore.open(Self.options(disk, clock, log))
    }

    private static func options(_ disk: SimulatedDisk, _ clock: TestClock, _ log: EventLog) -> EmbeddedStore.Options {
        var options = CrashTests.options(disk, clock, log: log)
        for signal in Signal.allCases { options.retention[signal] = .seconds(retentionDays * 86_400) }
        options.diskReserveByteCount = 500
        return options
    }

    private func report(_ wrong: String) -> String {
        "seed \(seed): \(wrong)\n  after: \(history.joined(separator: ", "))\n  run it again: APUS_SIMULATION_SEED=\(seed) make soak"
    }

    private mutating func step() async throws -> String? {
        clock.advance(by: .seconds(Int64(random.next() % 400)))
        switch random.next() % 33 {
        case 0..<14: await append()
        case 32: setPosition()
        case 14, 15: await attempt("flush") { try await $0.flush() }
        case 16: await attempt("compact") { try await $0.compact() }
        case 17, 18: await attempt("maintain") { try await $0.maintain() }
        case 19, 20: await delete()
        case 21: await attempt("clean") { try await $0.cleanTombstones() }
        case 22: await snapshot()
        case 23:
            history.append("a day passes")
            clock.advance(by: .seconds(86_400))
        case 24, 25:
            let count = 1 + Int(random.next() % 12)
            history.append("power off in \(count)")
            disk.fail(.powerOff(at: disk.operationCount + count))
        case 26:
            history.append("errors")
            disk.fail(.errors(perThousand: 200, code: random.next() % 2 == 0 ? .diskFull : .system))
        case 27:
            history.append("full")
            disk.setByteCountMax(disk.byteCount + Int(random.next() % 4_000))
        case 28:
            history.append("well")
            disk.fail(.none)
            disk.setByteCountMax(nil)
        case 29, 30: return try await restart(crashes: random.next() % 4 > 0)
        default:
            // Reads go on whatever the disk does to writes.
            history.append("check")
            return try await model.check(store, limits: limits, settles: false)
        }
        return nil
    }

    private mutating func append() async {
        let (batch, record) = model.draw(&random, now: clock.nanoseconds)
        do throws(StoreError) {
            try await store.append(batch)
            model.acknowledge(record)
            history.append("append")
        } catch {
            model.refuse(record)
            history.append("append (\(error.code))")
        }
    }

    /// Changes small state without rows.
    private mutating func setPosition() {
        var record = StoreModel.Record()
        let change = model.drawPosition(&random, &record)
        do throws(StoreError) {
            try store.set([change.key: change.value], in: change.namespace)
            model.acknowledge(record)
            history.append("set")
        } catch {
            model.refuse(record)
            history.append("set (\(error.code))")
        }
    }

    private mutating func attempt(_ name: String, _ body: (EmbeddedStore) async throws -> Void) async {
        do {
            try await body(store)
            history.append(name)
        } catch { history.append("\(name) (failed)") }
    }

    private mutating func delete() async {
        let deletion = StoreModel.drawDeletion(&random, now: clock.nanoseconds)
        do throws(StoreError) {
            try await store.delete(deletion.signal, matching: deletion.matchers, in: deletion.range)
            model.delete(deletion, isAcknowledged: true)
            history.append("delete")
        } catch {
            model.delete(deletion, isAcknowledged: false)
            history.append("delete (\(error.code))")
        }
    }

    private mutating func snapshot() async {
        snapshotCount += 1
        let folder = "/snapshots/\(snapshotCount)"
        await attempt("snapshot") { try await $0.snapshot(to: folder) }
    }

    private mutating func restart(crashes: Bool) async throws -> String? {
        if crashes {
            disk.crash()
        } else {
            await attempt("close") { try await $0.close() }
            disk.fail(.none)
        }
        disk.setByteCountMax(nil)
        history.append(crashes ? "crash" : "restart")
        store = try EmbeddedStore.open(Self.options(disk, clock, log))
        return try await model.check(store, limits: limits, settles: true)
    }

    private mutating func end() async throws -> String? {
        if let wrong = try await restart(crashes: true) { return wrong }
        try await store.compact()
        try await store.cleanTombstones()
        if let wrong = try await model.check(store, limits: limits, settles: true) { return wrong }
        try await store.close()
        // A disk without order may leave damage in what was never acknowledged, which is reported and no loss.
        if disk.isOrderly, let error = log.errors.first(where: { !$0.hasPrefix("writes are refused") }) { return error }
        return try DataCheck.run(folder: "/data", fileSystem: disk).damages.first.map { "damage in the end: \($0.message)" }
    }

    /// By signal, the first instant of the oldest day that retention keeps.
    private var limits: [Signal: Int64] {
        var limits: [Signal: Int64] = [:]
        for signal in Signal.allCases {
            let unit = 1_000_000_000 / signal.unitsPerSecond
            let bound = (clock.nanoseconds - Self.retentionDays * 86_400 * 1_000_000_000) / unit
            limits[signal] = Days.range(Days.number(of: bound, signal), signal).start
        }
        return limits
    }
}
