import CIntrinsics

/// Searching for a fixed run of bytes.
package struct Substring: Sendable, Hashable {
    /// What is searched for; in lower case where case is ignored.
    package let needle: [UInt8]
    /// Whether the 26 ASCII letters match in either case. Other letters match as they are.
    package let ignoresASCIICase: Bool
    /// The byte of ``needle`` that lines hold least often, and where it stands: what a search without case looks for first.
    private let rareOffset: Int

    package init(_ text: some StringProtocol, ignoresASCIICase: Bool = false) {
        self.init(bytes: Array(text.utf8), ignoresASCIICase: ignoresASCIICase)
    }

    package init(bytes: [UInt8], ignoresASCIICase: Bool = false) {
        self.ignoresASCIICase = ignoresASCIICase
        needle = ignoresASCIICase ? bytes.map(Self.lowercase) : bytes
        // Letters are common in lines, digits and punctuation less so.
        rareOffset = needle.firstIndex { !(0x61...0x7a).contains($0) && $0 != 0x20 } ?? 0
    }

    package func isContained(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { firstOffset(in: $0, from: 0) != nil }
    }

    package func isContained(in bytes: Span<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { firstOffset(in: $0, from: 0) != nil }
    }

    /// Where the needle begins first, at or after byte `start`; an empty needle begins everywhere.
    package func firstOffset(in bytes: Span<UInt8>, from start: Int = 0) -> Int? {
        bytes.withUnsafeBufferPointer { firstOffset(in: $0, from: start) }
    }

    private func firstOffset(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard start >= 0, start <= bytes.count, needle.count <= bytes.count - start else { return nil }
        guard !needle.isEmpty else { return start }
        return ignoresASCIICase ? firstFoldedOffset(in: bytes, from: start) : firstExactOffset(in: bytes, from: start)
    }

    private func firstExactOffset(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        return needle.withUnsafeBufferPointer { needle in
            // SAFETY: start <= bytes.count, checked by the caller; memmem reads only the two ranges given.
            guard let found = apus_memmem(base + start, bytes.count - start, needle.baseAddress, needle.count) else { return nil }
            return found - UnsafeRawPointer(base)
        }
    }

    private func firstFoldedOffset(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        let last = bytes.count - needle.count
        let rare = needle[rareOffset]
        var offset = start
        while offset <= last {
            if Self.lowercase(bytes[offset + rareOffset]) == rare, matches(bytes, at: offset) { return offset }
            offset += 1
        }
        return nil
    }

    private func matches(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
        for index in needle.indices where Self.lowercase(bytes[offset + index]) != needle[index] { return false }
        return true
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
    }
}
