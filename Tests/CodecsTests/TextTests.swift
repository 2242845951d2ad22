import Codecs
import TestSupport
import Testing

@Suite("Text of bytes")
struct TextTests {
    @Test(
        "finds the first byte that is no UTF-8",
        arguments: [
            ([], nil), ([0x61], nil), (Array("plain ascii of more than eight".utf8), nil), (Array("żółw \u{1F426} \u{800} \u{ffff} \u{10ffff} \0".utf8), nil),
            ([0x61, 0x80], 1), ([0xc0, 0x80], 0), ([0xc1, 0xbf], 0), ([0xc2], 0), ([0xc2, 0x41], 0), ([0xe0, 0x9f, 0xbf], 0), ([0xed, 0xa0, 0x80], 0),
            ([0xe2, 0x82], 0), ([0xe2, 0x82, 0x41], 0), ([0xf0, 0x8f, 0xbf, 0xbf], 0), ([0xf4, 0x90, 0x80, 0x80], 0), ([0xf5, 0x80, 0x80, 0x80], 0),
            ([0xff], 0), (Array("12345678".utf8) + [0xf0, 0x9f, 0x90], 8), (Array("123456789".utf8) + [0xc3, 0xbc, 0xbf], 11),
        ] as [([UInt8], Int?)])
    func firstInvalid(bytes: [UInt8], expected: Int?) {
        #expect(bytes.span.firstInvalidUTF8(0..<bytes.count) == expected)
        #expect(bytes.span.validText(0..<bytes.count) == String(validating: bytes, as: UTF8.self))
    }

    @Test("agrees with the standard library on whatever bytes", arguments: UInt64(0)..<20)
    func agrees(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let likely: [UInt8] = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4]
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in likely.randomElement(using: &random) ?? 0 }
            #expect(bytes.span.validText(0..<bytes.count) == String(validating: bytes, as: UTF8.self), "\(bytes)")
        }
    }
}
