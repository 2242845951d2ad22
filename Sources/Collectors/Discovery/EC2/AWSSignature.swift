import Codecs
import Crypto
import FoundationEssentials
import Glibc
import NIOHTTP1

/// Who asks AWS.
struct AWSCredentials: Sendable, Hashable {
    var accessKey: String
    var secretKey: String
    var sessionToken = ""
    /// Milliseconds since the Unix epoch; nil for those that never end.
    var expiry: Int64?
}

/// Signs requests to AWS (Signature Version 4: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
/// whose parameters are a form in the body of a POST.
struct AWSSignature: Sendable {
    let credentials: AWSCredentials
    let region: String
    let service: String

    /// The headers that make `body` a signed request.
    ///
    /// - Parameters:
    ///   - host: the value of the header `Host`.
    ///   - date: milliseconds since the Unix epoch.
    func headers(
        host: String, path: String = "/", contentType: String = "application/x-www-form-urlencoded; charset=utf-8", body: [UInt8],
        date: Int64
    ) -> HTTPHeaders {
        let time = Self.text(of: date)
        let day = String(time.prefix(8))
        var signed = [("content-type", contentType), ("host", host), ("x-amz-date", time)]
        if !credentials.sessionToken.isEmpty { signed.append(("x-amz-security-token", credentials.sessionToken)) }
        let names = signed.map(\.0).joined(separator: ";")
        let canonical =
            "POST\n\(path)\n\n" + signed.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n" + Hex.text(SHA256.hash(data: body))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n" + Hex.text(SHA256.hash(data: Array(canonical.utf8)))
        var key = Array(("AWS4" + credentials.secretKey).utf8)
        for part in [day, region, service, "aws4_request"] { key = Self.authenticate(part, key) }
        let signature = Hex.text(Self.authenticate(toSign, key))
        var headers: HTTPHeaders = [
            "Content-Type": contentType, "X-Amz-Date": time,
            "Authorization":
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)",
        ]
        if !credentials.sessionToken.isEmpty { headers.add(name: "X-Amz-Security-Token", value: credentials.sessionToken) }
        return headers
    }

    private static func authenticate(_ text: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// `20260102T030405Z`.
    private static func text(of milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(1_900 + parts.tm_year)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))T\(two(parts.tm_hour))\(two(parts.tm_min))"
            + "\(two(parts.tm_sec))Z"
    }
}
