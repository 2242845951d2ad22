import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a server for the answer to one query.
enum QueryClient {
    /// No answer that a person reads is larger.
    private static let byteCountMax = 256 << 20

    static func ask(
        base: String, path: String, parameters: [(name: String, value: String)], token: String?
    ) async throws -> (status: Int, body: String) {
        let request = request(base: base, path: path, parameters: parameters, token: token)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(130))
        let body = try await response.body.collect(upTo: byteCountMax)
        return (Int(response.status.code), String(buffer: body))
    }

    static func request(
        base: String, path: String, parameters: [(name: String, value: String)], token: String?
    ) -> HTTPClientRequest {
        var components = URLComponents()
        components.queryItems = parameters.map { URLQueryItem(name: $0.name, value: $0.value) }
        // `+` means a space in a query string, but URLComponents leaves it alone.
        let query = (components.percentEncodedQuery ?? "").replacing("+", with: "%2B")
        let trimmed = base.hasSuffix("/") ? String(base.dropLast()) : base
        var request = HTTPClientRequest(url: "\(trimmed)\(path)?\(query)")
        if let token, !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return request
    }
}
