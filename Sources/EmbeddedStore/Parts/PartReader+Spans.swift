import Codecs
import Telemetry

extension PartReader {
    /// The rows of a block of spans that lie in the range and satisfy the conditions, with the wanted columns.
    func spans(
        _ index: Int, _ conditions: SpanConditions, in range: TimeRange, columns: ScanRequest.Columns, attributeNames: Set<String>?
    ) throws(StoreError) -> Run {
        let block = directory.blocks[index]
        let bytes = try bytes(index)
        do {
            var reader = ByteReader(bytes)
            let timestamps = try reader.integers(Int(block.rowCount))
            var spans = try SpanBlockReader(reader, timestamps)
            let rows = try spans.select(conditions, in: range)
            if rows?.isEmpty == true { return Run(timestamps: [], rows: .spans([])) }
            return Run(
                timestamps: rows?.map { timestamps[$0] } ?? timestamps,
                rows: .spans(try spans.spans(rows, columns: columns, attributeNames: attributeNames)))
        } catch {
            throw part.damaged("block \(index)", block.offset, error.description)
        }
    }
}
