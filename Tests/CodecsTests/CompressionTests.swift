import Codecs
import TestSupport
import Testing

@Suite("Compression")
struct CompressionTests {
    static let contents: [[UInt8]] = {
        var random = SplitMix64(seed: 7)
        return [
            [], [42], Array("the common swift".utf8), [UInt8](repeating: 0, count: 300_000),
            (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next()) },
            (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next() & 3) },
        ]
    }()

    @Test("expands what it compressed", arguments: Compression.allCases, contents.indices)
    func roundTrip(compression: Compression, index: Int) throws {
        let content = Self.contents[index]
        let compressed = compression.compress(content.span)
        let isSame = try compression.decompress(compressed.span, byteCountMax: content.count) == content
        #expect(isSame)
    }

    @Test("stops at the limit", arguments: Compression.allCases, [1, 100, 65_536, 299_999])
    func bomb(compression: Compression, limit: Int) {
        let compressed = compression.compress([UInt8](repeating: 0, count: 300_000).span)
        #expect(throws: DecompressionError.tooLarge(limit: limit)) {
            try compression.decompress(compressed.span, byteCountMax: limit)
        }
    }

    @Test("never takes a truncated body for a whole one", arguments: [Compression.gzip, .deflate, .zstd, .snappy])
    func truncations(compression: Compression) {
        let compressed = compression.compress(Array("a body long enough to be cut anywhere: 0123456789 0123456789".utf8).span)
        for count in 0..<compressed.count {
            #expect(throws: DecompressionError.self, "cut at \(count)") {
                try compression.decompress(Array(compressed[..<count]).span, byteCountMax: 1_000)
            }
        }
    }

    @Test("survives every flipped bit", arguments: [Compression.gzip, .deflate, .zstd, .snappy])
    func bitFlips(compression: Compression) {
        let compressed = compression.compress(Array("bits flip on their way: abababababababab".utf8).span)
        for bit in 0..<compressed.count * 8 {
            var damaged = compressed
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let content = try? compression.decompress(damaged.span, byteCountMax: 1_000)
            #expect(content.map { $0.count <= 1_000 } ?? true)
        }
    }

    @Test("reads all members of a gzip body and all frames of a zstd one", arguments: [Compression.gzip, .zstd])
    func members(compression: Compression) throws {
        let (first, second) = (Array("first ".utf8), Array("second".utf8))
        let body = compression.compress(first.span) + compression.compress(second.span)
        #expect(try compression.decompress(body.span, byteCountMax: 100) == first + second)
    }

    @Test("refuses rubbish after the end", arguments: [Compression.gzip, .deflate, .zstd])
    func trailing(compression: Compression) {
        let body = compression.compress(Array("content".utf8).span) + Array("rubbish".utf8)
        #expect(throws: DecompressionError.self) { try compression.decompress(body.span, byteCountMax: 100) }
    }

    @Test("reads bare deflate where zlib's header is missing")
    func rawDeflate() throws {
        let stored: [UInt8] = [0x01, 0x03, 0x00, 0xfc, 0xff] + Array("abc".utf8)  // RFC 1951, 3.2.4: one stored block
        #expect(try Compression.deflate.decompress(stored.span, byteCountMax: 10) == Array("abc".utf8))
    }

    @Test("does not believe a snappy header that announces more than its bytes can hold")
    func snappyHeader() {
        var body: [UInt8] = []
        Varint.append(1 << 30, to: &body)
        body += [0, 0]
        #expect(throws: DecompressionError.self) { try Compression.snappy.decompress(body.span, byteCountMax: .max) }
    }

    @Test("refuses a zstd window larger than HTTP allows")
    func zstdWindow() {
        // Magic number, a frame header without single segment, and a window of 2^(10+21) bytes.
        let body: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00]
        #expect(throws: DecompressionError.self) { try Compression.zstd.decompress(body.span, byteCountMax: .max) }
    }

    @Test(
        "knows the names of Content-Encoding",
        arguments: [
            ("gzip", .gzip), ("GZIP ", .gzip), ("x-gzip", .gzip), ("", .identity), ("identity", .identity), ("zstd", .zstd),
            ("deflate", .deflate), ("snappy", .snappy), ("br", nil), ("gzip, gzip", nil),
        ] as [(String, Compression?)])
    func names(name: String, expected: Compression?) {
        #expect(Compression.named(contentEncoding: name) == expected)
    }
}
