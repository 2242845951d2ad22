import TestSupport
import Testing

@testable import Codecs

@Suite("Column codecs")
struct ColumnCodecTests {
    @Test("packed integers of every width come back", arguments: 0...64)
    func packedIntegers(width: Int) throws {
        var random = SplitMix64(seed: UInt64(width))
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        for count in [0, 1, 2, 7, 8, 9, 63, 64, 65, 1023, 1024] {
            let values = (0..<count).map { _ in random.next() & mask }
            var bytes: [UInt8] = [0xaa]
            BitPacking.append(values, width: width, to: &bytes)
            #expect(bytes.count == 1 + BitPacking.byteCount(count: count, width: width))
            #expect(try BitPacking.read(bytes.span, at: 1, count: count, width: width) == values)
            if bytes.count > 1 {
                bytes.removeLast()
                #expect(throws: DecodeError.self) { try BitPacking.read(bytes.span, at: 1, count: count, width: width) }
            }
        }
    }

    static let integers: [[Int64]] = [
        [], [0], [-1], [.min, .max], [.max, .min, .max], [5, 5, 5, 5], Array(0..<3000), (0..<2500).map { $0 * 15_000 + $0 % 3 },
        (0..<100).map { $0 * $0 }, [.min, .min, 0, .max],
    ]

    @Test("integers come back", arguments: integers)
    func integersComeBack(values: [Int64]) throws {
        try Self.checkIntegers(values)
    }

    @Test("random integers come back", arguments: UInt64(0)..<40)
    func randomIntegers(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let shift = random.next() % 64
        var value: Int64 = 0
        let isSum = seed % 2 == 0
        try Self.checkIntegers(
            (0..<Int(random.next() % 3000)).map { _ in
                let drawn = Int64(truncatingIfNeeded: random.next()) >> Int64(shift)
                value = isSum ? value &+ drawn : drawn
                return value
            })
    }

    static func checkIntegers(_ values: [Int64]) throws {
        var bytes: [UInt8] = []
        IntegerColumn.append(values, to: &bytes)
        var offset = 0
        #expect(try IntegerColumn.read(bytes.span, at: &offset, count: values.count) == values)
        #expect(offset == bytes.count)
        for length in 0..<min(bytes.count, 200) {
            let cut = Array(bytes[..<length])
            #expect(throws: DecodeError.self) {
                var offset = 0
                _ = try IntegerColumn.read(cut.span, at: &offset, count: values.count)
            }
        }
    }

    @Test("timestamps at a regular interval cost next to nothing")
    func regularTimestamps() {
        var bytes: [UInt8] = []
        IntegerColumn.append((0..<1024).map { 1_795_348_800_000 + $0 * 15_000 }, to: &bytes)
        #expect(bytes.count <= 16)
    }

    static let floats: [[Double]] = [
        [], [1], [-0.0], [0, -0.0, 0], [.nan, .nan], [Double(bitPattern: 0x7ff0_0000_0000_0002), 1, 2, 3],
        [.infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -.leastNonzeroMagnitude],
        [Double(bitPattern: 0xfff8_dead_beef_0001), 0.1, 0.2, 0.3], (0..<3000).map { Double($0) }, (0..<2000).map { Double($0 % 977) / 100 },
        (0..<500).map { 9_007_199_254_740_990 + Double($0) }, [1e300, 1e-300, 123456.789, 0.1 + 0.2],
    ]

    @Test("doubles come back bit for bit", arguments: floats)
    func floatsComeBack(values: [Double]) throws {
        try Self.checkFloats(values)
    }

    @Test("random doubles come back bit for bit", arguments: UInt64(0)..<40)
    func randomFloats(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var walk = 100.0
        try Self.checkFloats(
            (0..<Int(random.next() % 2500)).map { _ in
                switch (seed % 4, random.next() % 50) {
                case (_, 0): return Double(bitPattern: 0x7ff0_0000_0000_0002)
                case (0, _): return Double(bitPattern: random.next())
                case (1, _): return Double(random.next() % 100_000) / 1000
                case (2, _):
                    walk += Double(random.next() % 1000)
                    return walk
                default:
                    walk += Double(random.next() % 1000) / 7
                    return walk
                }
            })
    }

    static func checkFloats(_ values: [Double]) throws {
        var bytes: [UInt8] = []
        FloatColumn.append(values, to: &bytes)
        var offset = 0
        let back = try FloatColumn.read(bytes.span, at: &offset, count: values.count)
        #expect(back.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(offset == bytes.count)
        for length in 0..<min(bytes.count, 200) {
            let cut = Array(bytes[..<length])
            #expect(throws: DecodeError.self) {
                var offset = 0
                _ = try FloatColumn.read(cut.span, at: &offset, count: values.count)
            }
        }
    }

    @Test("garbage is refused, never trapped on", arguments: UInt64(0)..<300)
    func garbage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<Int(random.next() % 64)).map { _ in UInt8(truncatingIfNeeded: random.next() >> (random.next() % 8)) }
        let count = Int(random.next() % 3000)
        var offset = 0
        _ = try? IntegerColumn.read(bytes.span, at: &offset, count: count)
        offset = 0
        _ = try? FloatColumn.read(bytes.span, at: &offset, count: count)
    }
}
