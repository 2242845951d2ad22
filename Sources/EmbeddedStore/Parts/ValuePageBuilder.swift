import Codecs
import Telemetry

/// Gathers chunks into a page: the columns of its header as they will stand there, and the chunks' bytes behind one another.
struct ValuePageBuilder {
    /// The chunks' bytes; whoever adds a chunk appends them, then calls one of the methods below.
    var payload: [UInt8] = []
    private(set) var chunkCount = 0
    private(set) var firstStream: UInt64 = 0
    private(set) var minTime = Int64.max
    private(set) var maxTime = Int64.min
    private var lastStream: UInt64 = 0
    private var lastKind: (kind: RowKind, count: Int)?
    private var expectedTimes: Int64 = 0
    private var previousTime: Int64 = 0
    private var kinds: [UInt8] = []
    private var streams: [UInt8] = []
    private var times: [UInt8] = []
    private var byteCounts: [UInt8] = []

    /// What the page takes so far, but for a few bytes.
    var byteCount: Int { payload.count + kinds.count + streams.count + times.count + byteCounts.count }

    /// Adds a chunk whose bytes were appended to ``payload`` and that refers to a time column.
    mutating func add(_ kind: RowKind, stream: UInt64, times number: UInt32, first: Int64, last: Int64, byteCount: Int) {
        times.append(signed: Int64(number) - expectedTimes)
        expectedTimes = Int64(number) + 1
        add(kind, stream, first, last, byteCount)
    }

    /// Adds a chunk whose bytes were appended to ``payload``, beginning with its own times.
    mutating func add(_ kind: RowKind, stream: UInt64, rowCount: Int, first: Int64, last: Int64, byteCount: Int) {
        times.append(count: rowCount)
        times.append(signed: first &- previousTime)
        times.append(varint: UInt64(bitPattern: last &- first))
        previousTime = first
        add(kind, stream, first, last, byteCount)
    }

    private mutating func add(_ kind: RowKind, _ stream: UInt64, _ first: Int64, _ last: Int64, _ byteCount: Int) {
        if let run = lastKind, run.kind == kind {
            lastKind = (kind, run.count + 1)
        } else {
            endKind()
            lastKind = (kind, 1)
        }
        if chunkCount == 0 { firstStream = stream }
        streams.append(varint: stream &- lastStream)
        lastStream = stream
        byteCounts.append(count: byteCount)
        if first < minTime { minTime = first }
        if last > maxTime { maxTime = last }
        chunkCount += 1
    }

    private mutating func endKind() {
        guard let run = lastKind else { return }
        kinds.append(run.kind.rawValue)
        kinds.append(count: run.count)
    }

    /// Appends the page to `bytes`, and starts a new one.
    ///
    /// - Returns: the page's checksum.
    mutating func finish(into bytes: inout [UInt8]) -> UInt32 {
        endKind()
        let start = bytes.count
        bytes.append(count: chunkCount)
        bytes += kinds
        bytes += streams
        bytes += times
        bytes += byteCounts
        bytes += payload
        kinds.removeAll(keepingCapacity: true)
        streams.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        byteCounts.removeAll(keepingCapacity: true)
        payload.removeAll(keepingCapacity: true)
        (chunkCount, lastStream, lastKind, expectedTimes, previousTime) = (0, 0, nil, 0, 0)
        (minTime, maxTime) = (.max, .min)
        return CRC32C.checksum(bytes.span.extracting(start..<bytes.count))
    }
}
