import NIOSSL
import Settings

/// How a probe does TLS: Prometheus' `tls_config`.
package struct ProbeTLSOptions: Sendable, Hashable {
    /// PEM, in the configuration or in a file that is read at each probe.
    package enum Source: Sendable, Hashable {
        case text(String)
        case file(String)
    }

    /// nil: the system's authorities.
    package var authorities: Source?
    package var certificate: Source?
    package var key: Source?
    /// nil: the target's name.
    package var serverName: String?
    package var skipsVerification = false
    var minimum: TLSVersion?
    var maximum: TLSVersion?

    package init() {}

    private static let versions: [String: TLSVersion] = ["TLS10": .tlsv1, "TLS11": .tlsv11, "TLS12": .tlsv12, "TLS13": .tlsv13]

    static func load(_ node: ConfigurationNode?) throws(ConfigurationError) -> ProbeTLSOptions {
        var options = ProbeTLSOptions()
        guard let node else { return options }
        let mapping = try node.mapping([
            "ca", "ca_file", "cert", "cert_file", "key", "key_file", "server_name", "insecure_skip_verify", "min_version", "max_version",
        ])
        options.authorities = try source("ca", mapping)
        options.certificate = try source("cert", mapping)
        options.key = try source("key", mapping)
        guard (options.certificate == nil) == (options.key == nil) else {
            throw node.error("\(node.name): cert_file and key_file must be configured together")
        }
        if let node = mapping["server_name"] { options.serverName = try node.nonEmptyString }
        options.skipsVerification = try mapping["insecure_skip_verify"]?.bool ?? false
        if let node = mapping["min_version"] { options.minimum = versions[try node.choice(versions.keys.sorted())] }
        if let node = mapping["max_version"] { options.maximum = versions[try node.choice(versions.keys.sorted())] }
        return options
    }

    private static func source(_ key: String, _ mapping: ConfigurationMapping) throws(ConfigurationError) -> Source? {
        if let text = mapping[key] {
            guard mapping[key + "_file"] == nil else { throw text.error("at most one of \(key) and \(key)_file must be configured") }
            return .text(try text.nonEmptyString)
        }
        guard let file = mapping[key + "_file"] else { return nil }
        return .file(FileGlob.resolve(try file.nonEmptyString, relativeToFile: file.file))
    }

    /// What NIO is told. Files are read now, so that certificates can be renewed under a running Apus.
    func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = minimum ?? .tlsv12
        configuration.maximumTLSVersion = maximum
        // The chain is wanted even where it is not believed: then it is looked at by a callback that takes any.
        configuration.certificateVerification = .fullVerification
        switch authorities {
        case .text(let text): configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
        case .file(let path): configuration.trustRoots = .file(path)
        case nil: break
        }
        switch certificate {
        case .text(let text):
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)).map { .certificate($0) }
        case .file(let path): configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
        case nil: break
        }
        switch key {
        case .text(let text): configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem))
        case .file(let path): configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        case nil: break
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
