import Codecs

/// A cursor over bytes from outside: every read is checked against the end.
struct ByteReader {
    let bytes: [UInt8]
    private(set) var offset: Int
    let end: Int

    init(_ bytes: [UInt8]) {
        self.init(bytes, 0..<bytes.count)
    }

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset >= end }
    var left: Int { end - offset }

    mutating func byte(_ field: String) throws(DecodeError) -> UInt8 {
        guard offset < end else { throw cutShort(field) }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varint(_ field: String) throws(DecodeError) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { throw DecodeError(offset: offset, field: field, "a varint is longer than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw cutShort(field)
    }

    mutating func signed(_ field: String) throws(DecodeError) -> Int64 {
        Varint.unzigzag(try varint(field))
    }

    mutating func uint32(_ field: String) throws(DecodeError) -> UInt32 {
        guard let value = UInt32(exactly: try varint(field)) else { throw DecodeError(offset: offset, field: field, "beyond 32 bits") }
        return value
    }

    /// A count of things that take at least `byteCountMin` bytes each: more than are left are refused before anything is reserved.
    mutating func count(_ field: String, byteCountMin: Int = 1) throws(DecodeError) -> Int {
        let value = try varint(field)
        guard value <= UInt64(byteCountMin == 0 ? Int(Int32.max) : left / byteCountMin) else {
            throw DecodeError(offset: offset, field: field, "\(value) items do not fit into the \(left) bytes left")
        }
        return Int(value)
    }

    mutating func fixed32(_ field: String) throws(DecodeError) -> UInt32 {
        guard left >= 4 else { throw cutShort(field) }
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        offset += 4
        return value
    }

    mutating func fixed64(_ field: String) throws(DecodeError) -> UInt64 {
        guard left >= 8 else { throw cutShort(field) }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += 8
        return value
    }

    mutating func double(_ field: String) throws(DecodeError) -> Double {
        Double(bitPattern: try fixed64(field))
    }

    /// The next `count` bytes.
    mutating func take(_ count: Int, _ field: String) throws(DecodeError) -> Range<Int> {
        guard count >= 0, count <= left else { throw cutShort(field) }
        defer { offset += count }
        return offset..<offset + count
    }

    /// A text with its length before it.
    mutating func text(_ field: String) throws(DecodeError) -> String {
        let range = try take(try count(field), field)
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// A column of a codec that reads from a span.
    mutating func integers(_ count: Int) throws(DecodeError) -> [Int64] {
        var position = offset
        let values = try IntegerColumn.read(bytes.span.extracting(0..<end), at: &position, count: count)
        offset = position
        return values
    }

    mutating func floats(_ count: Int) throws(DecodeError) -> [Double] {
        var position = offset
        let values = try FloatColumn.read(bytes.span.extracting(0..<end), at: &position, count: count)
        offset = position
        return values
    }

    private func cutShort(_ field: String) -> DecodeError {
        DecodeError(offset: offset, field: field, "cut short: \(left) bytes are left")
    }
}

extension [UInt8] {
    mutating func append(varint value: UInt64) { Varint.append(value, to: &self) }
    mutating func append(count value: Int) { Varint.append(UInt64(value), to: &self) }
    mutating func append(signed value: Int64) { Varint.appendSigned(value, to: &self) }

    mutating func append(fixed32 value: UInt32) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(fixed64 value: UInt64) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(double value: Double) { append(fixed64: value.bitPattern) }

    mutating func append(text value: String) {
        append(count: value.utf8.count)
        append(contentsOf: value.utf8)
    }
}
