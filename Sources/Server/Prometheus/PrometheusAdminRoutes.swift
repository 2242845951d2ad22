import Codecs
import Formats
import Telemetry

/// `admin/tsdb/*` (Prometheus, HTTP API, "TSDB Admin APIs"): off unless the server was told otherwise.
struct PrometheusAdminRoutes {
    let store: any TelemetryStore
    /// nil: the store has no snapshots.
    let administration: (any StoreAdministration)?
    let isEnabled: Bool

    var routes: [Route] {
        [
            route("delete_series") { try await deleteSeries($0) },
            route("clean_tombstones") { _ in try await cleanTombstones() },
            route("snapshot") { try await snapshot($0) },
        ]
    }

    private func route(_ name: String, _ handler: @escaping Route.Handler) -> Route {
        Route([.post, .put], "/api/v1/admin/tsdb/\(name)", scope: .admin, errors: .prometheus) { call in
            guard isEnabled else { throw APIError(.unavailable, "admin APIs disabled") }
            return try await handler(call)
        }
    }

    private func deleteSeries(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        guard parameters.form["match[]"] != nil else { throw APIError(.badRequest, "no match[] parameter provided") }
        let range = try parameters.range()
        for matchers in try parameters.matchers() { try await store.delete(.metrics, matching: matchers, in: range) }
        return .empty(status: 204)
    }

    private func cleanTombstones() async throws -> Answer {
        try await available().cleanTombstones()
        return .empty(status: 204)
    }

    private func snapshot(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        var skipsMemory = false
        if let text = parameters.form.nonEmpty("skip_head") {
            // What Go's `strconv.ParseBool` takes.
            switch text {
            case "1", "t", "T", "TRUE", "true", "True": skipsMemory = true
            case "0", "f", "F", "FALSE", "false", "False": break
            default: throw APIError.parameter("skip_head", "unable to parse boolean \"\(text)\"")
            }
        }
        let name = try await available().takeSnapshot(skipsMemory: skipsMemory)
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.field("name", name)
                json.endObject()
            }
        }
    }

    private func available() throws(APIError) -> any StoreAdministration {
        guard let administration else { throw APIError(.unavailable, "this store has no snapshots and keeps no tombstones") }
        return administration
    }
}
