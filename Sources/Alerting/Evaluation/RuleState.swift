import Logging
import PromQL
import Query
import Settings
import Telemetry

/// What evaluating a rule needs around it.
struct RuleSurroundings: Sendable {
    let engine: PromQLEngine
    let store: any TelemetryStore
    let logger: Logger
    let externalLabels: Labels
    let externalURL: String

    /// Evaluates a query to a vector; a scalar becomes a sample without labels (Prometheus, rules/manager.go, `EngineQueryFunc`).
    func vector(_ query: String, _ language: RuleLanguage = .promql, at time: Int64) async throws(QueryError) -> [VectorSample] {
        if language == .logql { return try await logVector(query, at: time) }
        // Rules evaluate beside queries, on their threads: neither keeps the threads that serve requests.
        let outcome: Result<PromQLResult, QueryError> = await withTaskExecutorPreference(WorkerThreads.queries) {
            do throws(QueryError) {
                return .success(try await evaluate(query, at: time))
            } catch {
                return .failure(error)
            }
        }
        switch try outcome.get().value {
        case .vector(let samples): return samples
        case .scalar(let timestamp, let value):
            return [VectorSample(labels: .empty, timestamp: timestamp, value: .float(value))]
        case .string, .matrix: throw QueryError(.execution, "rule result is not a vector or scalar")
        }
    }

    @concurrent
    private func evaluate(_ query: String, at time: Int64) async throws(QueryError) -> PromQLResult {
        try await engine.instant(query, at: time, context: QueryContext())
    }
}

/// One rule of a running group: what it remembers from one evaluation to the next.
struct RuleState: Sendable {
    let rule: Rule
    private(set) var snapshot: RuleSnapshot
    private var machine: AlertStateMachine
    /// The series of the last evaluation: those that the next one does not give get staleness markers.
    private(set) var series: Set<Labels> = []
    private let labelTemplates: [(name: String, template: Template?)]
    private let annotationTemplates: [(name: String, template: Template?)]
    /// Whether the state of the alerts from before the restart has been looked for.
    private var isRestored = false

    /// How far back `ALERTS_FOR_STATE` counts (Prometheus, `rules.alert.for-outage-tolerance`).
    private static let outageTolerance = Duration.seconds(3_600)

    init(_ rule: Rule) {
        self.rule = rule
        snapshot = RuleSnapshot(rule: rule)
        machine = AlertStateMachine(holdDuration: rule.holdDuration, keepFiringFor: rule.keepFiringFor)
        func templates(_ labels: Labels) -> [(name: String, template: Template?)] {
            // The file's loader has parsed them once: what is nil here is plain text.
            labels.pairs.map { label in
                let isTemplate = rule.kind == .alerting && Template.isTemplate(label.value)
                return (label.name, isTemplate ? try? Template(label.value, name: "__alert_" + rule.name) : nil)
            }
        }
        labelTemplates = templates(rule.labels)
        annotationTemplates = templates(rule.annotations)
    }

    /// Goes on where the same rule of an earlier configuration stood.
    mutating func adopt(_ other: RuleState) {
        series = other.series
        isRestored = other.isRestored
        var adopted = AlertStateMachine(holdDuration: rule.holdDuration, keepFiringFor: rule.keepFiringFor)
        adopted.adopt(other.machine)
        machine = adopted
        snapshot.health = other.snapshot.health
        snapshot.lastError = other.snapshot.lastError
        snapshot.lastEvaluation = other.snapshot.lastEvaluation
        refreshAlerts()
    }

    /// Evaluates the rule and returns the rows to store.
    ///
    /// - Parameters:
    ///   - time: of the evaluation, in milliseconds.
    ///   - queryTime: the time that the expression is evaluated at and that the rows carry.
    mutating func evaluate(
        at time: Int64, queryTime: Int64, limit: Int, _ surroundings: RuleSurroundings
    ) async -> MetricBatch {
        let start = ContinuousClock.now
        var batch = MetricBatch()
        do {
            let samples = try await surroundings.vector(rule.expression, rule.language, at: queryTime)
            let rows =
                switch rule.kind {
                case .recording: try recorded(samples, limit: limit)
                case .alerting: try await alerts(samples, at: time, limit: limit, surroundings)
                }
            try append(rows, at: queryTime, to: &batch)
            snapshot.health = .ok
            snapshot.lastError = ""
        } catch {
            if snapshot.health != .failed || snapshot.lastError != "\(error)" {
                surroundings.logger.warning(
                    "A rule failed", metadata: ["rule": .string(rule.name), "error": "\(error)"])
            }
            snapshot.health = .failed
            snapshot.lastError = "\(error)"
        }
        snapshot.evaluationTime = ContinuousClock.now - start
        snapshot.lastEvaluation = time
        refreshAlerts()
        return batch
    }

    /// The alerts that the notifier is to hear of.
    mutating func takeUnsent(at time: Int64, resendDelay: Duration, interval: Duration) -> [Alert] {
        machine.takeUnsent(at: time, resendDelay: resendDelay, interval: interval)
    }

    /// The markers that end the rule's series: it is gone.
    func end(at time: Int64, in batch: inout MetricBatch) {
        for labels in series { batch.append(series: batch.addSeries(labels), timestamp: time, value: Staleness.marker) }
    }

    private mutating func refreshAlerts() {
        snapshot.alerts = machine.active.sorted { $0.labels < $1.labels }
        snapshot.state = machine.state
    }

    // MARK: Rows

    private typealias Row = (labels: Labels, value: PromQLSampleValue)

