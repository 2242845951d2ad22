import Logging
import Synchronization

/// Runs the discoveries of a configuration, and gathers what they find by pool: a job's name, or whatever the caller calls its
/// sets of entries.
///
/// A change of the configuration leaves the discoveries alone that it does not touch.
package final class DiscoveryManager: Sendable {
    /// What is known of a pool's targets.
    package struct Found: Sendable {
        package var groups: [TargetGroup]
        /// Whether every discovery of the pool has found or failed by now. Until then targets known from before should stay.
        package var isComplete: Bool
        /// Differs whenever something has changed.
        package var version: [Int]
    }

    /// How one discovery does.
    package struct Status: Sendable {
        /// The kind: `docker`, `kubernetes`, …
        package var name: String
        /// The pools that use it, in order.
        package var pools: [String]
        package var targetCount: Int
        package var failureCount: Int
        package var updateCount: Int
        /// nil if the last lookup went well.
        package var lastError: String?
    }

    private struct Running: Sendable {
        /// No two in a process's life are the same.
        var number: Int
        var updates: DiscoveryUpdates
        var discovery: any Discovery
        var stopped: AsyncStream<Never>
        var stopper: AsyncStream<Never>.Continuation
        var isStarted = false
    }

    private struct State: Sendable {
        var pools: [String: [DiscoveryEntry]] = [:]
        var running: [DiscoveryEntry: Running] = [:]
        var nextNumber = 0
    }

    /// Targets often change in crowds: they are told of together.
    private static let settlingTime = Duration.milliseconds(100)
    /// The shortest time between two tellings.
    private static let changeInterval = Duration.seconds(1)

    /// One element when targets have changed; for one reader.
    package let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation
    /// One element for whatever a discovery tells.
    private let stirs: AsyncStream<Void>
    private let stir: AsyncStream<Void>.Continuation
    /// One element when discoveries are to be started.
    private let starts: AsyncStream<Void>
    private let start: AsyncStream<Void>.Continuation
    private let context: DiscoveryContext
    private let state = Mutex(State())

    package init(context: DiscoveryContext) {
        self.context = context
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (stirs, stir) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (starts, start) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes new sets of entries. Static targets are there at once.
    package func apply(_ pools: [String: [DiscoveryEntry]]) {
        let wanted = Set(pools.values.joined())
        let ended = state.withLock { state in
            state.pools = pools
            var ended: [Running] = []
            for (entry, running) in state.running where !wanted.contains(entry) {
                ended.append(running)
                state.running[entry] = nil
            }
            for entry in wanted where state.running[entry] == nil {
                state.running[entry] = makeRunning(entry, number: state.nextNumber)
                state.nextNumber += 1
            }
            return ended
        }
        for running in ended { running.stopper.finish() }
        start.yield()
        stir.yield()
    }

    private func makeRunning(_ entry: DiscoveryEntry, number: Int) -> Running {
        var logger = context.logger
        logger[metadataKey: "discovery"] = .string(entry.name)
        var context = context
        context.logger = logger
        let (stopped, stopper) = AsyncStream.makeStream(of: Never.self)
        let updates = DiscoveryUpdates(logger: logger) { [stir] in stir.yield() }
        let discovery = entry.configuration.makeDiscovery(context)
        if let groups = discovery.immediateGroups { updates.replace(groups) }
        return Running(number: number, updates: updates, discovery: discovery, stopped: stopped, stopper: stopper)
    }

    /// What is known of a pool now.
    package func found(_ pool: String) -> Found {
        let running = state.withLock { state in (state.pools[pool] ?? []).compactMap { state.running[$0] } }
        return Found(
            groups: running.flatMap(\.updates.groups), isComplete: running.allSatisfy(\.updates.hasReported),
            version: running.flatMap { [$0.number, $0.updates.version] })
    }

    /// The discoveries that run, static ones left out, in order of kind.
    package func statuses() -> [Status] {
        let (pools, running) = state.withLock { ($0.pools, $0.running) }
        return running.filter { $0.value.discovery.immediateGroups == nil }
            .sorted { ($0.key.name, $0.value.number) < ($1.key.name, $1.value.number) }
            .map { entry, running in
                Status(
                    name: entry.name, pools: pools.filter { $0.value.contains(entry) }.keys.sorted(),
                    targetCount: running.updates.groups.reduce(0) { $0 + $1.targets.count },
                    failureCount: running.updates.failureCount, updateCount: running.updates.updateCount,
                    lastError: running.updates.lastError)
            }
    }

    /// Runs discoveries until it is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tell() }
            start.yield()
            for await _ in starts {
                for running in state.withLock({ Self.startable(&$0) }) {
                    group.addTask { await Self.run(running) }
                }
            }
            group.cancelAll()
        }
    }

    private static func startable(_ state: inout State) -> [Running] {
        var found: [Running] = []
        for (entry, running) in state.running where !running.isStarted {
            state.running[entry]?.isStarted = true
            if running.discovery.immediateGroups == nil { found.append(running) }
        }
        return found
    }

    private static func run(_ running: Running) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await running.discovery.run(running.updates) }
            group.addTask { for await _ in running.stopped {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func tell() async {
        for await _ in stirs {
            guard (try? await Task.sleep(for: Self.settlingTime)) != nil else { return }
            change.yield()
            guard (try? await Task.sleep(for: Self.changeInterval - Self.settlingTime)) != nil else { return }
        }
    }
}
