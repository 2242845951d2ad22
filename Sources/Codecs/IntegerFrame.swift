/// Up to 1,024 integers of a column: what the encoder and the decoder agree upon.
///
/// Byte for byte: docs/format/columns.md, "Integer frame".
enum IntegerFrame {
    static let valueCountMax = 1024

    /// What is packed instead of the values.
    enum Transform: UInt8 {
        /// The values.
        case plain = 0
        /// The first value, then differences.
        case delta = 1
        /// The distances from a line through an origin with a slope.
        case linear = 2
    }

    // The bits of a frame's first byte above its transform.
    static let transformMask: UInt8 = 0b0000_0011
    static let isPatched: UInt8 = 0b0000_0100
    static let hasWidth: UInt8 = 0b0000_1000
    static let hasBase: UInt8 = 0b0001_0000

    /// Whether packed integers lie in lanes.
    @inline(__always)
    static func isInLanes(count: Int, width: Int) -> Bool {
        width <= 32 && count >= LanePacking.countMin
    }

    /// The bytes of `count` packed integers.
    static func packedByteCount(count: Int, width: Int) -> Int {
        isInLanes(count: count, width: width)
            ? LanePacking.byteCount(count: count, width: width) : BitPacking.byteCount(count: count, width: width)
    }
}
