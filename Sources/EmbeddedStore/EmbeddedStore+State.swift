import Synchronization
package import Telemetry

extension EmbeddedStore {
    package func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        try stateTable.value(key, in: namespace)
    }

    package func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        try stateTable.values(in: namespace)
    }

    /// By the log, as changes that come with rows do: else a replay would bring back what these values replaced.
    package func apply(_ changes: [StateChange]) throws(StoreError) {
        if changes.isEmpty { return }
        guard !isClosed.load(ordering: .relaxed) else { throw WriteAheadLog.closed }
        var batch = PreparedBatch()
        batch.state = changes
        try stateTable.admit(batch.state)
        do throws(StoreError) { try log.appendBlocking(batch) } catch { throw diskGuard.explain(error) }
    }
}
