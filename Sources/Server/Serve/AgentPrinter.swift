package import Collectors
import Foundation
package import Logging
import Telemetry
import Templates

/// `apus agent --stdin --dry-run`: shows what becomes of the lines of standard input.
package struct AgentPrinter {
    private let configuration: PromtailConfiguration
    private let inspects: Bool
    private let logger: Logger

    /// - Parameter inspects: show on standard error what each stage does.
    package init(_ configuration: PromtailConfiguration, inspects: Bool, logger: Logger) {
        self.configuration = configuration
        self.inspects = inspects
        self.logger = logger
    }

    /// Runs the lines through the first job's stages and prints them as Promtail's `--dry-run` does.
    package func run() async {
        if configuration.jobs.count > 1 { logger.warning("with --stdin only the first of scrape_configs counts") }
        let job = configuration.jobs.first ?? PromtailJob(name: "stdin")
        let labels = labels(of: job)
        var environment = StageEnvironment(
            job: job.name, metrics: StageMetrics(), limits: RecordLimits(configuration.limits), logger: logger)
        if inspects { environment.inspector = { StageInspector.report($0, $1, $2) } }
        var pipeline = job.program.pipeline(environment: environment)
        var output: [LogRecord] = []
        while let line = readLine(strippingNewline: true) {
            output.removeAll(keepingCapacity: true)
            pipeline.process(LogRecord(labels: labels, timestamp: TimeSource.system.nanoseconds, line: line), into: &output)
            Self.show(output)
            if pipeline.delay > .zero { try? await Task.sleep(for: pipeline.delay) }
        }
        output.removeAll()
        pipeline.finish(into: &output)
        Self.show(output)
    }

    /// The labels of the first target that relabelling keeps.
    private func labels(of job: PromtailJob) -> Labels {
        for group in job.staticGroups {
            for target in group.targets.isEmpty ? [group.labels] : group.labelSets {
                var labels = target
                guard RelabelRule.apply(job.relabelRules, to: &labels) else { continue }
                return Labels(sorted: labels.pairs.filter { !$0.name.utf8.starts(with: "__".utf8) })
            }
        }
        return Labels(["job": "stdin", "hostname": ProcessInfo.processInfo.hostName])
    }

    private static let layout = GoLayout("2006-01-02T15:04:05.999999999-0700")

    private static func show(_ records: [LogRecord]) {
        for record in records {
            var text = layout.text(record.timestamp) + "\t" + record.labels.description + "\t" + record.line
            if !record.metadata.isEmpty { text += "\t" + record.metadata.description }
            if !record.tenant.isEmpty { text += "\ttenant=" + record.tenant }
            print(text)
        }
        if !records.isEmpty { fflush(nil) }
    }
}

/// What a stage did with a line, for `--inspect`.
enum StageInspector {
    static func report(_ stage: String, _ before: LogRecord, _ after: LogRecord?) {
        FileHandle.standardError.write(Data(text(stage, before, after).utf8))
    }

    static func text(_ stage: String, _ before: LogRecord, _ after: LogRecord?) -> String {
        var changes: [String] = []
        func change(_ name: String, _ old: String, _ new: String) {
            if old != new { changes.append("\(name):\n\t-: \(old)\n\t+: \(new)\n") }
        }
        if let after {
            change("line", before.line, after.line)
            change("labels", before.labels.description, after.labels.description)
            change("timestamp", String(before.timestamp), String(after.timestamp))
            change("structured metadata", before.metadata.description, after.metadata.description)
        } else {
            changes.append("the line is dropped, held back, or goes on within the stage\n")
        }
        return "[inspect: \(stage) stage]: \n" + (changes.isEmpty ? "none\n" : changes.joined())
    }
}
