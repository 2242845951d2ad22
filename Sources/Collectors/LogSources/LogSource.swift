package import Logging
package import Telemetry

/// Something that lines come from, other than files that are tailed: it reads until its task is cancelled.
package protocol LogSource: Sendable {
    /// For messages: `journal of job system`.
    var title: String { get }
    /// Reads; returns where it cannot go on, and is then started again.
    func run() async throws
}

/// What every source is given: where its lines go, and what they are called.
package struct SourceContext: Sendable {
    package var job: String
    package var delivery: any LogDelivery
    package var positions: any StateStore
    package var metrics: SourceMetrics
    package var time: TimeSource
    package var logger: Logger
    /// Rules that make labels of what a source knows of a line; those that begin with `__` are gone afterwards.
    package var relabelRules: [RelabelRule]
    package var program: StageProgram
    package var environment: StageEnvironment

    package init(
        job: PromtailJob, delivery: any LogDelivery, positions: any StateStore, metrics: SourceMetrics, environment: StageEnvironment,
        time: TimeSource = .system, logger: Logger
    ) {
        self.job = job.name
        self.delivery = delivery
        self.positions = positions
        self.metrics = metrics
        self.environment = environment
        self.time = time
        self.logger = logger
        relabelRules = job.relabelRules
        program = job.program
    }

    /// The way of one target's lines to where they are kept.
    ///
    /// - Parameter positionKey: under which its position is kept; nil for a source that cannot go back.
    func pump(positionKey: String? = nil) -> SourcePump {
        SourcePump(
            pipeline: program.pipeline(environment: environment), context: self,
            positionKey: positionKey.map { "\(job)/\($0)" })
    }

    /// The labels of a line: those configured and what the source says of it, relabelled; nil where a rule drops it.
    func labels(_ configured: Labels, _ discovered: [Label]) -> Labels? {
        var relabelled = Labels(discovered + configured.pairs)
        guard RelabelRule.apply(relabelRules, to: &relabelled) else { return nil }
        return Labels(sorted: relabelled.pairs.filter { !$0.name.utf8.starts(with: "__".utf8) || $0.name == LogRecord.tenantLabel })
    }
}
