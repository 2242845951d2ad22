import Codecs
import Telemetry

extension PartReader {
    /// The rows of a chunk of logs with the wanted columns and fields.
    ///
    /// - Parameter fields: names of JSON fields. Where the block has them, and the lines are not wanted, the line column holds only the
    ///   lines that were not taken apart.
    func logs(
        _ chunk: ValuePage.Chunk, of page: ValuePage, columns: ScanRequest.Columns, fields: [String]
    ) throws(PartFailure) -> Run {
        count(chunk)
        var reader = ByteReader(page.bytes, chunk.bytes)
        do throws(DecodeError) {
            let timestamps = try BlockCodec.times(&reader, chunk)
            return Run(timestamps: timestamps, rows: .logs(try LogBlock.decode(&reader, timestamps, columns, fields: fields)))
        } catch {
            throw damaged(chunk, of: page, error)
        }
    }
}
