import Telemetry

/// A piece of one stream's rows: a chunk of a part, or a run from a memtable. It only says where they lie.
struct ScanItem {
    /// Which of two writes came later: higher is later. Of chunks, the reader's position as well.
    var source: Int
    var minTime: Int64
    var maxTime: Int64
    /// The value page that a chunk lies in; -1: the rows are in memory, -2: they are floats in a memtable's chunks.
    var page: Int32
    /// The chunk's place in the page; or the run's among those that the scan holds; or the stream's in the request.
    var position: Int32
    var kind: RowKind

    init(_ chunk: ValuePage.Chunk, source: Int, page: Int, position: Int) {
        self.source = source
        (minTime, maxTime, kind) = (chunk.minTime, chunk.maxTime, chunk.kind)
        (self.page, self.position) = (Int32(page), Int32(position))
    }

    init(run: Int, _ kind: RowKind, _ range: TimeRange, source: Int) {
        self.source = source
        (minTime, maxTime, self.kind) = (range.start, range.end, kind)
        (page, position) = (-1, Int32(run))
    }

    /// The floats of a stream that a memtable has.
    init(floatsFrom source: Int, stream: Int, _ range: TimeRange) {
        self.source = source
        (minTime, maxTime, kind) = (range.start, range.end, .floats)
        (page, position) = (-2, Int32(truncatingIfNeeded: stream))
    }

    var isInMemory: Bool { page < 0 }
    var isOfChunks: Bool { page == -2 }
}

/// Pieces of one stream whose times overlap: they are read together. Clusters of a stream do not overlap.
struct ScanCluster {
    /// The stream's position in the request.
    var stream: Int
    var minTime: Int64
    var maxTime: Int64
    var items: [ScanItem]

    /// Groups a stream's items, in the order of time.
    static func clusters(_ items: [ScanItem], stream: Int) -> [ScanCluster] {
        var clusters: [ScanCluster] = []
        for item in items.sorted(by: { ($0.minTime, $0.source) < ($1.minTime, $1.source) }) {
            if let last = clusters.last, item.minTime <= last.maxTime {
                clusters[clusters.count - 1].items.append(item)
                clusters[clusters.count - 1].maxTime = max(last.maxTime, item.maxTime)
            } else {
                clusters.append(ScanCluster(stream: stream, minTime: item.minTime, maxTime: item.maxTime, items: [item]))
            }
        }
        return clusters
    }
}
