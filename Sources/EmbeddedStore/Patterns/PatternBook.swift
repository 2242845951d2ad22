import Synchronization
import Telemetry

/// The patterns of all services' log lines, and what was new among them. One look at a line costs some hundred nanoseconds, so of a
/// stream that sends many lines at once some are looked at, each for several.
final class PatternBook: Sendable {
    /// A pattern that its service never had before.
    struct News: Sendable {
        var service: String
        var level: String
        var pattern: String
        var example: String
        var timestamp: Int64
    }

    /// How often a pattern came, by minute since 1970.
    struct Count: Sendable {
        var service: String
        /// Names the pattern, whose words may still become fewer.
        var id: UInt64
        var level: PatternText.Level
        var field: String?
        var words: [String]
        var counts: [Int64: Int]
    }

    fileprivate struct State: Sendable {
        var services: [String: ServicePatterns] = [:]
        var news: [News] = []
        var newCounts: [String: UInt64] = [:]
        var patternCount = 0
    }

    /// Lines of one stream in one request that are looked at.
    private static let lineCountMax = 8
    /// Services beyond these have no patterns: each may take some 100 KB.
    private static let serviceCountMax = 2_000
    private static let newsCountMax = 256
    /// What a service logs when it is first seen is new, but no news.
    private static let learning: Int64 = 600 * 1_000_000_000

    private let state = Mutex(State())

    /// Looks at rows that were stored.
    ///
    /// - Parameter now: nanoseconds; what decides whether a service is still new is the clock, not the lines.
    func observe(_ labels: Labels, _ rows: LogRows, now: Int64) {
        let count = rows.count
        guard count > 0, labels[Self.kindLabel] != Self.newsKind else { return }
        let service = Self.service(labels)
        let step = (count + Self.lineCountMax - 1) / Self.lineCountMax
        state.withLock { state in
            if state.services[service] == nil {
                guard state.services.count < Self.serviceCountMax else { return }
                state.services[service] = ServicePatterns(firstSeen: now)
            }
            rows.bytes.withUnsafeBufferPointer { bytes in
                // Which of the lines: not always the first ones of a request.
                var row = Int(truncatingIfNeeded: UInt64(bitPattern: rows.timestamps[0]) % UInt64(step))
                while row < count {
                    let line = UnsafeBufferPointer(rebasing: bytes[rows.range(row)])
                    let weight = min(step, count - row)
                    if let new = state.services[service]?.add(line, at: rows.timestamps[row], weight: weight) {
                        state.note(new, service, rows.timestamps[row], now, Self.learning, Self.newsCountMax)
                    }
                    row += step
                }
            }
        }
    }

    /// The label that lines about new patterns bear, and its value.
    static let kindLabel = "kind"
    static let newsKind = "log_pattern_new"

    /// What tells services apart: the first of these labels that a stream has.
    static func service(_ labels: Labels) -> String {
        for name in ["service_name", "service", "app", "job", "container"] {
            if let value = labels[name] { return value }
        }
        return ""
    }

    /// What is new since the last call.
    func takeNews() -> [News] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news
        }
    }

    /// New patterns since the start, by service; and how many are known.
    var figures: (newCounts: [String: UInt64], patternCount: Int) {
        state.withLock { ($0.newCounts, $0.patternCount) }
    }

    /// What was counted since the last call.
    func takeCounts() -> [Count] {
        state.withLock { state in
            var taken: [Count] = []
            for service in state.services.keys {
                guard var patterns = state.services.removeValue(forKey: service) else { continue }
                for (index, counts) in patterns.takeCounts() {
                    taken.append(Self.count(service, patterns.patterns[index], counts))
                }
                state.services[service] = patterns
            }
            return taken
        }
    }

    /// What was counted of some services and is not on disk yet.
    func counts(_ isWanted: (String) -> Bool) -> [Count] {
        state.withLock { state in
            var found: [Count] = []
            for (service, patterns) in state.services where isWanted(service) {
                for pattern in patterns.patterns where !pattern.counts.isEmpty { found.append(Self.count(service, pattern, pattern.counts)) }
            }
            return found
        }
    }

    /// Takes back what could not be written.
    func putBack(_ counts: [Count]) {
        state.withLock { state in
            for count in counts { state.services[count.service]?.add(count.counts, to: count.id) }
        }
    }

    /// Knows patterns from before the start: none of them is news.
    func restore(_ counts: [Count], now: Int64) {
        state.withLock { state in
            for count in counts {
                if state.services[count.service] == nil {
                    guard state.services.count < Self.serviceCountMax else { continue }
                    state.services[count.service] = ServicePatterns(firstSeen: now - Self.learning)
                }
                if state.services[count.service]?.restore(count) == true { state.patternCount += 1 }
            }
        }
    }

    private static func count(_ service: String, _ pattern: ServicePatterns.Pattern, _ counts: [Int64: Int]) -> Count {
        Count(
            service: service, id: pattern.id, level: pattern.level, field: pattern.field, words: pattern.words, counts: counts)
    }
}

extension PatternBook.State {
    fileprivate mutating func note(_ index: Int, _ service: String, _ timestamp: Int64, _ now: Int64, _ learning: Int64, _ newsCountMax: Int) {
        patternCount += 1
        guard let patterns = services[service], now - patterns.firstSeen >= learning else { return }
        newCounts[service, default: 0] += 1
        guard news.count < newsCountMax else { return }
        let pattern = patterns.patterns[index]
        news.append(
            PatternBook.News(
                service: service, level: pattern.level.name, pattern: pattern.text, example: pattern.example, timestamp: timestamp))
    }
}
