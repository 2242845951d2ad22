import Telemetry

/// The stages of a job, at work on the lines of one target: one file, container, connection or stream.
///
/// Made by ``StageProgram/pipeline(environment:)``. Belongs to one task. What stages hold back (the lines of a multiline
/// block, the pieces of a container's line) comes out of ``flush(now:into:)`` when its time has come, and is part of
/// ``checkpoint``: a source that saves its position saves the checkpoint with it, and hands it to ``restore(_:)`` when it goes
/// on from there, so that no line is lost or doubled.
package struct StagePipeline: Sendable {
    private var stages: StageChain
    private let environment: StageEnvironment
    /// How long the source must wait before it hands over the next record: a stage or `limits_config` slows it down. Of the
    /// last call.
    package private(set) var delay: Duration = .zero

    init(stages: StageChain, environment: StageEnvironment) {
        self.stages = stages
        self.environment = environment
    }

    /// Runs a record through the stages.
    ///
    /// - Parameters:
    ///   - record: a line with the labels of its target. Labels that begin with `__` may be there.
    ///   - output: gets what comes out: none, one, or several where a line ends what was held back. Without `__` labels.
    package mutating func process(_ record: LogRecord, into output: inout [LogRecord]) {
        var run = StageRun(now: environment.time.nanoseconds)
        if stages.isEmpty {
            run.entries.append(StageEntry(record))
        } else {
            stages.process(StageEntry(record), &run)
        }
        finish(&run, into: &output)
    }

    /// Lets go what was held back for as long as its stage allows.
    ///
    /// - Parameter now: nanoseconds since the Unix epoch.
    package mutating func flush(now: Int64, into output: inout [LogRecord]) {
        guard holdsBack else { return }
        var run = StageRun(now: now)
        stages.flush(isFinal: false, &run)
        finish(&run, into: &output)
    }

    /// Lets everything go that is held back: the target has ended for good.
    package mutating func finish(into output: inout [LogRecord]) {
        guard holdsBack else { return }
        var run = StageRun(now: environment.time.nanoseconds)
        stages.flush(isFinal: true, &run)
        finish(&run, into: &output)
    }

    /// Whether lines wait in a stage.
    package var holdsBack: Bool { stages.nextFlush != nil }

    /// When ``flush(now:into:)`` has something to do, in nanoseconds since the Unix epoch (`Int64.max`: only at the end); nil
    /// where nothing is held back.
    package var nextFlush: Int64? { stages.nextFlush }

    /// What is held back, for ``restore(_:)``; empty where nothing is.
    package var checkpoint: [UInt8] { holdsBack ? StageCheckpoint.encode(stages) : [] }

    /// Takes up what a pipeline of the same stages held back. What is damaged, or was written by other stages, is left out.
    ///
    /// - Returns: whether all of it could be read.
    @discardableResult
    package mutating func restore(_ checkpoint: [UInt8]) -> Bool {
        checkpoint.isEmpty || StageCheckpoint.restore(checkpoint, into: &stages)
    }

    private mutating func finish(_ run: inout StageRun, into output: inout [LogRecord]) {
        for entry in run.entries {
            var record = entry.record
            record.dropInternalLabels()
            guard environment.limits.admit(&record, &run, environment) else { continue }
            output.append(record)
        }
        delay = .nanoseconds(run.delay)
    }
}
