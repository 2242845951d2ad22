import Settings
import Telemetry

/// `metrics`: counts and measures lines, for `/metrics`.
struct MetricsStage: Stage {
    private struct Metric: Sendable {
        enum Action: String, Sendable { case inc, add, set, sub, dec }

        var family: StageMetrics.Family
        /// What was found under this name is counted.
        var source: String
        var action: Action
        /// Only what is exactly this counts.
        var value: String?
        var matchesAll = false
        var countsBytes = false
    }

    private var metricList: [Metric] = []
    private var metrics: StageMetrics?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let pairs = try options.node.pairs
        guard !pairs.isEmpty else { throw options.key.error("metrics is empty: name at least one metric") }
        for (key, value) in pairs {
            let name = try key.nonEmptyString
            metricList.append(try Self.metric(name, StageOptions(value, key: key, stage: "metrics"), &context))
        }
    }

    private static func metric(
        _ name: String, _ options: StageOptions, _ context: inout StageContext
    ) throws(ConfigurationError) -> Metric {
        let fields = try options.reading(["type", "description", "source", "prefix", "max_idle_duration", "config"], &context)
        let node = try fields.required("type")
        guard let kind = StageMetrics.Kind(rawValue: try node.string.lowercased()) else {
            throw node.error("the metric type must be Counter, Gauge or Histogram, found \(try node.string.debugDescription)")
        }
        var idle = Duration.seconds(300)
        if let node = fields["max_idle_duration"] {
            idle = try node.goDuration
            guard idle >= .seconds(1) else { throw node.error("max_idle_duration less than 1s not allowed") }
        }
        let prefix = try fields.string("prefix") ?? ""
        var family = StageMetrics.Family(
            name: (prefix.isEmpty ? "promtail_custom_" : prefix) + name, help: try fields.string("description") ?? "", kind: kind, idle: idle)
        let place = fields["config"] ?? fields.place
        let keys: [String] =
            switch kind {
            case .counter: ["match_all", "count_entry_bytes", "value", "action"]
            case .gauge: ["value", "action"]
            case .histogram: ["value", "buckets"]
            }
        let config = try StageOptions(place.isNull || fields["config"] == nil ? .empty(at: place) : place, key: options.key, stage: "metrics")
            .reading(keys, &context)
        var metric = Metric(family: family, source: try fields.string("source") ?? name, action: .inc)
        metric.value = try config.string("value")
        if kind == .histogram {
            if let node = config["buckets"] {
                family.bounds = []
                for bound in try node.list { family.bounds.append(try bound.double) }
                for (left, right) in zip(family.bounds, family.bounds.dropFirst()) where left >= right {
                    throw node.error("histogram buckets must be in increasing order: \(left) is before \(right)")
                }
                if family.bounds.isEmpty { family.bounds = StageMetrics.Family.standardBounds }
            }
            metric.family = family
            return metric
        }
        guard let node = config["action"] else { throw place.error("the metric \(name) needs an action") }
        let allowed = kind == .counter ? ["inc", "add"] : ["set", "inc", "dec", "add", "sub"]
        guard let action = Metric.Action(rawValue: try node.string.lowercased()), allowed.contains(action.rawValue) else {
            throw node.error("action \(try node.string) is not valid, it must be one of \(allowed.joined(separator: ", "))")
        }
        metric.action = action
        metric.matchesAll = try config.bool("match_all")
        metric.countsBytes = try config.bool("count_entry_bytes")
        if metric.matchesAll, metric.value != nil { throw place.error("`match_all: true` cannot be combined with `value`") }
        if metric.countsBytes, !metric.matchesAll { throw place.error("`count_entry_bytes: true` can only be set with `match_all: true`") }
        if metric.countsBytes, action != .add { throw place.error("`count_entry_bytes: true` can only be used with `action: add`") }
        return metric
    }

    mutating func bind(_ environment: StageEnvironment) {
        metrics = environment.metrics
        for metric in metricList { environment.metrics.declare(metric.family) }
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        guard let metrics else { return true }
        for metric in metricList {
            let found: StageValue
            if metric.matchesAll {
                found = metric.countsBytes ? .number(Double(entry.line.utf8.count)) : .null
            } else {
                guard let value = entry.extracted[metric.source] else { continue }
                found = value
            }
            if let value = metric.value, found.text != value { continue }
            switch metric.family.kind {
            case .histogram:
                if let number = found.number { metrics.observe(metric.family.name, entry.labels, number, now: run.now) }
            case .counter, .gauge:
                switch metric.action {
                case .inc: metrics.add(metric.family.name, entry.labels, 1, now: run.now)
                case .dec: metrics.add(metric.family.name, entry.labels, -1, now: run.now)
                case .add:
                    // A counter never falls.
                    guard let number = found.number, metric.family.kind == .gauge || number >= 0 else { continue }
                    metrics.add(metric.family.name, entry.labels, number, now: run.now)
                case .sub: if let number = found.number { metrics.add(metric.family.name, entry.labels, -number, now: run.now) }
                case .set: if let number = found.number { metrics.set(metric.family.name, entry.labels, number, now: run.now) }
                }
            }
        }
        return true
    }
}

extension ConfigurationNode {
    /// A mapping without keys that stands where another value does.
    fileprivate static func empty(at place: ConfigurationNode) -> ConfigurationNode {
        ConfigurationNode(content: .mapping([]), file: place.file, line: place.line, column: place.column, path: place.path)
    }
}
