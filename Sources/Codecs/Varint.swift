/// Little-endian base-128 integers, as protobuf writes them, and the zigzag mapping for signed ones.
package enum Varint {
    /// The longest encoding of 64 bits: ⌈64 / 7⌉.
    package static let byteCountMax = 10

    /// Appends `value` in 1 to 10 bytes.
    @inlinable
    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends `value` in zigzag form.
    @inlinable
    package static func appendSigned(_ value: Int64, to bytes: inout [UInt8]) {
        append(zigzag(value), to: &bytes)
    }

    /// How many bytes ``append(_:to:)`` writes.
    @inlinable
    package static func byteCount(_ value: UInt64) -> Int {
        value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }

    /// Reads the integer at `offset` and moves `offset` behind it.
    ///
    /// - Parameter end: where the bytes that may be read end; ≤ `bytes.count`.
    /// - Throws: ``DecodeError`` where the integer is cut short or longer than 64 bits; then `offset` stays.
    @inlinable
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int, end: Int) throws(DecodeError) -> UInt64 {
        var (value, shift, index) = (UInt64(0), UInt64(0), offset)
        while index < end {
            let byte = bytes[index]
            index += 1
            if shift == 63, byte > 1 { throw overlong(offset) }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                offset = index
                return value
            }
            shift += 7
        }
        throw DecodeError(offset: offset, "a varint is cut short at byte \(end)")
    }

    /// Reads the integer at `offset` of all of `bytes`.
    @inlinable
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int) throws(DecodeError) -> UInt64 {
        try read(bytes, at: &offset, end: bytes.count)
    }

    /// Reads an integer in zigzag form.
    @inlinable
    package static func readSigned(_ bytes: Span<UInt8>, at offset: inout Int) throws(DecodeError) -> Int64 {
        unzigzag(try read(bytes, at: &offset))
    }

    /// 0, -1, 1, -2, … as 0, 1, 2, 3, …: small magnitudes become short.
    @inlinable
    package static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    /// The inverse of ``zigzag(_:)``.
    @inlinable
    package static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }

    @usableFromInline
    package static func overlong(_ offset: Int) -> DecodeError {
        DecodeError(offset: offset, "a varint is longer than 64 bits")
    }
}
