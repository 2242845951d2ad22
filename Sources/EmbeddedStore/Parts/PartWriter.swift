import Codecs
import Telemetry

/// Writes a part: pages of chunks by stream, kind and time, and between them pages of times; then page index, filter and footer.
/// Nobody sees it before its rename.
struct PartWriter: ~Copyable {
    let signal: Signal
    private let file: any StoreFile
    private var index = PartIndex()
    private var filter = TraceFilter()
    private var page = ValuePageBuilder()
    private var times = TimePageBuilder()
    private var buffer: [UInt8]
    private var flushedByteCount = 0
    private var rowCount = 0
    private var chunkCount = 0
    private var streamCount = 0
    private var lastStream: UInt64 = 0
    private var minTime = Int64.max
    private var maxTime = Int64.min
    /// Filled again for each chunk.
    private var values: [Double] = []
    private var chunk: [UInt8] = []
    /// Of a page whose only chunk so far is a block of logs: its size, and that of its head.
    private var onlyBlock: (byteCount: Int, headByteCount: Int)?

    private static let bufferByteCount = 1 << 20

    init(_ file: any StoreFile, signal: Signal) {
        self.file = file
        self.signal = signal
        buffer = PartFooter.magic(PartFooter.version(signal))
    }

    var isEmpty: Bool { chunkCount == 0 }
    /// What it takes on disk so far, roughly.
    var byteCount: Int { flushedByteCount + buffer.count }

    // MARK: Rows

    /// Adds the rows of one stream and kind, which must be in the order of time; streams and kinds come in order.
    mutating func append(_ run: Run, stream: UInt64) throws(StoreError) {
        if case .floats(let values) = run.rows {
            let times = run.timestamps
            try appendFloats(times: times.span, values: values.span, stream: stream)
            return
        }
        var start = 0
        while start < run.count {
            let end = Self.chunkEnd(run, from: start)
            try appendChunk(run.slice(start..<end), stream)
            start = end
        }
    }

    /// Adds float samples of one stream from borrowed columns: times strictly ascending, as many values. The cheap way for a flush:
    /// nothing is allocated a call.
    mutating func appendFloats(times: Span<Int64>, values: Span<Double>, stream: UInt64) throws(StoreError) {
        precondition(times.count == values.count)
        var start = 0
        while start < times.count {
            let end = min(start + Limits.floatRowCountMax, times.count)
            let number = self.times.number(of: times.extracting(start..<end))
            try appendFloats(
                timesNumber: number, first: times[start], last: times[end - 1], values: values.extracting(start..<end), stream: stream)
            start = end
        }
    }

    /// The number of a time column, for ``appendFloats(timesNumber:first:last:values:stream:)``; not empty, at most
    /// ``Limits/floatRowCountMax`` times.
    mutating func number(of times: Span<Int64>) -> UInt32 {
        self.times.number(of: times)
    }

    /// Adds one chunk of floats whose times this writer has numbered already.
    mutating func appendFloats(
        timesNumber: UInt32, first: Int64, last: Int64, values: Span<Double>, stream: UInt64
    ) throws(StoreError) {
        enter(stream)
        self.values.removeAll(keepingCapacity: true)
        for index in 0..<values.count { self.values.append(values[index]) }
        let start = page.payload.count
        FloatColumn.append(self.values, to: &page.payload)
        page.add(.floats, stream: stream, times: timesNumber, first: first, last: last, byteCount: page.payload.count - start)
        try note(.floats, values.count, first, last)
    }

    private mutating func appendChunk(_ run: Run, _ stream: UInt64) throws(StoreError) {
        let (first, last) = (run.timestamps[0], run.timestamps[run.count - 1])
        let times = run.timestamps
        chunk.removeAll(keepingCapacity: true)
        if run.kind.sharesTimes {
            BlockCodec.encode(run, to: &chunk)
            try addChunk(run.kind, stream, timesNumber: self.times.number(of: times.span), run.count, first, last, traceIDs: nil)
        } else {
            // Blocks of logs place their times themselves.
            if run.kind != .logs { BlockCodec.appendTimes(times, to: &chunk) }
            BlockCodec.encode(run, to: &chunk)
            try addChunk(run.kind, stream, timesNumber: ValuePage.ownTimes, run.count, first, last, traceIDs: run)
        }
    }

    /// Adds a chunk as another part has it.
    ///
    /// - Parameters:
    ///   - timesNumber: this writer's number of its times; ``ValuePage/ownTimes`` where it has its own.
    ///   - traceIDs: its rows with their identifiers, where it holds logs or spans.
    mutating func append(
        _ source: ValuePage.Chunk, of page: ValuePage, timesNumber: UInt32, traceIDs: Run?
    ) throws(StoreError) {
        chunk.removeAll(keepingCapacity: true)
        chunk += page.bytes[source.bytes]
        try addChunk(
            source.kind, source.stream, timesNumber: timesNumber, Int(source.rowCount), source.minTime, source.maxTime, traceIDs: traceIDs)
    }

