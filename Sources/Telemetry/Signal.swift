/// The four kinds of telemetry that a store keeps side by side.
package enum Signal: UInt8, Sendable, CaseIterable, Hashable {
    case metrics = 0
    case logs = 1
    case spans = 2
    case profiles = 3

    /// Its name in paths, metrics and messages.
    package var name: String {
        switch self {
        case .metrics: "metrics"
        case .logs: "logs"
        case .spans: "spans"
        case .profiles: "profiles"
        }
    }

    /// How many of its time units make a second: metrics count milliseconds, all others nanoseconds.
    package var unitsPerSecond: Int64 {
        self == .metrics ? 1_000 : 1_000_000_000
    }

    /// How many of its time units make a UTC day.
    package var unitsPerDay: Int64 {
        86_400 * unitsPerSecond
    }
}
