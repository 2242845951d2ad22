import Telemetry

/// The floats that a memtable holds of the streams of one scan. Belongs to it.
final class MemtableFloats {
    private var gather: FloatGather
    /// Timestamps handed out, by a hash: the series of a target are scraped at once, and share them.
    private var known: [UInt64: (times: [Int64], number: UInt32)] = [:]

    /// Distinct timestamps that are remembered: more than the targets of most servers.
    private static let knownCountMax = 4096

    /// - Parameter slots: by stream of the scan.
    init(_ chunks: [FloatChunk], slots: [UInt32?], in range: TimeRange) {
        gather = FloatGather(chunks, slots: slots, in: range)
    }

    /// The first and the last instant of a stream's rows; nil where there are none.
    func range(of stream: Int) -> TimeRange? {
        let rows = gather.rows(of: stream)
        return rows.isEmpty ? nil : TimeRange(gather.times[rows.lowerBound], gather.times[rows.upperBound - 1])
    }

    /// A stream's rows: times strictly ascending.
    func run(of stream: Int) -> Run {
        let rows = gather.rows(of: stream)
        return Run(timestamps: Array(gather.times[rows]), rows: .floats(Array(gather.values[rows])))
    }

    /// A stream's values, and its timestamps in storage shared with other streams of equal ones, which have the same number other than 0.
    func columns(of stream: Int) -> (times: [Int64], number: UInt32, values: [Double]) {
        let rows = gather.rows(of: stream)
        let (times, number) = gather.times.withUnsafeBufferPointer { shared(UnsafeBufferPointer(rebasing: $0[rows])) }
        return (times, number, Array(gather.values[rows]))
    }

    private func shared(_ times: UnsafeBufferPointer<Int64>) -> (times: [Int64], number: UInt32) {
        guard times.count > 0 else { return ([], 0) }
        let middle = UInt64(bitPattern: times[times.count / 2])
        let key = UInt64(bitPattern: times[0]) &* 0x9e37_79b9_7f4a_7c15 ^ middle &* 0xc2b2_ae3d_27d4_eb4f ^ UInt64(times.count)
        if let found = known[key], found.times.elementsEqual(times) { return found }
        let new = (times: Array(times), number: UInt32(truncatingIfNeeded: known.count + 1))
        guard known.count < Self.knownCountMax, known[key] == nil else { return (new.times, 0) }
        known[key] = new
        return new
    }
}
