/// Records on their way to somebody else: durable, in order, read by several readers at their own pace.
package protocol RecordQueue: Sendable {
    /// Adds a record and returns when it is durable.
    ///
    /// - Parameter rowCount: how many rows it stands for; positions count them.
    func append(_ record: [UInt8], rowCount: Int) async throws(StoreError)

    /// The records from `position` on, as many as have about `byteCountMax` bytes, at least one where there is one.
    ///
    /// Where the records at `position` are gone or damaged, it goes on behind them and says how many rows that were.
    func read(from position: QueuePosition, byteCountMax: Int) throws(StoreError) -> QueueRun

    /// Behind the last record.
    var newest: QueuePosition { get }

    /// Says that nobody needs the records before `position` any more.
    func release(before position: QueuePosition) throws(StoreError)

    /// One element after every append, or after several.
    func changes() -> AsyncStream<Void>

    /// What it holds on disk.
    var byteCount: Int { get }
}

/// A place between two records of a ``RecordQueue``.
package struct QueuePosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var segment: UInt64
    /// Bytes from the start of the segment.
    package var offset: Int
    /// The rows of all records before it, since the queue was made.
    package var rowCount: UInt64

    package init(segment: UInt64, offset: Int, rowCount: UInt64) {
        self.segment = segment
        self.offset = offset
        self.rowCount = rowCount
    }

    /// Reads what ``description`` writes.
    package init?(_ text: String) {
        let numbers = text.split(separator: " ")
        guard numbers.count == 3, let segment = UInt64(numbers[0]), let offset = Int(numbers[1]), offset >= 0, let rowCount = UInt64(numbers[2])
        else { return nil }
        self.init(segment: segment, offset: offset, rowCount: rowCount)
    }

    package var description: String { "\(segment) \(offset) \(rowCount)" }

    package static func < (left: QueuePosition, right: QueuePosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

/// Consecutive records of a ``RecordQueue``.
package struct QueueRun: Sendable {
    package struct Record: Sendable {
        package var bytes: [UInt8]
        package var rowCount: Int

        package init(bytes: [UInt8], rowCount: Int) {
            self.bytes = bytes
            self.rowCount = rowCount
        }
    }

    package var records: [Record] = []
    /// Behind the last of them.
    package var end: QueuePosition
    /// Rows before the first of them that are gone: dropped for room, or damaged.
    package var lostRowCount: UInt64 = 0

    package init(end: QueuePosition) {
        self.end = end
    }
}
