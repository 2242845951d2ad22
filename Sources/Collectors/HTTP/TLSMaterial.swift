import Codecs
import Glibc
import NIOSSL
import Settings
import Synchronization

/// Certificates and keys as options name them, read again when their files change.
final class TLSMaterial: Sendable {
    private struct Entry: Sendable {
        var stamps: [FileStamp]
        var configuration: TLSConfiguration
    }

    private let entries = Mutex<[TLSOptions: Entry]>([:])

    /// What connections under these options use; files are looked at each time, and read if they have changed.
    ///
    /// - Throws: ``HTTPFailure`` where one cannot be read or is none.
    func configuration(for options: TLSOptions) throws(HTTPFailure) -> TLSConfiguration {
        let stamps = [options.authority, options.certificate, options.key].map { secret in
            if case .file(let path)? = secret { FileStamp(path: path) } else { FileStamp() }
        }
        if let entry = entries.withLock({ $0[options] }), entry.stamps == stamps { return entry.configuration }
        let configuration = try Self.read(options)
        entries.withLock { $0[options] = Entry(stamps: stamps, configuration: configuration) }
        return configuration
    }

    /// What connections without options of their own use: at least TLS 1.2, as in Go.
    static var standard: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private static func read(_ options: TLSOptions) throws(HTTPFailure) -> TLSConfiguration {
        var configuration = standard
        if let version = options.versionMin { configuration.minimumTLSVersion = version.value }
        configuration.maximumTLSVersion = options.versionMax?.value
        configuration.certificateVerification = options.skipsVerification ? .none : .fullVerification
        if let authority = options.authority {
            configuration.trustRoots = .certificates(try certificates(authority, "CA certificate"))
        }
        if let certificate = options.certificate, let key = options.key {
            configuration.certificateChain = try certificates(certificate, "client certificate").map { .certificate($0) }
            let text = try key.text
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem))
            } catch {
                throw HTTPFailure(.options, "unable to use the client key (\(key.place)): no private key in PEM: \(error)")
            }
        }
        return configuration
    }

    private static func certificates(_ secret: ConfiguredSecret, _ what: String) throws(HTTPFailure) -> [NIOSSLCertificate] {
        let text = try secret.text
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
            guard !certificates.isEmpty else { throw HTTPFailure(.options, "no certificate in it") }
            return certificates
        } catch {
            throw HTTPFailure(.options, "unable to use the \(what) (\(secret.place)): no certificate in PEM: \(error)")
        }
    }
}

/// What tells that a file has been replaced or written.
struct FileStamp: Sendable, Hashable {
    private var inode: UInt = 0
    private var byteCount = 0
    private var seconds = 0
    private var nanoseconds = 0

    init() {}

    /// A file that is not there has a stamp of its own.
    init(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        inode = status.st_ino
        byteCount = status.st_size
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

extension TLSOptions.Version {
    fileprivate var value: TLSVersion {
        switch self {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
