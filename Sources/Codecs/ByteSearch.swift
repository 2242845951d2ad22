private import CIntrinsics
private import Glibc

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

    /// Whether `bytes` holds `needle`; an empty needle is everywhere.
    package static func contains(_ bytes: UnsafeBufferPointer<UInt8>, _ needle: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = needle.baseAddress, needle.count > 0 else { return true }
        guard let start = bytes.baseAddress, bytes.count >= needle.count else { return false }
        // SAFETY: both buffers are valid for their counts during the call.
        return apus_memmem(start, bytes.count, first, needle.count) != nil
    }

    /// Whether two buffers hold the same bytes.
    package static func isEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        guard let start = left.baseAddress, let other = right.baseAddress else { return true }
        // SAFETY: both buffers are valid for their counts during the call.
        return memcmp(start, other, left.count) == 0
    }

    /// Where `needle`, which is not empty, begins first in `bytes`; nil where it does not occur.
    package static func offset(of needle: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let first = needle.baseAddress, let start = bytes.baseAddress, bytes.count >= needle.count else { return nil }
        // SAFETY: both buffers are valid for their counts during the call.
        guard let found = apus_memmem(start, bytes.count, first, needle.count) else { return nil }
        return found - UnsafeRawPointer(start)
    }
}
