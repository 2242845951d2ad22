import Codecs
import Formats
import Glibc
import Settings
import Telemetry

/// `status/*` (Prometheus, HTTP API, "Status").
struct PrometheusStatusRoutes {
    let store: any TelemetryStore
    let time: TimeSource
    /// Nanoseconds since the Unix epoch.
    let startedAt: Int64
    /// How the configuration was last read: whether that went well, and when, in nanoseconds since the Unix epoch.
    let lastReload: @Sendable () -> (isSuccessful: Bool, time: Int64)
    /// How long metrics are kept.
    let retention: Duration
    /// The text of `prometheus.yml`, now.
    let configuration: @Sendable () -> String
    /// The flags of the command line that have a counterpart in Prometheus.
    let flags: [(name: String, value: String)]

    var routes: [Route] {
        [
            .get("/api/v1/status/buildinfo", scope: .query, errors: .prometheus) { _ in buildInformation() },
            .get("/api/v1/status/runtimeinfo", scope: .query, errors: .prometheus) { _ in await runtimeInformation() },
            .get("/api/v1/status/flags", scope: .query, errors: .prometheus) { _ in flagValues() },
            .get("/api/v1/status/config", scope: .query, errors: .prometheus) { _ in configurationText() },
            .get("/api/v1/status/tsdb", scope: .query, errors: .prometheus) { try await storeFigures($0) },
        ]
    }

    /// Grafana takes a server with `features` for Mimir with an editable ruler: there is no such key here.
    private func buildInformation() -> Answer { object(Self.writeVersion) }

    /// The same without what is around it, for `/version`.
    static func version() -> Answer {
        var json = JSONWriter()
        json.beginObject()
        writeVersion(&json)
        json.endObject()
        return .json(json.bytes)
    }

    private static func writeVersion(_ json: inout JSONWriter) {
        // The version whose API this is: clients switch behaviour by it.
        json.field("version", "3.5.0")
        json.field("revision", "apus-\(Version.number)")
        json.field("branch", "main")
        json.field("buildUser", "")
        json.field("buildDate", "")
        json.field("goVersion", "")
    }

    private func runtimeInformation() async -> Answer {
        let statistics = await store.statistics()
        let figures = ProcessFigures.read()
        let reload = lastReload()
        return object { json in
            json.field("startTime", RFC3339.text(nanoseconds: startedAt))
            json.field("CWD", Self.workingFolder())
            json.field("hostname", Self.hostname())
            json.field("serverTime", RFC3339.text(nanoseconds: time.nanoseconds))
            json.field("reloadConfigSuccess", reload.isSuccessful)
            json.field("lastConfigTime", RFC3339.text(nanoseconds: reload.time))
            json.field("corruptionCount", statistics.quarantinedCount)
            json.field("goroutineCount", Int(figures.threadCount))
            json.field("GOMAXPROCS", Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            json.field("GOMEMLIMIT", 0)
            json.field("GOGC", "")
            json.field("GODEBUG", "")
            json.field("storageRetention", DurationText.format(retention))
        }
    }

    private static func workingFolder() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress, let path = getcwd(base, buffer.count) else { return "" }
            return String(cString: path)
        }
    }

    private static func hostname() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, gethostname(base, buffer.count) == 0 else { return "" }
            // A name that fills the buffer comes without its end.
            buffer[buffer.count - 1] = 0
            return String(cString: base)
        }
    }

    private func flagValues() -> Answer {
        object { json in
            for flag in flags { json.field(flag.name, flag.value) }
        }
    }

    private func configurationText() -> Answer {
        let text = configuration()
        return object { $0.field("yaml", text) }
    }

    /// Cardinality: which metric names and labels have the most series.
    private func storeFigures(_ call: Call) async throws -> Answer {
        let limit = min(try PrometheusParameters(call).limit() ?? 10, 10_000)
        let cardinality = try await store.cardinality(.metrics, matching: [], in: .all, limit: limit)
        let figures = await store.statistics().signals[.metrics] ?? StoreStatistics.SignalFigures()
        return object { json in
            json.key("headStats")
            json.beginObject()
            json.field("numSeries", cardinality.streamCount)
            json.field("numLabelPairs", cardinality.labelPairCount)
            json.field("chunkCount", figures.partCount)
            json.key("minTime")
            json.integer(figures.range?.start ?? 0)
            json.key("maxTime")
            json.integer(figures.range?.end ?? 0)
            json.endObject()
            Self.list(cardinality.streamsByGroup, "seriesCountByMetricName", &json)
            Self.list(cardinality.valuesByLabel, "labelValueCountByLabelName", &json)
            Self.list(cardinality.bytesByLabel, "memoryInBytesByLabelName", &json)
            Self.list(cardinality.streamsByPair, "seriesCountByLabelValuePair", &json)
        }
    }

    private static func list(_ entries: [Cardinality.Entry], _ name: String, _ json: inout JSONWriter) {
        json.key(name)
        json.beginArray()
        for entry in entries {
            json.beginObject()
            json.field("name", entry.name)
            json.field("value", entry.count)
            json.endObject()
        }
        json.endArray()
    }

    private func object(_ body: (inout JSONWriter) -> Void) -> Answer {
        PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                body(&json)
                json.endObject()
            }
        }
    }
}
