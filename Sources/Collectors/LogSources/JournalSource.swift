import Codecs
import Logging
import Telemetry

/// Reads systemd's journal through `journalctl`, from the cursor behind the last entry that was kept.
final class JournalSource: LogSource {
    private let settings: PromtailJournal
    private let context: SourceContext
    private let command: String
    private let thread = DiskThread("apus.journal")

    var title: String { "journal of job \(context.job)" }

    /// - Parameter command: the name or path of `journalctl`.
    init(_ settings: PromtailJournal, context: SourceContext, command: String = "journalctl") {
        self.settings = settings
        self.context = context
        self.command = command
    }

    private static let positionName = "journal"

    /// Under which the cursor of a job's journal is kept.
    static func positionKey(job: String) -> String { "\(job)/\(positionName)" }

    /// The source of a job that has one.
    static func make(_ job: PromtailJob, _ context: SourceContext) -> [(key: String, source: any LogSource)] {
        job.journal.map { [("journal", JournalSource($0, context: context))] } ?? []
    }

    func run() async throws {
        let pump = context.pump(positionKey: Self.positionName)
        let cursor = try pump.restore().map { String(decoding: $0, as: UTF8.self) }
        let process = try ChildProcess(arguments(cursor: cursor))
        context.logger.info("Reading the journal", metadata: ["job": .string(context.job), "cursor": .string(cursor ?? "none")])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pump.flushUntilCancelled() }
            var export = JournalExport()
            await withTaskCancellationHandler {
                while !Task.isCancelled {
                    let bytes = await thread.run { () throws(Never) in process.read(byteCountMax: 256 << 10) }
                    if bytes.isEmpty { break }
                    var entries: [JournalExport.Entry] = []
                    export.feed(bytes, into: &entries)
                    guard let last = entries.last?.text("__CURSOR") else { continue }
                    context.metrics.add("promtail_journal_target_lines_total", Double(entries.count))
                    guard await pump.push(entries.compactMap { record($0, pump) }, position: Array(last.utf8)) else { break }
                }
            } onCancel: {
                process.terminate()
            }
            group.cancelAll()
        }
        if !Task.isCancelled { throw SourceError("\(command) has ended: see what it says when it is run by hand") }
    }

    private func arguments(cursor: String?) -> [String] {
        var arguments = [command, "--output=export", "--follow", "--no-pager", "--quiet", "--no-tail"]
        if let cursor {
            arguments.append("--after-cursor=\(cursor)")
        } else {
            arguments.append("--since=-\(settings.maxAge.components.seconds)s")
        }
        if !settings.path.isEmpty { arguments.append("--directory=\(settings.path)") }
        return arguments + settings.matches
    }

    /// Names of priorities (sd-daemon(3)).
    private static let priorities = ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"]

    private func record(_ entry: JournalExport.Entry, _ pump: SourcePump) -> LogRecord? {
        var discovered: [Label] = []
        for (name, value) in entry.fields where !name.hasPrefix("__") {
            let text = String(decoding: value, as: UTF8.self)
            discovered.append(Label("__journal_" + name.lowercased(), text))
            if name == "PRIORITY", let number = Int(text), Self.priorities.indices.contains(number) {
                discovered.append(Label("__journal_priority_keyword", Self.priorities[number]))
            }
        }
        let line: String
        if settings.isJSON {
            line = json(entry)
        } else if let message = entry.text("MESSAGE") {
            line = message
        } else {
            context.metrics.add("promtail_journal_target_parsing_errors_total", Labels(["error": "no_message"]), 1)
            return nil
        }
        guard let labels = context.labels(settings.labels, discovered) else {
            context.metrics.add("promtail_journal_target_parsing_errors_total", Labels(["error": "empty_labels"]), 1)
            return nil
        }
        // Microseconds; when the sender says that it was, or when the journal took it.
        let time = (entry.text("_SOURCE_REALTIME_TIMESTAMP") ?? entry.text("__REALTIME_TIMESTAMP")).flatMap { Int64($0) }
        let (nanoseconds, overflows) = (time ?? 0).multipliedReportingOverflow(by: 1_000)
        return LogRecord(
            labels: labels, timestamp: time == nil || overflows ? pump.nextTimestamp() : nanoseconds, line: line)
    }

    /// All fields as text, but the journal's own addresses.
    private func json(_ entry: JournalExport.Entry) -> String {
        var writer = JSONWriter(escapesHTML: false)
        writer.object { writer in
            for (name, value) in entry.fields.sorted(by: { $0.name.utf8Precedes($1.name) }) where !name.hasPrefix("__") {
                writer.field(name, String(decoding: value, as: UTF8.self))
            }
        }
        return writer.text
    }
}
