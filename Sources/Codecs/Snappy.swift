private import CSnappy

/// Snappy's block format: the content's length as a varint, then literals and copies.
enum Snappy {
    /// No element expands further: a copy of 3 bytes makes at most 64, which is 21.4 times as much.
    private static let ratioMax = 22

    static func compress(_ bytes: Span<UInt8>) -> [UInt8] {
        let bound = snappy_max_compressed_length(bytes.count)
        return bytes.withUnsafeBufferPointer { input in
            input.withMemoryRebound(to: CChar.self) { input in
                [UInt8](unsafeUninitializedCapacity: bound) { output, count in
                    output.withMemoryRebound(to: CChar.self) { output in
                        // SAFETY: `output` holds the bound that snappy asks for, and both buffers outlive the call.
                        count = bound
                        let status = snappy_compress(input.baseAddress, input.count, output.baseAddress, &count)
                        precondition(status == SNAPPY_OK, "snappy failed with room enough")
                    }
                }
            }
        }
    }

    static func decompress(_ bytes: Span<UInt8>, byteCountMax: Int) throws(DecompressionError) -> [UInt8] {
        // The header says how long the content is: looked at before anything is allocated.
        var headerByteCount = 0
        let length: UInt64
        do {
            length = try Varint.read(bytes, at: &headerByteCount)
        } catch {
            throw .malformed(offset: 0, message: "the content's length is missing or broken: \(error.message)")
        }
        guard length <= UInt32.max else { throw .malformed(offset: 0, message: "the content's length exceeds 32 bits") }
        if length > UInt64(max(0, byteCountMax)) { throw .tooLarge(limit: byteCountMax) }
        let byteCount = Int(length)
        guard byteCount <= (bytes.count - headerByteCount) * ratioMax else {
            throw .malformed(offset: 0, message: "\(bytes.count) bytes cannot hold the \(byteCount) bytes that they announce")
        }
        var isWhole = false
        let content = bytes.withUnsafeBufferPointer { input in
            input.withMemoryRebound(to: CChar.self) { input in
                [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
                    output.withMemoryRebound(to: CChar.self) { output in
                        // SAFETY: `output` holds what the header announced, which is what snappy checks before it writes.
                        var length = byteCount
                        let status = snappy_uncompress(input.baseAddress, input.count, output.baseAddress, &length)
                        isWhole = status == SNAPPY_OK && length == byteCount
                        count = isWhole ? byteCount : 0
                    }
                }
            }
        }
        guard isWhole else {
            throw .malformed(offset: headerByteCount, message: "the snappy block is damaged or cut short")
        }
        return content
    }
}
