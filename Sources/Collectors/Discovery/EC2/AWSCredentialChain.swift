import Codecs
import Formats
import NIOHTTP1
import Settings

/// Where credentials and region come from where the configuration names none: the environment, the shared files of the
/// command line, the container's or the instance's role, as in AWS' own clients.
struct AWSCredentialChain: Sendable {
    let context: DiscoveryContext
    /// Empty means `AWS_PROFILE`, or `default`.
    let profile: String

    private static let timeout = Duration.seconds(5)

    private var profileName: String { profile.isEmpty ? context.environment["AWS_PROFILE"] ?? "default" : profile }

    func credentials() async throws(DiscoveryError) -> AWSCredentials {
        let environment = context.environment
        if profile.isEmpty, let access = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] {
            return AWSCredentials(accessKey: access, secretKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"] ?? "")
        }
        let file = sharedFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")[profileName] ?? configuration
        if let access = file["aws_access_key_id"], let secret = file["aws_secret_access_key"] {
            return AWSCredentials(accessKey: access, secretKey: secret, sessionToken: file["aws_session_token"] ?? "")
        }
        if !profile.isEmpty { throw DiscoveryError("the AWS profile \(profile.debugDescription) has no credentials") }
        if let url = containerURL { return try await container(url) }
        return try await instance()
    }

    /// The region of this machine.
    func region() async throws(DiscoveryError) -> String {
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let region = context.environment[name], !region.isEmpty { return region }
        }
        if let region = configuration["region"] { return region }
        return try await metadata("/latest/meta-data/placement/region", try await metadataToken())
    }

    // MARK: - Files

    /// The profile's part of `~/.aws/config`.
    private var configuration: [String: String] {
        let sections = sharedFile("AWS_CONFIG_FILE", "config")
        return sections[profileName == "default" ? "default" : "profile " + profileName] ?? [:]
    }

    /// The sections of a file of AWS' command line.
    private func sharedFile(_ variable: String, _ name: String) -> [String: [String: String]] {
        let path = context.environment[variable] ?? (context.environment["HOME"] ?? "") + "/.aws/" + name
        guard let text = try? ConfigurationFile.text(path: path) else { return [:] }
        var sections: [String: [String: String]] = [:]
        var section = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let line = Self.trim(line)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = Self.trim(line.dropFirst().dropLast())
            } else if let equals = line.firstIndex(of: "=") {
                sections[section, default: [:]][Self.trim(line[..<equals])] = Self.trim(line[line.index(after: equals)...])
            }
        }
        return sections
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex
        return String(text[..<end].drop { $0.isWhitespace })
    }

    // MARK: - Roles

    private var containerURL: String? {
        if let path = context.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] { return "http://169.254.170.2" + path }
        return context.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    }

    private func container(_ url: String) async throws(DiscoveryError) -> AWSCredentials {
        var headers: HTTPHeaders = [:]
        if let path = context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
            let token = try? ConfiguredSecret.file(path).text
        {
            headers.add(name: "Authorization", value: token)
        } else if let token = context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] {
            headers.add(name: "Authorization", value: token)
        }
        return try Self.credentials(json: try await get(.init(.GET, url, headers: headers)), from: url)
    }

    private func instance() async throws(DiscoveryError) -> AWSCredentials {
        let token = try await metadataToken()
        let path = "/latest/meta-data/iam/security-credentials/"
        let role = try await metadata(path, token).prefix { !$0.isNewline }
        let text = try await metadata(path + role, token)
        return try Self.credentials(json: Array(text.utf8), from: "the instance's role \(role)")
    }

    /// A session of the instance metadata service, version 2.
    private func metadataToken() async throws(DiscoveryError) -> String {
        let request = HTTPTransport.Request(
            .PUT, context.instanceMetadataURL + "/latest/api/token", headers: ["X-aws-ec2-metadata-token-ttl-seconds": "21600"])
        do throws(DiscoveryError) {
            return String(decoding: try await get(request), as: UTF8.self)
        } catch {
            throw DiscoveryError("no AWS credentials or region in the configuration, the environment, ~/.aws or of the instance: \(error)")
        }
    }

    private func metadata(_ path: String, _ token: String) async throws(DiscoveryError) -> String {
        let request = HTTPTransport.Request(
            .GET, context.instanceMetadataURL + path, headers: ["X-aws-ec2-metadata-token": token])
        return String(decoding: try await get(request), as: UTF8.self)
    }

    private func get(_ request: HTTPTransport.Request) async throws(DiscoveryError) -> [UInt8] {
        do throws(HTTPFailure) {
            let answer = try await context.transport.send(request, timeout: Self.timeout, byteCountMax: 1 << 20)
            if answer.status == 200 { return answer.body }
            throw HTTPFailure(.unauthorized, "\(request.url): HTTP status \(answer.status) \(answer.reason)")
        } catch {
            throw DiscoveryError(error.description)
        }
    }

    private static func credentials(json bytes: [UInt8], from place: String) throws(DiscoveryError) -> AWSCredentials {
        guard let value = try? JSONValue(parsing: bytes.span), let access = value["AccessKeyId"]?.string,
            let secret = value["SecretAccessKey"]?.string
        else { throw DiscoveryError("\(place) answered without credentials") }
        return AWSCredentials(
            accessKey: access, secretKey: secret, sessionToken: value["Token"]?.string ?? "",
            expiry: value["Expiration"]?.string.flatMap { RFC3339.nanoseconds($0.utf8) }.map { $0 / 1_000_000 })
    }
}
