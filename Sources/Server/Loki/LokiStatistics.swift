import Codecs
import LogQL
import Settings

/// The part of Loki's statistics that has a meaning here; clients take what is missing for zero.
enum LokiStatistics {
    static func write(_ statistics: LogQLStatistics, _ duration: Duration, _ json: inout JSONWriter) {
        let seconds = duration.seconds
        let (bytes, lines) = (statistics.bytesProcessed, statistics.linesProcessed)
        json.beginObject()
        json.key("summary")
        json.beginObject()
        json.field("bytesProcessedPerSecond", seconds > 0 ? Int(Double(bytes) / seconds) : 0)
        json.field("linesProcessedPerSecond", seconds > 0 ? Int(Double(lines) / seconds) : 0)
        json.field("totalBytesProcessed", bytes)
        json.field("totalLinesProcessed", lines)
        json.field("execTime", seconds)
        json.field("queueTime", 0)
        json.field("subqueries", 0)
        json.field("totalEntriesReturned", statistics.linesReturned)
        json.field("splits", 0)
        json.field("shards", 0)
        json.field("totalPostFilterLines", statistics.linesReturned)
        json.field("totalStructuredMetadataBytesProcessed", 0)
        json.endObject()
        // Where Loki's own parts worked; here one store did all of it.
        json.key("querier")
        json.beginObject()
        json.key("store")
        json.beginObject()
        json.field("totalChunksRef", statistics.streamsSelected)
        json.field("totalChunksDownloaded", 0)
        json.field("chunksDownloadTime", 0)
        json.key("chunk")
        json.beginObject()
        json.field("headChunkBytes", 0)
        json.field("headChunkLines", 0)
        json.field("decompressedBytes", bytes)
        json.field("decompressedLines", lines)
        json.field("compressedBytes", 0)
        json.field("totalDuplicates", 0)
        json.endObject()
        json.endObject()
        json.endObject()
        json.endObject()
    }
}
