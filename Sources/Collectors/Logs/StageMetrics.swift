import Synchronization
import Telemetry
import Templates

/// What pipelines count: lines that stages drop, and the metrics that `metrics` stages define. For `/metrics`.
package final class StageMetrics: Sendable {
    enum Kind: String, Sendable, Hashable { case counter, gauge, histogram }

    /// One metric and how it is shown.
    struct Family: Sendable, Hashable {
        /// The buckets of client_golang (`DefBuckets`).
        static let standardBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

        var name: String
        var help: String
        var kind: Kind
        /// A series that nothing has touched for so long goes.
        var idle: Duration
        var bounds: [Double] = standardBounds
    }

    private struct Series {
        var value = 0.0
        var counts: [UInt64] = []
        var count: UInt64 = 0
        /// Nanoseconds since the Unix epoch.
        var touched: Int64
    }

    private struct State {
        var families: [String: Family] = [:]
        var series: [String: [Labels: Series]] = [:]
        var dropped: [String: UInt64] = [:]
        var droppedByLabel: [Label: UInt64] = [:]
        var counters: [String: UInt64] = [:]
    }

    private let state = Mutex(State())

    /// Series of one metric: more are not counted.
    private static let seriesCountMax = 100_000

    package init() {}

    // MARK: Counting

    package func dropped(reason: String, count: Int = 1) {
        state.withLock { $0.dropped[reason, default: 0] += UInt64(count) }
    }

    func dropped(label: String, value: String) {
        state.withLock { $0.droppedByLabel[Label(label, value), default: 0] += 1 }
    }

    func resetDroppedByLabel() {
        state.withLock { $0.droppedByLabel = [:] }
    }

    /// Counts something of a source or a client: `promtail_read_lines_total` and its like.
    package func counted(_ name: String, by count: Int = 1) {
        state.withLock { $0.counters[name, default: 0] += UInt64(max(0, count)) }
    }

    /// Lets a metric be there, whether it has series or not. Of several with one name the first counts.
    func declare(_ family: Family) {
        state.withLock { state in
            if state.families[family.name] == nil { state.families[family.name] = family }
        }
    }

    func add(_ name: String, _ labels: Labels, _ value: Double, now: Int64) {
        update(name, labels, now: now) { series, _ in series.value += value }
    }

    func set(_ name: String, _ labels: Labels, _ value: Double, now: Int64) {
        update(name, labels, now: now) { series, _ in series.value = value }
    }

    func observe(_ name: String, _ labels: Labels, _ value: Double, now: Int64) {
        update(name, labels, now: now) { series, family in
            if series.counts.isEmpty { series.counts = Array(repeating: 0, count: family.bounds.count + 1) }
            let bucket = family.bounds.firstIndex { value <= $0 } ?? family.bounds.count
            series.counts[bucket] += 1
            series.count += 1
            series.value += value
        }
    }

    private func update(_ name: String, _ labels: Labels, now: Int64, _ body: (inout Series, Family) -> Void) {
        state.withLock { state in
            guard let family = state.families[name] else { return }
            let known = state.series[name]?.count ?? 0
            guard known < Self.seriesCountMax || state.series[name]?[labels] != nil else {
                state.counters["promtail_custom_series_refused_total", default: 0] += 1
                return
            }
            body(&state.series[name, default: [:]][labels, default: Series(touched: now)], family)
            state.series[name]?[labels]?.touched = now
        }
    }

    /// Forgets what stages have defined, as a reload does.
    package func reset() {
        state.withLock { state in
            state.families = [:]
            state.series = [:]
        }
    }

    // MARK: Showing

    /// Everything in Prometheus' text format. Series that have been idle for too long go behind it.
    package func exposition(now: Int64) -> String {
        state.withLock { state in
            var text = ""
            Self.counter("logentry_dropped_lines_total", "Lines that a pipeline dropped, by reason.", &text)
            for (reason, count) in state.dropped.sorted(by: { $0.key < $1.key }) {
                text += "logentry_dropped_lines_total{reason=\(reason.quoted)} \(count)\n"
            }
            if !state.droppedByLabel.isEmpty {
                Self.counter("logentry_dropped_lines_by_label_total", "Lines that a limit stage dropped, by the label that it looks at.", &text)
                for (label, count) in state.droppedByLabel.sorted(by: { $0.key < $1.key }) {
                    text += "logentry_dropped_lines_by_label_total"
                    text += "{label_name=\(label.name.quoted),label_value=\(label.value.quoted)} \(count)\n"
                }
            }
            for (name, count) in state.counters.sorted(by: { $0.key < $1.key }) {
                text += "# TYPE \(name) counter\n\(name) \(count)\n"
            }
            for family in state.families.values.sorted(by: { $0.name < $1.name }) {
                text += "# HELP \(family.name) \(Self.escaped(family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
                let series = state.series[family.name] ?? [:]
                for (labels, value) in series.sorted(by: { $0.key < $1.key }) { Self.write(family, labels, value, &text) }
                let idle = family.idle.nanosecondCount
                state.series[family.name] = series.filter { now &- $0.value.touched < idle }
            }
            return text
        }
    }

    private static func counter(_ name: String, _ help: String, _ text: inout String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) counter\n"
    }

    private static func escaped(_ help: String) -> String {
        help.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }

    private static func write(_ family: Family, _ labels: Labels, _ series: Series, _ text: inout String) {
        let pairs = labels.pairs.filter { !$0.name.utf8.starts(with: "__".utf8) }.map { pair in
            "\(pair.name.isLabelIdentifier ? pair.name : pair.name.quoted)=\(pair.value.quoted)"
        }
        func braced(_ more: [String] = []) -> String {
            let all = pairs + more
            return all.isEmpty ? "" : "{" + all.joined(separator: ",") + "}"
        }
        guard family.kind == .histogram else {
            text += "\(family.name)\(braced()) \(GoNumber.text(series.value))\n"
            return
        }
        var total: UInt64 = 0
        for (index, count) in series.counts.enumerated() {
            total += count
            let bound = index < family.bounds.count ? GoNumber.text(family.bounds[index]) : "+Inf"
            text += "\(family.name)_bucket\(braced(["le=\"\(bound)\""])) \(total)\n"
        }
        text += "\(family.name)_sum\(braced()) \(GoNumber.text(series.value))\n"
        text += "\(family.name)_count\(braced()) \(series.count)\n"
    }
}

extension Duration {
    /// Whole nanoseconds, towards zero.
    var nanosecondCount: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ attoseconds / 1_000_000_000
    }
}
