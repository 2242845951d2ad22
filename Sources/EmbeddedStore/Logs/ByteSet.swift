/// A set of bytes.
struct ByteSet: Sendable {
    /// The bytes that numbers are made of where a block keeps them as integers, and those of times but for their zone.
    static let number = ByteSet("0123456789-.".utf8)
    static let time = ByteSet("0123456789-.:T".utf8)
    static let all = ByteSet(UInt8.min...UInt8.max)

    /// A bit for each byte.
    private var words = SIMD4<UInt64>()

    init() {}

    init(_ bytes: some Sequence<UInt8>) {
        insert(bytes)
    }

    mutating func insert(_ byte: UInt8) {
        words[Int(byte &>> 6)] |= 1 &<< UInt64(byte & 63)
    }

    mutating func insert(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { insert(byte) }
    }

    mutating func insert(_ other: ByteSet) {
        words |= other.words
    }

    @inline(__always)
    func holds(_ byte: UInt8) -> Bool {
        words[Int(byte &>> 6)] &>> UInt64(byte & 63) & 1 != 0
    }

    /// Whether all bytes are in the set.
    func holds(_ bytes: [UInt8]) -> Bool {
        for byte in bytes where !holds(byte) { return false }
        return true
    }
}
