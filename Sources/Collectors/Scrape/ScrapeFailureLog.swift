import Codecs

/// Appends failed scrapes to a file, a JSON object a line (Prometheus, `scrape_failure_log_file`).
struct ScrapeFailureLog: Sendable {
    let path: String
    let job: String
    let target: String

    /// - Returns: why the line could not be written; nil where it was.
    func write(_ error: ScrapeError, at nanoseconds: Int64) -> String? {
        JSONLineFile(path: path).append(
            { json in
                json.field("level", "ERROR")
                json.field("msg", error.description)
                json.field("job_name", job)
                json.field("target", target)
            }, at: nanoseconds)
    }
}
