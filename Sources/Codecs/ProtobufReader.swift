/// A cursor over one protobuf message (protobuf.dev, "Encoding").
///
/// It holds a place only; the bytes are handed to each call, and every call must get the same. A nested message is a reader of
/// its own (``ProtobufField/message(_:)``). Nothing outside the message is ever read.
///
/// ```swift
/// var reader = ProtobufReader(bytes)
/// while let field = try reader.next(in: bytes) {
///     switch field.number {
///     case 1: name = try field.string("Span.name", in: bytes)
///     default: break  // unknown fields are skipped
///     }
/// }
/// ```
package struct ProtobufReader: Sendable {
    /// How deep messages that hold themselves (attribute values) may nest, as in the C++ implementation.
    package static let depthMax = 100

    /// Where the next field starts.
    @usableFromInline package internal(set) var offset: Int
    /// Where the message ends.
    @usableFromInline package let end: Int

    /// Reads all of `bytes`.
    @inlinable
    package init(_ bytes: Span<UInt8>) {
        self.init(0..<bytes.count)
    }

    /// Reads the message that lies in `range`.
    @inlinable
    package init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Reads the next field; nil at the message's end.
    ///
    /// - Throws: ``DecodeError`` for a field that is cut short, a field number of 0 and for groups, which proto3 has not.
    @inlinable
    package mutating func next(in bytes: Span<UInt8>) throws(DecodeError) -> ProtobufField? {
        guard offset < end else { return nil }
        let start = offset
        let tag = try Varint.read(bytes, at: &offset, end: end)
        let number = Int(truncatingIfNeeded: tag >> 3)
        guard number >= 1, number < 1 << 29 else { throw ProtobufReader.badNumber(number, start) }
        switch tag & 7 {
        case 0:
            let value = try Varint.read(bytes, at: &offset, end: end)
            return ProtobufField(number: number, wireType: .varint, offset: start, rawValue: value)
        case 1:
            guard end - offset >= 8 else { throw cutShort(number, start, needed: 8) }
            let value = bytes.littleEndian64(at: offset)
            offset += 8
            return ProtobufField(number: number, wireType: .fixed64, offset: start, rawValue: value)
        case 2:
            let count = try Varint.read(bytes, at: &offset, end: end)
            guard count <= UInt64(end - offset) else { throw cutShort(number, start, needed: count) }
            let content = offset
            offset += Int(count)
            return ProtobufField(
                number: number, wireType: .lengthDelimited, offset: start, rawValue: UInt64(content), byteCount: Int(count))
        case 5:
            guard end - offset >= 4 else { throw cutShort(number, start, needed: 4) }
            let value = UInt64(bytes.littleEndian32(at: offset))
            offset += 4
            return ProtobufField(number: number, wireType: .fixed32, offset: start, rawValue: value)
        default: throw ProtobufReader.badWireType(tag & 7, number, start)
        }
    }

    @usableFromInline
    package func cutShort(_ number: Int, _ start: Int, needed: UInt64) -> DecodeError {
        DecodeError(
            offset: start, field: "number \(number)",
            "it needs \(needed) bytes, but its message has \(end - offset) left: cut short")
    }

    @usableFromInline
    package static func badNumber(_ number: Int, _ start: Int) -> DecodeError {
        DecodeError(offset: start, "\(number) is no field number: this is not the protobuf message expected")
    }

    @usableFromInline
    package static func badWireType(_ wireType: UInt64, _ number: Int, _ start: Int) -> DecodeError {
        let kind = wireType == 3 || wireType == 4 ? "a group, which proto3 has not" : "unknown"
        return DecodeError(offset: start, field: "number \(number)", "its wire type \(wireType) is \(kind)")
    }
}
