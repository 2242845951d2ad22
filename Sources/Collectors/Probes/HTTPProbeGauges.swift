import Settings
import Telemetry

/// The series of an HTTP probe.
enum HTTPProbeGauges {
    static let duration = MetricFamily(
        "probe_http_duration_seconds", .gauge, "Duration of http request by phase, summed over all redirects", ["phase"])
    static let contentLength = MetricFamily("probe_http_content_length", .gauge, "Length of http content response")
    static let bodyLength = MetricFamily("probe_http_uncompressed_body_length", .gauge, "Length of uncompressed response body")
    static let redirects = MetricFamily("probe_http_redirects", .gauge, "The number of redirects")
    static let ssl = MetricFamily("probe_http_ssl", .gauge, "Indicates if SSL was used for the final redirect")
    static let status = MetricFamily("probe_http_status_code", .gauge, "Response HTTP status code")
    static let version = MetricFamily("probe_http_version", .gauge, "Returns the version of HTTP of the probe response")
    static let failedByRegex = MetricFamily("probe_failed_due_to_regex", .gauge, "Indicates if probe failed due to regex")
    static let lastModified = MetricFamily(
        "probe_http_last_modified_timestamp_seconds", .gauge, "Returns the Last-Modified HTTP response header in unixtime")

    /// All are there from the start, so that a probe that fails early has zeros.
    static func begin(_ results: inout ProbeResults) {
        for phase in ["resolve", "connect", "tls", "processing", "transfer"] { results.set(duration, [phase], 0) }
        for family in [contentLength, bodyLength, redirects, ssl, status, version, failedByRegex] { results.set(family, 0) }
    }

    static func record(_ times: HTTPExchange.Times, _ results: inout ProbeResults) {
        guard let connected = times.connected else { return }
        results.add(duration, ["connect"], (connected - times.start).seconds)
        if let secured = times.secured { results.add(duration, ["tls"], (secured - connected).seconds) }
        guard let first = times.firstByte else { return }
        results.add(duration, ["processing"], (first - (times.secured ?? connected)).seconds)
        if let end = times.end { results.add(duration, ["transfer"], (end - first).seconds) }
    }
}
