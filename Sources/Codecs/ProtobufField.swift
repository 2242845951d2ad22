/// One field of a protobuf message as it lies on the wire, read but not yet interpreted.
///
/// The accessors take the field's name (`Span.name`) for the error where the wire type is not the one expected.
package struct ProtobufField: Sendable {
    package enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    package let number: Int
    package let wireType: WireType
    /// Where the field's tag starts.
    package let offset: Int
    /// The integer of a varint or fixed field; where the content starts, of a length-delimited one.
    @usableFromInline package let rawValue: UInt64
    /// The content's length.
    @usableFromInline package let byteCount: Int

    @inlinable
    package init(number: Int, wireType: WireType, offset: Int, rawValue: UInt64, byteCount: Int = 0) {
        self.number = number
        self.wireType = wireType
        self.offset = offset
        self.rawValue = rawValue
        self.byteCount = byteCount
    }

    /// The error for this field.
    package func error(_ name: StaticString, _ message: String) -> DecodeError {
        DecodeError(offset: offset, field: "\(name)", message)
    }

    @usableFromInline
    package func mismatch(_ name: StaticString, _ expected: WireType) -> DecodeError {
        error(name, "its wire type is \(wireType.rawValue) (\(wireType)), expected \(expected.rawValue) (\(expected))")
    }

    // MARK: Numbers

    @inlinable
    package func uint64(_ name: StaticString) throws(DecodeError) -> UInt64 {
        guard wireType == .varint else { throw mismatch(name, .varint) }
        return rawValue
    }

    @inlinable
    package func int64(_ name: StaticString) throws(DecodeError) -> Int64 {
        Int64(bitPattern: try uint64(name))
    }

    /// Longer integers lose their upper bits, as the protobuf specification says.
    @inlinable
    package func uint32(_ name: StaticString) throws(DecodeError) -> UInt32 {
        UInt32(truncatingIfNeeded: try uint64(name))
    }

    @inlinable
    package func int32(_ name: StaticString) throws(DecodeError) -> Int32 {
        Int32(truncatingIfNeeded: try uint64(name))
    }

    @inlinable
    package func sint32(_ name: StaticString) throws(DecodeError) -> Int32 {
        Int32(truncatingIfNeeded: Varint.unzigzag(UInt64(UInt32(truncatingIfNeeded: try uint64(name)))))
    }

    @inlinable
    package func sint64(_ name: StaticString) throws(DecodeError) -> Int64 {
        Varint.unzigzag(try uint64(name))
    }

    @inlinable
    package func bool(_ name: StaticString) throws(DecodeError) -> Bool {
        try uint64(name) != 0
    }

    @inlinable
    package func fixed64(_ name: StaticString) throws(DecodeError) -> UInt64 {
        guard wireType == .fixed64 else { throw mismatch(name, .fixed64) }
        return rawValue
    }

    @inlinable
    package func fixed32(_ name: StaticString) throws(DecodeError) -> UInt32 {
        guard wireType == .fixed32 else { throw mismatch(name, .fixed32) }
        return UInt32(truncatingIfNeeded: rawValue)
    }

    @inlinable
    package func double(_ name: StaticString) throws(DecodeError) -> Double {
        Double(bitPattern: try fixed64(name))
    }

    // MARK: Length-delimited content

    /// Where the content lies.
    @inlinable
    package func range(_ name: StaticString) throws(DecodeError) -> Range<Int> {
        guard wireType == .lengthDelimited else { throw mismatch(name, .lengthDelimited) }
        let start = Int(truncatingIfNeeded: rawValue)
        return start..<(start + byteCount)
    }

    /// A reader of the message that the field holds.
    @inlinable
    package func message(_ name: StaticString) throws(DecodeError) -> ProtobufReader {
        ProtobufReader(try range(name))
    }

    /// The content as text; U+FFFD for what is no UTF-8.
    @inlinable
    package func string(_ name: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> String {
        bytes.text(try range(name))
    }

    /// The content as text, which must be UTF-8.
    package func validString(_ name: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> String {
        let range = try range(name)
        guard let text = bytes.validText(range) else {
            throw DecodeError(
                offset: bytes.firstInvalidUTF8(range) ?? range.lowerBound, field: "\(name)", "the text is not valid UTF-8")
        }
        return text
    }

    package func bytes(_ name: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> [UInt8] {
        bytes.copied(try range(name))
    }
}
