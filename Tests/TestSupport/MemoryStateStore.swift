import Synchronization
package import Telemetry

/// A state store in memory.
package final class MemoryStateStore: StateStore {
    private let values = Mutex<[String: [String: [UInt8]]]>([:])

    package init() {}

    package func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        values.withLock { $0[namespace]?[key] }
    }

    package func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        values.withLock { $0[namespace] ?? [:] }
    }

    package func set(_ new: [String: [UInt8]?], in namespace: String) throws(StoreError) {
        values.withLock { values in
            for (key, value) in new { values[namespace, default: [:]][key] = value }
        }
    }
}
