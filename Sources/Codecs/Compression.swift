/// A compression that clients use on request bodies and that answers and files may use.
package enum Compression: String, Sendable, Hashable, CaseIterable {
    case identity
    case gzip
    /// HTTP's "deflate": zlib's format (RFC 1950). Bare deflate (RFC 1951), which some clients send, is read too.
    case deflate
    case zstd
    /// Snappy's block format, without framing: what remote write and Loki's push use.
    case snappy

    /// The compression that a `Content-Encoding` names, whatever its case; nil where it is unknown.
    package static func named(contentEncoding: String) -> Compression? {
        let name = contentEncoding.lowercased().filter { $0 != " " && $0 != "\t" }
        switch name {
        case "": return .identity
        case "x-gzip": return .gzip
        default: return Compression(rawValue: name)
        }
    }

    /// Compresses `bytes`.
    ///
    /// - Parameter level: gzip and deflate 1…9 (default 6), zstd 1…22 (default 3); the others have none.
    package func compress(_ bytes: Span<UInt8>, level: Int? = nil) -> [UInt8] {
        switch self {
        case .identity: bytes.copied
        case .gzip: Deflate.compress(bytes, isGzip: true, level: level ?? 6)
        case .deflate: Deflate.compress(bytes, isGzip: false, level: level ?? 6)
        case .zstd: Zstd.compress(bytes, level: level ?? 3)
        case .snappy: Snappy.compress(bytes)
        }
    }

    /// Expands `bytes`: all gzip members and zstd frames, one after the other.
    ///
    /// Never holds more than `byteCountMax` bytes of content: a bomb stops at the limit, whatever it claims about itself.
    ///
    /// - Throws: ``DecompressionError``.
    package func decompress(_ bytes: Span<UInt8>, byteCountMax: Int) throws(DecompressionError) -> [UInt8] {
        switch self {
        case .identity:
            if bytes.count > byteCountMax { throw .tooLarge(limit: byteCountMax) }
            return bytes.copied
        case .gzip: return try Zlib.decompress(bytes, format: .gzip, byteCountMax: byteCountMax)
        case .deflate:
            let format: Zlib.Format = Zlib.hasZlibHeader(bytes) ? .zlib : .raw
            return try Zlib.decompress(bytes, format: format, byteCountMax: byteCountMax)
        case .zstd: return try Zstd.decompress(bytes, byteCountMax: byteCountMax)
        case .snappy: return try Snappy.decompress(bytes, byteCountMax: byteCountMax)
        }
    }

    /// How much is expanded at a time before the limit is looked at again.
    static let chunkByteCount = 64 * 1024
}
