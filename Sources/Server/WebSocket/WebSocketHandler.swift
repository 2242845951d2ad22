import NIOCore
import NIOWebSocket

/// Stands at the head of a connection's pipeline behind the decoder of frames: answers pings and closes, and keeps HTTP's handlers from
/// reading or, once the handshake is answered, writing anything.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// The handshake's answer has left: what HTTP writes now is dropped.
    var isSwitched = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping: _ = send(.pong, Array(frame.unmaskedData.readableBytesView), on: context.channel)
        case .connectionClose:
            // The code comes back as it came (section 5.5.1).
            let echo = Array(frame.unmaskedData.readableBytesView.prefix(2))
            send(.connectionClose, echo, on: context.channel).whenComplete { [channel = context.channel] _ in channel.close(promise: nil) }
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // HTTP's handlers are told of nothing that they could take for a request.
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isSwitched {
            promise?.succeed()
        } else {
            context.write(data, promise: promise)
        }
    }

    /// What a peer is told of a frame that cannot be read (RFC 6455, section 7.4.1).
    private static func code(of error: NIOWebSocketError) -> WebSocketErrorCode {
        error == .invalidFrameLength ? .messageTooLarge : .protocolError
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? NIOWebSocketError else { return context.fireErrorCaught(error) }
        var buffer = context.channel.allocator.buffer(capacity: 2)
        buffer.write(webSocketErrorCode: Self.code(of: error))
        let channel = context.channel
        send(.connectionClose, Array(buffer.readableBytesView), on: channel).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Sends one unfragmented frame, unmasked as a server's are (section 5.1).
    func send(_ opcode: WebSocketOpcode, _ bytes: [UInt8], on channel: any Channel) -> EventLoopFuture<Void> {
        guard let context else { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count + 10)
        buffer.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        switch bytes.count {
        case ..<126: buffer.writeInteger(UInt8(bytes.count))
        case ...Int(UInt16.max):
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(bytes.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(bytes.count))
        }
        buffer.writeBytes(bytes)
        return context.writeAndFlush(wrapOutboundOut(.byteBuffer(buffer)))
    }
}
