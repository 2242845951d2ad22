import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A Hummingbird server on a free port for the time of a closure.
func withServer<Result: Sendable>(
    _ router: Router<BasicRequestContext>, services: [any Service] = [],
    _ body: @escaping @Sendable (_ port: Int) async throws -> Result
) async throws -> Result {
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    var app = Application(
        router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    for service in services { app.addServices(service) }
    let group = ServiceGroup(
        configuration: .init(
            services: [.init(service: app)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var port: Int?
        for await first in ports {
            port = first
            break
        }
        let result: Result
        do {
            result = try await body(port ?? 0)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// A collector that keeps the bodies it is sent and answers what it is told.
final class Collector: Sendable {
    private let state = Mutex((bodies: [String](), answers: [HTTPResponse.Status]()))

    /// Answers the first requests with these, later ones with 200.
    init(answering answers: [HTTPResponse.Status] = []) {
        state.withLock { $0.answers = answers }
    }

    /// What was accepted.
    var bodies: [String] { state.withLock { $0.bodies } }

    var router: Router<BasicRequestContext> {
        let router = Router()
        router.post("/v1/traces") { [self] request, _ -> Response in
            let body = try await request.body.collect(upTo: 16 << 20)
            let status = state.withLock { state in
                let status = state.answers.isEmpty ? HTTPResponse.Status.ok : state.answers.removeFirst()
                if status == .ok { state.bodies.append(String(buffer: body)) }
                return status
            }
            return Response(status: status, body: ResponseBody(byteBuffer: ByteBuffer(string: "{}")))
        }
        return router
    }
}
