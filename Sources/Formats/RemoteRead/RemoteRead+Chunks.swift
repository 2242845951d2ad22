import Codecs
package import Telemetry

extension RemoteRead {
    /// Bytes of a frame, as Prometheus' own server sends them (`--storage.remote.read-max-bytes-in-frame`).
    private static let frameByteCountMax = 1 << 20

    /// Encodes float samples as a stream of `ChunkedReadResponse`s, each in a frame: its length as a varint, its CRC32C (big-endian), itself
    /// (storage/remote/chunked.go). Series come in order of their labels.
    ///
    /// - Parameter results: the series of each query; their histograms are left out.
    package static func encodeChunks(_ results: [MetricBatch]) -> [UInt8] {
        var stream: [UInt8] = []
        for (index, result) in results.enumerated() {
            var rows = [[Int]](repeating: [], count: result.series.count)
            for (row, series) in result.sampleSeries.enumerated() { rows[Int(series)].append(row) }
            let order = result.series.indices.filter { !rows[$0].isEmpty }.sorted { result.series[$0] < result.series[$1] }
            var frame = ProtobufWriter()
            for series in order {
                for piece in chunkLists(result, rows[series].sorted { result.timestamps[$0] < result.timestamps[$1] }) {
                    frame.message(1) { write(result.series[series], piece, &$0) }
                    if frame.bytes.count >= frameByteCountMax { append(&frame, index, to: &stream) }
                }
            }
            if !frame.bytes.isEmpty { append(&frame, index, to: &stream) }
        }
        return stream
    }

    private struct Chunk {
        var data = XORChunk()
        var start: Int64 = 0
        var end: Int64 = 0
        var count = 0
    }

    /// A series' chunks, in lists that a frame takes: a series may go on in the next frame.
    private static func chunkLists(_ batch: MetricBatch, _ rows: [Int]) -> [[Chunk]] {
        var lists: [[Chunk]] = [[]]
        var chunk = Chunk()
        for row in rows {
            let time = batch.timestamps[row]
            if chunk.count == XORChunk.sampleCountMax {
                lists[lists.count - 1].append(chunk)
                // A thousand full chunks are about a frame.
                if lists[lists.count - 1].count == 1_000 { lists.append([]) }
                chunk = Chunk()
            }
            if chunk.count == 0 { chunk.start = time }
            chunk.data.append(time, batch.values[row])
            chunk.end = time
            chunk.count += 1
        }
        if chunk.count > 0 { lists[lists.count - 1].append(chunk) }
        return lists
    }

    private static func write(_ labels: Labels, _ chunks: [Chunk], _ writer: inout ProtobufWriter) {
        for label in labels.pairs {
            writer.message(1) { writer in
                writer.string(1, label.name)
                writer.string(2, label.value)
            }
        }
        for chunk in chunks {
            writer.message(2) { writer in
                writer.int64(1, chunk.start)
                writer.int64(2, chunk.end)
                // `Chunk.Encoding.XOR`.
                writer.uint64(3, 1)
                writer.bytes(4, chunk.data.bytes)
            }
        }
    }

    private static func append(_ frame: inout ProtobufWriter, _ query: Int, to stream: inout [UInt8]) {
        frame.int64(2, Int64(query))
        let bytes = frame.bytes
        Varint.append(UInt64(bytes.count), to: &stream)
        let checksum = CRC32C.checksum(bytes.span)
        for shift in [24, 16, 8, 0] as [UInt32] { stream.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        stream += bytes
        frame = ProtobufWriter()
    }
}
