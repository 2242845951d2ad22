import Codecs
import Telemetry

/// Writes a part: blocks by stream, kind and time, then directory, filter and footer. Nobody sees it before its rename.
struct PartWriter: ~Copyable {
    let signal: Signal
    private let file: any StoreFile
    private var directory = PartDirectory()
    private var filter = TraceFilter()
    private var buffer: [UInt8]
    private var flushedByteCount = 0
    private var rowCount = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min

    private static let bufferByteCount = 1 << 20

    init(_ file: any StoreFile, signal: Signal) {
        self.file = file
        self.signal = signal
        buffer = PartFooter.magic
    }

    var isEmpty: Bool { directory.blocks.isEmpty }

    /// Adds the rows of one stream and kind, which must be in the order of time; streams and kinds come in order.
    mutating func append(_ run: Run, stream: UInt64) throws(StoreError) {
        var start = 0
        while start < run.count {
            let end = Self.blockEnd(run, from: start)
            let block = run.slice(start..<end)
            filter.insert(block, block: directory.blocks.count)
            try append(BlockCodec.encode(block), kind: block.kind, rowCount: block.count, first: run.timestamps[start], last: run.timestamps[end - 1], stream)
            start = end
        }
    }

    /// Adds float samples of one stream from borrowed columns: times strictly ascending, as many values. The cheap way for a flush:
    /// nothing is allocated a call.
    mutating func appendFloats(times: Span<Int64>, values: Span<Double>, stream: UInt64) throws(StoreError) {
        precondition(times.count == values.count)
        var run = ([Int64](), [Double]())
        for index in 0..<times.count {
            run.0.append(times[index])
            run.1.append(values[index])
        }
        try append(Run(timestamps: run.0, rows: .floats(run.1)), stream: stream)
    }

    /// Adds a block as another part has it.
    mutating func append(_ block: PartDirectory.Block, bytes: [UInt8], stream: UInt64, traceIDs: Run?) throws(StoreError) {
        if let traceIDs { filter.insert(traceIDs, block: directory.blocks.count) }
        try append(bytes, kind: block.kind, rowCount: Int(block.rowCount), first: block.minTime, last: block.maxTime, stream)
    }

    private mutating func append(
        _ bytes: [UInt8], kind: RowKind, rowCount: Int, first: Int64, last: Int64, _ stream: UInt64
    ) throws(StoreError) {
        let block = PartDirectory.Block(
            kind: kind, rowCount: UInt32(rowCount), byteCount: UInt32(bytes.count), checksum: CRC32C.checksum(bytes.span),
            offset: flushedByteCount + buffer.count, minTime: first, maxTime: last)
        directory.append(block, stream: stream)
        self.rowCount += kind == .exemplars ? 0 : rowCount
        minTime = min(minTime, first)
        maxTime = max(maxTime, last)
        buffer += bytes
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    private mutating func flush() throws(StoreError) {
        try file.write(buffer, at: flushedByteCount)
        flushedByteCount += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes what the reader starts from, and syncs.
    consuming func finish() throws(StoreError) {
        let directoryBytes = directory.encode()
        let filterBytes = filter.encode()
        let footer = PartFooter(
            signal: signal, rowCount: rowCount, blockCount: directory.blocks.count, streamCount: directory.streamIDs.count,
            minTime: minTime, maxTime: maxTime, directoryOffset: flushedByteCount + buffer.count,
            directoryByteCount: directoryBytes.count, filterByteCount: filterBytes.count,
            directoryChecksum: CRC32C.checksum(directoryBytes.span), filterChecksum: CRC32C.checksum(filterBytes.span))
        buffer += directoryBytes
        buffer += filterBytes
        buffer += footer.encode()
        try flush()
        try file.sync()
    }

    /// Where the block that begins at `start` ends: by rows, and for what is large by bytes.
    private static func blockEnd(_ run: Run, from start: Int) -> Int {
        switch run.rows {
        case .floats: return min(start + Limits.floatRowCountMax, run.count)
        case .logs(let columns):
            let first = columns.range(start).lowerBound
            var end = start + 1
            let limit = min(start + LogBlock.rowCountMax, run.count)
            while end < limit, columns.ends[end] - first <= LogBlock.byteCountMax { end += 1 }
            return end
        case .profiles(let profiles):
            var (end, byteCount) = (start, 0)
            let limit = min(start + Limits.rowCountMax, run.count)
            repeat {
                byteCount += profiles[end].frames.count * 32 + profiles[end].stacks.reduce(0) { $0 + 8 + 2 * $1.count }
                end += 1
            } while end < limit && byteCount < Limits.blockByteCountMax
            return end
        case .spans(let spans): return SpanBlock.end(spans, from: start)
        case .histograms, .exemplars: return min(start + Limits.rowCountMax, run.count)
        }
    }
}
