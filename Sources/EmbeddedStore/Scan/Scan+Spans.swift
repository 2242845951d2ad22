import Telemetry

extension Scan {
    /// The spans of pieces that overlap each other that lie in the range and satisfy the predicates, in the order of time; of equal ones the first.
    func spans(_ items: [ScanItem]) throws(StoreError) -> Run? {
        if items.count == 1 {
            return try spans(items[0], request.columns, request.attributeNames)
        }
        // Of two spans with one id and start, only all columns tell whether they are the same.
        var columns = request.columns
        columns.insert(.identifiers)
        if let joined = try join(items, columns, request.attributeNames, areAllColumnsThere: false) { return joined }
        return try join(items, .all, nil, areAllColumnsThere: true)
    }

    /// - Returns: nil where there may be equal rows and not all columns are there.
    private func join(
        _ items: [ScanItem], _ columns: ScanRequest.Columns, _ names: Set<String>?, areAllColumnsThere: Bool
    ) throws(StoreError) -> Run? {
        var pieces: [Run] = []
        for item in items.sorted(by: { $0.source < $1.source }) {
            if let piece = try spans(item, columns, names), !piece.isEmpty { pieces.append(piece) }
        }
        guard var joined = pieces.first else { return Run(timestamps: [], rows: .spans([])) }
        if pieces.count == 1 { return joined }
        if areAllColumnsThere { return Run.merged(pieces) }
        for piece in pieces.dropFirst() { joined.append(piece) }
        guard case .spans(let spans) = joined.rows else { return joined }
        let order = joined.timestamps.indices.sorted {
            joined.timestamps[$0] == joined.timestamps[$1] ? $0 < $1 : joined.timestamps[$0] < joined.timestamps[$1]
        }
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, joined.timestamps[order[end]] == joined.timestamps[order[start]] { end += 1 }
            if end - start > 1, Set(order[start..<end].map { spans[$0].spanID }).count < end - start { return nil }
            start = end
        }
        return joined.selecting(order)
    }

    /// A piece's rows; nil where they are damaged, which is reported.
    private func spans(_ item: ScanItem, _ columns: ScanRequest.Columns, _ names: Set<String>?) throws(StoreError) -> Run? {
        // Runs of a memtable were asked already.
        if item.isInMemory { return runs[Int(item.position)] }
        let found: Run?? = try read(item) { reader, chunk, page throws(PartFailure) in
            guard try reader.mayHold(chunk, of: page, predicates) else { return nil }
            return try reader.spans(chunk, of: page, predicates.spans, in: request.range, columns: columns, attributeNames: names)
        }
        return found ?? nil
    }
}

extension Memtable.Stream {
    /// The spans that lie in the range and satisfy the conditions, in the order of time and without duplicates.
    func spans(_ conditions: SpanConditions, in range: TimeRange) -> Run {
        if conditions.isEmpty { return Run(timestamps: times, rows: .spans(spans)).ordered().clipped(to: range) }
        var run: (times: [Int64], spans: [TraceSpan]) = ([], [])
        for row in times.indices where range.contains(times[row]) && conditions.holds(spans[row]) {
            run.times.append(times[row])
            run.spans.append(spans[row])
        }
        return Run(timestamps: run.times, rows: .spans(run.spans)).ordered()
    }
}

extension TraceSpan {
    /// About what it takes in memory. Texts that requests repeat share their storage, and short ones have none.
    var memoryByteCount: Int {
        var byteCount = MemoryLayout<TraceSpan>.stride + MemoryLayout<Int64>.stride + Self.byteCount(attributes)
        for event in events { byteCount += MemoryLayout<Event>.stride + Self.byteCount(event.attributes) }
        for link in links { byteCount += MemoryLayout<Link>.stride + Self.byteCount(link.attributes) }
        return byteCount
    }

    private static func byteCount(_ attributes: [Attribute]) -> Int {
        // An array's head, and half of the values with a short text of their own.
        attributes.isEmpty ? 0 : 32 + attributes.count * (MemoryLayout<Attribute>.stride + 24)
    }
}
