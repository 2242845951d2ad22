import TestSupport
import Testing

@testable import Codecs

/// The bytes that docs/format/columns.md describes, written out, and what becomes of them when they are damaged.
@Suite("Column format")
struct ColumnFormatTests {
    struct Example<Value: Sendable>: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var values: [Value]
        var hex: String

        init(_ name: String, _ values: [Value], _ hex: String) {
            (testDescription, self.values, self.hex) = (name, values, hex)
        }
    }

    static let integers: [Example<Int64>] = [
        Example("nothing", [], ""),
        Example("a zero", [0], "00"),
        Example("a value for all: base 7", [7, 7, 7, 7], "100e"),
        Example("plain, 2 bits above 1", [1, 4, 2], "1802021c"),
        Example("an interval: first 10, base 5", (0..<10).map { 10 + $0 * 5 }, "11140a"),
        Example("seldom changes: +3 after 39 differences of 0, +1 after 9 more", steps(60, [40: 3, 50: 1]), "0502022602670202"),
        Example(
            "lanes: 32 values of 4 bits, one word of each lane",
            (0..<32).map { Int64($0 * 7 % 16) }, "0804c048c04837bf37bfae26ae26159d159d"),
        Example(
            "lanes whose last words are cut: 28 values of 3 bits are 21 bits a lane",
            (0..<28).map { Int64($0 * 5 % 8) }, "0803204db2df08d32cf702140b1d"),
        Example(
            "timestamps with jitter on a line", (0..<40).map { 1_000_000 + $0 * 15_000 + [0, 5, 2, 4, 1, 3, 5, 0][Int($0 % 8)] }, "1a0380897ab0ea01085daa0482d7aa412075aa10081d2a04"),
        Example("one far off among many: patched", (0..<48).map { $0 == 20 ? 1_000_000 : $0 * 5 % 16 }, "0c0440c800c8951d951dea62ea623fb73fb74095ea3fc81d62b7010580897a14"),
        Example("all 64 bits", [.min, .max, 0], "193fffffffffffffffffff01fdffffffffffffffff01feffffffffffff7f0000000000000000"),
    ]

    @Test("integers are written as documented", arguments: integers)
    func integerBytes(example: Example<Int64>) throws {
        var bytes: [UInt8] = []
        IntegerColumn.append(example.values, to: &bytes)
        #expect(Hex.text(bytes) == example.hex)
        try Self.checkIntegers(example.values)
    }

    static let stale = Double(bitPattern: 0x7ff0_0000_0000_0002)

    static let floats: [Example<Double>] = [
        Example("nothing", [], ""),
        Example("ones: decimal of power 0, never decreasing, base 1", [1, 1, 1], "801002"),
        Example("no decimal: constant", [.infinity, .infinity], "c0000000000000f07f"),
        Example("NaN: constant, and not known not to decrease", [stale], "40020000000000f07f"),
        Example("tenths: 5 and 12", [0.5, 1.2], "81110a0e"),
        Example("a counter", (0..<30).map { Double($0 * $0 % 7 + $0 * 10) }, "801903000eac46d1631134588d8d160308"),
        Example("an exception at the end", [1, 2, 3, 4, 5, 6, 7, stale], "100901023f018307020000000000f07f"),
        Example("two alike", [1, stale, 2, 3, 4, 5, 6, 7, 8, stale], "10090102fe00028339020000000000f07f"),
        Example("drift", drifting(16), "a31907000e9e2121e57cd0b29a1fa0a45cc0001802010554aaeb"),
        Example("XOR", [root(0.1), root(0.2), root(0.3)], "c10f494862133dd43f0036d6a4f7a736a2c86ada512c75460f"),
        Example("XOR with an exception", [root(0.1), root(0.2), .nan, root(0.3), root(0.5)], "510f494862133dd43f0036d6a4f7a736a208000000000000b09a76144b9dd1fffe1e4abc991c018202000000000000f87f"),
    ]

    @Test("doubles are written as documented", arguments: floats)
    func floatBytes(example: Example<Double>) throws {
        var bytes: [UInt8] = []
        FloatColumn.append(example.values, to: &bytes)
        #expect(Hex.text(bytes) == example.hex)
        try Self.checkFloats(example.values)
    }

    // MARK: Data

    static func root(_ value: Double) -> Double { value.squareRoot() }

    static func steps(_ count: Int, _ changes: [Int: Int64]) -> [Int64] {
        var value: Int64 = 1
        return (0..<count).map { index in
            value += changes[index] ?? 0
            return value
        }
    }

    static func drifting(_ count: Int) -> [Double] {
        var sum = 0.0
        return (0..<count).map { index in
            sum += Double(index * 37 % 100) / 1000
            return sum
        }
    }

    /// Columns of each form, long and short, drawn by a seed.
    static func drawnFloats(_ seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        func below(_ bound: UInt64) -> UInt64 { random.next() % bound }
        let count = Int([1, 2, 3, 8, 23, 24, 25, 31, 32, 33, 129, 130, 240, 1024, 1025, 2100][Int(below(16))])
        let (kind, scale) = (below(9), Double(1 + below(1 << (1 + below(40)))))
        var value = 0.0
        var values = (0..<count).map { index -> Double in
            switch kind {
            case 0: value += below(20) == 0 ? 1 : 0
            case 1: value += Double(below(100))
            case 2: value = below(60) == 0 ? 0 : value + Double(below(1000)) / 1000
            case 3: value = (Double(below(1_000_000)) * scale).rounded() / 1000
            case 4: value += Double(below(21)) - 10
            case 5: value = Double(below(1 << 53)) / 9_007_199_254_740_992 * scale
            case 6: value = Double(Float(below(1 << 24)) / 7)
            case 7: value = below(50) == 0 ? Double(below(1 << 40)) : Double(below(16))
            default: value = Double(bitPattern: below(.max))
            }
            return value
        }
        let oddities = [stale, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1e300, Double(bitPattern: 0xfff8_0000_dead_beef)]
        for _ in 0..<(seed % 3 == 0 ? below(4) : 0) { values[Int(below(UInt64(count)))] = oddities[Int(below(8))] }
        return values
    }

    static func drawnIntegers(_ seed: UInt64) -> [Int64] {
        var random = SplitMix64(seed: seed)
        func below(_ bound: UInt64) -> Int64 { Int64(random.next() % bound) }
        let count = [1, 2, 3, 8, 23, 24, 25, 31, 32, 33, 129, 130, 240, 1024, 1025, 2100][Int(below(16))]
        let (kind, width) = (below(7), UInt64(below(63)))
        var value = Int64(truncatingIfNeeded: random.next())
        return (0..<count).map { index in
            switch kind {
            case 0: value = value &+ below(1 << width + 1)
            case 1: value = below(1 << width + 1)
            case 2: value = 1_795_348_800_000 + Int64(index) * 15_000 + below(6) + (index > 50 ? 15_000 : 0)
            case 3: value = value &+ (below(30) == 0 ? below(1 << width + 1) - 5 : 0)
            case 4: value = value &+ (below(40) == 0 ? -(1 << 45) : below(100))
            case 5: value = Int64(truncatingIfNeeded: random.next())
            default: value = value &+ (index % 2 == 0 ? .max : below(5))
            }
            return value
        }
    }

    // MARK: Checks

    @Test("doubles of every kind come back bit for bit, also into an array that holds something", arguments: UInt64(0)..<300)
    func drawnFloatsComeBack(seed: UInt64) throws {
        try Self.checkFloats(Self.drawnFloats(seed), damages: seed < 60)
    }

    @Test("integers of every kind come back", arguments: UInt64(0)..<300)
    func drawnIntegersComeBack(seed: UInt64) throws {
        try Self.checkIntegers(Self.drawnIntegers(seed), damages: seed < 60)
    }

    static func checkFloats(_ values: [Double], damages: Bool = true) throws {
        var bytes: [UInt8] = [1, 2]
        FloatColumn.append(values, to: &bytes)
        let end = bytes.count
        bytes += [3]
        var (offset, back) = (2, [42.0])
        try FloatColumn.read(bytes.span, at: &offset, count: values.count, into: &back)
        #expect(back.dropFirst().map(\.bitPattern) == values.map(\.bitPattern))
        #expect(offset == end)
        let isRising = zip(values, values.dropFirst()).allSatisfy { $0 <= $1 } && !(values.first?.isNaN ?? true)
        #expect(FloatColumn.neverDecreases(bytes.span, at: 2) == isRising)
        if damages {
            damage(Array(bytes[2..<end])) { bytes throws(DecodeError) in
                var (offset, back) = (0, [Double]())
                defer { #expect(back.count == 0 || back.count == values.count && offset <= bytes.count) }
                try FloatColumn.read(bytes.span, at: &offset, count: values.count, into: &back)
            }
        }
    }

    static func checkIntegers(_ values: [Int64], damages: Bool = true) throws {
        var bytes: [UInt8] = [1, 2]
        IntegerColumn.append(values, to: &bytes)
        let end = bytes.count
        bytes += [3]
        var (offset, back) = (2, [Int64(42)])
        try IntegerColumn.read(bytes.span, at: &offset, count: values.count, into: &back)
        #expect(back.dropFirst() == values[...])
        #expect(offset == end)
        if damages {
            damage(Array(bytes[2..<end])) { bytes throws(DecodeError) in
                var (offset, back) = (0, [Int64]())
                defer { #expect(back.count == 0 || back.count == values.count && offset <= bytes.count) }
                try IntegerColumn.read(bytes.span, at: &offset, count: values.count, into: &back)
            }
        }
    }

    /// Every truncation is refused; whatever bit is flipped, reading ends with the values asked for or an error.
    static func damage(_ bytes: [UInt8], _ read: ([UInt8]) throws(DecodeError) -> Void) {
        // Long columns are cut and flipped at some places only: each try reads a whole column.
        let stride = max(1, bytes.count / 150)
        for length in Swift.stride(from: 0, to: bytes.count, by: stride) {
            #expect(throws: DecodeError.self, "cut at \(length)") { try read(Array(bytes[..<length])) }
        }
        for bit in Swift.stride(from: 0, to: bytes.count * 8, by: bytes.count < 64 ? 1 : stride * 5) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try? read(damaged)
        }
    }
}
