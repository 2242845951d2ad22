/// Finds a store's series by the bytes in which a protocol encodes their labels, so that a sender's known series costs one hash and one
/// compare, and no text.
///
/// A decoder looks up the keys of a whole request at once, hands over the handles of those that are known (``MetricBatch/addSeries(known:)``)
/// and decodes the labels only of those that are not (``MetricBatch/addSeries(_:key:)``); the store enters them under their keys.
package protocol SeriesDirectory: Sendable {
    /// What ``SeriesKey/init(_:in:seed:)`` mixes in: random, so that nobody can prepare bytes that collide.
    var seed: SeriesKey.Seed { get }

    /// The handles of `keys`, in their order; ``SeriesHandle/unknown`` for those that are not known.
    func find(_ keys: [SeriesKey]) -> [SeriesHandle]
}

/// A store's name for a series that it has met. It means nothing to any other store, and nothing after a restart.
package struct SeriesHandle: Sendable, Hashable {
    package var value: UInt32

    package init(_ value: UInt32) {
        self.value = value
    }

    package static let unknown = SeriesHandle(.max)
}

/// A 128-bit keyed hash of a label set's encoded bytes.
///
/// Two label sets are taken for one where their keys are equal: with a million series the chance that any two ever are is below 10^-26, and
/// the seed is drawn at random by each process.
package struct SeriesKey: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package struct Seed: Sendable {
        package var words: (UInt64, UInt64, UInt64, UInt64)

        /// Odd words: a multiplication by one never loses the other factor.
        package init(using generator: inout some RandomNumberGenerator) {
            words = (generator.next() | 1, generator.next() | 1, generator.next() | 1, generator.next() | 1)
        }

        package static func random() -> Seed {
            var generator = SystemRandomNumberGenerator()
            return Seed(using: &generator)
        }
    }

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The key of bytes `range` of `bytes`.
    package init(_ range: Range<Int>, in bytes: Span<UInt8>, seed: Seed) {
        self = bytes.extracting(range).withUnsafeBytes { SeriesKey($0, seed: seed) }
    }

    /// Every word goes into two chains of folded 128-bit products with seeds of their own (as wyhash does with one; Wang Yi, 2019).
    @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer, seed: Seed) {
        var (a, b) = (seed.words.0, seed.words.2)
        var offset = 0
        let count = bytes.count
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        while count &- offset >= 16 {
            let (first, second) = (word(offset), word(offset &+ 8))
            a = Self.fold(first ^ a, second ^ seed.words.1)
            b = Self.fold(second ^ b, first ^ seed.words.3)
            offset &+= 16
        }
        var (first, second) = (UInt64(0), UInt64(0))
        var shift: UInt64 = 0
        while offset < count {
            let byte = UInt64(bytes[offset]) &<< (shift & 63)
            if shift < 64 { first |= byte } else { second |= byte }
            shift &+= 8
            offset &+= 1
        }
        a = Self.fold(first ^ a, second ^ seed.words.1)
        b = Self.fold(second ^ b, first ^ seed.words.3)
        let length = UInt64(truncatingIfNeeded: count)
        high = Self.fold(a ^ length, seed.words.2)
        low = Self.fold(b ^ length, seed.words.0)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
