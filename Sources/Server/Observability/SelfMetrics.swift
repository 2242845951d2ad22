import Collectors
import Telemetry

/// The server's own `/metrics`.
struct SelfMetrics {
    let metrics: ServerMetrics
    let watch: ConnectionWatch
    let store: any TelemetryStore
    let scrapePools: @Sendable () -> [ScrapePool]
    let scrapeFigures: @Sendable () -> ScrapeBudgetFigures
    let startedAt: Double
    var discoveries: @Sendable () -> [DiscoveryManager.Status] = { [] }
    /// nil where nothing is sent on.
    var remoteWrite: RemoteWriteManager?
    /// Of collection of logs.
    var sources: [SourceMetrics] = []
    /// Of the stages of a `promtail.yaml`.
    var stages: StageMetrics?
    var redactor: Redactor?

    func text() async -> [UInt8] {
        let statistics = await store.statistics()
        var text = MetricsText()
        text.family("apus_build_info", "gauge", "Version of this binary; always 1.")
        text.sample("apus_build_info", [("version", Version.number)], 1)
        http(&text)
        ingest(&text)
        scrapes(&text)
        queries(&text)
        store(&text, statistics)
        DiscoveryMetrics(statuses: discoveries()).write(to: &text)
        if let remoteWrite { RemoteWriteMetrics.write(remoteWrite.snapshots(), queueByteCount: remoteWrite.queueByteCount, to: &text) }
        process(&text)
        text.sources(sources)
        if let redactor { text.redactions(redactor) }
        guard let stages else { return text.bytes }
        return text.bytes + Array(stages.exposition(now: TimeSource.system.nanoseconds).utf8)
    }

