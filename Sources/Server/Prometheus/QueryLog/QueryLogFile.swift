import Codecs
import Collectors
import Formats
import Logging
import PromQL
import Query
import Settings
import Synchronization
import Telemetry

/// Appends evaluated queries to a file, a JSON object a line (Prometheus, `query_log_file`).
final class QueryLogFile: Sendable {
    private let path: Mutex<String?>
    private let time: TimeSource
    private let logger: Logger

    /// - Parameter path: nil: nothing is written.
    init(path: String?, time: TimeSource, logger: Logger) {
        self.path = Mutex(path)
        self.time = time
        self.logger = logger
    }

    func setPath(_ path: String?) {
        self.path.withLock { $0 = path }
    }

    func write(_ record: QueryRecord) {
        guard let path = path.withLock({ $0 }) else { return }
        if let refusal = JSONLineFile(path: path).append({ Self.write(record, &$0) }, at: time.nanoseconds) {
            logger.warning("query_log_file cannot be written", metadata: ["file": "\(path)", "error": "\(refusal)"])
        }
    }

    private static func write(_ record: QueryRecord, _ json: inout JSONWriter) {
        json.field("level", "INFO")
        json.field("msg", "promql query logged")
        json.key("params")
        json.beginObject()
        json.field("query", record.query)
        json.field("start", date(record.start))
        json.field("end", date(record.end))
        json.field("step", record.step / 1_000)
        json.endObject()
        if let error = record.error { json.field("error", error.description) }
        json.key("stats")
        json.beginObject()
        json.key("timings")
        json.beginObject()
        json.field("evalTotalTime", record.duration.seconds)
        json.field("execTotalTime", record.duration.seconds)
        json.endObject()
        json.key("samples")
        json.beginObject()
        json.field("totalQueryableSamples", record.sampleCount)
        json.endObject()
        json.endObject()
        switch record.origin {
        case .request(let method, let path):
            json.key("httpRequest")
            json.beginObject()
            json.field("method", method)
            json.field("path", path)
            json.endObject()
        case .rules(let file, let group):
            json.key("ruleGroup")
            json.beginObject()
            json.field("file", file)
            json.field("name", group)
            json.endObject()
        case nil: break
        }
    }

    private static func date(_ milliseconds: Int64) -> String {
        RFC3339.text(nanoseconds: milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue, digits: 3)
    }
}
