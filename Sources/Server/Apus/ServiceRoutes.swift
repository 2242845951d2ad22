import Codecs
import Query
import Telemetry

/// What the web app's start page shows: the services, found by themselves.
struct ServiceRoutes {
    let store: any TelemetryStore
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [.get("/api/apus/services", scope: .query, errors: .apus) { try await services($0) }]
    }

    private func services(_ call: Call) async throws -> Answer {
        let range = try ApusRange.read(call, now: time.nanoseconds)
        let store = store
        let services = try await runner.run("services", for: call) { context throws(QueryError) in
            try await QueryError.reading { try await ServiceSummary.all(in: range, store: store, context: context) }
        }
        let seconds = max(1e-9, (Double(range.end) - Double(range.start)) * 1e-9)
        var json = JSONWriter()
        json.beginObject()
        json.key("services")
        json.beginArray()
        for service in services { Self.write(service, seconds: seconds, &json) }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private static func write(_ service: ServiceSummary, seconds: Double, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("name", service.name)
        json.field("spanRate", Double(service.requestCount) / seconds)
        json.field("errorRatio", service.requestCount > 0 ? Double(service.errorCount) / Double(service.requestCount) : 0)
        for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            json.key(name)
            if let value = service.durations.quantile(quantile) { json.double(value) } else { json.null() }
        }
        json.key("lastSeen")
        if let lastSeen = service.lastSeen { json.double(Double(lastSeen) * 1e-9) } else { json.null() }
        json.field("signals", Signal.allCases.filter { service.signals.contains($0) }.map(\.name))
        json.field("language", service.language)
        json.endObject()
    }
}

/// `start` and `end` of Apus' own endpoints: seconds since the epoch or RFC 3339, the last hour where they are not given.
enum ApusRange {
    /// Nanoseconds.
    static func read(_ call: Call, now: Int64) throws(APIError) -> TimeRange {
        let form = try call.form()
        func time(_ name: String) throws(APIError) -> Int64? {
            guard let text = form.nonEmpty(name) else { return nil }
            guard let time = TimeParameter.nanoseconds(text) else { throw .parameter(name, "cannot parse \"\(text)\" to a valid timestamp") }
            return time
        }
        let end = try time("end") ?? now
        let start = try time("start") ?? end.subtractingReportingOverflow(3_600_000_000_000).partialValue
        guard start <= end else { throw .parameter("end", "end timestamp must not be before start time") }
        return TimeRange(start, end)
    }
}
