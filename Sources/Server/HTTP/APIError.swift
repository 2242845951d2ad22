package import Codecs
package import Query
package import Telemetry
import Formats

/// Why a request gets no answer. Its ``Kind`` decides the status; the route's ``ErrorShape`` how the body looks.
package struct APIError: Error, Sendable {
    package enum Kind: Sendable, Hashable {
        /// The request cannot be understood; the message says where it is wrong.
        case badRequest
        case unauthenticated
        /// Authenticated, but the token lacks the scope; or a browser of another origin.
        case forbidden
        case notFound
        case methodNotAllowed
        case tooLarge
        case unsupportedEncoding
        /// The `Host` is none that this server answers for.
        case misdirected
        /// A well-formed query that cannot be evaluated.
        case execution
        case timeout
        case cancelled
        /// Too much is waiting; try again later.
        case overloaded
        case diskFull
        /// Shutting down, or not ready yet.
        case unavailable
        case `internal`
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// 400 in the words of Prometheus' API.
    package static func parameter(_ name: String, _ message: String) -> APIError {
        APIError(.badRequest, "invalid parameter \"\(name)\": \(message)")
    }

    package var status: Int {
        switch kind {
        case .badRequest: 400
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .tooLarge: 413
        case .unsupportedEncoding: 415
        case .misdirected: 421
        case .execution: 422
        case .overloaded: 429
        case .internal: 500
        case .timeout, .cancelled, .unavailable: 503
        case .diskFull: 507
        }
    }

    /// Seconds after which another attempt makes sense; nil where it does not.
    package var retryAfterSeconds: Int? {
        switch kind {
        case .overloaded: 1
        case .unavailable: 5
        case .diskFull: 60
        default: nil
        }
    }
}

extension APIError {
    /// The error of a room below as an answer.
    package init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as QueryError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as FormatError: self.init(.badRequest, error.description)
        case let error as DecompressionError: self.init(error)
        case is CancellationError: self.init(.cancelled, "request was canceled")
        default: self.init(.internal, "\(error)")
        }
    }

    package init(_ error: QueryError) {
        switch error.code {
        case .parse: self.init(.badRequest, error.message)
        case .execution, .limit: self.init(.execution, error.message)
        case .timeout: self.init(.timeout, error.message)
        case .cancelled: self.init(.cancelled, error.message)
        case .storage: self.init(.internal, error.message)
        }
    }

    package init(_ error: StoreError) {
        switch error.code {
        case .diskFull: self.init(.diskFull, error.description)
        case .overloaded: self.init(.overloaded, error.description)
        case .closed: self.init(.unavailable, error.description)
        case .rejected, .invalidPattern: self.init(.badRequest, error.description)
        case .corrupted, .inUse, .system: self.init(.internal, error.description)
        }
    }

    package init(_ error: DecompressionError) {
        switch error {
        case .tooLarge(let limit):
            self.init(.tooLarge, "the body is larger than the limit of \(limit) bytes once decompressed")
        case .malformed(let offset, let message):
            self.init(.badRequest, "cannot decompress the body: \(message) at byte \(offset)")
        }
    }
}
