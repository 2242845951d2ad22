import Codecs
import Telemetry

/// A page of time columns as a reader has it. Each is decoded when it is first asked for, and then shared.
final class TimePage {
    /// What the header says of a column.
    struct Entry {
        var first: Int64
        var last: Int64
        var rowCount: UInt32
        var offset: UInt32
    }

    private let bytes: [UInt8]
    /// The number within the part of the first column.
    let firstNumber: Int
    let entries: [Entry]
    private var columns: [[Int64]]

    /// Reads the header of a page whose checksum was right.
    init(_ bytes: [UInt8], firstNumber: Int) throws(DecodeError) {
        self.bytes = bytes
        self.firstNumber = firstNumber
        var reader = ByteReader(bytes)
        let count = try reader.count("columns", byteCountMin: 4)
        var entries = [Entry](repeating: Entry(first: 0, last: 0, rowCount: 0, offset: 0), count: count)
        for index in 0..<count {
            let rowCount = try reader.uint32("rows")
            guard rowCount > 0, rowCount <= UInt32(Limits.chunkRowCountMax) else {
                throw DecodeError(offset: reader.offset, field: "rows", "\(rowCount), at most \(Limits.chunkRowCountMax)")
            }
            entries[index].rowCount = rowCount
        }
        var previous: Int64 = 0
        for index in 0..<count {
            previous = previous &+ (try reader.signed("first time"))
            entries[index].first = previous
        }
        for index in 0..<count {
            entries[index].last = entries[index].first &+ Int64(bitPattern: try reader.varint("last time"))
            guard entries[index].first <= entries[index].last else {
                throw DecodeError(offset: reader.offset, field: "last time", "column \(index) ends before it begins")
            }
        }
        var offset = 0
        for index in 0..<count {
            entries[index].offset = UInt32(offset)
            offset += Int(try reader.uint32("bytes"))
            guard offset <= bytes.count else { throw DecodeError(offset: reader.offset, field: "bytes", "beyond the page") }
        }
        guard offset == reader.left else { throw DecodeError(offset: reader.offset, field: "bytes", "\(offset) of \(reader.left)") }
        for index in 0..<count { entries[index].offset += UInt32(reader.offset) }
        self.entries = entries
        columns = Array(repeating: [], count: count)
    }

    /// What it takes in memory without decoded columns.
    var byteCount: Int { bytes.count + entries.count * (MemoryLayout<Entry>.stride + MemoryLayout<[Int64]>.stride) }

    /// Drops what was decoded.
    func dropColumns() {
        for index in columns.indices { columns[index] = [] }
    }

    /// A column by its place in the page, which must exist, and how many bytes its decoding took up in memory.
    func column(_ index: Int) throws(DecodeError) -> (times: [Int64], byteCount: Int) {
        if !columns[index].isEmpty { return (columns[index], 0) }
        let entry = entries[index]
        let times = try Self.decode(bytes, entry)
        columns[index] = times
        return (times, times.count * 8)
    }

    /// The differences to the first time, as an integer column; what the header says is not said again.
    private static func decode(_ bytes: [UInt8], _ entry: Entry) throws(DecodeError) -> [Int64] {
        switch entry.rowCount {
        case 1: return [entry.first]
        case 2: return [entry.first, entry.last]
        default:
            var reader = ByteReader(bytes, Int(entry.offset)..<bytes.count)
            var times = try reader.integers(Int(entry.rowCount))
            for index in times.indices { times[index] &+= entry.first }
            return times
        }
    }
}
