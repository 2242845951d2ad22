import Collectors
import Telemetry

extension MetricsText {
    /// What collection of logs counts, under Promtail's names.
    mutating func sources(_ all: [SourceMetrics]) {
        var families: [String: SourceMetrics.Family] = [:]
        for metrics in all {
            for (name, family) in metrics.all {
                families[name, default: SourceMetrics.Family(isCounter: family.isCounter)].values.merge(family.values) { $0 + $1 }
            }
        }
        for (name, values) in families.sorted(by: { $0.key < $1.key }) where !values.values.isEmpty {
            family(name, values.isCounter ? "counter" : "gauge", SourceHelp.texts[name] ?? "Counted by the collection of logs.")
            for (labels, value) in values.values.sorted(by: { $0.key < $1.key }) {
                sample(name, labels.pairs.map { ($0.name, $0.value) }, value)
            }
        }
    }
}

/// What the metrics of collection mean.
private enum SourceHelp {
    static let texts = [
        "promtail_read_lines_total": "Lines read, by file.",
        "promtail_read_bytes_total": "Bytes of a file that have been read.",
        "promtail_file_bytes_total": "Bytes of a file.",
        "promtail_files_active_total": "Files that are followed.",
        "promtail_targets_active_total": "Sources other than files.",
        "promtail_lines_cut_total": "Lines that were too long and were cut.",
        "promtail_encoding_failures_total": "Lines with bytes that are no characters of their encoding, by file.",
        "promtail_dropped_entries_total": "Lines that nobody keeps, by reason.",
        "promtail_dropped_bytes_total": "Bytes of lines that nobody keeps, by reason.",
        "promtail_sent_entries_total": "Lines sent, by server and tenant.",
        "promtail_sent_bytes_total": "Bytes of lines sent, by server and tenant.",
        "promtail_encoded_bytes_total": "Bytes of requests sent, by server.",
        "promtail_batch_retries_total": "Requests that had to be sent again, by server and tenant.",
        "promtail_request_duration_seconds_count": "Requests sent, by server and status.",
        "promtail_request_duration_seconds_sum": "Seconds that requests took, by server and status.",
        "promtail_syslog_target_entries_total": "Syslog messages read.",
        "promtail_syslog_target_parsing_errors_total": "Syslog messages that could not be read.",
        "promtail_syslog_empty_messages_total": "Syslog messages without text.",
        "promtail_journal_target_lines_total": "Journal entries read.",
        "promtail_journal_target_parsing_errors_total": "Journal entries left out, by reason.",
        "promtail_docker_target_entries_total": "Lines of containers read.",
        "promtail_docker_target_parsing_errors_total": "Lines of containers without a time.",
        "apus_spool_waiting_bytes": "Bytes that wait in the spool, by server.",
    ]
}
