/// How far a container's log has been kept: the time of the last line, and how many lines of that very time were.
struct DockerPosition: Sendable, Equatable {
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64 = 0
    var count = 0

    /// `since` of the logs API: seconds with nine digits behind the point.
    var since: String {
        let (seconds, nanoseconds) = timestamp.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(nanoseconds)
        return "\(seconds).\(String(repeating: "0", count: max(0, 9 - digits.count)))\(digits)"
    }

    var encoded: [UInt8] { Array("\(timestamp) \(count)".utf8) }

    init() {}

    init?(_ bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard parts.count == 2, let timestamp = Int64(parts[0]), let count = Int(parts[1]), timestamp >= 0, count >= 0 else { return nil }
        (self.timestamp, self.count) = (timestamp, count)
    }

    /// Moves behind a line.
    mutating func pass(_ timestamp: Int64) {
        if timestamp == self.timestamp { count += 1 } else if timestamp > self.timestamp { (self.timestamp, count) = (timestamp, 1) }
    }

    /// Leaves out, of lines that were asked for from here on, those that are behind us.
    struct Filter {
        private let start: DockerPosition
        private var seen = 0

        init(_ start: DockerPosition) {
            self.start = start
        }

        mutating func isNew(_ timestamp: Int64) -> Bool {
            if timestamp > start.timestamp { return true }
            guard timestamp == start.timestamp else { return false }
            seen += 1
            return seen > start.count
        }
    }
}
