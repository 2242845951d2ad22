import HummingbirdCore
import Logging
import NIOCore

/// Hummingbird's HTTP/1.1 connection, whose task runs on the connection's own event loop: a request that needs no other thread is read,
/// answered and written by the one that `epoll` woke.
///
/// What works for long leaves the loop by itself: see ``Workplace``.
struct EventLoopChannel: ServerChildChannel {
    let base: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}
