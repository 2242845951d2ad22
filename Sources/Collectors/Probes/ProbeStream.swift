import NIOCore
import NIOPosix
import NIOSSL

/// A TCP connection as a stream of bytes: what TCP probes and DNS over TCP talk through.
struct ProbeStream: ~Copyable {
    /// A line, or an answer, that is longer is none.
    private static let lineByteCountMax = 64 << 10

    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var buffer = ByteBuffer()

    fileprivate init(
        _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Connects, calls `body`, and closes the connection.
    static func connect<Result: Sendable>(
        _ address: ProbeAddress, port: Int, source: String?, _ body: (inout ProbeStream) async throws -> Result
    ) async throws -> Result {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
        if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
        let connection = try await bootstrap.connect(to: try address.socketAddress(port: port)) { channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
        }
        return try await connection.executeThenClose { inbound, outbound in
            var stream = ProbeStream(connection.channel, inbound, outbound)
            return try await body(&stream)
        }
    }

    /// Goes over to TLS and returns who answered.
    func startTLS(_ options: TLSOptions, host: String) async throws -> ProbeCertificates {
        let context = try ProbeTLS.context(options)
        let channel = channel
        let handshake = try await channel.eventLoop.submit {
            try ProbeHandshake.add(to: channel, context: context, options: options, host: host)
        }.get()
        return try await handshake.get()
    }

    func write(_ bytes: [UInt8]) async throws {
        try await outbound.write(ByteBuffer(bytes: bytes))
    }

    /// The next line without its end; nil where the other side has closed.
    mutating func readLine() async throws -> [UInt8]? {
        while true {
            let view = buffer.readableBytesView
            if let end = view.firstIndex(of: UInt8(ascii: "\n")) {
                var line = Array(view[..<end])
                buffer.moveReaderIndex(forwardBy: line.count + 1)
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return line
            }
            guard view.count <= Self.lineByteCountMax else {
                throw ProbeFailure("a line is longer than \(Self.lineByteCountMax) bytes")
            }
            guard try await readMore() else {
                guard buffer.readableBytes > 0 else { return nil }
                return buffer.readBytes(length: buffer.readableBytes)
            }
        }
    }

    /// The next `count` bytes; fewer where the other side has closed.
    mutating func read(_ count: Int) async throws -> [UInt8] {
        while buffer.readableBytes < count, try await readMore() {}
        return buffer.readBytes(length: min(count, buffer.readableBytes)) ?? []
    }

    private mutating func readMore() async throws -> Bool {
        guard var chunk = try await inbound.next(isolation: #isolation) else { return false }
        buffer.discardReadBytes()
        buffer.writeBuffer(&chunk)
        return true
    }
}
