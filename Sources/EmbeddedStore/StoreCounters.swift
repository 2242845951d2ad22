import Synchronization
import Telemetry

/// What the store has done since its start. Updated once a batch, never once a row.
final class StoreCounters: Sendable {
    struct Values: Sendable {
        var rowsAppended: [Signal: UInt64] = [:]
        var syncs: UInt64 = 0
        var flushes: UInt64 = 0
        var merges: UInt64 = 0
        /// Damage that was left out, by what it hit.
        var quarantined: [StoreStatistics.QuarantineKey: UInt64] = [:]
        var daysDropped: [Signal: [RetentionPolicy.Reason: UInt64]] = [:]
        var refusedOverloaded: UInt64 = 0
        var refusedDiskFull: UInt64 = 0
    }

    private let values = Mutex(Values())

    var current: Values { values.withLock { $0 } }

    func update(_ body: (inout Values) -> Void) {
        values.withLock { body(&$0) }
    }
}