    private func http(_ text: inout MetricsText) {
        let state = metrics.snapshot
        text.family("apus_http_requests_total", "counter", "HTTP requests answered, by route and status.")
        for (key, count) in state.requests.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            text.sample("apus_http_requests_total", [("route", key.route), ("code", String(key.status))], Double(count))
        }
        text.family("apus_http_request_duration_seconds", "histogram", "Time from a request's head to its answer, by route.")
        for (route, histogram) in state.requestDurations.sorted(by: { $0.key < $1.key }) {
            text.histogram("apus_http_request_duration_seconds", [("route", route)], histogram)
        }
        text.family("apus_http_connections", "gauge", "Open HTTP connections.")
        text.sample("apus_http_connections", [], Double(watch.count))
        text.family("apus_config_reloads_total", "counter", "Reloads of the configuration, by result.")
        text.sample("apus_config_reloads_total", [("result", "success")], Double(state.reloads.successful))
        text.sample("apus_config_reloads_total", [("result", "failure")], Double(state.reloads.failed))
        text.family("apus_config_last_reload_successful", "gauge", "Whether the last reload of the configuration succeeded.")
        text.sample("apus_config_last_reload_successful", [], state.isLastReloadSuccessful ? 1 : 0)
    }

    private func ingest(_ text: inout MetricsText) {
        let state = metrics.snapshot
        text.family("apus_ingest_requests_total", "counter", "Requests that brought telemetry, by protocol and outcome.")
        for (key, count) in state.ingests.sorted(by: { ($0.key.ingest.rawValue, $0.key.outcome.rawValue) < ($1.key.ingest.rawValue, $1.key.outcome.rawValue) }) {
            text.sample("apus_ingest_requests_total", [("protocol", key.ingest.rawValue), ("outcome", key.outcome.rawValue)], Double(count))
        }
        text.family("apus_ingest_rows_total", "counter", "Samples, log lines, spans and profiles stored, by protocol and signal.")
        for (key, count) in state.ingestedRows.sorted(by: { ($0.key.ingest.rawValue, $0.key.signal.rawValue) < ($1.key.ingest.rawValue, $1.key.signal.rawValue) }) {
            text.sample("apus_ingest_rows_total", [("protocol", key.ingest.rawValue), ("signal", key.signal.name)], Double(count))
        }
        text.family("apus_ingest_rejected_rows_total", "counter", "Rows refused within requests that were otherwise stored, by protocol.")
        for (key, count) in state.rejectedRows.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample("apus_ingest_rejected_rows_total", [("protocol", key.rawValue)], Double(count))
        }
        text.family("apus_lines_refused_total", "counter", "Log lines refused within requests that were otherwise stored, by reason.")
        for (reason, count) in state.refusedLines.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample("apus_lines_refused_total", [("reason", reason.rawValue)], Double(count))
        }
        text.family("apus_lines_cut_total", "counter", "Log lines that were longer than a line may be, and were cut.")
        text.sample("apus_lines_cut_total", [], Double(state.cutLines))
        text.family("apus_ingest_bytes_total", "counter", "Bytes of request bodies as they came, by protocol.")
        for (key, count) in state.ingestedBytes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample("apus_ingest_bytes_total", [("protocol", key.rawValue)], Double(count))
        }
    }

    private func queries(_ text: inout MetricsText) {
        let state = metrics.snapshot
        text.family("apus_query_duration_seconds", "histogram", "Time to evaluate a query, by language.")
        for (language, histogram) in state.queryDurations.sorted(by: { $0.key < $1.key }) {
            text.histogram("apus_query_duration_seconds", [("language", language)], histogram)
        }
        text.family("apus_query_failures_total", "counter", "Queries that ended with an error, by language.")
        for (language, count) in state.queryFailures.sorted(by: { $0.key < $1.key }) {
            text.sample("apus_query_failures_total", [("language", language)], Double(count))
        }
    }

    private func store(_ text: inout MetricsText, _ statistics: StoreStatistics) {
        typealias Figures = StoreStatistics.SignalFigures
        let families: [(name: String, type: String, help: String, value: (Figures) -> Double)] = [
            ("apus_store_streams", "gauge", "Series and streams known, by signal.", { Double($0.streamCount) }),
            ("apus_store_rows_appended_total", "counter", "Rows appended since the start, by signal.", { Double($0.rowsAppended) }),
            ("apus_store_memtable_rows", "gauge", "Rows in memory that are in no part yet, by signal.", { Double($0.memtableRowCount) }),
            ("apus_store_parts", "gauge", "Parts on disk, by signal.", { Double($0.partCount) }),
            ("apus_store_part_rows", "gauge", "Rows in parts, by signal.", { Double($0.partRowCount) }),
            ("apus_store_tombstones", "gauge", "Deletions that merges have not carried out yet, by signal.", { Double($0.tombstoneCount) }),
            ("apus_store_disk_bytes", "gauge", "Bytes of parts and indexes on disk, by signal.", { Double($0.diskByteCount) }),
        ]
        for family in families {
            text.family(family.name, family.type, family.help)
            for signal in Signal.allCases {
                let figures = statistics.signals[signal] ?? Figures()
                text.sample(family.name, [("signal", signal.name)], family.value(figures))
            }
        }
        text.family("apus_store_wal_bytes", "gauge", "Bytes of the write-ahead log.")
        text.sample("apus_store_wal_bytes", [], Double(statistics.walByteCount))
        text.family("apus_store_wal_syncs_total", "counter", "Syncs of the write-ahead log.")
        text.sample("apus_store_wal_syncs_total", [], Double(statistics.walSyncCount))
        text.family("apus_store_flushes_total", "counter", "Memtables written to parts.")
        text.sample("apus_store_flushes_total", [], Double(statistics.flushCount))
        text.family("apus_store_merges_total", "counter", "Merges of parts.")
        text.sample("apus_store_merges_total", [], Double(statistics.mergeCount))
        text.family("apus_log_patterns", "gauge", "Patterns of log lines known, of all services.")
        text.sample("apus_log_patterns", [], Double(statistics.logPatternCount))
        text.family("apus_log_patterns_new_total", "counter", "Patterns of log lines that a service never had before, by service.")
        for (service, count) in statistics.newLogPatterns.sorted(by: { $0.key < $1.key }) {
            text.sample("apus_log_patterns_new_total", [("service", service)], Double(count))
        }
        damage(&text, statistics)
        disk(&text, statistics)
    }

    private func damage(_ text: inout MetricsText, _ statistics: StoreStatistics) {
        text.family("apus_store_quarantined_total", "counter", "Damaged places on disk left out since the start, by signal and kind.")
        let signals: [Signal?] = Signal.allCases.map { .some($0) } + [nil]
        for signal in signals {
            for kind in StoreDamage.Kind.allCases {
                // The log is shared; everything else belongs to a signal. A counter that is there from the start has a rate.
                guard (signal == nil) == (kind == .log) else { continue }
                let count = statistics.quarantined[.init(signal: signal, kind: kind)] ?? 0
                text.sample("apus_store_quarantined_total", [("signal", signal?.name ?? "all"), ("kind", kind.rawValue)], Double(count))
            }
        }
    }

    private func disk(_ text: inout MetricsText, _ statistics: StoreStatistics) {
        text.family("apus_store_folders_dropped_total", "counter", "Folders of a day's data dropped, by signal and reason.")
        for signal in Signal.allCases {
            let figures = statistics.signals[signal] ?? StoreStatistics.SignalFigures()
            text.sample("apus_store_folders_dropped_total", [("signal", signal.name), ("reason", "age")], Double(figures.daysDroppedByAge))
            text.sample("apus_store_folders_dropped_total", [("signal", signal.name), ("reason", "budget")], Double(figures.daysDroppedByBudget))
        }
        text.family("apus_store_writes_refused_total", "counter", "Writes refused for the store's state, by reason.")
        text.sample("apus_store_writes_refused_total", [("reason", "disk_full")], Double(statistics.refusedDiskFullCount))
        text.sample("apus_store_writes_refused_total", [("reason", "overloaded")], Double(statistics.refusedOverloadedCount))
        guard let free = statistics.diskFreeByteCount, let reserve = statistics.diskReserveByteCount else { return }
        text.family("apus_store_disk_free_bytes", "gauge", "Bytes free on the disk of the data folder.")
        text.sample("apus_store_disk_free_bytes", [], Double(free))
        text.family("apus_store_disk_reserve_bytes", "gauge", "Bytes that must be free for writes to be taken.")
        text.sample("apus_store_disk_reserve_bytes", [], Double(reserve))
    }

    private func process(_ text: inout MetricsText) {
        let figures = ProcessFigures.read()
        text.family("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.")
        text.sample("process_cpu_seconds_total", [], figures.cpuSeconds)
        text.family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
        text.sample("process_resident_memory_bytes", [], figures.residentByteCount)
        text.family("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.")
        text.sample("process_virtual_memory_bytes", [], figures.virtualByteCount)
        text.family("process_threads", "gauge", "Number of OS threads in the process.")
        text.sample("process_threads", [], figures.threadCount)
        text.family("process_open_fds", "gauge", "Number of open file descriptors.")
        text.sample("process_open_fds", [], figures.openFileCount)
        text.family("process_max_fds", "gauge", "Maximum number of open file descriptors.")
        text.sample("process_max_fds", [], figures.openFileCountMax)
        text.family("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.")
        text.sample("process_start_time_seconds", [], startedAt)
    }
}