    /// Adds what ``chunk`` holds.
    private mutating func addChunk(
        _ kind: RowKind, _ stream: UInt64, timesNumber: UInt32, _ rowCount: Int, _ first: Int64, _ last: Int64, traceIDs: Run?
    ) throws(StoreError) {
        // A large chunk gets a page of its own rather than have a reader of its neighbours read it too.
        if page.chunkCount > 0, page.byteCount + chunk.count > Limits.pageByteCountMax { try finishPage() }
        if kind == .logs, page.chunkCount == 0 {
            onlyBlock = LogBlockOutline.headByteCount(chunk).map { (chunk.count, $0) }
        } else {
            onlyBlock = nil
        }
        enter(stream)
        if let traceIDs { filter.insert(traceIDs, page: index.values.count) }
        page.payload += chunk
        if timesNumber == ValuePage.ownTimes {
            page.add(kind, stream: stream, rowCount: rowCount, first: first, last: last, byteCount: chunk.count)
        } else {
            page.add(kind, stream: stream, times: timesNumber, first: first, last: last, byteCount: chunk.count)
        }
        try note(kind, rowCount, first, last)
    }

    private mutating func enter(_ stream: UInt64) {
        if chunkCount > 0, stream == lastStream { return }
        precondition(chunkCount == 0 || lastStream < stream, "streams come in order")
        lastStream = stream
        streamCount += 1
    }

    private mutating func note(_ kind: RowKind, _ rowCount: Int, _ first: Int64, _ last: Int64) throws(StoreError) {
        chunkCount += 1
        self.rowCount += kind == .exemplars ? 0 : rowCount
        if first < minTime { minTime = first }
        if last > maxTime { maxTime = last }
        if page.byteCount >= Limits.pageByteCount { try finishPage() }
        if times.byteCount >= Limits.pageByteCount { try finishTimes() }
    }

    // MARK: Pages

    private mutating func finishPage() throws(StoreError) {
        if page.chunkCount == 0 { return }
        let (stream, range, start) = (page.firstStream, TimeRange(page.minTime, page.maxTime), buffer.count)
        let checksum = page.finish(into: &buffer)
        let outline = outlineByteCount(start)
        onlyBlock = nil
        index.appendValuePage(
            stream: stream, range: range, offset: flushedByteCount + start, byteCount: buffer.count - start, checksum: checksum,
            outline: outline, outlineChecksum: outline == 0 ? 0 : CRC32C.checksum(buffer.span.extracting(start..<start + outline)))
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    /// How much of the page that begins at `start` of the buffer tells where the rest of it lies: up to the end of the head of the only
    /// block. 0 where the page is read as a whole.
    private func outlineByteCount(_ start: Int) -> Int {
        guard buffer.count - start >= Limits.outlinedPageByteCountMin, let block = onlyBlock else { return 0 }
        return buffer.count - start - block.byteCount + block.headByteCount
    }

    private mutating func finishTimes() throws(StoreError) {
        if times.isEmpty { return }
        let (first, start) = (times.firstNumber, buffer.count)
        let checksum = times.finish(into: &buffer)
        index.times.append(first: UInt64(first), offset: flushedByteCount + start, byteCount: buffer.count - start, checksum: checksum)
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    private mutating func flush() throws(StoreError) {
        try file.write(buffer, at: flushedByteCount)
        flushedByteCount += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes what the reader starts from, and syncs.
    consuming func finish() throws(StoreError) {
        try finishPage()
        try finishTimes()
        let indexBytes = index.encode(PartFooter.version(signal))
        let filterBytes = filter.encode()
        let footer = PartFooter(
            signal: signal, rowCount: rowCount, chunkCount: chunkCount, streamCount: streamCount, minTime: minTime, maxTime: maxTime,
            indexOffset: flushedByteCount + buffer.count, indexByteCount: indexBytes.count, filterByteCount: filterBytes.count,
            indexChecksum: CRC32C.checksum(indexBytes.span), filterChecksum: CRC32C.checksum(filterBytes.span),
            version: PartFooter.version(signal))
        buffer += indexBytes
        buffer += filterBytes
        buffer += footer.encode()
        try flush()
        try file.sync()
    }

    /// Where the chunk that begins at `start` ends: by rows, and for what is large by bytes.
    private static func chunkEnd(_ run: Run, from start: Int) -> Int {
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
