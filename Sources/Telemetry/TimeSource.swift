import Glibc

/// Where the time comes from: the system's clock, or a test's.
package struct TimeSource: Sendable {
    private let read: @Sendable () -> Int64

    /// - Parameter read: nanoseconds since the Unix epoch.
    package init(_ read: @escaping @Sendable () -> Int64) {
        self.read = read
    }

    /// Nanoseconds since the Unix epoch.
    package var nanoseconds: Int64 { read() }
    /// Milliseconds since the Unix epoch.
    package var milliseconds: Int64 { read() / 1_000_000 }

    /// The system's clock.
    package static let system = TimeSource {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
