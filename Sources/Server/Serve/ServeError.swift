import Foundation
import Glibc

/// Why the server cannot run: one sentence for people, an exit code for scripts.
package struct ServeError: Error, Sendable, CustomStringConvertible {
    /// The exit codes of `apus serve`.
    package enum ExitCode: Int32, Sendable, CaseIterable {
        case failure = 1
        /// The command line or the configuration is wrong (64 is sysexits' EX_USAGE, which the argument parser uses for the former).
        case configuration = 78
        case portInUse = 69
        case dataFolderInUse = 75
        case dataFolderUnreadable = 77
        /// An address beyond loopback without tokens.
        case unprotected = 76
    }

    package var exitCode: ExitCode
    package var description: String

    package init(_ exitCode: ExitCode, _ description: String) {
        self.exitCode = exitCode
        self.description = description
    }

    static func cannotListen(on address: ListenAddress, code: CInt) -> ServeError {
        if code == EADDRINUSE {
            return ServeError(.portInUse, "\(address) is in use by another process: stop it, or choose another address with --listen")
        }
        return ServeError(.portInUse, "cannot listen on \(address): \(String(cString: strerror(code)))")
    }
}
