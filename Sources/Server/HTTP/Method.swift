/// The HTTP methods that a route may answer.
package enum Method: String, Sendable, Hashable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case options = "OPTIONS"

    /// Whether it may change something (RFC 9110, section 9.2.1): browsers must prove their origin for these.
    package var isSafe: Bool {
        switch self {
        case .get, .head, .options: true
        case .post, .put, .delete: false
        }
    }
}
