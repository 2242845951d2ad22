import Codecs
import Telemetry

extension PartReader {
    /// The rows of a chunk of spans that lie in the range and satisfy the conditions, with the wanted columns.
    func spans(
        _ chunk: ValuePage.Chunk, of page: ValuePage, _ conditions: SpanConditions, in range: TimeRange, columns: ScanRequest.Columns,
        attributeNames: Set<String>?
    ) throws(PartFailure) -> Run {
        count(chunk)
        var reader = ByteReader(page.bytes, chunk.bytes)
        do throws(DecodeError) {
            let timestamps = try BlockCodec.times(&reader, chunk)
            var spans = try SpanBlockReader(reader, timestamps)
            let rows = try spans.select(conditions, in: range)
            if rows?.isEmpty == true { return Run(timestamps: [], rows: .spans([])) }
            return Run(
                timestamps: rows?.map { timestamps[$0] } ?? timestamps,
                rows: .spans(try spans.spans(rows, columns: columns, attributeNames: attributeNames)))
        } catch {
            throw damaged(chunk, of: page, error)
        }
    }
}
