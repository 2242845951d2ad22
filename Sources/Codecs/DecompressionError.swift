/// Why compressed bytes could not be expanded.
package enum DecompressionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The content is larger than allowed; nothing beyond the limit was kept.
    case tooLarge(limit: Int)
    /// The bytes are not what the encoding asks for, from about this offset on.
    case malformed(offset: Int, message: String)

    package var description: String {
        switch self {
        case .tooLarge(let limit): "the content is larger than the limit of \(limit) bytes once decompressed"
        case .malformed(let offset, let message): "byte \(offset) of the compressed content: \(message)"
        }
    }
}
