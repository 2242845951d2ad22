import AsyncHTTPClient
import Codecs
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Query
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSupport
import Server

/// A whole server on free ports over a store in memory, and a client to call it.
struct TestServer: Sendable {
    let store: MemoryStore
    let ports: [String: Int]

    /// Unlike the shared client it leaves bodies as they come.
    private static let client = HTTPClient()

    /// An answer with its body read.
    struct Reply: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: [UInt8]

        func json() throws -> JSONValue { try JSONValue(parsing: body.span) }
        func header(_ name: String) -> String? { headers.first(name: name) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil, listener: String = "http"
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(ports[listener] ?? 0)\(path)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(contentsOf: headers)
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await Self.client.execute(request, timeout: .seconds(30))
        let collected = try await response.body.collect(upTo: 64 << 20)
        return Reply(status: Int(response.status.code), headers: response.headers, body: Array(collected.readableBytesView))
    }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> Reply {
        try await request("GET", path, headers: headers)
    }

    func post(_ path: String, type: String, headers: [(String, String)] = [], body: [UInt8]) async throws -> Reply {
        try await request("POST", path, headers: [("Content-Type", type)] + headers, body: body)
    }

    /// Runs `body` against a server with these settings, and stops it gracefully.
    static func run(
        configuration: String = "", webFolder: String? = nil, environment: [String: String] = [:],
        _ body: @Sendable @escaping (TestServer) async throws -> Void
    ) async throws {
        let folder = try ScratchFolder()
        var options = ServeOptions()
        options.listen = ListenAddress(host: "127.0.0.1", port: 0)
        options.grpcListen = ListenAddress(host: "127.0.0.1", port: 0)
        options.otlpListen = ListenAddress(host: "127.0.0.1", port: 0)
        options.webFolder = webFolder ?? folder.path
        options.environment = environment
        if !configuration.isEmpty {
            let file = folder.url.appending(path: "apus.yaml")
            try Data(configuration.utf8).write(to: file)
            options.configurationFile = file.path
        }
        let store = MemoryStore()
        let backend = ApusServer.Backend(
            store: store, state: MemoryState(), run: { try await Task.sleep(for: .seconds(600)) }, compact: {})
        let (opened, open) = AsyncStream.makeStream(of: [String: Int].self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = try ApusServer(options: options, settings: try options.settings(), backend: backend, logger: logger) { open.yield($0) }
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: server.services, logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                var iterator = opened.makeAsyncIterator()
                guard let ports = await iterator.next() else { return }
                do {
                    try await body(TestServer(store: store, ports: ports))
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
        _ = folder
    }
}
