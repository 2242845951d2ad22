import Synchronization
import Telemetry

/// Tells the operator, counts, and remembers what is damaged.
final class StoreReporter: Sendable {
    private let log: @Sendable (StoreEvent) -> Void
    let counters = StoreCounters()
    private let damages = Mutex<[StoreDamage]>([])
    /// Hears of each damaged place.
    private let hears: @Sendable (StoreDamage) -> Void

    init(_ log: @escaping @Sendable (StoreEvent) -> Void, damage: @escaping @Sendable (StoreDamage) -> Void = { _ in }) {
        self.log = log
        hears = damage
    }

    /// The damaged places, oldest first.
    var damagedPlaces: [StoreDamage] { damages.withLock { $0 } }

    func info(_ message: String) { log(StoreEvent(level: .info, message: message)) }
    func warning(_ message: String) { log(StoreEvent(level: .warning, message: message)) }
    func error(_ message: String) { log(StoreEvent(level: .error, message: message)) }

    /// Damage on disk that was left out.
    ///
    /// - Parameters:
    ///   - message: a sentence with the place, what was found and what was expected.
    ///   - offset: nil where the whole file is meant.
    func quarantine(
        _ message: String, _ kind: StoreDamage.Kind = .part, _ signal: Signal? = nil, path: String = "", offset: Int? = nil
    ) {
        counters.update { $0.quarantined[StoreStatistics.QuarantineKey(signal: signal, kind: kind), default: 0] += 1 }
        let damage = StoreDamage(kind, signal, path: path, offset: offset, message: message)
        damages.withLock { damages in
            if damages.count < Limits.damageCountMax { damages.append(damage) }
        }
        hears(damage)
        error(message)
    }
}
