private import CIntrinsics

/// CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4), by the CPU's instruction where there is one.
package enum CRC32C {
    /// The checksum of `bytes`.
    ///
    /// - Parameter crc: the checksum of what came before `bytes`, to continue from.
    package static func checksum(_ bytes: Span<UInt8>, continuing crc: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBufferPointer { checksum(UnsafeRawBufferPointer($0), continuing: crc) }
    }

    /// The checksum of `bytes`.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return crc }
        // SAFETY: the buffer is valid for `bytes.count` bytes during the call, and C keeps no pointer.
        return apus_crc32c(crc, start, bytes.count)
    }
}
