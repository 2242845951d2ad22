private import CZstd

/// zstd's decoder of one frame.
final class ZstdMember: DecompressionMember {
    private let stream: OpaquePointer?

    init() {
        stream = ZSTD_createDStream()
        precondition(stream != nil, "zstd could not start a stream")
        ZSTD_initDStream(stream)
    }

    deinit {
        ZSTD_freeDStream(stream)
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, offset: Int
    ) throws(DecompressionError) -> Step {
        // SAFETY: zstd is told exactly how long both buffers are, and keeps neither beyond this call.
        var inBuffer = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var outBuffer = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let left = ZSTD_decompressStream(stream, &outBuffer, &inBuffer)
        guard ZSTD_isError(left) == 0 else {
            throw .malformed(offset: offset + inBuffer.pos, message: Zstd.name(left))
        }
        return (inBuffer.pos, outBuffer.pos, left == 0)
    }

    /// zstd begins a new frame by itself.
    func restart(offset: Int) throws(DecompressionError) {}
}
