import Codecs
import Telemetry

/// Writes one block of spans.
struct SpanBlockEncoder {
    private let spans: [TraceSpan]
    private var texts = SpanTextWriter()
    private var columns: [[UInt8]]

    init(_ spans: [TraceSpan]) {
        self.spans = spans
        columns = Array(repeating: [], count: SpanBlock.Column.allCases.count)
    }

    mutating func encode(to bytes: inout [UInt8]) {
        appendSummary(to: &bytes)
        encodeIdentifiers()
        encodeIntrinsics()
        let attributes = SpanAttributeEncoder(spans, &texts)
        columns[SpanBlock.Column.attributeShapes.rawValue] = attributes.shapes(&texts)
        columns[SpanBlock.Column.shapeCodes.rawValue] = attributes.shapeCodes()
        encodeDetails()
        columns += attributes.columns(&texts)
        columns[SpanBlock.Column.texts.rawValue] = texts.sharedColumn()
        bytes.append(count: columns.count)
        for column in columns { bytes.append(count: column.count) }
        for column in columns { bytes += column }
    }

    /// The durations' range, and which kinds and statuses there are: what leaves a block out without reading its columns.
    private func appendSummary(to bytes: inout [UInt8]) {
        var (shortest, longest, present) = (Int64.max, Int64.min, UInt64(0))
        for span in spans {
            shortest = min(shortest, span.duration)
            longest = max(longest, span.duration)
            present |= 1 << UInt64(SpanBlock.code(span.kind, span.status))
        }
        bytes.append(signed: shortest)
        bytes.append(signed: longest)
        bytes.append(varint: present)
    }

    // MARK: Identifiers

    private mutating func encodeIdentifiers() {
        var traces: [TraceID] = []
        var traceCodes: [Int64] = []
        traceCodes.reserveCapacity(spans.count)
        var indexes = WordTable(capacity: spans.count / 2)
        var rows = WordTable(capacity: spans.count)
        var ids: [UInt8] = []
        ids.reserveCapacity(8 * spans.count)
        for (row, span) in spans.enumerated() {
            // Different ids may share a key: a trace that is then not found is written once more.
            let key = span.traceID.high ^ (span.traceID.low << 29 | span.traceID.low >> 35)
            let index = indexes.value(key, orInsert: traces.count)
            if index < traces.count, traces[index] == span.traceID {
                traceCodes.append(Int64(traces.count - index))
            } else {
                traces.append(span.traceID)
                traceCodes.append(0)
            }
            _ = rows.value(span.spanID.value, orInsert: row)
            ids.append(fixed64: span.spanID.value)
        }
        var table: [UInt8] = []
        table.reserveCapacity(16 * traces.count)
        for trace in traces {
            table.append(fixed64: trace.high)
            table.append(fixed64: trace.low)
        }
        self[.traces] = table
        append(traceCodes, .traceCodes)
        self[.spanIDs] = ids

        var parentCodes: [Int64] = []
        parentCodes.reserveCapacity(spans.count)
        var parents: [UInt8] = []
        for (row, span) in spans.enumerated() {
            if span.parentID.isNone {
                parentCodes.append(ParentCode.none)
            } else if let parent = rows.value(span.parentID.value), abs(row - parent) <= ParentCode.distanceMax {
                parentCodes.append(ParentCode.near + Int64(Varint.zigzag(Int64(row - parent))))
            } else {
                parentCodes.append(ParentCode.raw)
                parents.append(fixed64: span.parentID.value)
            }
        }
        append(parentCodes, .parentCodes)
        self[.parents] = parents
    }

    /// What stands for a span's parent.
    enum ParentCode {
        static let none: Int64 = 0
        /// The next of the ids that are written out.
        static let raw: Int64 = 1
        /// From here on: how many rows before (zigzag) it lies in the block.
        static let near: Int64 = 2
        /// Farther parents cost less written out than the bits that all codes would need.
        static let distanceMax = 100
    }

    // MARK: Intrinsics

    private mutating func encodeIntrinsics() {
        append(spans.map(\.duration), .durations)
        append(spans.map { Int64(SpanBlock.code($0.kind, $0.status)) }, .kindsAndStatuses)
        appendTexts(.names) { $0.name }
        if spans.contains(where: { !$0.statusMessage.isEmpty }) { appendTexts(.statusMessages) { $0.statusMessage } }
        appendCounts(.flags) { $0.flags }

        var scopes: [TraceSpan.Scope] = []
        var positions: [TraceSpan.Scope: Int] = [:]
        var codes: [Int64] = []
        codes.reserveCapacity(spans.count)
        var last = (scope: TraceSpan.Scope(), code: -1)
        for span in spans {
            // Spans of one library mostly come together.
            if last.code < 0 || last.scope != span.scope {
                let code = positions[span.scope] ?? scopes.count
                if code == scopes.count {
                    positions[span.scope] = code
                    scopes.append(span.scope)
                }
                last = (span.scope, code)
            }
            codes.append(Int64(last.code))
        }
        var table: [UInt8] = []
        table.append(count: scopes.count)
        BlockCodec.append(scopes, to: &table) { scope, writer in writer.append(scope) }
        self[.scopes] = table
        if scopes.count > 1 { append(codes, .scopeCodes) }
    }

    // MARK: Details

    private mutating func encodeDetails() {
        if spans.contains(where: { !$0.traceState.isEmpty }) { appendTexts(.traceStates) { $0.traceState } }
        appendCounts(.droppedAttributes) { $0.droppedAttributesCount }
        appendCounts(.droppedEvents) { $0.droppedEventsCount }
        appendCounts(.droppedLinks) { $0.droppedLinksCount }
        if spans.contains(where: { !$0.events.isEmpty }) {
            append(spans.map { Int64($0.events.count) }, .events)
            BlockCodec.append(spans, to: &self[.events]) { span, writer in
                for event in span.events { writer.append(event, start: span.start) }
            }
        }
        if spans.contains(where: { !$0.links.isEmpty }) {
            append(spans.map { Int64($0.links.count) }, .links)
            BlockCodec.append(spans, to: &self[.links]) { span, writer in
                for link in span.links { writer.append(link) }
            }
        }
    }

    // MARK: Columns

    private subscript(column: SpanBlock.Column) -> [UInt8] {
        get { columns[column.rawValue] }
        set { columns[column.rawValue] = newValue }
        _modify { yield &columns[column.rawValue] }
    }

    private mutating func append(_ values: [Int64], _ column: SpanBlock.Column) {
        IntegerColumn.append(values, to: &columns[column.rawValue])
    }

    private mutating func appendTexts(_ column: SpanBlock.Column, _ text: (TraceSpan) -> String) {
        var positions: [Int32] = []
        positions.reserveCapacity(spans.count)
        for span in spans { positions.append(Int32(texts.index.position(of: text(span)))) }
        texts.append(positions, to: &columns[column.rawValue])
    }

    /// A column that most blocks do not have.
    private mutating func appendCounts(_ column: SpanBlock.Column, _ count: (TraceSpan) -> UInt32) {
        if spans.contains(where: { count($0) != 0 }) { append(spans.map { Int64(count($0)) }, column) }
    }
}
