private import CZlib

/// zlib's decoder of one gzip member or zlib stream.
final class InflateMember: DecompressionMember {
    /// On the heap, for zlib's state points back to it.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init(_ format: Zlib.Format) {
        stream.initialize(to: z_stream())
        let status = inflateInit2_(stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib could not start a stream: \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, offset: Int
    ) throws(DecompressionError) -> Step {
        let inputCount = min(input.count, Int(Int32.max))
        // SAFETY: zlib is told exactly how long both buffers are, only reads `next_in`, and keeps neither beyond this call.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(inputCount)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let status = inflate(stream, Z_NO_FLUSH)
        let read = inputCount - Int(stream.pointee.avail_in)
        let written = output.count - Int(stream.pointee.avail_out)
        switch status {
        case Z_STREAM_END: return (read, written, true)
        case Z_OK, Z_BUF_ERROR: return (read, written, false)
        default:
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's status is \(status)"
            throw .malformed(offset: offset + read, message: reason)
        }
    }

    func restart(offset: Int) throws(DecompressionError) {
        guard inflateReset(stream) == Z_OK else { throw .malformed(offset: offset, message: "zlib could not start over") }
    }
}
