package import Logging
package import PromQL
import ServiceLifecycle
package import Settings
import Synchronization
package import Telemetry

/// Hears of alerts that fire and that are resolved.
package protocol AlertNotifier: Sendable {
    /// Takes alerts over; never waits. The same alert comes again while it fires.
    func notify(_ alerts: [Alert], of rule: Rule)
}

/// How rules are evaluated.
package struct RuleManagerOptions: Sendable {
    /// Where a group names no interval (`global.evaluation_interval`).
    package var evaluationInterval = Duration.seconds(60)
    /// Where a group names no offset (`global.rule_query_offset`).
    package var queryOffset = Duration.zero
    /// How long until the notifier hears of a firing alert again (Prometheus, `rules.alert.resend-delay`).
    package var resendDelay = Duration.seconds(60)
    package var externalLabels = Labels.empty
    package var externalURL = ""

    package init() {}
}

/// Evaluates the rules of rule files on schedule.
package final class RuleManager: Service {
    private struct State: Sendable {
        var files: RuleFileSet
        var options: RuleManagerOptions
        /// What the files said when they were read last.
        var groups: [RuleGroup] = []
        var loops: [GroupLoop] = []
    }

    private let engine: PromQLEngine
    private let store: any TelemetryStore
    private let notifier: (any AlertNotifier)?
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<State>
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameter files: the rule files.
    package init(
        files: RuleFileSet, engine: PromQLEngine, store: any TelemetryStore, notifier: (any AlertNotifier)? = nil,
        options: RuleManagerOptions = RuleManagerOptions(), time: TimeSource = .system, logger: Logger
    ) {
        self.engine = engine
        self.store = store
        self.notifier = notifier
        self.time = time
        self.logger = logger
        state = Mutex(State(files: files, options: options))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Reads the rule files that globs name.
    ///
    /// - Throws: every error of every file.
    package static func load(files: RuleFileSet) throws(RuleFile.LoadError) -> (
        groups: [RuleGroup], warnings: [ConfigurationWarning]
    ) {
        var groups: [RuleGroup] = []
        var warnings: [ConfigurationWarning] = []
        var errors: [ConfigurationError] = []
        var seen: Set<String> = []
        for (pattern, language) in files.patterns {
            var paths = FileGlob.files(pattern)
            // A file named without wildcards must be there: opening it says why it is not.
            if paths.isEmpty, !FileGlob.isPattern(pattern) { paths = [pattern] }
            for path in paths where seen.insert(path).inserted {
                do throws(RuleFile.LoadError) {
                    let file = try RuleFile.load(path: path, language: language)
                    groups += file.groups
                    warnings += file.warnings
                } catch {
                    errors += error.errors
                }
            }
        }
        guard errors.isEmpty else { throw RuleFile.LoadError(errors: errors) }
        return (groups, warnings)
    }

    /// Reads the files again and takes what they say. Groups that have not changed go on undisturbed; alerts of rules that are
    /// still there keep their state.
    ///
    /// - Throws: every error of the files; then everything stays as it was.
    package func apply(files: RuleFileSet, options: RuleManagerOptions) throws(RuleFile.LoadError) {
        let (groups, warnings) = try Self.load(files: files)
        for warning in warnings {
            logger.warning("A rule file has a part without effect", metadata: ["place": "\(warning)"])
        }
        state.withLock { state in
            state.files = files
            state.options = options
            state.groups = groups
        }
        change.yield()
    }

    /// The groups in the order of their files.
    package func groups() -> [RuleGroupSnapshot] { state.withLock { $0.loops }.map(\.snapshot) }

    /// The alerts that are pending or firing, with the rule that each is of.
    package func alerts() -> [(rule: Rule, alert: Alert)] {
        groups().flatMap { group in group.rules.flatMap { rule in rule.alerts.map { (rule.rule, $0) } } }
    }

    /// Reads the files if ``apply(files:options:)`` has not, and evaluates until the service group shuts down.
    package func run() async throws {
        let (files, options, isLoaded) = state.withLock { ($0.files, $0.options, !$0.groups.isEmpty) }
        if !isLoaded { try apply(files: files, options: options) }
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        await withDiscardingTaskGroup { group in
            change.yield()
            for await _ in changes {
                let (started, stopped) = reconcile()
                for loop in started { group.addTask { await loop.run() } }
                let now = time.milliseconds
                for loop in stopped { await loop.endSeries(at: now) }
            }
            group.cancelAll()
        }
    }

    /// Starts loops for new and changed groups and stops those of old ones.
    ///
    /// - Returns: the loops to run, and those whose series end because nothing took their place.
    private func reconcile() -> (started: [GroupLoop], ended: [GroupLoop]) {
        let (groups, options, before) = state.withLock { ($0.groups, $0.options, $0.loops) }
        let surroundings = RuleSurroundings(
            engine: engine, store: store, logger: logger, externalLabels: options.externalLabels,
            externalURL: options.externalURL)
        var left = before
        var loops: [GroupLoop] = []
        var started: [GroupLoop] = []
        for group in groups {
            let index = left.firstIndex { $0.group.file == group.file && $0.group.name == group.name }
            if let index, left[index].group == group,
                left[index].interval == group.interval ?? options.evaluationInterval
            {
                loops.append(left.remove(at: index))
                continue
            }
            var states: [RuleState] = []
            if let index {
                let replaced = left.remove(at: index)
                replaced.stop()
                states = replaced.ruleStates
            }
            let loop = GroupLoop(
                group: group, options: options, surroundings: surroundings, notifier: notifier, time: time,
                adopting: states)
            loops.append(loop)
            started.append(loop)
        }
        for loop in left { loop.stop() }
        state.withLock { $0.loops = loops }
        return (started, left)
    }
}

/// Globs of rule files, and what the rules in them are written in where a group does not say.
package struct RuleFileSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    package var promql: [String]
    /// Rule files of Loki.
    package var logql: [String]

    package init(promql: [String], logql: [String] = []) {
        self.promql = promql
        self.logql = logql
    }

    package init(arrayLiteral elements: String...) {
        self.init(promql: elements)
    }

    var patterns: [(String, RuleLanguage)] { promql.map { ($0, .promql) } + logql.map { ($0, .logql) } }
}

/// When recurring work is due.
enum EvaluationSchedule {
    /// The next instant after `now` that is a multiple of the interval shifted by the hash: the same in every process, so that
    /// series recorded before and after a restart have evenly spaced timestamps.
    ///
    /// - Parameter now: nanoseconds since the epoch, like the result.
    static func next(after now: Int64, interval: Duration, offsetHash: UInt64) -> Int64 {
        let stepMilliseconds = max(1, interval.milliseconds)
        let step = stepMilliseconds * 1_000_000
        let offset = Int64(offsetHash % UInt64(stepMilliseconds)) * 1_000_000
        let remainder = (now - offset) % step
        return now - (remainder >= 0 ? remainder : remainder + step) + step
    }
}
