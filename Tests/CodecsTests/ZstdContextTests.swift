import Codecs
import TestSupport
import Testing

@Suite("zstd contexts")
struct ZstdContextTests {
    static func content(_ byteCount: Int, seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next() & 15) }
    }

    @Test("one compressor and one decompressor serve frame after frame, at any level", arguments: [-5, 1, 3, 9, 19, 100])
    func reuse(level: Int) throws {
        let (compressor, decompressor) = (ZstdCompressor(), ZstdDecompressor())
        var (bytes, whole): ([UInt8], [UInt8]) = ([1, 2, 3], [])
        var frames: [(range: Range<Int>, byteCount: Int)] = []
        for byteCount in [0, 1, 300, 70_000, 5] {
            let plain = Self.content(byteCount, seed: UInt64(byteCount))
            let start = bytes.count
            let written = compressor.append(plain.span, level: level, to: &bytes)
            frames.append((start..<start + written, byteCount))
            whole += plain
        }
        #expect(bytes.count == frames.last?.range.upperBound)
        #expect(bytes[..<3] == [1, 2, 3])
        var back: [UInt8] = []
        for frame in frames {
            try decompressor.append(bytes.span.extracting(frame.range), byteCount: frame.byteCount, to: &back)
        }
        #expect(back == whole)
    }

    @Test("several frames one after the other are one content")
    func frames() throws {
        var bytes: [UInt8] = []
        ZstdContexts.withCompressor { compressor in
            compressor.append([1, 2, 3].span, level: 1, to: &bytes)
            compressor.append([4, 5].span, level: 1, to: &bytes)
        }
        var back: [UInt8] = [9]
        try ZstdContexts.withDecompressor { (decompressor) throws(DecompressionError) in
            try decompressor.append(bytes.span, byteCount: 5, to: &back)
        }
        #expect(back == [9, 1, 2, 3, 4, 5])
    }

    @Test("a frame of another size, cut short or damaged is refused and appends nothing")
    func damage() {
        let plain = Self.content(400, seed: 1)
        var frame: [UInt8] = []
        ZstdCompressor().append(plain.span, level: 3, to: &frame)
        let decompressor = ZstdDecompressor()
        func isRefused(_ bytes: [UInt8], _ byteCount: Int) -> Bool {
            var back: [UInt8] = [7]
            do throws(DecompressionError) {
                try decompressor.append(bytes.span, byteCount: byteCount, to: &back)
                return false
            } catch {
                return back == [7]
            }
        }
        for byteCount in [-1, 0, 399, 401, .max] { #expect(isRefused(frame, byteCount), "as \(byteCount) bytes") }
        for length in 0..<frame.count { #expect(isRefused(Array(frame[..<length]), 400), "cut at \(length)") }
        for bit in 0..<frame.count * 8 {
            var damaged = frame
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var back: [UInt8] = []
            try? decompressor.append(damaged.span, byteCount: 400, to: &back)
            #expect(back.isEmpty || back.count == 400)
        }
        #expect(!isRefused(frame, 400))
    }
}
