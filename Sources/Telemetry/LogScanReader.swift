import Synchronization

/// What reads log rows: first their fields, where the store keeps those apart from the lines, then what is left.
package protocol LogScanReader {
    /// Looks at the fields of a block, and takes the rows off the list whose lines it does not want: because they fail its conditions, or
    /// because the fields said all that it needs.
    mutating func read(_ block: inout LogFieldBlock) throws

    /// Takes rows with the columns of the request: those that ``read(_:)`` left, and all rows of blocks without fields.
    mutating func take(_ block: Block) throws -> ScanControl
}

/// The fields of a block of log rows.
package struct LogFieldBlock: Sendable {
    package let stream: TelemetryStream
    /// Ascending; of all rows of the block.
    package let timestamps: [Int64]
    /// By row: 0 where it is not wanted. At first those are wanted that lie in the range and satisfy the predicates of ``applied``.
    package var isWanted: [UInt8]
    package let fields: LogFields
    /// Whether a row has structured metadata; and whether one belongs to a trace or a span.
    package let hasMetadata: Bool
    package let hasIdentifiers: Bool
    /// Bit i: the request's i-th predicate holds for every wanted row.
    package let applied: UInt64

    package init(
        stream: TelemetryStream, timestamps: [Int64], isWanted: [UInt8], fields: LogFields, hasMetadata: Bool, hasIdentifiers: Bool,
        applied: UInt64
    ) {
        self.stream = stream
        self.timestamps = timestamps
        self.isWanted = isWanted
        self.fields = fields
        self.hasMetadata = hasMetadata
        self.hasIdentifiers = hasIdentifiers
        self.applied = applied
    }
}

/// The instant beyond which a reader in the order of time wants no row any more. Readers that share a query share it.
package final class ScanBound: Sendable {
    private let key: Atomic<Int64>
    private let isNewestFirst: Bool

    package init(_ order: ScanRequest.Order) {
        isNewestFirst = order == .newestFirst
        key = Atomic(order == .newestFirst ? .min : .max)
    }

    /// Rows at `instant` and beyond are not wanted any more.
    package func narrow(to instant: Int64) {
        if isNewestFirst { key.max(instant, ordering: .relaxed) } else { key.min(instant, ordering: .relaxed) }
    }

    /// What is still wanted of `range`; empty: nothing.
    package func clip(_ range: TimeRange) -> TimeRange {
        let key = key.load(ordering: .relaxed)
        if isNewestFirst { return key >= range.start ? TimeRange(key == .max ? .max : key + 1, range.end) : range }
        return key <= range.end ? TimeRange(range.start, key == .min ? .min : key - 1) : range
    }
}
