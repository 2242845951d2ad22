import Synchronization
import Telemetry

/// Small state: the changes that the write-ahead log has and the catalogue has not yet, in layers over the catalogue.
///
/// A layer is taken out of use together with the memtables whose rows came with it, and is written to the catalogue after them.
final class StateTable: Sendable {
    private struct Key: Hashable, Sendable {
        var namespace: String
        var key: String
    }

    /// A removed key has a change without a value.
    private typealias Layer = [Key: StateChange]

    private struct State: Sendable {
        var active: Layer = [:]
        /// Out of use and not in the catalogue, oldest first.
        var waiting: [(number: Int, layer: Layer)] = []
        /// The number of the active layer.
        var number = 1
        /// When the active layer got its first change.
        var firstChange: Int64?
    }

    let catalog: (any StateCatalog)?
    private let state = Mutex(State())

    init(catalog: (any StateCatalog)?) {
        self.catalog = catalog
    }

    /// When the oldest change came that no flush has taken, in nanoseconds since the Unix epoch; nil where there is none.
    var firstChange: Int64? { state.withLock { $0.firstChange } }

    /// - Throws: ``StoreError`` with `.rejected` for changes that could never leave the log.
    func admit(_ changes: [StateChange]) throws(StoreError) {
        guard !changes.isEmpty, catalog == nil else { return }
        throw StoreError(.rejected, "a batch with state, but the store was opened without a catalogue")
    }

    /// Makes changes visible that are in the log.
    func apply(_ changes: [StateChange], now: Int64) {
        if changes.isEmpty { return }
        state.withLock { state in
            for change in changes { state.active[Key(namespace: change.namespace, key: change.key)] = change }
            if state.firstChange == nil { state.firstChange = now }
        }
    }

    /// Takes the active layer out of use.
    ///
    /// - Returns: its number, for ``persist(upTo:)``.
    func rotate() -> Int {
        state.withLock { state in
            let number = state.number
            if !state.active.isEmpty { state.waiting.append((number, state.active)) }
            (state.active, state.firstChange) = ([:], nil)
            state.number += 1
            return number
        }
    }

    /// Writes layers to the catalogue. On the flush's thread.
    func persist(upTo number: Int) throws(StoreError) {
        while let oldest = state.withLock({ $0.waiting.first }), oldest.number <= number {
            guard let catalog else {
                throw StoreError(.system, "the log holds state, but the store was opened without a catalogue to write it to")
            }
            try catalog.apply(oldest.layer.values.sorted { ($0.namespace, $0.key) < ($1.namespace, $1.key) })
            // Only now, so that a reader finds it in the one or the other.
            state.withLock { state in _ = state.waiting.removeFirst() }
        }
    }

    func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        let wanted = Key(namespace: namespace, key: key)
        let found = state.withLock { state in
            state.active[wanted] ?? state.waiting.last { $0.layer[wanted] != nil }?.layer[wanted]
        }
        if let found { return found.value }
        return try catalog?.value(key, in: namespace)
    }

    func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        // The layers first: what leaves them meanwhile is in the catalogue already.
        let layers = state.withLock { state in state.waiting.map(\.layer) + [state.active] }
        var values = try catalog?.values(in: namespace) ?? [:]
        for layer in layers {
            for change in layer.values where change.namespace == namespace { values[change.key] = change.value }
        }
        return values
    }
}
