import Codecs
import Telemetry

/// Reads one block of spans: column by column, those that are asked for, each once.
struct SpanBlockReader {
    let timestamps: [Int64]
    /// Of all rows.
    let durationRange: ClosedRange<Int64>
    /// Bit i: some row has the kind and status of code i.
    let kindsAndStatuses: UInt64
    /// Behind the block.
    private(set) var end: ByteReader
    /// Where each column lies.
    private let columns: [Range<Int>]
    private let bytes: [UInt8]

    private var sharedTexts: SpanTexts?
    private var attributeColumns: SpanAttributeColumns?

    var rowCount: Int { timestamps.count }

    /// - Parameter reader: stands behind the timestamps.
    init(_ reader: ByteReader, _ timestamps: [Int64]) throws(DecodeError) {
        var reader = reader
        self.timestamps = timestamps
        bytes = reader.bytes
        let (shortest, longest) = (try reader.signed("shortest duration"), try reader.signed("longest duration"))
        guard shortest <= longest else {
            throw DecodeError(offset: reader.offset, field: "durations", "from \(shortest) to \(longest)")
        }
        durationRange = shortest...longest
        kindsAndStatuses = try reader.varint("kinds and statuses")
        let count = try reader.count("columns")
        guard count >= SpanBlock.Column.allCases.count else {
            throw DecodeError(offset: reader.offset, field: "columns", "\(count), at least \(SpanBlock.Column.allCases.count)")
        }
        var sizes: [Int] = []
        sizes.reserveCapacity(count)
        for _ in 0..<count { sizes.append(try reader.count("column size")) }
        var columns: [Range<Int>] = []
        columns.reserveCapacity(count)
        for size in sizes { columns.append(try reader.take(size, "column")) }
        self.columns = columns
        end = reader
    }

    // MARK: Columns

    func isEmpty(_ column: SpanBlock.Column) -> Bool { columns[column.rawValue].isEmpty }

    func reader(_ column: SpanBlock.Column) -> ByteReader { ByteReader(bytes, columns[column.rawValue]) }

    func integers(_ column: SpanBlock.Column) throws(DecodeError) -> [Int64] {
        var reader = reader(column)
        return try reader.integers(rowCount)
    }

    /// Texts by row; nil where all are empty.
    mutating func texts(_ column: SpanBlock.Column) throws(DecodeError) -> SpanTextColumn? {
        if isEmpty(column) { return nil }
        return try SpanTextColumn(reader(column), count: rowCount, shared: try shared())
    }

    mutating func shared() throws(DecodeError) -> SpanTexts {
        if let sharedTexts { return sharedTexts }
        var reader = reader(.texts)
        let count = try reader.varint("texts")
        // A frame of 1,024 lengths takes at least 3 bytes.
        guard count <= UInt64(reader.left) * UInt64(IntegerColumn.frameValueCountMax) else {
            throw DecodeError(offset: reader.offset, field: "texts", "\(count) do not fit")
        }
        let texts = try SpanTexts(&reader, count: Int(count))
        sharedTexts = texts
        return texts
    }

    /// The attributes' columns, with their shapes read.
    mutating func attributes() throws(DecodeError) -> SpanAttributeColumns {
        if let attributeColumns { return attributeColumns }
        var codes: [Int64] = []
        if !isEmpty(.shapeCodes) { codes = try integers(.shapeCodes) }
        let own = Array(columns[SpanBlock.Column.allCases.count...])
        let result = try SpanAttributeColumns(
            shapes: reader(.attributeShapes), codes: codes, rowCount: rowCount, columns: own, shared: try shared())
        attributeColumns = result
        return result
    }

    // MARK: Identifiers

    /// The different traces, in the order in which they first come.
    func traces() throws(DecodeError) -> [TraceID] {
        var reader = reader(.traces)
        var traces: [TraceID] = []
        traces.reserveCapacity(reader.left / 16)
        while !reader.isAtEnd { traces.append(TraceID(high: try reader.fixed64("trace id"), low: try reader.fixed64("trace id"))) }
        return traces
    }

