import Synchronization
package import Telemetry

/// Which metadata a store has taken already. Remote write 2.0 repeats it beside every series of every request.
package final class RemoteWriteMetadataCache: Sendable {
    /// 16 bytes an entry; beyond it everything is forgotten and taken once more.
    private static let countMax = 1 << 17

    let seed = SeriesKey.Seed.random()
    private let keys = Mutex(Set<SeriesKey>())

    package init() {}

    /// Those of `keys` that are not known, in their order.
    func unknown(_ keys: [SeriesKey]) -> [Bool] {
        self.keys.withLock { known in keys.map { !known.contains($0) } }
    }

    /// Remembers what a store has taken.
    package func enter(_ keys: [SeriesKey]) {
        if keys.isEmpty { return }
        self.keys.withLock { known in
            if known.count + keys.count > Self.countMax { known.removeAll() }
            known.formUnion(keys)
        }
    }
}
