import Logging
import Settings
import Telemetry

/// One stage of a pipeline. A value: each target of a job has its own copy; what its targets share stands behind a reference.
protocol Stage: Sendable {
    /// Treats one entry. What it can't do with it, it leaves: a line is never lost because a stage found nothing.
    ///
    /// - Parameter run: entries that go on before this one are put into `run.entries`.
    /// - Returns: whether the entry goes on; false where it is dropped or held back.
    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool

    /// Learns for whom it works, before the first entry.
    mutating func bind(_ environment: StageEnvironment)

    /// When it lets go what it holds back, in nanoseconds since the Unix epoch; nil where it holds nothing.
    var nextFlush: Int64? { get }

    /// Puts what has waited long enough (all of it where `isFinal`) into `run.entries`.
    mutating func flush(isFinal: Bool, _ run: inout StageRun)

    /// The entries that it holds, by some name of its own; and takes them up again.
    var held: [HeldEntry] { get }
    mutating func restore(_ held: [HeldEntry])
}

extension Stage {
    mutating func bind(_: StageEnvironment) {}
    var nextFlush: Int64? { nil }
    mutating func flush(isFinal _: Bool, _: inout StageRun) {}
    var held: [HeldEntry] { [] }
    mutating func restore(_: [HeldEntry]) {}
}

/// One call of a pipeline.
struct StageRun {
    /// Nanoseconds since the Unix epoch.
    let now: Int64
    /// What has come out so far, in order.
    var entries: [StageEntry] = []
    /// Nanoseconds that the source must wait.
    var delay: Int64 = 0

    init(now: Int64) {
        self.now = now
    }
}

/// Stages one after the other.
struct StageChain: Sendable {
    private(set) var stages: [any Stage]
    /// Their names, for messages and for telling checkpoints of other chains.
    private(set) var names: [String]
    private var environment: StageEnvironment?

    init(_ stages: [any Stage], names: [String] = []) {
        self.stages = stages
        self.names = names
    }

    var isEmpty: Bool { stages.isEmpty }

    mutating func bind(_ environment: StageEnvironment) {
        self.environment = environment.inspector == nil ? nil : environment
        for index in stages.indices { stages[index].bind(environment) }
    }

    /// Runs an entry through all stages; what comes out is added to `run.entries`.
    mutating func process(_ entry: StageEntry, _ run: inout StageRun) {
        var entry = entry
        // Stages see the labels among what was extracted (Promtail, `Pipeline.Run`).
        entry.extracted.setBase(entry.labels)
        process(&entry, from: 0, &run)
    }

    private mutating func process(_ entry: inout StageEntry, from start: Int, _ run: inout StageRun) {
        var index = start
        while index < stages.count {
            // Only what this stage lets go is to pass the stages behind it.
            var step = StageRun(now: run.now)
            let goesOn: Bool
            if let environment {
                goesOn = inspected(environment, index, &entry, &step)
            } else {
                goesOn = stages[index].process(&entry, &step)
            }
            run.delay = max(run.delay, step.delay)
            for var released in step.entries { process(&released, from: index + 1, &run) }
            guard goesOn else { return }
            index += 1
        }
        run.entries.append(entry)
    }

    private mutating func inspected(
        _ environment: StageEnvironment, _ index: Int, _ entry: inout StageEntry, _ step: inout StageRun
    ) -> Bool {
        let before = entry.record
        let goesOn = stages[index].process(&entry, &step)
        environment.inspector?(names.indices.contains(index) ? names[index] : "", before, goesOn ? entry.record : nil)
        return goesOn
    }

    var nextFlush: Int64? {
        var next: Int64?
        for stage in stages {
            if let time = stage.nextFlush { next = min(next ?? .max, time) }
        }
        return next
    }

    mutating func flush(isFinal: Bool, _ run: inout StageRun) {
        for index in stages.indices {
            var step = StageRun(now: run.now)
            stages[index].flush(isFinal: isFinal, &step)
            run.delay = max(run.delay, step.delay)
            for var released in step.entries { process(&released, from: index + 1, &run) }
        }
    }

    mutating func restore(_ held: [HeldEntry], stage index: Int) {
        guard stages.indices.contains(index) else { return }
        stages[index].restore(held)
    }
}
