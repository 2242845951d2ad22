import Codecs

/// Gathers the time columns of a part, each distinct one once, into pages.
struct TimePageBuilder {
    /// How many columns the part has so far.
    private(set) var columnCount = 0
    /// The number of the page's first column.
    private(set) var firstNumber = 0
    private var known = FingerprintTable()
    private var previousFirst: Int64 = 0
    private var rowCounts: [UInt8] = []
    private var firsts: [UInt8] = []
    private var lengths: [UInt8] = []
    private var byteCounts: [UInt8] = []
    private var payload: [UInt8] = []
    private var differences: [Int64] = []

    var byteCount: Int { payload.count + rowCounts.count + firsts.count + lengths.count + byteCounts.count }
    var isEmpty: Bool { columnCount == firstNumber }

    /// The number of a column: of an earlier one with the same times, or of a new one. `times` is not empty.
    mutating func number(of times: Span<Int64>) -> UInt32 {
        let fingerprint = known.fingerprint(times)
        if let number = known[fingerprint] { return number }
        let number = UInt32(columnCount)
        known[fingerprint] = number
        append(times)
        columnCount += 1
        return number
    }

    private mutating func append(_ times: Span<Int64>) {
        let (first, last) = (times[0], times[times.count - 1])
        rowCounts.append(count: times.count)
        firsts.append(signed: first &- previousFirst)
        previousFirst = first
        lengths.append(varint: UInt64(bitPattern: last &- first))
        let start = payload.count
        if times.count > 2 {
            differences.removeAll(keepingCapacity: true)
            for index in 0..<times.count { differences.append(times[index] &- first) }
            IntegerColumn.append(differences, to: &payload)
        }
        byteCounts.append(count: payload.count - start)
    }

    /// Appends the page to `bytes`, and starts a new one.
    ///
    /// - Returns: the page's checksum.
    mutating func finish(into bytes: inout [UInt8]) -> UInt32 {
        let start = bytes.count
        bytes.append(count: columnCount - firstNumber)
        bytes += rowCounts
        bytes += firsts
        bytes += lengths
        bytes += byteCounts
        bytes += payload
        rowCounts.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        byteCounts.removeAll(keepingCapacity: true)
        payload.removeAll(keepingCapacity: true)
        (previousFirst, firstNumber) = (0, columnCount)
        return CRC32C.checksum(bytes.span.extracting(start..<bytes.count))
    }
}
