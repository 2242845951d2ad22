import Crypto

extension TemplateFunctions {
    /// Hashes: Sprig's, and Promtail's salted ones.
    static let sprigHashes: [String: Entry] = [
        "sha1sum": hash { Array(Insecure.SHA1.hash(data: $0)) },
        "sha256sum": hash { Array(SHA256.hash(data: $0)) },
        "sha512sum": hash { Array(SHA512.hash(data: $0)) },
        "adler32sum": Entry(1) { arguments, _ in
            var (a, b): (UInt32, UInt32) = (1, 0)
            for byte in arguments[0].text.utf8 {
                a = (a + UInt32(byte)) % 65_521
                b = (b + a) % 65_521
            }
            return .string(String(b << 16 | a))
        },
        // Promtail's: salt first, then the text.
        "Hash": two { hexadecimal(Array(SHA3_256.hash(data: Array(($0 + $1).utf8)))) },
        "Sha2Hash": two { hexadecimal(Array(SHA256.hash(data: Array(($0 + $1).utf8)))) },
    ]

    private static func hash(_ body: @escaping @Sendable ([UInt8]) -> [UInt8]) -> Entry {
        one { hexadecimal(body(Array($0.utf8))) }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
