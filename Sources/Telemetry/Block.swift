/// Rows of one stream as typed columns. Every column present is as long as ``timestamps``.
package struct Block: Sendable {
    package var stream: TelemetryStream
    /// Ascending, in the signal's unit (``Signal/unitsPerSecond``); all within the range asked for.
    package var timestamps: [Int64]
    package var columns: Payload
    /// Metrics: since when each sample counts, in milliseconds; 0 where that is not known. Empty where no sample's is.
    package var startTimes: [Int64] = []
    /// In a time-ordered scan: no later block holds a row beyond this instant (later than it in `newestFirst`, earlier in
    /// `oldestFirst`).
    package var horizon: Int64
    /// Bit i: the request's i-th predicate holds for every row here.
    package var applied: UInt64
    /// Names ``timestamps`` within one scan: blocks with the same number other than 0 have the same timestamps (and share their
    /// storage), so that what follows from them alone is computed once for all series of a target. 0: not known.
    package var timesID: UInt64 = 0

    package enum Payload: Sendable {
        /// Float samples. A staleness marker comes as the NaN it is.
        case floats([Double])
        case histograms([NativeHistogram])
        case logs(LogColumns)
        case spans([TraceSpan])
        case profiles([Profile])
        /// Only timestamps were asked for.
        case timestampsOnly
    }

    package init(
        stream: TelemetryStream, timestamps: [Int64], columns: Payload, horizon: Int64 = 0, applied: UInt64 = 0,
        timesID: UInt64 = 0
    ) {
        self.stream = stream
        self.timestamps = timestamps
        self.columns = columns
        self.horizon = horizon
        self.applied = applied
        self.timesID = timesID
    }

    package var count: Int { timestamps.count }
}

/// The columns of log rows: the lines lie end to end in one buffer.
package struct LogColumns: Sendable {
    /// The UTF-8 of all lines, without separators. Empty where the column was not asked for.
    package var bytes: [UInt8] = []
    /// Where each line ends in ``bytes``; it starts where the one before it ends.
    package var ends: [Int] = []
    package var metadata: [Labels] = []
    package var traceIDs: [TraceID] = []
    package var spanIDs: [SpanID] = []
    /// The fields that the request names, where the store has them without the lines. ``bytes`` then holds only the lines of
    /// ``LogFields/unparsedRows``, unless lines were asked for too. nil: it holds all of them.
    package var fields: LogFields?

    package init() {}

    /// The bytes of line `index` as a range of ``bytes``.
    package func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    package func line(_ index: Int) -> String {
        String(decoding: bytes[range(index)], as: UTF8.self)
    }

    /// Adds a row.
    package mutating func append(_ entry: LogEntry) {
        bytes.append(contentsOf: entry.line.utf8)
        ends.append(bytes.count)
        metadata.append(entry.metadata)
        traceIDs.append(entry.traceID)
        spanIDs.append(entry.spanID)
    }
}
