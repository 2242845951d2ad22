import NIOCore
import NIOPosix

/// A question over UDP and its answer.
struct DNSExchange: Sendable {
    var message: DNSMessage
    /// When the socket could be written to.
    var connectedAt: ContinuousClock.Instant

    /// Asks from a socket that talks to one server alone: packets of anybody else are not seen, and that its port is closed is.
    ///
    /// - Parameters:
    ///   - id: of the question; a late answer to another one, or a forged one, is passed over, and so is what is no answer.
    ///   - source: the address to send from.
    /// - Throws: ``DNSError``, what the system says of the socket, or that the task was cancelled.
    static func overUDP(
        _ question: [UInt8], id: UInt16, to address: SocketAddress, from source: SocketAddress? = nil
    ) async throws -> DNSExchange {
        let bootstrap = DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: DNSMessage.extendedByteCountMax))
        let wrap: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>> = {
            channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
        }
        let channel =
            if let source {
                try await bootstrap.bind(to: source, channelInitializer: wrap)
            } else {
                try await bootstrap.connect(to: address, channelInitializer: wrap)
            }
        return try await channel.executeThenClose { inbound, outbound in
            do {
                if source != nil { try await channel.channel.connect(to: address) }
                let connectedAt = ContinuousClock.now
                try await outbound.write(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: question)))
                for try await envelope in inbound {
                    guard let message = try? DNSMessage(parsing: Array(envelope.data.readableBytesView)), message.id == id else { continue }
                    return DNSExchange(message: message, connectedAt: connectedAt)
                }
            } catch let error as IOError where error.errnoCode == ECONNREFUSED {
                throw DNSError("nobody answers at port \(address.port ?? 0): connection refused")
            }
            try Task.checkCancellation()
            throw DNSError("no answer")
        }
    }
}
