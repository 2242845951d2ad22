package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Keeps every entry of `remote_write` supplied from one queue.
package final class RemoteWriteManager: Service {
    private struct State: Sendable {
        var remotes: [RemoteWriteConfiguration]
        var external: Labels
        var positions: [String: QueuePosition] = [:]
        var statistics: [String: RemoteWriteStatistics] = [:]
    }

    private let queue: any RecordQueue
    private let store: ForwardingStore
    private let positions: any StateStore
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<State>
    /// One element whenever the remotes have changed.
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameter positions: where it is kept how far each remote is.
    package init(
        configuration: PrometheusConfiguration, queue: any RecordQueue, store: ForwardingStore, positions: any StateStore,
        time: TimeSource = .system, logger: Logger
    ) {
        self.queue = queue
        self.store = store
        self.positions = positions
        self.time = time
        self.logger = logger
        state = Mutex(State(remotes: configuration.remoteWrites, external: configuration.global.externalLabels))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        place(configuration.remoteWrites)
    }

    /// Takes a new configuration. A remote that is known by its name goes on where it is.
    package func apply(_ configuration: PrometheusConfiguration) {
        let isNew = state.withLock { state in
            let isNew = state.remotes != configuration.remoteWrites || state.external != configuration.global.externalLabels
            state.remotes = configuration.remoteWrites
            state.external = configuration.global.externalLabels
            return isNew
        }
        if isNew {
            place(configuration.remoteWrites)
            change.yield()
        }
    }

    /// What `/metrics` shows, in the order of the configuration.
    package func snapshots() -> [RemoteWriteSnapshot] {
        let newest = queue.newest.rowCount
        return state.withLock { state in
            state.remotes.map { remote in
                let reached = state.positions[remote.name]?.rowCount ?? newest
                return RemoteWriteSnapshot(
                    configuration: remote, figures: state.statistics[remote.name]?.figures ?? RemoteWriteFigures(),
                    pendingRowCount: newest > reached ? newest - reached : 0)
            }
        }
    }

    /// Bytes that wait on disk, for the slowest of the remotes.
    package var queueByteCount: Int { queue.byteCount }

    /// Sends until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        let transport = HTTPTransport(userAgent: "Apus")
        while !Task.isCancelled {
            let (remotes, external) = state.withLock { ($0.remotes, $0.external) }
            await withTaskGroup(of: Void.self) { group in
                for remote in remotes {
                    group.addTask { await self.supply(remote, external, transport) }
                }
                group.addTask {
                    for await _ in self.changes { return }
                }
                // Only a change of the configuration or the end of the service ends one of them.
                await group.next()
                group.cancelAll()
            }
        }
        await transport.shutdown()
    }

    private func supply(_ remote: RemoteWriteConfiguration, _ external: Labels, _ transport: HTTPTransport) async {
        let (start, statistics) = state.withLock { state in (state.positions[remote.name] ?? queue.newest, state.statistics[remote.name]) }
        guard let statistics else { return }
        let client = RemoteWriteClient(remote, transport: transport)
        let sender = RemoteWriteSender(
            configuration: remote, queue: queue, state: positions, table: RemoteSeriesTable(external: external, rules: remote.relabelRules),
            client: client, families: RemoteFamilies(store: store), statistics: statistics, time: time, logger: logger,
            didReach: { [weak self] in self?.reached(remote.name, $0) })
        let metadata = RemoteMetadataSender(configuration: remote, store: store, client: client, statistics: statistics, logger: logger)
        await withDiscardingTaskGroup { group in
            group.addTask { await metadata.run() }
            await sender.run(from: start)
            group.cancelAll()
        }
    }

    /// Gives every remote a position, kept from before or at the end of the queue, and forgets those of others.
    private func place(_ remotes: [RemoteWriteConfiguration]) {
        let newest = queue.newest
        var kept: [String: [UInt8]] = [:]
        do {
            kept = try positions.values(in: RemoteWriteSender.namespace)
        } catch {
            logger.error("the positions of remote write cannot be read: remotes start at the end of the queue", metadata: ["error": "\(error)"])
        }
        var changed: [String: [UInt8]?] = [:]
        let names = Set(remotes.map(\.name))
        for name in kept.keys where !names.contains(name) { changed[name] = .some(nil) }
        state.withLock { state in
            state.positions = state.positions.filter { names.contains($0.key) }
            state.statistics = state.statistics.filter { names.contains($0.key) }
            for remote in remotes where state.statistics[remote.name] == nil {
                state.statistics[remote.name] = RemoteWriteStatistics()
                var position = kept[remote.name].flatMap { QueuePosition(String(decoding: $0, as: UTF8.self)) }
                // One beyond the end is of another queue: this one's records are all new to the remote.
                if let found = position, newest < found { position = QueuePosition(segment: 0, offset: 0, rowCount: 0) }
                state.positions[remote.name] = position ?? newest
                if position == nil { changed[remote.name] = Array(newest.description.utf8) }
            }
        }
        do {
            if !changed.isEmpty { try positions.set(changed, in: RemoteWriteSender.namespace) }
        } catch {
            logger.error("the positions of remote write cannot be kept", metadata: ["error": "\(error)"])
        }
        store.setForwarding(!remotes.isEmpty)
        release()
    }

    private func reached(_ name: String, _ position: QueuePosition) {
        state.withLock { state in
            if state.positions[name] != nil { state.positions[name] = position }
        }
        release()
    }

    /// Lets go of what every remote has got.
    private func release() {
        let slowest = state.withLock { $0.positions.values.min() } ?? queue.newest
        do {
            try queue.release(before: slowest)
        } catch {
            logger.error("segments of the queue of remote write cannot be removed", metadata: ["error": "\(error)"])
        }
    }
}
