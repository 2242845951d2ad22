import Codecs
import LogQL
import Telemetry

/// Labels and series (Loki, HTTP API), also as its first API has them.
struct LokiMetadataRoutes {
    let store: any TelemetryStore
    let time: TimeSource

    var routes: [Route] {
        [
            .form("/loki/api/v1/labels", scope: .query, errors: .loki) { LokiJSON.list(try await labels($0)) },
            .form("/loki/api/v1/label", scope: .query, errors: .loki) { LokiJSON.list(try await labels($0)) },
            .form("/loki/api/v1/label/{name}/values", scope: .query, errors: .loki) { LokiJSON.list(try await values($0)) },
            .form("/loki/api/v1/series", scope: .query, errors: .loki) { try await series($0) },
            .form("/api/prom/label", scope: .query, errors: .loki) { LokiLegacyJSON.labels(try await labels($0)) },
            .form("/api/prom/label/{name}/values", scope: .query, errors: .loki) { LokiLegacyJSON.labels(try await values($0)) },
            .form("/api/prom/series", scope: .query, errors: .loki) { try await series($0) },
        ]
    }

    private func labels(_ call: Call) async throws -> [String] {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try parameters.matchers()
        return try await store.labelNames(.logs, matching: matchers, in: try parameters.closedRange(defaultLength: LokiParameters.labelRange))
    }

    private func values(_ call: Call) async throws -> [String] {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try parameters.matchers()
        let range = try parameters.closedRange(defaultLength: LokiParameters.labelRange)
        return try await store.labelValues(call.captures.first ?? "", .logs, matching: matchers, in: range)
    }

    private func series(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let range = try parameters.closedRange(defaultLength: LokiParameters.labelRange)
        var selectors = parameters.form.all("match[]") + parameters.form.all("match")
        if selectors.isEmpty { selectors = ["{}"] }
        var found: Set<Labels> = []
        for selector in selectors {
            let matchers = try LokiParameters.matchers(selector)
            for stream in try await store.streams(.logs, matching: matchers, in: range) { found.insert(stream.labels) }
        }
        return LokiJSON.success { json in
            json.beginArray()
            for labels in found.sorted() { json.labels(labels) }
            json.endArray()
        }
    }
}

extension LokiParameters {
    /// Six hours: labels are asked for without a range by people who look around.
    static let labelRange: Int64 = 6 * hour
}

extension LokiJSON {
    /// A list of names or values; Loki leaves `data` out where it is empty.
    static func list(_ values: [String]) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("status", "success")
        if !values.isEmpty { json.field("data", values) }
        json.endObject()
        return .json(json.bytes)
    }
}
