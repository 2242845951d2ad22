import Synchronization

/// What scans had to read. Hand one to a ``ScanRequest``, or to several, and look at it afterwards; stores add to it once a scan.
package final class ScanStatistics: Sendable {
    package struct Values: Sendable, Hashable {
        /// Files that were looked into, and those that their time range or a filter ruled out.
        package var partsRead = 0
        package var partsSkipped = 0
        /// What was read of files, checked and decoded, in pieces and bytes.
        package var pagesRead = 0
        package var bytesRead = 0
        /// Blocks of the streams asked for that were decoded, and those that their time range or a filter ruled out.
        package var blocksRead = 0
        package var blocksSkipped = 0
        /// Rows decoded or taken from memory, before predicates.
        package var rowsRead = 0

        package init() {}

        package static func += (left: inout Values, right: Values) {
            left.partsRead += right.partsRead
            left.partsSkipped += right.partsSkipped
            left.pagesRead += right.pagesRead
            left.bytesRead += right.bytesRead
            left.blocksRead += right.blocksRead
            left.blocksSkipped += right.blocksSkipped
            left.rowsRead += right.rowsRead
        }
    }

    private let values = Mutex(Values())

    package init() {}

    package var current: Values { values.withLock { $0 } }

    package func add(_ more: Values) {
        values.withLock { $0 += more }
    }
}
