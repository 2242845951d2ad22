import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Settings

extension HTTPFailure {
    static func timedOut(_ request: HTTPTransport.Request, after timeout: Duration) -> HTTPFailure {
        HTTPFailure(
            .timedOut,
            "\(request.verb) \"\(request.url)\": context deadline exceeded: no whole answer within \(timeout.seconds) s")
    }

    /// What a client's error means, in the words of those who run the target.
    init(_ cause: any Error, of request: HTTPTransport.Request) {
        let prefix = "\(request.verb) \"\(request.unixSocket.map { "unix://\($0) " } ?? "")\(request.url)\": "
        switch cause {
        case is CancellationError: self.init(.cancelled, prefix + "cancelled")
        case let error as HTTPClientError where error == .cancelled: self.init(.cancelled, prefix + "cancelled")
        case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
            self.init(.timedOut, prefix + "context deadline exceeded: \(error)")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            self.init(.unreachable, prefix + "the server closed the connection without an answer")
        case let error as NIOConnectionError: self.init(.unreachable, prefix + Self.text(error))
        case let error as IOError: self.init(.unreachable, prefix + Self.text(error))
        case let error where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
            self.init(
                .unreachable,
                prefix + "tls: failed to verify the server's certificate: its authority is unknown or it has expired "
                    + "(tls_config.ca_file names another authority): \(error)")
        case let error where error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError:
            self.init(.unreachable, prefix + "tls: \(error)")
        default: self.init(.unreachable, prefix + "\(cause)")
        }
    }

    private static func text(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first {
            let cause = (first.error as? IOError).map(text) ?? "\(first.error)"
            return "\(error.host):\(error.port): \(cause)"
        }
        let cause = error.dnsAError ?? error.dnsAAAAError
        return "lookup \(error.host): no such host" + (cause.map { " (\($0))" } ?? "")
    }

    private static func text(_ error: IOError) -> String {
        error.errnoCode == 0 ? "\(error)" : String(cString: strerror(error.errnoCode)).lowercased()
    }
}