    private mutating func append(_ rows: [Row], at time: Int64, to batch: inout MetricBatch) throws {
        var current: Set<Labels> = []
        for row in rows {
            guard current.insert(row.labels).inserted else {
                throw AlertStateMachine.Failure(
                    description: "vector contains metrics with the same labelset after applying rule labels")
            }
        }
        for row in rows {
            let index = batch.addSeries(row.labels)
            switch row.value {
            case .float(let value): batch.append(series: index, timestamp: time, value: value)
            case .histogram(let histogram): batch.histograms.append((index, time, histogram))
            }
        }
        for gone in series.subtracting(current) {
            batch.append(series: batch.addSeries(gone), timestamp: time, value: Staleness.marker)
        }
        series = current
    }

    private func recorded(_ samples: [VectorSample], limit: Int) throws -> [Row] {
        if limit > 0, samples.count > limit {
            throw AlertStateMachine.Failure(description: "exceeded limit of \(limit) with \(samples.count) series")
        }
        return samples.map { sample in
            var labels = sample.labels
            for label in rule.labels.pairs { labels[label.name] = label.value }
            labels[Labels.metricName] = rule.name
            return (labels, sample.value)
        }
    }

    private mutating func alerts(
        _ samples: [VectorSample], at time: Int64, limit: Int, _ surroundings: RuleSurroundings
    ) async throws -> [Row] {
        var candidates: [Alert] = []
        for sample in samples { candidates.append(await candidate(sample, at: time, surroundings)) }
        try machine.update(candidates, at: time, limit: limit)
        if !isRestored {
            isRestored = true
            if rule.holdDuration > .zero, !machine.active.isEmpty { await restore(at: time, surroundings) }
        }
        return machine.active.flatMap { alert -> [Row] in
            var state = alert.labels
            state[Labels.metricName] = Alert.metricName
            state[Alert.stateLabel] = alert.state.rawValue
            var forState = alert.labels
            forState[Labels.metricName] = Alert.forStateMetricName
            return [(state, .float(1)), (forState, .float((Double(alert.activeAt) / 1_000).rounded(.down)))]
        }
    }

    private func candidate(_ sample: VectorSample, at time: Int64, _ surroundings: RuleSurroundings) async -> Alert {
        let value: TemplateValue
        let number: Double
        switch sample.value {
        case .float(let float): (value, number) = (.double(float), float)
        case .histogram(let histogram):
            (value, number) = (.string("{count:\(histogram.count), sum:\(histogram.sum)}"), histogram.sum)
        }
        let context = TemplateContext(externalURL: surroundings.externalURL, now: time) { query in
            try await surroundings.vector(query, rule.language, at: time).map { sample in
                if case .float(let value) = sample.value { (sample.labels, value) } else { (sample.labels, .nan) }
            }
        }
        var labels = sample.labels.withoutMetricName
        for (label, entry) in zip(rule.labels.pairs, labelTemplates) {
            labels[label.name] = await expand(
                entry.template, or: label.value, sample.labels, value, context, surroundings)
        }
        labels[Alert.nameLabel] = rule.name
        var annotations: [Label] = []
        for (annotation, entry) in zip(rule.annotations.pairs, annotationTemplates) {
            let text = await expand(entry.template, or: annotation.value, sample.labels, value, context, surroundings)
            annotations.append(Label(annotation.name, text))
        }
        return Alert(labels: labels, annotations: Labels(annotations), value: number, activeAt: time)
    }

    /// An error becomes part of the text, as in Prometheus: an alert with a broken annotation still is an alert.
    private func expand(
        _ template: Template?, or text: String, _ labels: Labels, _ value: TemplateValue, _ context: TemplateContext,
        _ surroundings: RuleSurroundings
    ) async -> String {
        guard let template else { return text }
        do throws(TemplateError) {
            return try await template.expand(
                labels: labels, value: value, externalLabels: surroundings.externalLabels, context: context)
        } catch {
            surroundings.logger.warning(
                "A template could not be expanded", metadata: ["alert": .string(rule.name), "error": "\(error)"])
            return "<error expanding template: \(error)>"
        }
    }

    // MARK: Restart

    /// Looks for the time since which the alerts were active before the restart. Prometheus does so only where `for` is longer
    /// than ten minutes; a restart here takes a second, so that every `for` can go on.
    private mutating func restore(at time: Int64, _ surroundings: RuleSurroundings) async {
        let range = TimeRange(time - Self.outageTolerance.milliseconds, time)
        let matchers = [
            LabelMatcher(Labels.metricName, .equal, Alert.forStateMetricName),
            LabelMatcher(Alert.nameLabel, .equal, rule.name),
        ]
        do {
            let streams = try await surroundings.store.streams(.metrics, matching: matchers, in: range)
            var last: [Labels: Sample] = [:]
            let request = ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)
            try await surroundings.store.scan(request) { block in
                if case .floats(let values) = block.columns, let time = block.timestamps.last, let value = values.last {
                    last[block.stream.labels.dropping([Labels.metricName])] = Sample(timestamp: time, value: value)
                }
                return .continue
            }
            for (labels, sample) in last where sample.value.isFinite && abs(sample.value) < 1e12 {
                machine.restore(labels, activeAt: Int64(sample.value * 1_000), lastSeen: sample.timestamp, now: time)
            }
        } catch {
            surroundings.logger.warning(
                "The state of alerts from before the restart could not be read",
                metadata: ["rule": .string(rule.name), "error": "\(error)"])
        }
    }
}
