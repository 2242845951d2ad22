private import CZstd

/// Zstandard frames (RFC 8878) from a context that is kept from frame to frame.
///
/// A fresh context costs more than compressing a block of a few KiB: it is about a MiB of tables. So each writer keeps one of these and hands
/// it block after block. It belongs to one thread at a time, and holds on to the memory of its largest frame.
package final class ZstdCompressor {
    private let context: OpaquePointer?

    package init() {
        context = ZSTD_createCCtx()
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    /// Appends a frame that holds `plain` and says how long it is.
    ///
    /// - Parameter level: 1…22, or below 0 for what is faster still; zstd takes the nearest that it knows.
    /// - Returns: the byte count of the frame.
    @discardableResult
    package func append(_ plain: Span<UInt8>, level: Int, to bytes: inout [UInt8]) -> Int {
        let bound = ZSTD_compressBound(plain.count)
        let before = bytes.count
        plain.withUnsafeBytes { input in
            bytes.append(addingCapacity: bound) { output in
                output.withUnsafeMutableBufferPointer { room, count in
                    // SAFETY: `room` is free for the bound that zstd asks for (its start may lie behind bytes that are there already),
                    // and both buffers outlive the call.
                    let start = room.baseAddress.map { UnsafeMutableRawPointer($0 + count) }
                    let level = Int32(clamping: level)
                    let written =
                        if let context {
                            ZSTD_compressCCtx(context, start, room.count - count, input.baseAddress, input.count, level)
                        } else {
                            ZSTD_compress(start, room.count - count, input.baseAddress, input.count, level)
                        }
                    precondition(ZSTD_isError(written) == 0, "zstd failed with room enough: \(Zstd.name(written))")
                    count += written
                }
            }
        }
        return bytes.count - before
    }
}
