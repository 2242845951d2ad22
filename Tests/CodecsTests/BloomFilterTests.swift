import Codecs
import TestSupport
import Testing

@Suite("Bloom filter")
struct BloomFilterTests {
    static func hashes(_ count: Int, seed: UInt64) -> [UInt64] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in random.next() }
    }

    @Test("never denies what it holds, and passes few others", arguments: [0, 1, 25, 1_000, 20_000])
    func membership(count: Int) {
        let held = Self.hashes(count, seed: 1)
        let filter = BloomFilter(held.span, bitsEach: 10)
        #expect(held.allSatisfy(filter.mayContain))
        let passed = Self.hashes(20_000, seed: 2).filter(filter.mayContain).count
        // 10 bits each let about 1 in 100 pass.
        #expect(passed < 400, "\(passed) of 20,000")
    }

    @Test("comes back from its bytes", arguments: [0, 1, 25, 1_000])
    func roundTrip(count: Int) throws {
        let filter = BloomFilter(Self.hashes(count, seed: 3).span)
        var bytes: [UInt8] = [7]
        filter.append(to: &bytes)
        #expect(bytes.count == 1 + filter.byteCount)
        var offset = 1
        #expect(try BloomFilter(bytes.span, at: &offset) == filter)
        #expect(offset == bytes.count)
    }

    @Test("the bytes are those of docs/format/columns.md")
    func goldenBytes() {
        var filter = BloomFilter([UInt64]().span)
        filter.insert(0x0123_4567_0000_0001)
        var bytes: [UInt8] = []
        filter.append(to: &bytes)
        // Bit salt >> 27 of each word: 8, 8, 17, 20, 14, 5, 19, 11.
        #expect(Hex.text(bytes) == "01" + "00010000" + "00010000" + "00000200" + "00001000" + "00400000" + "20000000" + "00000800" + "00080000")
    }

    @Test("damage is an error or another filter, never a crash")
    func damage() {
        var bytes: [UInt8] = []
        BloomFilter(Self.hashes(40, seed: 4).span).append(to: &bytes)
        for length in 0..<bytes.count {
            let cut = Array(bytes[..<length])
            #expect(throws: DecodeError.self) {
                var offset = 0
                _ = try BloomFilter(cut.span, at: &offset)
            }
        }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var offset = 0
            guard let filter = try? BloomFilter(damaged.span, at: &offset) else { continue }
            #expect(offset <= damaged.count)
            _ = filter.mayContain(.max)
        }
        for count: UInt64 in [0, 1 << 20 + 1, .max] {
            var header: [UInt8] = []
            Varint.append(count, to: &header)
            let bytes = header + [UInt8](repeating: 0, count: 64)
            #expect(throws: DecodeError.self) {
                var offset = 0
                _ = try BloomFilter(bytes.span, at: &offset)
            }
        }
    }
}
