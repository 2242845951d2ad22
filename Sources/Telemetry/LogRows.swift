/// Log rows of one stream as columns, in the order in which they came; the lines lie end to end in one buffer.
///
/// As a collection its elements are ``LogEntry`` values made on the way: for a few of them, and for tests.
package struct LogRows: Sendable {
    /// Nanoseconds since the Unix epoch.
    package private(set) var timestamps: [Int64] = []
    /// The UTF-8 of all lines, without separators.
    package private(set) var bytes: [UInt8] = []
    /// Where each line ends in ``bytes``; it starts where the one before it ends.
    package private(set) var ends: [Int] = []
    /// Structured metadata; empty where no row has any.
    package private(set) var metadata: [Labels] = []
    /// The traces and spans that rows belong to; empty where no row belongs to one.
    package private(set) var traceIDs: [TraceID] = []
    package private(set) var spanIDs: [SpanID] = []

    package init() {}

    package init(_ entries: some Sequence<LogEntry>) {
        for entry in entries { append(entry) }
    }

    /// Makes room for so many more bytes of lines.
    package mutating func reserve(lineByteCount: Int) {
        bytes.reserveCapacity(bytes.count + lineByteCount)
    }

    /// Adds a row.
    ///
    /// - Parameter line: valid UTF-8.
    @inlinable
    package mutating func append(
        timestamp: Int64, line: Span<UInt8>, metadata: Labels = .empty, traceID: TraceID = .none, spanID: SpanID = .none
    ) {
        line.withUnsafeBufferPointer { append(timestamp: timestamp, line: $0) }
        if !metadata.isEmpty || !self.hasNoMetadata { append(metadata) }
        if !traceID.isNone || !spanID.isNone || !self.hasNoIdentifiers { append(traceID, spanID) }
    }

    /// Adds a row.
    package mutating func append(_ entry: LogEntry) {
        var line = entry.line
        line.withUTF8 { append(timestamp: entry.timestamp, line: $0) }
        if !entry.metadata.isEmpty || !hasNoMetadata { append(entry.metadata) }
        if !entry.traceID.isNone || !entry.spanID.isNone || !hasNoIdentifiers { append(entry.traceID, entry.spanID) }
    }

    @usableFromInline var hasNoMetadata: Bool { metadata.isEmpty }
    @usableFromInline var hasNoIdentifiers: Bool { traceIDs.isEmpty }

    @usableFromInline
    mutating func append(timestamp: Int64, line: UnsafeBufferPointer<UInt8>) {
        timestamps.append(timestamp)
        bytes.append(contentsOf: line)
        ends.append(bytes.count)
    }

    /// Of the last row; those before it have none where nothing stands here yet.
    @usableFromInline
    mutating func append(_ labels: Labels) {
        if metadata.count < timestamps.count - 1 {
            metadata.append(contentsOf: repeatElement(.empty, count: timestamps.count - 1 - metadata.count))
        }
        metadata.append(labels)
    }

    @usableFromInline
    mutating func append(_ traceID: TraceID, _ spanID: SpanID) {
        let missing = timestamps.count - 1 - traceIDs.count
        if missing > 0 {
            traceIDs.append(contentsOf: repeatElement(.none, count: missing))
            spanIDs.append(contentsOf: repeatElement(.none, count: missing))
        }
        traceIDs.append(traceID)
        spanIDs.append(spanID)
    }

    /// The bytes of line `index` as a range of ``bytes``.
    package func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    /// Adds the rows of `other` at `indexes`.
    package mutating func append(_ indexes: some Sequence<Int>, of other: LogRows) {
        for index in indexes {
            let range = other.range(index)
            append(
                timestamp: other.timestamps[index], line: other.bytes.span.extracting(range),
                metadata: other.metadata.isEmpty ? .empty : other.metadata[index],
                traceID: other.traceIDs.isEmpty ? .none : other.traceIDs[index], spanID: other.spanIDs.isEmpty ? .none : other.spanIDs[index])
        }
    }
}

extension LogRows: RandomAccessCollection, ExpressibleByArrayLiteral, Equatable {
    package init(arrayLiteral elements: LogEntry...) {
        self.init(elements)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { timestamps.count }

    package subscript(index: Int) -> LogEntry {
        LogEntry(
            timestamp: timestamps[index], line: String(decoding: bytes[range(index)], as: UTF8.self),
            metadata: metadata.isEmpty ? .empty : metadata[index], traceID: traceIDs.isEmpty ? .none : traceIDs[index],
            spanID: spanIDs.isEmpty ? .none : spanIDs[index])
    }

    package static func == (left: LogRows, right: LogRows) -> Bool { left.elementsEqual(right) }
}

extension LogColumns {
    /// Adds rows.
    package mutating func append(_ rows: LogRows) {
        let start = bytes.count
        bytes += rows.bytes
        for end in rows.ends { ends.append(start + end) }
        let none = rows.timestamps.count
        if rows.metadata.isEmpty { metadata.append(contentsOf: repeatElement(.empty, count: none)) } else { metadata += rows.metadata }
        if rows.traceIDs.isEmpty {
            traceIDs.append(contentsOf: repeatElement(.none, count: none))
            spanIDs.append(contentsOf: repeatElement(.none, count: none))
        } else {
            traceIDs += rows.traceIDs
            spanIDs += rows.spanIDs
        }
    }
}
