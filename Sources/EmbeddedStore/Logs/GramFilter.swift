import Codecs

/// Which short pieces occur in a text: so that a block is skipped that cannot hold what is looked for, wherever in a word it may stand.
///
/// Two kinds of pieces are noted, each by one bit of a bitmap: all three bytes in a row; and half (chosen by the hash, so that the
/// reader chooses the same) of all eight hexadecimal digits in a row, for among random ids every three digits occur. The bitmap is
/// as small as it can be while at most half of its bits are set. Byte for byte: docs/format/logs.md, "Gram filter".
struct GramFilter: Sendable, Hashable {
    /// A power of two of bits, at least 64; empty: anything may occur.
    let words: [UInt64]

    private static let bitCountLog = 17
    private static let wordCountMax = 1 << (bitCountLog - 6)

    init(words: [UInt64]) {
        self.words = words
    }

    /// Notes the pieces of all `slices`.
    init(_ base: UnsafePointer<UInt8>, _ slices: some Sequence<ValueSlice>) {
        // A text has at most two pieces a byte: it is begun as small as it would be folded to in any case.
        let pieceCountMax = 2 * slices.reduce(0) { $0 + $1.count }
        var wordCount = Self.wordCountMax
        while wordCount > 1, pieceCountMax <= wordCount / 2 * 32 { wordCount /= 2 }
        let mask = UInt32(truncatingIfNeeded: wordCount * 64 - 1)
        var words = [UInt64](repeating: 0, count: wordCount)
        words.withUnsafeMutableBufferPointer { words in
            guard let words = words.baseAddress else { return }
            for slice in slices {
                Self.note(UnsafeBufferPointer(start: base + slice.start, count: slice.count), in: words, mask)
            }
        }
        var count = words.count
        while count > 1 {
            var setCount = 0
            for word in 0..<count / 2 { setCount += (words[word] | words[word + count / 2]).nonzeroBitCount }
            guard setCount <= count / 2 * 32 else { break }
            for word in 0..<count / 2 { words[word] |= words[word + count / 2] }
            count /= 2
        }
        self.words = Array(words[..<count])
    }

    /// Whether all pieces of `needle` occur.
    func mayHold(_ needle: ArraySlice<UInt8>) -> Bool {
        if words.isEmpty { return true }
        let mask = UInt32(truncatingIfNeeded: words.count * 64 - 1)
        return needle.withUnsafeBufferPointer { needle in
            Self.forEachGram(needle) { index in
                let index = index & mask
                return words[Int(index >> 6)] & 1 << UInt64(index & 63) != 0
            }
        }
    }

    /// Sets the bit of each piece: those that ``forEachGram(_:_:)`` names.
    ///
    /// - Parameter mask: one less than the bits that there are.
    private static func note(_ text: UnsafeBufferPointer<UInt8>, in words: UnsafeMutablePointer<UInt64>, _ mask: UInt32) {
        // SAFETY: the mask leaves indices of bits that there are.
        @inline(__always) func set(_ index: UInt32) { words[Int((index & mask) &>> 6)] |= 1 &<< UInt64(index & mask & 63) }
        let bytes = UnsafeRawBufferPointer(text)
        guard text.count >= 3 else { return }
        // Three bytes in a row are the lower ones of four, as long as there are four.
        for start in 0..<text.count - 3 {
            let four = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            set(index(gram: four & 0xff_ffff))
        }
        let last = text.count - 3
        let gram = UInt32(text[last]) | UInt32(text[last + 1]) &<< 8 | UInt32(text[last + 2]) &<< 16
        set(index(gram: gram))
        guard text.count >= 8 else { return }
        DigitPattern.values.withUnsafeBufferPointer { values in
            var (digits, digitCount) = (UInt32(0), 0)
            for byte in text {
                let digit = values[Int(byte)]
                guard digit < 16 else {
                    digitCount = 0
                    continue
                }
                digits = digits &<< 4 | UInt32(digit)
                digitCount &+= 1
                if digitCount >= 8, let index = index(digits: digits) { set(index) }
            }
        }
    }

    /// The bit of three bytes.
    @inline(__always)
    private static func index(gram: UInt32) -> UInt32 { (gram &* 0x9e37_79b1) &>> UInt32(32 - bitCountLog) }

    /// The bit of eight digits; nil for the half that is not noted.
    @inline(__always)
    private static func index(digits: UInt32) -> UInt32? {
        let hash = (digits ^ digits &>> 15) &* 0x85eb_ca6b
        return hash & 1 == 0 ? hash &>> UInt32(32 - bitCountLog) : nil
    }

    /// Calls `body` with the bit of each piece until it returns false; whether it never did.
    @inline(__always)
    @discardableResult
    private static func forEachGram(_ text: UnsafeBufferPointer<UInt8>, _ body: (UInt32) -> Bool) -> Bool {
        var (gram, digits, digitCount) = (UInt32(0), UInt32(0), 0)
        for place in 0..<text.count {
            let byte = text[place]
            gram = gram &>> 8 | UInt32(byte) &<< 16
            if place >= 2, !body(index(gram: gram)) { return false }
            let digit = byte &- 0x30
            let letter = byte &- 0x61
            guard digit < 10 || letter < 6 else {
                digitCount = 0
                continue
            }
            digits = digits &<< 4 | UInt32(digit < 10 ? digit : letter &+ 10)
            digitCount &+= 1
            if digitCount >= 8, let index = index(digits: digits), !body(index) { return false }
        }
        return true
    }
}
