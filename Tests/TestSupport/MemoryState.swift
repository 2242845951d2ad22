package import Telemetry
import Synchronization

/// A ``StateStore`` that forgets everything with its process.
package final class MemoryState: StateStore {
    private let values = Mutex<[String: [String: [UInt8]]]>([:])

    package init() {}

    package func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        values.withLock { $0[namespace]?[key] }
    }

    package func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        values.withLock { $0[namespace] ?? [:] }
    }

    package func apply(_ changes: [StateChange]) throws(StoreError) {
        values.withLock { values in
            for change in changes { values[change.namespace, default: [:]][change.key] = change.value }
        }
    }
}
