/// Writes protobuf messages. As in proto3, a field at its default is left out, unless `always` asks for it (oneofs do).
package struct ProtobufWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func uint64(_ number: Int, _ value: UInt64, always: Bool = false) {
        guard value != 0 || always else { return }
        tag(number, .varint)
        Varint.append(value, to: &bytes)
    }

    package mutating func int64(_ number: Int, _ value: Int64, always: Bool = false) {
        uint64(number, UInt64(bitPattern: value), always: always)
    }

    package mutating func uint32(_ number: Int, _ value: UInt32, always: Bool = false) {
        uint64(number, UInt64(value), always: always)
    }

    /// Negative values take ten bytes, as protobuf has it.
    package mutating func int32(_ number: Int, _ value: Int32, always: Bool = false) {
        int64(number, Int64(value), always: always)
    }

    package mutating func sint32(_ number: Int, _ value: Int32, always: Bool = false) {
        uint64(number, Varint.zigzag(Int64(value)), always: always)
    }

    package mutating func sint64(_ number: Int, _ value: Int64, always: Bool = false) {
        uint64(number, Varint.zigzag(value), always: always)
    }

    package mutating func bool(_ number: Int, _ value: Bool, always: Bool = false) {
        uint64(number, value ? 1 : 0, always: always)
    }

    package mutating func fixed64(_ number: Int, _ value: UInt64, always: Bool = false) {
        guard value != 0 || always else { return }
        tag(number, .fixed64)
        appendLittleEndian(value)
    }

    package mutating func fixed32(_ number: Int, _ value: UInt32, always: Bool = false) {
        guard value != 0 || always else { return }
        tag(number, .fixed32)
        appendLittleEndian(value)
    }

    /// -0.0 is no default.
    package mutating func double(_ number: Int, _ value: Double, always: Bool = false) {
        fixed64(number, value.bitPattern, always: always)
    }

    package mutating func string(_ number: Int, _ value: String, always: Bool = false) {
        guard !value.isEmpty || always else { return }
        tag(number, .lengthDelimited)
        Varint.append(UInt64(value.utf8.count), to: &bytes)
        bytes.append(contentsOf: value.utf8)
    }

    package mutating func bytes(_ number: Int, _ value: [UInt8], always: Bool = false) {
        guard !value.isEmpty || always else { return }
        tag(number, .lengthDelimited)
        Varint.append(UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }

    /// Writes a nested message, even an empty one.
    package mutating func message(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
        tag(number, .lengthDelimited)
        let lengthOffset = bytes.count
        bytes.append(0)
        body(&self)
        let length = UInt64(bytes.count - lengthOffset - 1)
        // Most messages are shorter than 128 bytes: their length fits where room was left.
        if length < 0x80 {
            bytes[lengthOffset] = UInt8(length)
        } else {
            var prefix: [UInt8] = []
            Varint.append(length, to: &prefix)
            bytes.replaceSubrange(lengthOffset...lengthOffset, with: prefix)
        }
    }

    package mutating func packedDoubles(_ number: Int, _ values: [Double]) {
        packedFixed64s(number, values.map(\.bitPattern))
    }

    package mutating func packedFixed64s(_ number: Int, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        tag(number, .lengthDelimited)
        Varint.append(UInt64(values.count * 8), to: &bytes)
        for value in values { appendLittleEndian(value) }
    }

    package mutating func packedUInt64s(_ number: Int, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        message(number) { writer in
            for value in values { Varint.append(value, to: &writer.bytes) }
        }
    }

    package mutating func packedSInt64s(_ number: Int, _ values: [Int64]) {
        packedUInt64s(number, values.map(Varint.zigzag))
    }

    private mutating func tag(_ number: Int, _ wireType: ProtobufField.WireType) {
        Varint.append(UInt64(number) << 3 | UInt64(wireType.rawValue), to: &bytes)
    }

    private mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
