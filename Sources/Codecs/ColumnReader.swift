/// Reads a column's parts from bytes of unknown origin: every read is checked against the end.
struct ColumnReader {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private(set) var offset: Int

    /// - Parameter base: valid for `end` bytes as long as the reader lives; 0 ≤ `offset` ≤ `end`.
    init(_ base: UnsafePointer<UInt8>, offset: Int, end: Int) {
        self.base = base
        self.end = end
        self.offset = offset
    }

    /// How many bytes may be read.
    var left: Int { end &- offset }

    mutating func byte(_ field: StaticString) throws(DecodeError) -> UInt8 {
        guard offset < end else { throw failure(field, "cut short") }
        defer { offset &+= 1 }
        return base[offset]
    }

    mutating func varint(_ field: StaticString) throws(DecodeError) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        var index = offset
        while index < end {
            let byte = base[index]
            index &+= 1
            if shift == 63, byte > 1 { throw failure(field, "a varint is longer than 64 bits") }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 {
                offset = index
                return value
            }
            shift &+= 7
        }
        throw failure(field, "cut short")
    }

    mutating func signed(_ field: StaticString) throws(DecodeError) -> Int64 {
        Varint.unzigzag(try varint(field))
    }

    mutating func fixed64(_ field: StaticString) throws(DecodeError) -> UInt64 {
        let start = try take(8, field)
        return UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    }

    /// The next `byteCount` bytes, and moves behind them. They are valid as long as the reader's are.
    mutating func take(_ byteCount: Int, _ field: StaticString) throws(DecodeError) -> UnsafePointer<UInt8> {
        guard byteCount >= 0, byteCount <= end &- offset else {
            throw failure(field, "cut short: \(byteCount) bytes needed, \(end - offset) there")
        }
        defer { offset &+= byteCount }
        return base + offset
    }

    func failure(_ field: StaticString, _ message: String) -> DecodeError {
        DecodeError(offset: offset, field: field.description, message)
    }
}

extension Array {
    /// Appends `count` elements that `fill` writes from `bytes` at `offset`, and moves `offset` behind what it read.
    ///
    /// Where it throws, the array and `offset` are as before.
    @inline(__always)
    mutating func appendColumn(
        _ bytes: Span<UInt8>, at offset: inout Int, count: Int,
        _ fill: (inout ColumnReader, UnsafeMutablePointer<Element>) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        guard count > 0 else { return }
        guard offset >= 0, offset < bytes.count else { throw DecodeError(offset: offset, field: "column", "cut short") }
        // Not more is allocated than the bytes could hold: a frame of 1,024 values takes at least a byte.
        guard (count - 1) / IntegerFrame.valueCountMax < bytes.count - offset else {
            throw DecodeError(offset: offset, field: "column", "\(bytes.count - offset) bytes cannot hold \(count) values")
        }
        let start = offset
        var (end, failure) = (offset, DecodeError?.none)
        bytes.withUnsafeBufferPointer { input in
            append(addingCapacity: count) { output in
                output.withUnsafeMutableBufferPointer { room, initializedCount in
                    guard let base = input.baseAddress, let values = room.baseAddress else { return }
                    // SAFETY: `base` is valid for `input.count` bytes and `values` free for `count` elements during the call; `offset` lies
                    // inside (checked above). The elements are integers or doubles: writing through the pointer is enough.
                    var reader = ColumnReader(base, offset: start, end: input.count)
                    do throws(DecodeError) {
                        try fill(&reader, values)
                        end = reader.offset
                        initializedCount = count
                    } catch {
                        failure = error
                    }
                }
            }
        }
        if let failure { throw failure }
        offset = end
    }
}
