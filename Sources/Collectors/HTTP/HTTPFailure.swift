/// Why a request got no answer.
package struct HTTPFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A secret or certificate that the options name cannot be used.
        case options
        /// No whole answer in time.
        case timedOut
        /// No connection, or one that broke.
        case unreachable
        /// The body is larger than allowed.
        case tooLarge
        /// More redirects than are followed.
        case redirects
        /// The server of tokens refused.
        case unauthorized
        case cancelled
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
