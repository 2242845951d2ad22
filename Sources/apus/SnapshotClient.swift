import AsyncHTTPClient
import EmbeddedStore
import Foundation
import NIOCore
import NIOHTTP1
import Telemetry

/// Takes a snapshot of a running server away, piece by piece.
struct SnapshotClient {
    let base: String
    let token: String?

    private struct Listing: Decodable {
        struct File: Decodable {
            var path: String
            var bytes: Int
        }

        var name: String
        var files: [File]
    }

    /// Makes the server take one.
    func take() async throws -> (name: String, files: [Snapshots.File]) {
        let bytes = try await call(.POST, "/api/apus/snapshots", timeout: .hours(1))
        let listing = try JSONDecoder().decode(Listing.self, from: Data(bytes))
        return (listing.name, listing.files.map { Snapshots.File(path: $0.path, byteCount: $0.bytes) })
    }

    func read(_ name: String, _ path: String, at offset: Int, count: Int) async throws -> [UInt8] {
        var components = URLComponents()
        components.queryItems = [
            URLQueryItem(name: "path", value: path), URLQueryItem(name: "offset", value: "\(offset)"), URLQueryItem(name: "count", value: "\(count)"),
        ]
        return try await call(.GET, "/api/apus/snapshots/\(name)/file?\(components.percentEncodedQuery ?? "")")
    }

    func remove(_ name: String) async throws {
        _ = try await call(.DELETE, "/api/apus/snapshots/\(name)")
    }

    private func call(_ method: HTTPMethod, _ path: String, timeout: TimeAmount = .seconds(130)) async throws -> [UInt8] {
        let trimmed = base.hasSuffix("/") ? String(base.dropLast()) : base
        var request = HTTPClientRequest(url: trimmed + path)
        request.method = method
        if let token, !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response = try await HTTPClient.shared.execute(request, timeout: timeout)
        let body = try await response.body.collect(upTo: 64 << 20)
        guard (200..<300).contains(response.status.code) else {
            throw StoreError(.system, "\(trimmed) answered \(response.status.code): \(String(buffer: body))")
        }
        return Array(body.readableBytesView)
    }
}
