private import CZstd

/// Expands Zstandard frames (RFC 8878) by a context that is kept from frame to frame.
///
/// It belongs to one thread at a time.
package final class ZstdDecompressor {
    private let context: OpaquePointer?

    package init() {
        context = ZSTD_createDCtx()
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Appends the content of `frames`, one or several frames that hold exactly `byteCount` bytes between them.
    ///
    /// Nothing beyond `byteCount` is allocated, whatever the frames claim; where it throws, `bytes` is as before.
    ///
    /// - Throws: ``DecompressionError`` where the frames are damaged, cut short, or hold more or less.
    package func append(
        _ frames: Span<UInt8>, byteCount: Int, to bytes: inout [UInt8]
    ) throws(DecompressionError) {
        guard byteCount >= 0 else { throw .malformed(offset: 0, message: "a content of \(byteCount) bytes") }
        // zstd expands a byte to at most 128 KiB of content (a block that repeats one byte takes 4 bytes with its header), so that a
        // damaged size is seen before it is allocated.
        guard byteCount / Self.ratioMax <= frames.count else {
            throw .malformed(offset: 0, message: "\(frames.count) bytes cannot hold \(byteCount) bytes")
        }
        var failure: DecompressionError?
        frames.withUnsafeBytes { input in
            bytes.append(addingCapacity: byteCount) { output in
                output.withUnsafeMutableBufferPointer { room, count in
                    // SAFETY: zstd is told how much room there is (`byteCount`), and both buffers outlive the call.
                    let start = room.baseAddress.map { UnsafeMutableRawPointer($0 + count) }
                    let written =
                        if let context {
                            ZSTD_decompressDCtx(context, start, byteCount, input.baseAddress, input.count)
                        } else {
                            ZSTD_decompress(start, byteCount, input.baseAddress, input.count)
                        }
                    if ZSTD_isError(written) != 0 {
                        failure = .malformed(offset: 0, message: Zstd.name(written))
                    } else if written != byteCount {
                        failure = .malformed(offset: 0, message: "\(written) bytes of content, not \(byteCount)")
                    } else {
                        count += written
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    /// A block of 128 KiB (RFC 8878, 3.1.1.2.4: the largest) takes at least 4 bytes.
    private static let ratioMax = 128 * 1024 / 4
}
