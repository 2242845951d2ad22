private import CZlib

/// zlib's streams, chunk by chunk, and never more of their content than was asked for.
enum Zlib {
    /// The formats, as zlib's `windowBits` says them.
    enum Format: Int32 {
        case zlib = 15
        case gzip = 31
        case raw = -15
    }

    /// Whether `bytes` start with RFC 1950's header: method 8, and a check that makes both bytes a multiple of 31.
    static func hasZlibHeader(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 2 && bytes[0] & 0x0f == 8 && (UInt16(bytes[0]) << 8 | UInt16(bytes[1])) % 31 == 0
    }

    static func decompress(
        _ bytes: Span<UInt8>, format: Format, byteCountMax: Int
    ) throws(DecompressionError) -> [UInt8] {
        var stream = z_stream()
        let status = inflateInit2_(&stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib could not start a stream: \(status)")
        defer { inflateEnd(&stream) }
        let result = bytes.withUnsafeBufferPointer { input in
            Result { () throws(DecompressionError) in
                try inflateAll(input, &stream, isMultiMember: format == .gzip, byteCountMax: byteCountMax)
            }
        }
        return try result.get()
    }

    /// Inflates member after member. `stream` reads from `input` only within this call.
    private static func inflateAll(
        _ input: UnsafeBufferPointer<UInt8>, _ stream: inout z_stream, isMultiMember: Bool, byteCountMax: Int
    ) throws(DecompressionError) -> [UInt8] {
        var output: [UInt8] = []
        var consumed = 0
        var chunk = [UInt8](repeating: 0, count: Compression.chunkByteCount)
        while true {
            let inputCount = min(input.count - consumed, Int(Int32.max))
            let (status, read, written) = chunk.withUnsafeMutableBufferPointer { chunk in
                // SAFETY: both buffers outlive the call, and zlib is told exactly how long they are. It only reads `next_in`.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + consumed })
                stream.avail_in = UInt32(inputCount)
                stream.next_out = chunk.baseAddress
                stream.avail_out = UInt32(chunk.count)
                let status = inflate(&stream, Z_NO_FLUSH)
                return (status, inputCount - Int(stream.avail_in), chunk.count - Int(stream.avail_out))
            }
            consumed += read
            if output.count + written > byteCountMax { throw .tooLarge(limit: byteCountMax) }
            output.append(contentsOf: chunk[..<written])
            switch status {
            case Z_STREAM_END:
                if consumed == input.count { return output }
                guard isMultiMember, inflateReset(&stream) == Z_OK else {
                    throw .malformed(offset: consumed, message: "\(input.count - consumed) bytes follow the end of the stream")
                }
            case Z_OK where read > 0 || written > 0: continue
            case Z_OK, Z_BUF_ERROR:
                throw .malformed(offset: input.count, message: "the compressed stream is cut short")
            default:
                let reason = stream.msg.map { String(cString: $0) } ?? "zlib's status is \(status)"
                throw .malformed(offset: consumed, message: reason)
            }
        }
    }
}
