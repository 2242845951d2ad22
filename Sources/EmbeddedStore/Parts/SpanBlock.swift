import Codecs
import Telemetry

/// Spans as a block holds them, behind their start times: a summary, then columns. Byte for byte: docs/format/spans.md.
enum SpanBlock {
    /// The columns that every block has, in their order; behind them come those of the attributes.
    enum Column: Int, CaseIterable {
        /// Texts that columns share: small dictionaries compress better together.
        case texts
        case traces, traceCodes, spanIDs, parentCodes, parents
        case durations, kindsAndStatuses, names, statusMessages, flags, scopes, scopeCodes
        case attributeShapes, shapeCodes
        case traceStates, droppedAttributes, droppedEvents, droppedLinks, events, links
    }

    /// What an attribute's column holds. A name whose values are of two types has two columns.
    enum ValueType: UInt8 {
        case empty = 0, string = 1, bool = 2, int = 3, double = 4, bytes = 5
        /// Arrays and maps.
        case other = 6
    }

    /// Values of attributes in one block: a reader reserves no more, whatever the bytes say.
    static let valueCountMax = 1 << 24

    static func encode(_ spans: [TraceSpan], to bytes: inout [UInt8]) {
        var encoder = SpanBlockEncoder(spans)
        encoder.encode(to: &bytes)
    }

    /// The wanted columns of all rows.
    static func decode(
        _ reader: inout ByteReader, _ timestamps: [Int64], _ wanted: ScanRequest.Columns
    ) throws(DecodeError) -> [TraceSpan] {
        var block = try SpanBlockReader(reader, timestamps)
        reader = block.end
        return try block.spans(nil, columns: wanted, attributeNames: nil)
    }

    /// Kind and status as one number, below 18.
    static func code(_ kind: TraceSpan.Kind, _ status: TraceSpan.Status) -> Int {
        Int(kind.rawValue) * 3 + Int(status.rawValue)
    }

    static let kindAndStatusCount = 18

    /// Where the block of rows that begins at `start` ends: by rows, and for what is large by bytes.
    static func end(_ spans: [TraceSpan], from start: Int) -> Int {
        let limit = min(start + Limits.spanRowCountMax, spans.count)
        var (end, byteCount) = (start, 0)
        repeat {
            let span = spans[end]
            byteCount += 64 + 16 * span.attributes.count
            for event in span.events { byteCount += 32 + 32 * event.attributes.count }
            for link in span.links { byteCount += 48 + 32 * link.attributes.count }
            end += 1
        } while end < limit && byteCount < Limits.blockByteCountMax
        return end
    }
}
