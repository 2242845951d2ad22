import Codecs
import Testing

@Suite("CRC32C")
struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    static let cases: [(bytes: [UInt8], checksum: UInt32)] = [
        ([], 0),
        (Array("123456789".utf8), 0xe306_9283),
        ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
        ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        (Array(0..<32), 0x46dd_794e),
        (Array((0..<32).reversed()), 0x113f_db5c),
    ]

    @Test("gives the published values", arguments: cases)
    func publishedValues(bytes: [UInt8], checksum: UInt32) {
        #expect(CRC32C.checksum(bytes.span) == checksum)
    }

    @Test("continues from any split", arguments: 0...32)
    func continues(split: Int) {
        let bytes = [UInt8](0..<32)
        let first = CRC32C.checksum(Array(bytes[..<split]).span)
        #expect(CRC32C.checksum(Array(bytes[split...]).span, continuing: first) == 0x46dd_794e)
    }
}
