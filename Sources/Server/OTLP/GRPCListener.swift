import Formats
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry

/// OTLP over gRPC as a service: the three `Export` methods, on bytes, so that no generated code stands between the wire and our decoder.
struct GRPCListener: Service {
    let address: ListenAddress
    let receiver: OTLPReceiver
    let settings: LiveSettings
    let time: TimeSource
    let logger: Logger
    /// Told the port once the listener is open.
    let didOpen: @Sendable (Int) -> Void

    private static let methods: [(service: String, signal: Signal)] = [
        ("opentelemetry.proto.collector.trace.v1.TraceService", .spans),
        ("opentelemetry.proto.collector.metrics.v1.MetricsService", .metrics),
        ("opentelemetry.proto.collector.logs.v1.LogsService", .logs),
    ]

    func run() async throws {
        let limit = settings.current.bodyByteCountMax
        let socket = try GRPCNIOTransportCore.SocketAddress(address)
        let transport = HTTP2ServerTransport.Posix(
            address: socket, transportSecurity: .plaintext,
            config: .defaults { config in
                config.compression.enabledAlgorithms = [.gzip, .deflate]
                config.rpc.maxRequestPayloadSize = limit
                config.connection.maxGraceTime = .seconds(5)
                // Exporters keep one connection for hours and ping it meanwhile.
                config.connection.keepalive.clientBehavior.allowWithoutCalls = true
                config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(10)
                config.http2.targetWindowSize = 1 << 20
                config.http2.maxConcurrentStreams = 256
            })
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        for method in Self.methods {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: method.service, method: "Export"),
                deserializer: BytesCoding(), serializer: BytesCoding()
            ) { request, _ in try await export(request, method.signal) }
        }
        let server = GRPCServer(transport: transport, router: router)
        do {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask {
                    let bound = try? await transport.listeningAddress
                    if let port = bound?.ipv4?.port ?? bound?.ipv6?.port { didOpen(port) }
                }
                try await withGracefulShutdownHandler {
                    try await server.serve()
                } onGracefulShutdown: {
                    server.beginGracefulShutdown()
                }
            }
        } catch let error as RuntimeError {
            if let cause = error.cause as? IOError { throw ServeError.cannotListen(on: address, code: cause.errnoCode) }
            throw error
        }
    }

    private func export(
        _ request: StreamingServerRequest<[UInt8]>, _ signal: Signal
    ) async throws -> StreamingServerResponse<[UInt8]> {
        let single = try await ServerRequest(stream: request)
        do throws(APIError) {
            let access = settings.current.access
            var headers: [String: String] = [:]
            for field in single.metadata[stringValues: "authorization"] { headers["authorization"] = field }
            try access.require(.ingest, of: try access.principal(headers: headers, now: time.milliseconds / 1_000))
            let response = try await receiver.export(signal, encoding: .protobuf, over: .otlpGRPC, byteCount: single.message.count) {
                single.message
            }
            return StreamingServerResponse(single: ServerResponse(message: response))
        } catch {
            throw Self.rpcError(error)
        }
    }

    /// The status of an error; what can be tried again says so in `RetryInfo` (OTLP specification, "OTLP/gRPC Throttling").
    private static func rpcError(_ error: APIError) -> RPCError {
        let code: RPCError.Code
        switch error.kind {
        case .badRequest, .unsupportedEncoding, .misdirected, .methodNotAllowed, .execution: code = .invalidArgument
        case .unauthenticated: code = .unauthenticated
        case .forbidden: code = .permissionDenied
        case .notFound: code = .notFound
        case .tooLarge: code = .resourceExhausted
        case .timeout: code = .deadlineExceeded
        case .cancelled: code = .cancelled
        case .overloaded, .diskFull, .unavailable: code = .unavailable
        case .internal: code = .internalError
        }
        var metadata = Metadata()
        if let seconds = error.retryAfterSeconds { metadata.addBinary(RetryInfo.status(error, seconds: seconds), forKey: "grpc-status-details-bin") }
        return RPCError(code: code, message: error.message, metadata: metadata)
    }
}

extension GRPCNIOTransportCore.SocketAddress {
    /// A literal address; of names only `localhost`, since the transport resolves none.
    fileprivate init(_ address: ListenAddress) throws(ServeError) {
        if address.host == "localhost" {
            self = .ipv4(host: "127.0.0.1", port: address.port)
        } else if address.host.contains(":") {
            self = .ipv6(host: address.host, port: address.port)
        } else if address.host.split(separator: ".").allSatisfy({ UInt8($0) != nil }) {
            self = .ipv4(host: address.host, port: address.port)
        } else {
            throw ServeError(.configuration, "the OTLP gRPC listener needs an IP address, not the name \"\(address.host)\"")
        }
    }
}

/// Messages as the bytes that they are.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { Array($0) }
    }
}