    /// By row: which of the traces it belongs to.
    func traceIndexes(count: Int) throws(DecodeError) -> [Int] {
        var introduced = 0
        var indexes: [Int] = []
        indexes.reserveCapacity(rowCount)
        for code in try integers(.traceCodes) {
            if code == 0 { introduced += 1 }
            let index = code == 0 ? introduced - 1 : introduced &- Int(code)
            guard index >= 0, index < introduced, introduced <= count else {
                throw DecodeError(offset: columns[SpanBlock.Column.traceCodes.rawValue].lowerBound, field: "trace code", "\(code)")
            }
            indexes.append(index)
        }
        return indexes
    }

    /// By row.
    func spanIDs() throws(DecodeError) -> [UInt64] {
        var reader = reader(.spanIDs)
        var ids: [UInt64] = []
        ids.reserveCapacity(rowCount)
        for _ in 0..<rowCount { ids.append(try reader.fixed64("span id")) }
        return ids
    }

    /// By row.
    func parentIDs(_ spanIDs: [UInt64]) throws(DecodeError) -> [SpanID] {
        var written = reader(.parents)
        var parents: [SpanID] = []
        parents.reserveCapacity(rowCount)
        for code in try integers(.parentCodes) {
            switch code {
            case SpanBlockEncoder.ParentCode.none: parents.append(.none)
            case SpanBlockEncoder.ParentCode.raw: parents.append(SpanID(try written.fixed64("parent id")))
            default:
                let distance = Varint.unzigzag(UInt64(bitPattern: code &- SpanBlockEncoder.ParentCode.near))
                let (row, overflow) = Int64(parents.count).subtractingReportingOverflow(distance)
                guard code > 0, !overflow, row >= 0, row < Int64(spanIDs.count) else {
                    throw DecodeError(offset: written.offset, field: "parent code", "\(code) in row \(parents.count)")
                }
                parents.append(SpanID(spanIDs[Int(row)]))
            }
        }
        return parents
    }

    // MARK: Rows

    /// The rows at `rows` (ascending; nil: all) with the wanted columns; the others are left empty.
    ///
    /// - Parameter attributeNames: the attributes wanted; nil: all.
    mutating func spans(
        _ rows: [Int]?, columns wanted: ScanRequest.Columns, attributeNames: Set<String>?
    ) throws(DecodeError) -> [TraceSpan] {
        let rows = rows ?? Array(0..<rowCount)
        var spans: [TraceSpan] = []
        spans.reserveCapacity(rows.count)
        if wanted.contains(.identifiers) {
            let traces = try traces()
            let (indexes, ids) = (try traceIndexes(count: traces.count), try spanIDs())
            let parents = try parentIDs(ids)
            for row in rows {
                spans.append(
                    TraceSpan(
                        traceID: traces[indexes[row]], spanID: SpanID(ids[row]), parentID: parents[row], name: "",
                        start: timestamps[row], duration: 0))
            }
        } else {
            for row in rows { spans.append(TraceSpan(traceID: .none, spanID: .none, name: "", start: timestamps[row], duration: 0)) }
        }
        if wanted.contains(.intrinsics) { try readIntrinsics(rows, &spans) }
        if wanted.contains(.attributes), attributeNames?.isEmpty != true, !isEmpty(.attributeShapes) {
            var columns = try attributes()
            try columns.read(rows, bytes, attributeNames, try shared(), into: &spans)
        }
        if wanted.contains(.details) { try readDetails(rows, &spans) }
        return spans
    }

