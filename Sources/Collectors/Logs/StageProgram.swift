package import Logging
package import Settings
package import Telemetry

/// The `pipeline_stages` of a job, read and checked. What the pipelines of its targets share (rate limits, metrics) lives here.
package struct StageProgram: Sendable {
    let stages: StageChain
    /// Options of stages that are not acted on, each with its place.
    package let warnings: [ConfigurationWarning]

    /// Without stages: lines pass as they are.
    package static let empty = StageProgram(stages: StageChain([]), warnings: [])

    init(stages: StageChain, warnings: [ConfigurationWarning]) {
        self.stages = stages
        self.warnings = warnings
    }

    /// Reads a list of stages.
    ///
    /// - Throws: the first stage that is wrong, with its place, number and name.
    package init(_ node: ConfigurationNode, job: String) throws(ConfigurationError) {
        var context = StageContext(job: job)
        stages = try StageChain(node, &context)
        warnings = context.warnings
    }

    /// Whether lines pass as they are.
    package var isEmpty: Bool { stages.isEmpty }

    /// Stages at the outermost level.
    package var count: Int { stages.stages.count }

    /// Stages for one target of the job.
    package func pipeline(environment: StageEnvironment) -> StagePipeline {
        var stages = stages
        stages.bind(environment)
        return StagePipeline(stages: stages, environment: environment)
    }
}

/// What the stages of a job need from around them.
package struct StageEnvironment: Sendable {
    package var job: String
    /// Where stages count: one for all jobs.
    package var metrics: StageMetrics
    /// `limits_config`: one for all jobs.
    package var limits: RecordLimits
    package var time: TimeSource
    package var logger: Logger
    /// Told what each stage did, for `--inspect`.
    package var inspector: (@Sendable (_ stage: String, _ before: LogRecord, _ after: LogRecord?) -> Void)?

    package init(
        job: String, metrics: StageMetrics, limits: RecordLimits = RecordLimits(), time: TimeSource = .system, logger: Logger
    ) {
        self.job = job
        self.metrics = metrics
        self.limits = limits
        self.time = time
        self.logger = logger
    }
}
