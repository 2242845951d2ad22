import Codecs
import Formats
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Telemetry

/// A server that others push lines to with Loki's push API, or as plain text. It answers once the lines are kept.
final class PushSource: LogSource {
    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let settings: PromtailPush
    private let context: SourceContext
    private let didListen: @Sendable (Int) -> Void
    /// Of a request's body, before and after decompression.
    private static let bodyByteCountMax = 64 << 20

    var title: String { "push API of job \(context.job)" }

    /// - Parameter didListen: told the port once it is open.
    init(_ settings: PromtailPush, context: SourceContext, didListen: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.settings = settings
        self.context = context
        self.didListen = didListen
    }

    /// The source of a job that has one.
    static func make(_ job: PromtailJob, _ context: SourceContext) -> [(key: String, source: any LogSource)] {
        job.push.map { [("push", PushSource($0, context: context))] } ?? []
    }

    func run() async throws {
        let pump = context.pump()
        let host = settings.server.host.isEmpty ? "0.0.0.0" : settings.server.host
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: settings.server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        didListen(server.channel.localAddress?.port ?? settings.server.port)
        context.logger.info("Listening for pushes", metadata: ["address": "\(host):\(settings.server.port)"])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await pump.flushUntilCancelled() }
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask {
                        do { try await self.serve(connection, pump) } catch {
                            self.context.logger.debug("A connection of the push API has ended", metadata: ["error": "\(error)"])
                        }
                    }
                }
            }
        }
    }

    private func serve(_ connection: Connection, _ pump: SourcePump) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body: [UInt8] = []
            var isTooLarge = false
            for try await part in inbound {
                switch part {
                case .head(let received): (head, body, isTooLarge) = (received, [], false)
                case .body(let bytes):
                    isTooLarge = isTooLarge || body.count + bytes.readableBytes > Self.bodyByteCountMax
                    if !isTooLarge { body += bytes.readableBytesView }
                case .end:
                    guard let request = head else { continue }
                    let (status, text) =
                        isTooLarge ? (HTTPResponseStatus.payloadTooLarge, "the body is too large\n") : await answer(request, body, pump)
                    var headers = HTTPHeaders([("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", String(text.utf8.count))])
                    if status.code >= 500 { headers.add(name: "Retry-After", value: "5") }
                    if status == .noContent { headers = [:] }
                    if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
                    try await outbound.write(.head(HTTPResponseHead(version: request.version, status: status, headers: headers)))
                    if !text.isEmpty { try await outbound.write(.body(.byteBuffer(ByteBuffer(string: text)))) }
                    try await outbound.write(.end(nil))
                    if !request.isKeepAlive { return }
                }
            }
        }
    }

    private func answer(_ request: HTTPRequestHead, _ body: [UInt8], _ pump: SourcePump) async -> (HTTPResponseStatus, String) {
        let path = request.uri.prefix { $0 != "?" }
        let own = path.hasPrefix(settings.server.pathPrefix) ? path.dropFirst(settings.server.pathPrefix.utf8.count) : path
        switch (own, request.method) {
        case ("/ready", .GET): return (.ok, "ready\n")
        case ("/loki/api/v1/push", .POST), ("/api/prom/push", .POST), ("/promtail/api/v1/raw", .POST): break
        case ("/loki/api/v1/push", _), ("/api/prom/push", _), ("/promtail/api/v1/raw", _): return (.methodNotAllowed, "send it with POST\n")
        default: return (.notFound, "push to /loki/api/v1/push, or text to /promtail/api/v1/raw\n")
        }
        let tenant = request.headers.first(name: "X-Scope-OrgID") ?? ""
        let records: [LogRecord]
        do {
            records = own == "/promtail/api/v1/raw" ? try raw(request, body, pump, tenant) : try pushed(request, body, pump, tenant)
        } catch {
            return (.badRequest, "\(error)\n")
        }
        do throws(StoreError) {
            try await pump.pushOnce(records)
            return (.noContent, "")
        } catch {
            return (error.code == .diskFull ? .insufficientStorage : .serviceUnavailable, "\(error)\n")
        }
    }

    private func pushed(_ request: HTTPRequestHead, _ body: [UInt8], _ pump: SourcePump, _ tenant: String) throws -> [LogRecord] {
        let type = request.headers.first(name: "Content-Type")?.split(separator: ";").first?.lowercased() ?? ""
        let isJSON = type == "application/json"
        let bytes = try decompressed(request, body, assumed: isJSON ? .identity : .snappy)
        let batch = isJSON ? try LokiPush.decodeJSON(bytes.span) : try LokiPush.decodeProtobuf(bytes.span)
        var records: [LogRecord] = []
        for stream in batch.streams {
            guard let labels = labels(stream.labels, tenant) else { continue }
            for entry in stream.entries {
                let time = settings.usesIncomingTimestamp ? entry.timestamp : pump.nextTimestamp()
                records.append(LogRecord(labels: labels, timestamp: time, line: entry.line, metadata: entry.metadata))
            }
        }
        return records
    }

    private func raw(_ request: HTTPRequestHead, _ body: [UInt8], _ pump: SourcePump, _ tenant: String) throws -> [LogRecord] {
        guard let labels = labels(.empty, tenant) else { return [] }
        let bytes = try decompressed(request, body, assumed: .identity)
        var lines: [LineCutter.Line] = []
        var isInside = false
        let cutter = LineCutter(byteCountMax: 256 << 10)
        _ = cutter.cut(bytes, into: &lines, isInsideCutLine: &isInside, takesPartialLine: true)
        return lines.filter { !$0.bytes.isEmpty }.map { LogRecord($0, labels: labels, timestamp: pump.nextTimestamp()) }
    }

    /// What a stream says of itself; what is configured stands over it.
    private func labels(_ pushed: Labels, _ tenant: String) -> Labels? {
        var own = pushed.pairs
        if !tenant.isEmpty { own.append(Label(LogRecord.tenantLabel, tenant)) }
        return context.labels(settings.labels, own)
    }

    private func decompressed(_ request: HTTPRequestHead, _ body: [UInt8], assumed: Compression) throws -> [UInt8] {
        let name = request.headers.first(name: "Content-Encoding")
        guard let compression = name.map({ Compression.named(contentEncoding: $0) }) ?? assumed else {
            throw SourceError("the Content-Encoding \(name ?? "") is unknown: send gzip, snappy, zstd or none")
        }
        return try compression.decompress(body.span, byteCountMax: Self.bodyByteCountMax)
    }
}
