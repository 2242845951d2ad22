import Codecs
import NIOHTTP1
import Settings
import Synchronization

/// The tokens in use, one for each `oauth2`.
final class OAuth2TokenCache: Sendable {
    private let sources = Mutex<[OAuth2Options: OAuth2TokenSource]>([:])

    /// The value of `Authorization`, with a token that is still good.
    func header(for options: OAuth2Options, transport: HTTPTransport) async throws(HTTPFailure) -> String {
        let source = sources.withLock { sources in
            if let source = sources[options] { return source }
            let source = OAuth2TokenSource(options)
            sources[options] = source
            return source
        }
        return try await source.header(transport)
    }
}

/// Fetches a token when it is first needed, and again before it expires or when its secret changes.
actor OAuth2TokenSource {
    private struct Token: Sendable {
        var header: String
        var expiry: ContinuousClock.Instant?
        /// The secret that it was asked for with.
        var secret: String
    }

    /// How the client says who it is; servers accept one of the two, so the one that worked is kept.
    private enum ClientIdentification: Sendable {
        case header
        case parameters
    }

    /// A token that ends sooner is not used any more (golang.org/x/oauth2, `defaultExpiryDelta`).
    private static let expiryMargin = Duration.seconds(10)
    private static let timeout = Duration.seconds(30)
    private static let byteCountMax = 1 << 20

    private let options: OAuth2Options
    private var token: Token?
    private var fetch: Task<Result<Token, HTTPFailure>, Never>?
    private var identification: ClientIdentification?

    init(_ options: OAuth2Options) {
        self.options = options
    }

    func header(_ transport: HTTPTransport) async throws(HTTPFailure) -> String {
        let secret =
            switch options.grant {
            case .clientCredentials(let secret): try secret.text
            case .signedAssertion(let assertion): try assertion.key.text
            }
        if let token, token.secret == secret, token.expiry.map({ $0 - Self.expiryMargin > .now }) ?? true {
            return token.header
        }
        let running: Task<Result<Token, HTTPFailure>, Never>
        if let fetch {
            running = fetch
        } else {
            // A task of its own: many wait for it, and it must not end with the first of them that is cancelled.
            running = Task {
                do throws(HTTPFailure) {
                    return .success(try await self.newToken(secret, transport))
                } catch {
                    return .failure(error)
                }
            }
            fetch = running
        }
        let result = await running.value
        if fetch == running { fetch = nil }
        token = try result.get()
        return try result.get().header
    }

    private func newToken(_ secret: String, _ transport: HTTPTransport) async throws(HTTPFailure) -> Token {
        var parameters: [(String, String)] = []
        switch options.grant {
        case .clientCredentials:
            parameters.append(("grant_type", "client_credentials"))
            if !options.scopes.isEmpty { parameters.append(("scope", options.scopes.joined(separator: " "))) }
        case .signedAssertion(let assertion):
            parameters.append(("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"))
            parameters.append(("assertion", try OAuth2Assertion.sign(assertion, options, key: secret)))
        }
        for parameter in options.endpointParameters {
            if parameter.name == "grant_type" { parameters.removeAll { $0.0 == "grant_type" } }
            parameters.append((parameter.name, parameter.value))
        }
        guard case .clientCredentials = options.grant else {
            return try await request(parameters, nil, secret, transport)
        }
        if let identification { return try await request(parameters, identification, secret, transport) }
        do throws(HTTPFailure) {
            let token = try await request(parameters, .header, secret, transport)
            identification = .header
            return token
        } catch where error.kind == .unauthorized {
            let token = try await request(parameters, .parameters, secret, transport)
            identification = .parameters
            return token
        }
    }

    private func request(
        _ parameters: [(String, String)], _ identification: ClientIdentification?, _ secret: String, _ transport: HTTPTransport
    ) async throws(HTTPFailure) -> Token {
        var parameters = parameters
        var headers: HTTPHeaders = ["Content-Type": "application/x-www-form-urlencoded"]
        switch identification {
        case .header:
            headers.add(
                name: "Authorization",
                value: HTTPAuthorization.basicHeader(
                    username: PercentEncoding.query(options.clientID), password: PercentEncoding.query(secret)))
        case .parameters:
            parameters.append(("client_id", options.clientID))
            if !secret.isEmpty { parameters.append(("client_secret", secret)) }
        case nil: break
        }
        let body = parameters.map { PercentEncoding.query($0.0) + "=" + PercentEncoding.query($0.1) }.joined(separator: "&")
        var client = HTTPClientOptions()
        client.tls = options.tls
        client.proxy = options.proxy
        let answer = try await transport.send(
            HTTPTransport.Request(.POST, options.tokenURL, headers: headers, body: Array(body.utf8)), options: client,
            timeout: Self.timeout, byteCountMax: Self.byteCountMax)
        return try token(of: answer, secret)
    }

    /// Reads the answer (RFC 6749, section 5.1), which some servers write as a form.
    private func token(of answer: HTTPTransport.Answer, _ secret: String) throws(HTTPFailure) -> Token {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard (200..<300).contains(answer.status) else {
            throw HTTPFailure(
                .unauthorized, "oauth2: cannot fetch token from \(options.tokenURL): \(answer.status) \(answer.reason): \(text.prefix(200))")
        }
        let fields = Self.fields(of: answer, text)
        guard let value = fields["access_token"], !value.isEmpty else {
            throw HTTPFailure(
                .unauthorized, "oauth2: the answer of \(options.tokenURL) has no access_token"
                    + (fields["error"].map { ": \($0) \(fields["error_description"] ?? "")" } ?? ""))
        }
        let scheme =
            switch (fields["token_type"] ?? "").lowercased() {
            case "", "bearer": "Bearer"
            case "mac": "MAC"
            case "basic": "Basic"
            default: fields["token_type"] ?? "Bearer"
            }
        var expiry: ContinuousClock.Instant?
        if let seconds = fields["expires_in"].flatMap({ Double($0) }), seconds > 0 {
            expiry = .now + .seconds(min(seconds, 1e9))
        }
        return Token(header: scheme + " " + value, expiry: expiry, secret: secret)
    }

    private static func fields(of answer: HTTPTransport.Answer, _ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        let type = answer.headers.first(name: "Content-Type") ?? ""
        if type.hasPrefix("application/x-www-form-urlencoded") || type.hasPrefix("text/plain") {
            for pair in text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2 { fields[PercentEncoding.decode(parts[0], plusIsSpace: true)] = PercentEncoding.decode(parts[1], plusIsSpace: true) }
            }
            if fields["access_token"] != nil { return fields }
        }
        guard let value = try? JSONValue(parsing: answer.body.span) else { return fields }
        for member in value.object?.members ?? [] {
            fields[member.name] = member.value.string ?? member.value.double.map { "\($0)" }
        }
        return fields
    }
}
