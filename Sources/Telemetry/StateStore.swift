/// Small state that must outlive a restart and is no telemetry: positions of tailed files, state of alerts, silences.
/// A value is opaque bytes under a namespace and a key.
///
/// Changes that must be durable exactly if some rows are travel with them: ``TelemetryBatch/state``.
package protocol StateStore: Sendable {
    func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]?
    func values(in namespace: String) throws(StoreError) -> [String: [UInt8]]
    /// Makes the changes, in this order, durably and all at once.
    func apply(_ changes: [StateChange]) throws(StoreError)
}

extension StateStore {
    /// Sets the values durably and all at once; nil removes a key.
    package func set(_ values: [String: [UInt8]?], in namespace: String) throws(StoreError) {
        try apply(values.sorted { $0.key < $1.key }.map { StateChange(namespace, $0.key, $0.value) })
    }
}

/// A change of small state.
package struct StateChange: Sendable, Hashable {
    package var namespace: String
    package var key: String
    /// nil removes the key.
    package var value: [UInt8]?

    package init(_ namespace: String, _ key: String, _ value: [UInt8]?) {
        self.namespace = namespace
        self.key = key
        self.value = value
    }
}
