private import CDeflate
import Synchronization

/// Compression into gzip's and zlib's formats by libdeflate, which takes a third of zlib's time for what is at hand as a whole.
enum Deflate {
    /// The compressors that wait for work, by level: one takes some 100 KiB that are better not asked for anew each time.
    private static let idle = Mutex<[Int32: [Compressor]]>([:])
    /// How many of a level wait at most.
    private static let idleCountMax = 4

    /// - Parameter level: 1…9; others are taken for the nearest.
    static func compress(_ bytes: Span<UInt8>, isGzip: Bool, level: Int) -> [UInt8] {
        let level = Int32(min(max(level, 1), 9))
        let compressor = idle.withLock { $0[level]?.popLast() } ?? Compressor(level)
        defer {
            idle.withLock { idle in
                if idle[level, default: []].count < idleCountMax { idle[level, default: []].append(compressor) }
            }
        }
        return compressor.compress(bytes, isGzip: isGzip)
    }

    /// SAFETY: `@unchecked` because of the pointer; a compressor is used by the one that took it from the idle ones.
    private final class Compressor: @unchecked Sendable {
        private let handle: OpaquePointer

        init(_ level: Int32) {
            guard let handle = libdeflate_alloc_compressor(level) else { preconditionFailure("no memory for a compressor") }
            self.handle = handle
        }

        deinit {
            libdeflate_free_compressor(handle)
        }

        func compress(_ bytes: Span<UInt8>, isGzip: Bool) -> [UInt8] {
            bytes.withUnsafeBufferPointer { input in
                let bound = isGzip ? libdeflate_gzip_compress_bound(handle, input.count) : libdeflate_zlib_compress_bound(handle, input.count)
                return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
                    // SAFETY: both buffers outlive the call, and libdeflate is told exactly how long they are.
                    count =
                        isGzip
                        ? libdeflate_gzip_compress(handle, input.baseAddress, input.count, output.baseAddress, output.count)
                        : libdeflate_zlib_compress(handle, input.baseAddress, input.count, output.baseAddress, output.count)
                }
            }
        }
    }
}
