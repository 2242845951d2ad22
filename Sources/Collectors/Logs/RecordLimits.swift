import Synchronization
import Telemetry

/// What `limits_config` allows all jobs together, behind their stages.
package final class RecordLimits: Sendable {
    private struct State {
        var bucket: TokenBucket?
        var streams: Set<Labels> = []
    }

    private let limits: PromtailLimits
    private let state: Mutex<State>

    package init(_ limits: PromtailLimits = PromtailLimits()) {
        self.limits = limits
        state = Mutex(State(bucket: limits.lineRate.map { TokenBucket(rate: $0, burst: limits.lineBurst) }))
    }

    /// Whether a record goes on; one that is too long may be cut.
    func admit(_ record: inout LogRecord, _ run: inout StageRun, _ environment: StageEnvironment) -> Bool {
        for pair in limits.externalLabels.pairs where record.labels[pair.name] == nil { record.labels[pair.name] = pair.value }
        let byteCountMax = limits.lineByteCountMax
        if byteCountMax > 0, record.line.utf8.count > byteCountMax {
            guard limits.cutsLongLines else {
                environment.metrics.dropped(reason: "line_too_long")
                return false
            }
            environment.metrics.counted("apus_pipeline_lines_cut_total")
            record.line = TextCut.prefix(record.line, byteCountMax)
        }
        if limits.lineRate == nil, limits.streamCountMax == 0 { return true }
        return state.withLock { state in
            if limits.streamCountMax > 0, !state.streams.contains(record.labels) {
                guard state.streams.count < limits.streamCountMax else {
                    environment.metrics.dropped(reason: "stream_limited")
                    return false
                }
                state.streams.insert(record.labels)
            }
            guard state.bucket != nil else { return true }
            if limits.dropsOverRate {
                guard state.bucket?.take(now: run.now) == true else {
                    environment.metrics.dropped(reason: "global_rate_limiter_drop")
                    return false
                }
            } else {
                run.delay = max(run.delay, state.bucket?.reserve(now: run.now) ?? 0)
            }
            return true
        }
    }
}

/// A token bucket (golang.org/x/time/rate, `Limiter`).
struct TokenBucket: Sendable {
    private let rate: Double
    private let burst: Double
    private var tokens: Double
    private var last: Int64?

    /// - Parameters:
    ///   - rate: tokens a second.
    ///   - burst: tokens that an idle bucket holds.
    init(rate: Double, burst: Int) {
        self.rate = rate
        self.burst = Double(burst)
        tokens = Double(burst)
    }

    /// Takes a token; false where there is none.
    ///
    /// - Parameter now: nanoseconds since the Unix epoch.
    mutating func take(now: Int64) -> Bool {
        refill(now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// Takes a token even where there is none yet.
    ///
    /// - Returns: nanoseconds until it is there.
    mutating func reserve(now: Int64) -> Int64 {
        refill(now)
        tokens -= 1
        return tokens >= 0 ? 0 : Int64(min(-tokens / rate, 3_600) * 1e9)
    }

    private mutating func refill(_ now: Int64) {
        defer { last = now }
        guard let last, now > last else { return }
        tokens = min(burst, tokens + Double(now &- last) / 1e9 * rate)
    }
}
