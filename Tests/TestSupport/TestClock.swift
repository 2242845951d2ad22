import Synchronization
package import Telemetry

/// A clock that a test sets.
package final class TestClock: Sendable {
    private let now: Mutex<Int64>

    package init(milliseconds: Int64) {
        now = Mutex(milliseconds * 1_000_000)
    }

    package var milliseconds: Int64 { now.withLock { $0 } / 1_000_000 }

    package func advance(milliseconds: Int64) {
        now.withLock { $0 += milliseconds * 1_000_000 }
    }

    package var source: TimeSource { TimeSource { self.now.withLock { $0 } } }
}
