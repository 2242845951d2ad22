import Settings
import Synchronization

/// What one remote has got, and what it has not.
package struct RemoteWriteFigures: Sendable {
    /// Sent with success.
    package var sent = RowCounts()
    /// Given up after an answer that another attempt would not change.
    package var failed = RowCounts()
    /// Sent again, once for each time.
    package var retried = RowCounts()
    /// Left out by relabelling, for their age, and because the queue was full or damaged.
    package var droppedByRelabelling = RowCounts()
    package var droppedByAge = RowCounts()
    package var lostRowCount: UInt64 = 0
    package var metadataSent: UInt64 = 0
    package var metadataFailed: UInt64 = 0
    package var metadataRetried: UInt64 = 0
    package var byteCount: UInt64 = 0
    package var metadataByteCount: UInt64 = 0
    package var shardCount = 0
    package var shardCountDesired = 0
    /// Milliseconds since the epoch.
    package var highestTimestamp: Int64 = 0
    package var highestSentTimestamp: Int64 = 0
    /// Requests by duration: up to each of ``durationBounds`` seconds, and above.
    package var durationCounts = [UInt64](repeating: 0, count: durationBounds.count + 1)
    package var durationSum = 0.0

    package static let durationBounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300]
}

/// A remote as `/metrics` shows it.
package struct RemoteWriteSnapshot: Sendable {
    package var configuration: RemoteWriteConfiguration
    package var figures: RemoteWriteFigures
    /// Rows in the queue that it has not got.
    package var pendingRowCount: UInt64
}

/// Counts for one remote, from any of its shards.
final class RemoteWriteStatistics: Sendable {
    private let held = Mutex(RemoteWriteFigures())

    var figures: RemoteWriteFigures { held.withLock { $0 } }

    func update(_ change: (inout RemoteWriteFigures) -> Void) {
        held.withLock { change(&$0) }
    }

    func observe(_ duration: Duration) {
        let seconds = duration.seconds
        let index = RemoteWriteFigures.durationBounds.firstIndex { seconds <= $0 } ?? RemoteWriteFigures.durationBounds.count
        held.withLock { figures in
            figures.durationCounts[index] &+= 1
            figures.durationSum += seconds
        }
    }
}
