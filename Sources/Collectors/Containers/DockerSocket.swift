import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks Docker (or what speaks its API: Podman) for the containers that run.
final class DockerSocket: Sendable {
    /// A daemon that takes longer is not waited for: the figures are there without it.
    private static let patience = TimeAmount.seconds(5)
    private static let byteCountMax = 32 << 20

    private let path: String
    private let client = HTTPClient.shared
    /// When each container was started: asked once.
    private let startTimes = Mutex<[String: Double]>([:])
    /// A daemon that has been there is away for a moment only: its containers run on.
    private let hasAnswered = Mutex(false)

    init(path: String) {
        self.path = path
    }

    /// The running containers by id; none where there has never been a socket.
    ///
    /// - Throws: where there is or was a socket, but no answer that can be understood.
    func containers() async throws -> [String: DockerContainer] {
        guard access(path, F_OK) == 0 else {
            guard !hasAnswered.withLock({ $0 }) else { throw DockerSocketError(description: "\(path): the socket is gone") }
            return [:]
        }
        guard let listed = DockerContainer.list(try await get("/containers/json")) else {
            throw DockerSocketError(description: "\(path): the answer to /containers/json is no list of containers")
        }
        var containers: [String: DockerContainer] = [:]
        for var container in listed {
            container.startedAt = await startTime(container.id)
            containers[container.id] = container
        }
        let ids = Set(containers.keys)
        hasAnswered.withLock { $0 = true }
        startTimes.withLock { times in times = times.filter { ids.contains($0.key) } }
        return containers
    }

    private func startTime(_ id: String) async -> Double? {
        if let known = startTimes.withLock({ $0[id] }) { return known }
        // Ids come from the daemon, but go into a path.
        guard id.allSatisfy({ $0.isHexDigit }), let bytes = try? await get("/containers/\(id)/json") else { return nil }
        guard let time = DockerContainer.startTime(bytes) else { return nil }
        startTimes.withLock { $0[id] = time }
        return time
    }

    private func get(_ uri: String) async throws -> [UInt8] {
        // The host of such a URL is the socket's path, percent-encoded.
        let host = path.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if character.isASCII, character.isLetter || character.isNumber { return String(character) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        let request = HTTPClientRequest(url: "http+unix://\(host)\(uri)")
        let response = try await client.execute(request, timeout: Self.patience)
        guard response.status == .ok else { throw DockerSocketError(description: "\(path): \(uri) answers \(response.status)") }
        return Array(buffer: try await response.body.collect(upTo: Self.byteCountMax))
    }
}

/// Why Docker could not be asked.
struct DockerSocketError: Error, CustomStringConvertible {
    var description: String
}
