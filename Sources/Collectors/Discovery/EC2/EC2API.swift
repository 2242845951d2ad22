import Formats
import NIOHTTP1
import Synchronization
import Telemetry

/// Signed requests to EC2, and to STS where a role is taken on.
final class EC2API: Sendable {
    private struct Session: Sendable {
        var region: String
        var credentials: AWSCredentials
    }

    private let configuration: EC2Discovery
    private let context: DiscoveryContext
    private let time: TimeSource
    private let session = Mutex<Session?>(nil)

    /// Credentials that end sooner are fetched anew.
    private static let expiryMarginMilliseconds: Int64 = 300_000
    private static let version = "2016-11-15"

    init(configuration: EC2Discovery, context: DiscoveryContext, time: TimeSource = .system) {
        self.configuration = configuration
        self.context = context
        self.time = time
    }

    /// The region asked, once it is known.
    var region: String { session.withLock { $0?.region ?? "" } }

    /// Sends an action to EC2.
    ///
    /// - Parameter parameters: beside `Action` and `Version`.
    func send(_ action: String, _ parameters: [(String, String)]) async throws(DiscoveryError) -> XMLElement {
        let session = try await currentSession()
        let endpoint =
            configuration.endpoint.isEmpty ? "https://ec2.\(session.region).\(Self.domain(of: session.region))" : configuration.endpoint
        do throws(DiscoveryError) {
            return try await send(
                action, [("Version", Self.version)] + parameters, to: endpoint,
                AWSSignature(credentials: session.credentials, region: session.region, service: "ec2"))
        } catch {
            // Keys may have been replaced meanwhile.
            if error.description.contains("AuthFailure") || error.description.contains("UnauthorizedOperation") {
                self.session.withLock { $0 = nil }
            }
            throw error
        }
    }

    private static func domain(of region: String) -> String {
        region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    }

    private func currentSession() async throws(DiscoveryError) -> Session {
        let now = time.milliseconds
        if let session = session.withLock({ $0 }),
            session.credentials.expiry.map({ $0 - Self.expiryMarginMilliseconds > now }) ?? true
        {
            return session
        }
        let chain = AWSCredentialChain(context: context, profile: configuration.profile)
        let region = configuration.region.isEmpty ? try await chain.region() : configuration.region
        var credentials: AWSCredentials
        if !configuration.accessKey.isEmpty, !configuration.secretKey.isEmpty {
            credentials = AWSCredentials(accessKey: configuration.accessKey, secretKey: configuration.secretKey)
        } else {
            credentials = try await chain.credentials()
        }
        if !configuration.roleARN.isEmpty { credentials = try await assumeRole(credentials, region) }
        let session = Session(region: region, credentials: credentials)
        self.session.withLock { $0 = session }
        return session
    }

    /// Trades credentials for those of the role.
    private func assumeRole(_ credentials: AWSCredentials, _ region: String) async throws(DiscoveryError) -> AWSCredentials {
        var parameters = [
            ("Version", "2011-06-15"), ("RoleArn", configuration.roleARN), ("RoleSessionName", "apus-\(time.milliseconds)"),
        ]
        if !configuration.externalID.isEmpty { parameters.append(("ExternalId", configuration.externalID)) }
        let endpoint = context.environment["AWS_ENDPOINT_URL_STS"] ?? "https://sts.\(region).\(Self.domain(of: region))"
        let answer = try await send(
            "AssumeRole", parameters, to: endpoint, AWSSignature(credentials: credentials, region: region, service: "sts"))
        guard let found = answer.first("Credentials"), let access = found.value("AccessKeyId"),
            let secret = found.value("SecretAccessKey")
        else { throw DiscoveryError("\(endpoint): AssumeRole answered without credentials") }
        return AWSCredentials(
            accessKey: access, secretKey: secret, sessionToken: found.value("SessionToken") ?? "",
            expiry: found.value("Expiration").flatMap { RFC3339.nanoseconds($0.utf8) }.map { $0 / 1_000_000 })
    }

    private func send(
        _ action: String, _ parameters: [(String, String)], to endpoint: String, _ signature: AWSSignature
    ) async throws(DiscoveryError) -> XMLElement {
        guard let url = URLParts(endpoint) else { throw DiscoveryError("\(endpoint) is no URL") }
        let form = ([("Action", action)] + parameters).map { PercentEncoding.query($0.0) + "=" + PercentEncoding.query($0.1) }
        let body = Array(form.joined(separator: "&").utf8)
        let headers = signature.headers(host: url.authority, path: url.target, body: body, date: time.milliseconds)
        let answer: HTTPTransport.Answer
        do throws(HTTPFailure) {
            answer = try await context.transport.send(
                .init(.POST, url.text, headers: headers, body: body), options: configuration.http,
                timeout: configuration.refreshInterval)
        } catch {
            throw DiscoveryError(error.description)
        }
        guard answer.status == 200 else {
            let error = (try? XMLElement(parsing: answer.body))?.first("Error")
            let text = [error?.value("Code"), error?.value("Message")].compactMap { $0 }.joined(separator: ": ")
            throw DiscoveryError("\(endpoint): \(action): HTTP status \(answer.status) \(answer.reason): \(text)")
        }
        return try XMLElement(parsing: answer.body)
    }
}
