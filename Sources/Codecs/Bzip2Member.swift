private import CBzip2

/// libbz2's decoder of one bzip2 stream.
final class Bzip2Member: DecompressionMember {
    /// On the heap, for libbz2's state points back to it.
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)

    init() {
        stream.initialize(to: bz_stream())
        let status = BZ2_bzDecompressInit(stream, 0, 0)
        precondition(status == BZ_OK, "libbz2 could not start a stream: \(status)")
    }

    deinit {
        BZ2_bzDecompressEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, offset: Int
    ) throws(DecompressionError) -> Step {
        let inputCount = min(input.count, Int(Int32.max))
        // SAFETY: libbz2 is told exactly how long both buffers are, only reads `next_in`, and keeps neither beyond this call.
        stream.pointee.next_in = input.baseAddress.map {
            UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: CChar.self)
        }
        stream.pointee.avail_in = UInt32(inputCount)
        stream.pointee.next_out = output.baseAddress.map {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: CChar.self)
        }
        stream.pointee.avail_out = UInt32(output.count)
        let status = BZ2_bzDecompress(stream)
        let read = inputCount - Int(stream.pointee.avail_in)
        let written = output.count - Int(stream.pointee.avail_out)
        switch status {
        case BZ_STREAM_END: return (read, written, true)
        case BZ_OK: return (read, written, false)
        case BZ_DATA_ERROR_MAGIC: throw .malformed(offset: offset, message: "no bzip2 stream begins here")
        case BZ_DATA_ERROR: throw .malformed(offset: offset + read, message: "the bzip2 stream is damaged")
        default: throw .malformed(offset: offset + read, message: "libbz2's status is \(status)")
        }
    }

    func restart(offset: Int) throws(DecompressionError) {
        BZ2_bzDecompressEnd(stream)
        stream.pointee = bz_stream()
        let status = BZ2_bzDecompressInit(stream, 0, 0)
        guard status == BZ_OK else { throw .malformed(offset: offset, message: "libbz2's status is \(status)") }
    }
}
