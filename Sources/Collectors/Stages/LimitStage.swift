import Settings
import Synchronization
import Telemetry

/// `limit`: lines a second, of the job or of each value of a label.
struct LimitStage: Stage {
    /// What the targets of a job share.
    private final class Buckets: Sendable {
        struct State {
            var all: TokenBucket
            var byValue: [String: TokenBucket] = [:]
        }

        let state: Mutex<State>

        init(_ all: TokenBucket) {
            state = Mutex(State(all: all))
        }
    }

    private let full: TokenBucket
    private let buckets: Buckets
    private let drops: Bool
    private let label: String?
    private let valueCountMax: Int
    private var metrics: StageMetrics?

    /// Fewer make no sense: a bucket takes some 80 bytes.
    private static let valueCountMin = 10_000

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["rate", "burst", "drop", "by_label_name", "max_distinct_labels"], &context)
        let rate = try fields["rate"]?.double ?? 0
        let burst = try fields["burst"]?.int ?? 0
        guard rate > 0, burst > 0 else { throw fields.place.error("rate and burst must both be greater than 0") }
        drops = try fields.bool("drop")
        let label = try fields.string("by_label_name") ?? ""
        self.label = label.isEmpty ? nil : label
        guard label.isEmpty || drops else { throw fields.place.error("with by_label_name, drop must be true") }
        let count = try fields["max_distinct_labels"]?.int ?? 0
        if !label.isEmpty, count < Self.valueCountMin, let node = fields["max_distinct_labels"] {
            context.warnings.append(node.warning("max_distinct_labels is raised to \(Self.valueCountMin), the smallest that makes sense"))
        }
        valueCountMax = max(count, Self.valueCountMin)
        full = TokenBucket(rate: rate, burst: burst)
        buckets = Buckets(full)
    }

    mutating func bind(_ environment: StageEnvironment) { metrics = environment.metrics }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        guard let label else {
            if !drops {
                run.delay = max(run.delay, buckets.state.withLock { $0.all.reserve(now: run.now) })
                return true
            }
            if buckets.state.withLock({ $0.all.take(now: run.now) }) { return true }
            metrics?.dropped(reason: "ratelimit_drop_stage")
            return false
        }
        guard let value = entry.labels[label] else { return true }
        let isAllowed = buckets.state.withLock { state in
            if state.byValue.count >= valueCountMax, state.byValue[value] == nil {
                state.byValue = [:]
                metrics?.resetDroppedByLabel()
            }
            return state.byValue[value, default: full].take(now: run.now)
        }
        if isAllowed { return true }
        metrics?.dropped(reason: "ratelimit_drop_stage")
        metrics?.dropped(label: label, value: value)
        return false
    }
}