    private mutating func readIntrinsics(_ rows: [Int], _ spans: inout [TraceSpan]) throws(DecodeError) {
        let durations = try integers(.durations)
        let codes = try kindAndStatusCodes()
        for (index, row) in rows.enumerated() {
            spans[index].duration = durations[row]
            spans[index].kind = TraceSpan.Kind(rawValue: UInt8(codes[row] / 3)) ?? .unspecified
            spans[index].status = TraceSpan.Status(rawValue: UInt8(codes[row] % 3)) ?? .unset
        }
        if var names = try texts(.names) {
            for (index, row) in rows.enumerated() { spans[index].name = names.text(row) }
        }
        if var messages = try texts(.statusMessages) {
            for (index, row) in rows.enumerated() { spans[index].statusMessage = messages.text(row) }
        }
        try readCounts(.flags, rows, &spans, \.flags)
        var reader = reader(.scopes)
        let count = try reader.count("scopes")
        let scopes = try BlockCodec.rows(try BlockCodec.frame(&reader, isWanted: true) ?? [], count) { table throws(DecodeError) in
            try table.scope()
        }
        guard let first = scopes.first else {
            if rows.isEmpty { return }
            throw DecodeError(offset: reader.offset, field: "scopes", "none")
        }
        if scopes.count == 1 {
            for index in rows.indices { spans[index].scope = first }
            return
        }
        let scopeCodes = try integers(.scopeCodes)
        for (index, row) in rows.enumerated() {
            guard scopeCodes[row] >= 0, scopeCodes[row] < Int64(scopes.count) else {
                throw DecodeError(offset: reader.offset, field: "scope code", "\(scopeCodes[row]) of \(scopes.count)")
            }
            spans[index].scope = scopes[Int(scopeCodes[row])]
        }
    }

    /// By row: kind and status as one number, below ``SpanBlock/kindAndStatusCount``.
    func kindAndStatusCodes() throws(DecodeError) -> [Int64] {
        let codes = try integers(.kindsAndStatuses)
        for code in codes where code < 0 || code >= Int64(SpanBlock.kindAndStatusCount) {
            throw DecodeError(
                offset: columns[SpanBlock.Column.kindsAndStatuses.rawValue].lowerBound, field: "kind and status", "\(code) is unknown")
        }
        return codes
    }

    private mutating func readDetails(_ rows: [Int], _ spans: inout [TraceSpan]) throws(DecodeError) {
        if var states = try texts(.traceStates) {
            for (index, row) in rows.enumerated() { spans[index].traceState = states.text(row) }
        }
        try readCounts(.droppedAttributes, rows, &spans, \.droppedAttributesCount)
        try readCounts(.droppedEvents, rows, &spans, \.droppedEventsCount)
        try readCounts(.droppedLinks, rows, &spans, \.droppedLinksCount)
        try readItems(.events, rows) { index, row, table throws(DecodeError) in
            let event = try table.spanEvent(start: timestamps[row])
            if let index { spans[index].events.append(event) }
        }
        try readItems(.links, rows) { index, row, table throws(DecodeError) in
            let link = try table.spanLink()
            if let index { spans[index].links.append(link) }
        }
    }

    private func readCounts(
        _ column: SpanBlock.Column, _ rows: [Int], _ spans: inout [TraceSpan], _ field: WritableKeyPath<TraceSpan, UInt32>
    ) throws(DecodeError) {
        if isEmpty(column) { return }
        let counts = try integers(column)
        for (index, row) in rows.enumerated() { spans[index][keyPath: field] = UInt32(truncatingIfNeeded: counts[row]) }
    }

    /// Events or links: how many each row has, then all of them. `read` is told the row and where it stands among the wanted ones.
    private func readItems(
        _ column: SpanBlock.Column, _ rows: [Int], _ read: (Int?, Int, inout TextTableReader) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        if isEmpty(column) { return }
        var reader = reader(column)
        let counts = try reader.integers(rowCount)
        guard let frame = try BlockCodec.frame(&reader, isWanted: true) else { return }
        var table = try TextTableReader(ByteReader(frame))
        var index = 0
        for row in 0..<rowCount {
            guard index < rows.count else { return }
            let isWanted = rows[index] == row
            var left = counts[row]
            while left > 0 {
                try read(isWanted ? index : nil, row, &table)
                left -= 1
            }
            if isWanted { index += 1 }
        }
    }
}
