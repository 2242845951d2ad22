/// Repeated numbers: packed into one field or, from older writers, one field each. Every parser must take both.
extension ProtobufField {
    package func appendUInt64s(
        _ name: StaticString, in bytes: Span<UInt8>, to values: inout [UInt64]
    ) throws(DecodeError) {
        if wireType == .varint {
            values.append(rawValue)
            return
        }
        let range = try range(name)
        var offset = range.lowerBound
        while offset < range.upperBound {
            do {
                values.append(try Varint.read(bytes, at: &offset, end: range.upperBound))
            } catch {
                throw DecodeError(offset: error.offset, field: "\(name)", error.message)
            }
        }
    }

    package func appendInt64s(_ name: StaticString, in bytes: Span<UInt8>, to values: inout [Int64]) throws(DecodeError) {
        var raw: [UInt64] = []
        try appendUInt64s(name, in: bytes, to: &raw)
        values.append(contentsOf: raw.lazy.map { Int64(bitPattern: $0) })
    }

    package func appendSInt64s(_ name: StaticString, in bytes: Span<UInt8>, to values: inout [Int64]) throws(DecodeError) {
        var raw: [UInt64] = []
        try appendUInt64s(name, in: bytes, to: &raw)
        values.append(contentsOf: raw.lazy.map { Varint.unzigzag($0) })
    }

    package func appendFixed64s(
        _ name: StaticString, in bytes: Span<UInt8>, to values: inout [UInt64]
    ) throws(DecodeError) {
        if wireType == .fixed64 {
            values.append(rawValue)
            return
        }
        let range = try range(name)
        guard range.count.isMultiple(of: 8) else {
            throw error(name, "\(range.count) bytes are no whole number of 8-byte values")
        }
        values.reserveCapacity(values.count + range.count / 8)
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            values.append(bytes.littleEndian64(at: offset))
        }
    }

    package func appendDoubles(_ name: StaticString, in bytes: Span<UInt8>, to values: inout [Double]) throws(DecodeError) {
        var raw: [UInt64] = []
        try appendFixed64s(name, in: bytes, to: &raw)
        values.append(contentsOf: raw.lazy.map { Double(bitPattern: $0) })
    }
}

extension Span<UInt8> {
    /// The 8 bytes at `offset`, which must lie within.
    @inlinable
    package func littleEndian64(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset + 8 <= count)
        return UInt64(littleEndian: withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) })
    }

    /// The 4 bytes at `offset`, which must lie within.
    @inlinable
    package func littleEndian32(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset + 4 <= count)
        return UInt32(littleEndian: withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
    }
}
