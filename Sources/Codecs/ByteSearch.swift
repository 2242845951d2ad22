private import CIntrinsics

/// Substring search over bytes, by glibc's `memmem`.
package enum ByteSearch {
    /// Whether `bytes[range]` holds `needle`; an empty needle is everywhere.
    package static func contains(_ bytes: [UInt8], _ range: Range<Int>, _ needle: [UInt8]) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        if needle.isEmpty { return true }
        return bytes.withUnsafeBytes { all in
            needle.withUnsafeBytes { wanted in
                // SAFETY: `range` lies inside `bytes` (checked above); both buffers outlive the call.
                guard let start = all.baseAddress, let first = wanted.baseAddress else { return false }
                return apus_memmem(start + range.lowerBound, range.count, first, wanted.count) != nil
            }
        }
    }
}
