import NIOCore
import Synchronization

/// Notices that a client has gone while its request is still being worked on, so that a query nobody waits for stops.
///
/// Lock order: a connection's lock is never taken while the table's is held.
package final class ConnectionWatch: Sendable {
    private let connections = Mutex<[ObjectIdentifier: Connection]>([:])

    package init() {}

    /// How many connections are open.
    package var count: Int { connections.withLock { $0.count } }

    func connection(of channel: any Channel) -> Connection {
        connections.withLock { $0[ObjectIdentifier(channel)] } ?? .none
    }

    private func add(_ channel: any Channel) -> Connection {
        let connection = Connection()
        connections.withLock { $0[ObjectIdentifier(channel)] = connection }
        return connection
    }

    private func remove(_ channel: any Channel) {
        _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// One client's connection.
    package final class Connection: Sendable {
        private struct State {
            var isClosed = false
            var nextKey = 0
            var actions: [Int: @Sendable () -> Void] = [:]
        }

        private let state = Mutex(State())

        /// A connection that never closes: for calls that come from within.
        package static let none = Connection()

        /// Runs `operation`, and `action` once if the client goes meanwhile or has gone before.
        package func whileOpen<Value>(
            onClose action: @escaping @Sendable () -> Void, _ operation: () async throws -> Value
        ) async rethrows -> Value {
            let key: Int? = state.withLock { state in
                if state.isClosed { return nil }
                state.nextKey += 1
                state.actions[state.nextKey] = action
                return state.nextKey
            }
            if key == nil { action() }
            defer { if let key { state.withLock { _ = $0.actions.removeValue(forKey: key) } } }
            return try await operation()
        }

        func close() {
            let actions: [@Sendable () -> Void] = state.withLock { state in
                state.isClosed = true
                defer { state.actions = [:] }
                return Array(state.actions.values)
            }
            for action in actions { action() }
        }
    }

    /// Stands in each connection's pipeline. A client that closes its half of the connection is taken for gone: HTTP clients do so only then.
    final class Handler: ChannelInboundHandler, RemovableChannelHandler {
        // It reads no parts, only events.
        typealias InboundIn = Never

        private let watch: ConnectionWatch
        private var connection: Connection?

        init(_ watch: ConnectionWatch) {
            self.watch = watch
        }

        func handlerAdded(context: ChannelHandlerContext) {
            connection = watch.add(context.channel)
            // Large bodies come in fewer, larger pieces; a connection with small ones never grows its buffer.
            let allocator = AdaptiveRecvByteBufferAllocator(
                minimum: 1 << 10, initial: 4 << 10, maximum: Limits.receiveBufferByteCountMax)
            context.channel.setOption(ChannelOptions.recvAllocator, value: allocator).whenFailure { _ in
                // Closed meanwhile: nothing will be received.
            }
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            connection?.close()
            watch.remove(context.channel)
        }

        func channelInactive(context: ChannelHandlerContext) {
            connection?.close()
            watch.remove(context.channel)
            context.fireChannelInactive()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { connection?.close() }
            context.fireUserInboundEventTriggered(event)
        }
    }
}
