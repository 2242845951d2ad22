import Codecs
import Glibc

/// Appends failed scrapes to a file, a JSON object a line (Prometheus, `scrape_failure_log_file`).
///
/// The file is opened for each line: it may be moved away at any time.
struct ScrapeFailureLog: Sendable {
    let path: String
    let job: String
    let target: String

    /// - Returns: why the line could not be written; nil where it was.
    func write(_ error: ScrapeError, at nanoseconds: Int64) -> String? {
        var json = JSONWriter()
        json.beginObject()
        json.field("time", Self.time(nanoseconds))
        json.field("level", "ERROR")
        json.field("msg", error.description)
        json.field("job_name", job)
        json.field("target", target)
        json.endObject()
        let line = json.bytes + [UInt8(ascii: "\n")]
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        // One write: lines of several targets do not mix.
        let written = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        return written == line.count ? nil : String(cString: strerror(errno))
    }

    /// RFC 3339 with milliseconds, in UTC.
    private static func time(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int32, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let time = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(date)T\(time).\(digits(Int32(nanoseconds / 1_000_000 % 1_000), 3))Z"
    }
}
