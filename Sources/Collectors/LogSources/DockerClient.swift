import AsyncHTTPClient
import Codecs
import NIOCore
import NIOHTTP1
import Telemetry

/// What is asked of a Docker daemon (Docker Engine API). It must be shut down.
struct DockerClient: Sendable {
    struct Container: Sendable, Equatable {
        var id: String
        /// With the slash that Docker puts before it.
        var name: String
        var networkMode: String
        var labels: [Label]
        var isRunning: Bool
    }

    private let base: String
    private let client: HTTPClient
    private static let answerByteCountMax = 64 << 20

    /// - Parameter host: `unix:///var/run/docker.sock`, `tcp://host:2375`, or a URL.
    init(host: String) {
        if host.hasPrefix("unix://") {
            base = "http+unix://" + host.dropFirst(7).split(separator: "/").reduce("") { $0 + "%2F" + $1 }
        } else if host.hasPrefix("tcp://") {
            base = "http://" + host.dropFirst(6)
        } else {
            base = host.hasSuffix("/") ? String(host.dropLast()) : host
        }
        var configuration = HTTPClient.Configuration()
        // A container may be silent for days.
        configuration.timeout = .init(connect: .seconds(10), read: nil)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async {
        try? await client.shutdown()
    }

    /// The containers that pass the filters, those that have stopped too.
    func containers(filters: [(name: String, values: [String])]) async throws -> [Container] {
        let answer = try await get("/containers/json?all=1" + Self.query(filters))
        guard let list = try Self.json(answer).array else { throw SourceError("Docker's list of containers is no JSON array") }
        return list.compactMap { item in
            guard let id = item["Id"]?.string else { return nil }
            let labels = item["Labels"]?.object?.members.compactMap { member in
                member.value.string.map { Label(member.name, $0) }
            }
            return Container(
                id: id, name: item["Names"]?[0]?.string ?? "", networkMode: item["HostConfig"]?["NetworkMode"]?.string ?? "",
                labels: labels ?? [], isRunning: item["State"]?.string == "running")
        }
    }

    /// Whether a container has a terminal, so that its output is no frames, and whether it runs.
    func inspect(_ id: String) async throws -> (hasTerminal: Bool, isRunning: Bool) {
        let bytes = try await get("/containers/\(id)/json")
        let answer = try Self.json(bytes)
        return (answer["Config"]?["Tty"]?.bool ?? false, answer["State"]?["Running"]?.bool ?? false)
    }

    /// What a container has written since an instant, and what it writes from now on.
    ///
    /// - Parameter body: gets the bytes as they come; false ends it.
    func logs(_ id: String, since: String, follows: Bool, _ body: ([UInt8]) async throws -> Bool) async throws {
        try await stream(
            "/containers/\(id)/logs?stdout=1&stderr=1&timestamps=1&follow=\(follows ? 1 : 0)&since=\(since)", body)
    }

    /// Tells of containers that start.
    func starts(_ body: (_ id: String) -> Void) async throws {
        var buffer: [UInt8] = []
        let path = "/events?" + Self.query([("type", ["container"]), ("event", ["start"])]).dropFirst()
        try await stream(path) { bytes in
            buffer += bytes
            while let end = buffer.firstIndex(of: 0x0a) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                if let id = Self.startedID(line) { body(id) }
            }
            return true
        }
    }

    private static func json(_ bytes: [UInt8]) throws -> JSONValue { try JSONValue(parsing: bytes.span) }

    /// The container that an event is about.
    private static func startedID(_ line: [UInt8]) -> String? {
        guard let event = try? json(line) else { return nil }
        return event["Actor"]?["ID"]?.string ?? event["id"]?.string
    }

    private static func query(_ filters: [(name: String, values: [String])]) -> String {
        if filters.isEmpty { return "" }
        var writer = JSONWriter(escapesHTML: false)
        writer.object { writer in
            for filter in filters { writer.field(filter.name, filter.values) }
        }
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF")
        return "&filters="
            + writer.bytes.reduce(into: "") { text, byte in
                if unreserved.contains(byte) {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
                }
            }
    }

    private func get(_ path: String) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await stream(path) { chunk in
            bytes += chunk
            guard bytes.count <= Self.answerByteCountMax else { throw SourceError("Docker's answer to \(path) is too large") }
            return true
        }
        return bytes
    }

    private func stream(_ path: String, _ body: ([UInt8]) async throws -> Bool) async throws {
        let request = HTTPClientRequest(url: base + path)
        let response = try await client.execute(request, deadline: .distantFuture)
        guard response.status == .ok else {
            let text = try await response.body.collect(upTo: 4_096)
            throw SourceError("Docker answered \(path) with status \(response.status.code): \(String(buffer: text))")
        }
        for try await chunk in response.body {
            guard try await body(Array(chunk.readableBytesView)) else { return }
        }
    }
}
