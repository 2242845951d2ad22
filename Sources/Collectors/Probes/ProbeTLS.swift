import NIOSSL

/// What NIO is told of a probe's TLS.
enum ProbeTLS {
    private static let material = TLSMaterial()

    static func context(_ options: TLSOptions) throws -> NIOSSLContext {
        var configuration = try material.configuration(for: options)
        // The chain is wanted even where it is not believed: then it is looked at by a callback that takes any.
        configuration.certificateVerification = .fullVerification
        return try NIOSSLContext(configuration: configuration)
    }
}
