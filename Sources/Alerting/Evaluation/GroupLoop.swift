import Logging
import PromQL
import Settings
import Synchronization
import Telemetry

/// Evaluates the rules of one group, in order, at its interval.
final class GroupLoop: Sendable {
    let group: RuleGroup
    let interval: Duration
    private let queryOffset: Duration
    private let surroundings: RuleSurroundings
    private let notifier: (any AlertNotifier)?
    private let resendDelay: Duration
    private let time: TimeSource
    private let state: Mutex<RuleGroupSnapshot>
    /// The rules as they stand after the last evaluation.
    private let rules: Mutex<[RuleState]>
    /// Ends when the loop is to stop.
    private let stopped: AsyncStream<Never>
    private let stopper: AsyncStream<Never>.Continuation

    init(
        group: RuleGroup, options: RuleManagerOptions, surroundings: RuleSurroundings, notifier: (any AlertNotifier)?,
        time: TimeSource,
        adopting before: [RuleState]
    ) {
        self.group = group
        interval = group.interval ?? options.evaluationInterval
        queryOffset = group.queryOffset ?? options.queryOffset
        self.surroundings = surroundings
        self.notifier = notifier
        resendDelay = options.resendDelay
        self.time = time
        var unclaimed = before
        let rules = group.rules.map { rule in
            var state = RuleState(rule)
            // Name and labels make a rule the same; its expression may have changed (Prometheus, `CopyState`).
            if let index = unclaimed.firstIndex(where: {
                $0.rule.kind == rule.kind && $0.rule.name == rule.name && $0.rule.labels == rule.labels
            }) {
                state.adopt(unclaimed.remove(at: index))
            }
            return state
        }
        self.rules = Mutex(rules)
        orphans = Mutex(unclaimed)
        state = Mutex(
            RuleGroupSnapshot(
                name: group.name, file: group.file, interval: interval, limit: group.limit, labels: group.labels,
                language: group.language, queryOffset: group.queryOffset, rules: rules.map(\.snapshot)))
        (stopped, stopper) = AsyncStream.makeStream(of: Never.self)
    }

    /// Rules of the group before a reload that it has no more: their series are ended at the next evaluation.
    private let orphans: Mutex<[RuleState]>

    var snapshot: RuleGroupSnapshot { state.withLock { $0 } }
    /// For the group that takes this one's place.
    var ruleStates: [RuleState] { rules.withLock { $0 } }

    /// Ends the loop.
    func stop() {
        stopper.finish()
    }

    /// Returns after ``stop()``, or when its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.evaluateForever() }
            group.addTask { for await _ in self.stopped {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// Writes the markers that end the group's series.
    func endSeries(at time: Int64) async {
        var batch = MetricBatch()
        for rule in ruleStates { rule.end(at: time, in: &batch) }
        await append(batch)
    }

    private func evaluateForever() async {
        var hash = AlertHash()
        hash.combine(group.file)
        hash.combine(group.name)
        var due = EvaluationSchedule.next(after: time.nanoseconds, interval: interval, offsetHash: hash.value)
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: .nanoseconds(due - time.nanoseconds))) != nil else { return }
            let now = due / 1_000_000
            await PromQLOrigin.$current.withValue(.rules(file: group.file, group: group.name)) { await evaluate(at: now) }
            let next = EvaluationSchedule.next(
                after: max(due, time.nanoseconds), interval: interval, offsetHash: hash.value)
            let missed = (next - due) / (max(1, interval.milliseconds) * 1_000_000) - 1
            if missed > 0 {
                state.withLock { $0.missedCount += Int(missed) }
                surroundings.logger.warning(
                    "Evaluations of a rule group were left out: it takes longer than its interval",
                    metadata: ["group": .string(group.name), "missed": "\(missed)"])
            }
            due = next
        }
    }

    /// Evaluates all rules, one after the other: a rule sees what those before it recorded.
    ///
    /// - Parameter time: in milliseconds.
    func evaluate(at time: Int64) async {
        let start = ContinuousClock.now
        let queryTime = time - queryOffset.milliseconds
        var states = ruleStates
        for index in states.indices {
            if Task.isCancelled { return }
            let rows = await states[index].evaluate(at: time, queryTime: queryTime, limit: group.limit, surroundings)
            await append(rows)
            if states[index].rule.kind == .alerting, let notifier {
                let unsent = states[index].takeUnsent(at: time, resendDelay: resendDelay, interval: interval)
                if !unsent.isEmpty { notifier.notify(unsent, of: states[index].rule) }
            }
        }
        let gone = orphans.withLock { orphans in
            defer { orphans = [] }
            return orphans
        }
        if !gone.isEmpty {
            let current = states.reduce(into: Set<Labels>()) { $0.formUnion($1.series) }
            var batch = MetricBatch()
            for labels in Set(gone.flatMap(\.series)).subtracting(current) {
                batch.append(series: batch.addSeries(labels), timestamp: queryTime, value: Staleness.marker)
            }
            await append(batch)
        }
        let (kept, duration) = (states, ContinuousClock.now - start)
        rules.withLock { $0 = kept }
        state.withLock { state in
            state.rules = kept.map(\.snapshot)
            state.lastEvaluation = time
            state.evaluationTime = duration
        }
    }

    private func append(_ metrics: MetricBatch) async {
        guard !metrics.isEmpty else { return }
        var batch = TelemetryBatch()
        batch.metrics = metrics
        do throws(StoreError) {
            try await surroundings.store.append(batch)
        } catch {
            surroundings.logger.warning(
                "What a rule group recorded could not be stored",
                metadata: ["group": .string(group.name), "error": "\(error)"])
        }
    }
}

/// FNV-1a over texts: places a group within its interval.
struct AlertHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value = (value ^ 0xff) &* 0x100_0000_01b3
    }
}
