/// Writes a column's bytes where its encoder has reserved room for them.
struct ColumnWriter {
    private let start: UnsafeMutablePointer<UInt8>
    private(set) var next: UnsafeMutablePointer<UInt8>

    /// - Parameter start: free for as many bytes as the encoder is about to write: it works that out from its plan first.
    init(_ start: UnsafeMutablePointer<UInt8>) {
        self.start = start
        next = start
    }

    var byteCount: Int { next - start }

    mutating func skip(_ byteCount: Int) { next += byteCount }

    mutating func byte(_ value: UInt8) {
        next.pointee = value
        next += 1
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    mutating func signed(_ value: Int64) { varint(Varint.zigzag(value)) }

    mutating func fixed64(_ value: UInt64) {
        UnsafeMutableRawPointer(next).storeBytes(of: value.littleEndian, as: UInt64.self)
        next += 8
    }
}

extension [UInt8] {
    /// Appends what `write` writes: at most `byteCountMax` bytes.
    @inline(__always)
    mutating func appendColumn(byteCountMax: Int, _ write: (inout ColumnWriter) -> Void) {
        append(addingCapacity: byteCountMax) { output in
            output.withUnsafeMutableBufferPointer { room, count in
                guard let start = room.baseAddress else { return }
                // SAFETY: `room` has `byteCountMax` bytes, which is what the encoder worked out that it needs at most; that it kept to
                // it is checked right after, in tests as in production.
                var writer = ColumnWriter(start)
                write(&writer)
                precondition(writer.byteCount <= byteCountMax, "a column took more bytes than its plan")
                count = writer.byteCount
            }
        }
    }
}
