/// Expands a compressed stream piece by piece: files that are too large to be held whole.
///
/// It belongs to one thread at a time.
package final class DecompressionStream {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case gzip = "gz"
        /// RFC 1950.
        case zlib = "z"
        case bzip2 = "bz2"
        case zstd = "zst"
    }

    private let member: any DecompressionMember
    /// Whether the input may end here: nothing was fed, or all that was ended with a member.
    package private(set) var isAtMemberEnd = true
    /// Bytes consumed so far.
    private var consumed = 0

    package init(_ format: Format) {
        switch format {
        case .gzip: member = InflateMember(.gzip)
        case .zlib: member = InflateMember(.zlib)
        case .bzip2: member = Bzip2Member()
        case .zstd: member = ZstdMember()
        }
    }

    /// Appends what the next bytes of the input expand to. Members (gzip's, bzip2's streams, Zstandard's frames) follow one another
    /// without end.
    ///
    /// - Parameter byteCountMax: append no more than this; the rest comes with the next call, which may feed no bytes.
    /// - Returns: how many bytes of `input` it took; the rest is to be fed again.
    /// - Throws: ``DecompressionError/malformed(offset:message:)`` with the offset within the whole input.
    package func append(
        _ input: Span<UInt8>, to output: inout [UInt8], byteCountMax: Int
    ) throws(DecompressionError) -> Int {
        var taken = 0
        var room = byteCountMax
        var chunk = [UInt8](repeating: 0, count: min(max(byteCountMax, 1), Compression.chunkByteCount))
        while room > 0 {
            let step = input.withUnsafeBufferPointer { input in
                chunk.withUnsafeMutableBufferPointer { chunk in
                    let wanted = UnsafeMutableBufferPointer(rebasing: chunk[..<min(room, chunk.count)])
                    return Result { () throws(DecompressionError) in
                        try member.step(UnsafeBufferPointer(rebasing: input[taken...]), wanted, offset: consumed)
                    }
                }
            }
            let (read, written, hasEnded) = try step.get()
            taken += read
            consumed += read
            room -= written
            output.append(contentsOf: chunk[..<written])
            if read > 0 || written > 0 { isAtMemberEnd = hasEnded }
            if hasEnded {
                if taken == input.count { break }
                try member.restart(offset: consumed)
                continue
            }
            if read == 0, written == 0 { break }
        }
        return taken
    }
}

/// One library's decoder.
protocol DecompressionMember: AnyObject {
    typealias Step = (read: Int, written: Int, hasEnded: Bool)

    /// Expands as much as there is input and room for.
    ///
    /// - Parameter offset: where `input` starts in the whole input, for errors.
    func step(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, offset: Int
    ) throws(DecompressionError) -> Step
    /// Begins the next member.
    func restart(offset: Int) throws(DecompressionError)
}
