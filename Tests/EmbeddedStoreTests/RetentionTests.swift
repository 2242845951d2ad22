import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Retention")
struct RetentionTests {
    private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000
    private static let today = noon / dayNanoseconds

    /// Days as (days ago, bytes), the bounds, and what goes.
    static let cases: [(days: [(Int64, Int)], age: Int64?, budget: Int?, dropped: [(Int64, RetentionPolicy.Reason)])] = [
        ([(0, 10), (1, 10), (2, 10)], nil, nil, []),
        // A day goes when its last instant is too old: noon of two days ago lies in the day, so that it stays.
        ([(3, 10), (2, 10), (0, 10)], 2, nil, [(3, .age)]),
        ([(0, 10), (1, 10), (2, 10), (3, 10)], nil, 25, [(3, .budget), (2, .budget)]),
        ([(0, 10), (1, 10), (2, 10), (3, 10)], nil, 40, []),
        // Today's day stays, whatever it takes; so do days ahead of the clock.
        ([(0, 100), (1, 10), (-1, 100)], nil, 5, [(1, .budget)]),
        // What goes by age counts no longer.
        ([(9, 100), (2, 10), (1, 10)], 5, 20, [(9, .age)]),
        ([(9, 100), (2, 10), (1, 10)], 5, 19, [(9, .age), (2, .budget)]),
    ]

    @Test("the oldest days go, by age and then by size", arguments: cases.indices)
    func policy(index: Int) {
        let row = Self.cases[index]
        for signal in Signal.allCases {
            let policy = RetentionPolicy(
                age: row.age.map { [signal: .seconds($0 * 86_400)] } ?? [:], byteCountMax: row.budget.map { [signal: $0] } ?? [:])
            let days = row.days.map { RetentionPolicy.Day(day: Self.today - $0.0, byteCount: $0.1) }
            let dropped = policy.outdated(days, signal, now: noon)
            #expect(dropped.map(\.day) == row.dropped.map { Self.today - $0.0 })
            #expect(dropped.map(\.reason) == row.dropped.map(\.1))
        }
    }

    @Test("a signal over its budget loses its oldest days, with a word in the log; other signals lose nothing")
    func budget() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        for day in 0..<4 {
            let time = noonMilliseconds - Int64(day) * 24 * hourMilliseconds
            try await store.append(samples(["a": "1"], (0..<100).map { (time + Int64($0), Double($0)) }))
            try await store.append(logs(["a": "1"], [LogEntry(timestamp: time * 1_000_000, line: "day \(day)")]))
        }
        try await store.compact()
        let all = await store.statistics().signals[.metrics]?.diskByteCount ?? 0
        #expect(all > 0)
        // Room for two days of four.
        store.setRetention([.metrics: .seconds(30 * 86_400)], diskBudget: [.metrics: all * 5 / 8])
        try await store.maintain()
        let statistics = await store.statistics()
        #expect(statistics.signals[.metrics]?.daysDroppedByBudget == 2)
        #expect(statistics.signals[.metrics]?.daysDroppedByAge == 0)
        #expect(try await Set(store.floats().map { $0.timestamp / (24 * hourMilliseconds) }).count == 2)
        #expect(try await store.floats().last?.timestamp == noonMilliseconds + 99)
        #expect(try await store.lines().count == 4)
        #expect(try PosixFileSystem().list(folder.path + "/metrics").count == 2)
    }

    @Test("a changed retention holds at once: for what is kept and for what is taken")
    func reload() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        let old = noonMilliseconds - 5 * 24 * hourMilliseconds
        try await store.append(samples(["a": "1"], [(old, 1), (noonMilliseconds, 2)]))
        try await store.flush()
        store.setRetention([.metrics: .seconds(2 * 86_400)], diskBudget: [:])
        await #expect(throws: StoreError.self) { try await store.append(samples(["a": "1"], [(old + 1, 1)])) }
        try await store.maintain()
        #expect(try await store.floats().map(\.timestamp) == [noonMilliseconds])
        store.setRetention([.metrics: .seconds(9 * 86_400)], diskBudget: [:])
        try await store.append(samples(["a": "1"], [(old + 1, 1)]))
        #expect(try await store.floats().map(\.timestamp) == [old + 1, noonMilliseconds])
    }

    @Test("what could not be removed of a dropped day is removed in a later round")
    func retriesRemoval() async throws {
        let clock = TestClock(noon)
        let disk = SimulatedDisk(seed: 1)
        let store = try EmbeddedStore.open(CrashTests.options(disk, clock))
        try await store.append(samples(["a": "1"], [(noonMilliseconds, 1)]))
        try await store.flush()
        clock.advance(by: .seconds(40 * 86_400))
        disk.fail(.errors(perThousand: 1000, code: .system))
        await #expect(throws: StoreError.self) { try await store.maintain() }
        #expect(try await store.floats().isEmpty)
        disk.fail(.none)
        try await store.maintain()
        #expect(disk.paths.filter { $0.hasPrefix("/data/metrics/2") } == [])
    }
}
