import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Settings

/// One request and its answer on a connection of their own, timed step by step.
struct HTTPExchange: Sendable {
    struct Answer: Sendable {
        var head: HTTPResponseHead
        /// As it came; of an answer that is a redirect nothing.
        var body: [UInt8] = []
    }

    /// When each step ended; nil where it was not reached.
    struct Times: Sendable {
        var start = ContinuousClock.now
        var connected: ContinuousClock.Instant?
        var secured: ContinuousClock.Instant?
        var sent: ContinuousClock.Instant?
        var firstByte: ContinuousClock.Instant?
        var end: ContinuousClock.Instant?
    }

    var url: ProbeURL
    var address: ProbeAddress
    var request: HTTPRequestHead
    var body: [UInt8]
    var tls: TLSOptions
    /// Bytes of the body that are read before it is called too large.
    var byteCountMax: Int

    /// - Parameters:
    ///   - times: told of each step, so that they are known where a later one fails.
    ///   - certificates: told who answered.
    ///   - wantsBody: whether the body of an answer with this head is to be read.
    func run(
        times: inout Times, certificates: inout ProbeCertificates?, wantsBody: @Sendable (HTTPResponseHead) -> Bool
    ) async throws -> Answer {
        times.start = ContinuousClock.now
        let context = url.isSecure ? try ProbeTLS.context(tls) : nil
        let (channel, handshake) = try await connect(context)
        times.connected = ContinuousClock.now
        // Closed whatever comes, cancellation included.
        return try await channel.executeThenClose { inbound, outbound in
            if let handshake {
                certificates = try await handshake.get()
                times.secured = ContinuousClock.now
            }
            try await outbound.write(.head(request))
            if !body.isEmpty { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
            try await outbound.write(.end(nil))
            times.sent = ContinuousClock.now
            return try await read(inbound, &times, wantsBody)
        }
    }

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private func connect(_ context: NIOSSLContext?) async throws -> (Connection, EventLoopFuture<ProbeCertificates>?) {
        let (options, host) = (tls, url.host)
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(to: try address.socketAddress(port: url.effectivePort)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    let handshake = try context.map {
                        try ProbeHandshake.add(to: channel, context: $0, options: options, host: host)
                    }
                    return (try Connection(wrappingChannelSynchronously: channel), handshake)
                }
            }
    }

    private func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, _ times: inout Times, _ wantsBody: (HTTPResponseHead) -> Bool
    ) async throws -> Answer {
        var answer: Answer?
        for try await part in inbound {
            switch part {
            case .head(let head):
                times.firstByte = times.firstByte ?? ContinuousClock.now
                // 100 Continue and its like announce the answer.
                guard head.status.code >= 200 else { continue }
                answer = Answer(head: head)
                if !wantsBody(head), let answer { return answer }
            case .body(let buffer):
                guard let count = answer?.body.count, count + buffer.readableBytes <= byteCountMax else {
                    throw ProbeFailure("the body is larger than \(byteCountMax) bytes")
                }
                answer?.body.append(contentsOf: buffer.readableBytesView)
            case .end:
                guard let answer else { continue }
                times.end = ContinuousClock.now
                return answer
            }
        }
        throw ProbeFailure(answer == nil ? "the connection was closed without an answer" : "the connection was closed within the body")
    }
}
