private import CZstd

/// Zstandard (RFC 8878).
enum Zstd {
    /// The largest window that HTTP clients may use (RFC 9659): 8 MiB. The window is allocated as soon as a header asks for it.
    private static let windowLogMax: Int32 = 23

    static func compress(_ bytes: Span<UInt8>, level: Int) -> [UInt8] {
        var compressed: [UInt8] = []
        ZstdContexts.withCompressor { _ = $0.append(bytes, level: level, to: &compressed) }
        return compressed
    }

    static func decompress(_ bytes: Span<UInt8>, byteCountMax: Int) throws(DecompressionError) -> [UInt8] {
        if let byteCount = byteCountOfOnlyFrame(bytes) {
            if byteCount > UInt64(max(0, byteCountMax)) { throw .tooLarge(limit: byteCountMax) }
            return try ZstdContexts.withDecompressor { (decompressor) throws(DecompressionError) in
                var content: [UInt8] = []
                try decompressor.append(bytes, byteCount: Int(byteCount), to: &content)
                return content
            }
        }
        guard let context = ZSTD_createDCtx() else {
            throw .malformed(offset: 0, message: "zstd could not start for lack of memory")
        }
        defer { ZSTD_freeDCtx(context) }
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogMax)
        let result = bytes.withUnsafeBufferPointer { input in
            Result { () throws(DecompressionError) in
                try decompressAll(input, context, byteCountMax: byteCountMax)
            }
        }
        return try result.get()
    }

    /// What one frame says that it holds; nil where it does not say, or where it is not alone.
    private static func byteCountOfOnlyFrame(_ bytes: Span<UInt8>) -> UInt64? {
        bytes.withUnsafeBytes { input in
            // SAFETY: zstd reads no further than the count it is given.
            let byteCount = ZSTD_getFrameContentSize(input.baseAddress, input.count)
            // The two greatest numbers mean "not said" and "no frame".
            guard byteCount < UInt64.max - 1 else { return nil }
            return ZSTD_findFrameCompressedSize(input.baseAddress, input.count) == input.count ? byteCount : nil
        }
    }

    private static func decompressAll(
        _ input: UnsafeBufferPointer<UInt8>, _ context: OpaquePointer, byteCountMax: Int
    ) throws(DecompressionError) -> [UInt8] {
        var output: [UInt8] = []
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var chunk = [UInt8](repeating: 0, count: Compression.chunkByteCount)
        // zstd answers how much it still wants of the frame: 0 at a frame's end. A body without any frame is cut short too.
        var wanted = 1
        while true {
            let before = source.pos
            let written = chunk.withUnsafeMutableBufferPointer { chunk in
                // SAFETY: both buffers outlive the call, and zstd is told exactly how long they are.
                var target = ZSTD_outBuffer(dst: chunk.baseAddress, size: chunk.count, pos: 0)
                wanted = ZSTD_decompressStream(context, &target, &source)
                return target.pos
            }
            if ZSTD_isError(wanted) != 0 { throw .malformed(offset: before, message: name(wanted)) }
            if output.count + written > byteCountMax { throw .tooLarge(limit: byteCountMax) }
            output.append(contentsOf: chunk[..<written])
            if source.pos == source.size {
                if wanted == 0 { return output }
                // A full chunk may have more behind it without any further input.
                if written < chunk.count {
                    throw .malformed(offset: source.pos, message: "the compressed stream is cut short")
                }
            }
        }
    }

    static func name(_ code: Int) -> String {
        String(cString: ZSTD_getErrorName(code))
    }
}
