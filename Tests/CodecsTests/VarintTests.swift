import Codecs
import TestSupport
import Testing

@Suite("Varint")
struct VarintTests {
    @Test(
        "writes the bytes that protobuf's documentation shows",
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7f]), (128, [0x80, 1]), (150, [0x96, 1]), (300, [0xac, 2]),
            (UInt64.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] as [(UInt64, [UInt8])])
    func golden(value: UInt64, expected: [UInt8]) throws {
        var bytes: [UInt8] = []
        Varint.append(value, to: &bytes)
        #expect(bytes == expected)
        #expect(Varint.byteCount(value) == expected.count)
        var offset = 0
        #expect(try Varint.read(bytes.span, at: &offset) == value)
        #expect(offset == bytes.count)
    }

    @Test("reads back what it wrote, signed and not, of every length", arguments: UInt64(0)..<64)
    func roundTrip(bits: UInt64) throws {
        var random = SplitMix64(seed: bits)
        let value = random.next() >> bits
        var bytes: [UInt8] = []
        Varint.append(value, to: &bytes)
        Varint.appendSigned(Int64(bitPattern: value), to: &bytes)
        var offset = 0
        #expect(try Varint.read(bytes.span, at: &offset) == value)
        #expect(try Varint.readSigned(bytes.span, at: &offset) == Int64(bitPattern: value))
        #expect(offset == bytes.count)
    }

    @Test("maps small magnitudes to small integers", arguments: [(0, 0), (-1, 1), (1, 2), (-2, 3), (.max, .max - 1), (.min, .max)])
    func zigzag(value: Int64, mapped: UInt64) {
        #expect(Varint.zigzag(value) == mapped)
        #expect(Varint.unzigzag(mapped) == value)
    }

    @Test(
        "refuses what is cut short or longer than 64 bits, and stays where it was",
        arguments: [[], [0x80], [UInt8](repeating: 0xff, count: 9), [UInt8](repeating: 0xff, count: 9) + [2], [UInt8](repeating: 0x80, count: 10) + [0]])
    func malformed(bytes: [UInt8]) {
        var offset = 0
        #expect(throws: DecodeError.self) { try Varint.read(bytes.span, at: &offset) }
        #expect(offset == 0)
    }
}
