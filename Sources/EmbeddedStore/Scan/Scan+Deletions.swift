import Telemetry

extension Scan {
    /// Adds what deletions leave of a chunk of which they take some rows: it is decoded at once, and goes on as rows in memory do.
    func addRest(of item: ScanItem, _ deleted: [TimeRange], to items: inout [ScanItem]) throws(StoreError) {
        let found: Run? = try read(item) { reader, chunk, page throws(PartFailure) in
            // Spans are asked where they are read, everything else where its rows are handed over.
            item.kind == .spans
                ? try reader.spans(chunk, of: page, predicates.spans, in: request.range, columns: .all, attributeNames: nil)
                : try reader.run(chunk, of: page, columns: .all)
        }
        guard let rest = found?.without(deleted).clipped(to: request.range), let first = rest.timestamps.first,
            let last = rest.timestamps.last
        else { return }
        items.append(ScanItem(run: runs.count, item.kind, TimeRange(first, last), source: item.source))
        runs.append(rest)
    }
}
