import Foundation
import Synchronization
import Testing

/// Hands out seeds, one after the other.
private final class Seeds: Sendable {
    private let following: Atomic<UInt64>

    init(from first: UInt64) {
        following = Atomic(first)
    }

    func next() -> UInt64 { following.add(1, ordering: .relaxed).oldValue }
}

@Suite("Simulation")
struct SimulationTests {
    /// Short histories of every `make test`.
    private static let seedCount: UInt64 = 3_000
    /// Histories at once: the machine's processors, but few, since each of them is a store with its threads.
    private static let laneCount: UInt64 = 4

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test("thousands of drawn histories of appends, deletions, flushes, merges, retention, full disks and crashes lose nothing")
    func histories() async throws {
        if let seed = Self.number("APUS_SIMULATION_SEED") {
            let wrong = await Simulation.run(seed: seed)
            #expect(wrong == nil, "\(wrong ?? "")")
            return
        }
        // A soak (`make soak`) draws other seeds than the tests, for as long as it is told.
        let seconds = Self.number("APUS_SIMULATION_SECONDS")
        let first = seconds == nil ? 0 : UInt64(Date.now.timeIntervalSince1970) << 20
        let end = seconds.map { ContinuousClock.now + .seconds(Int64($0)) }
        let seeds = Seeds(from: first)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.laneCount {
                group.addTask {
                    while true {
                        let seed = seeds.next()
                        if let end { if ContinuousClock.now >= end { return } } else if seed >= Self.seedCount { return }
                        if let wrong = await Simulation.run(seed: seed) {
                            Issue.record("\(wrong)")
                            return
                        }
                    }
                }
            }
        }
        if seconds != nil { print("\(seeds.next() - first) histories, seeds from \(first) on") }
    }
}
