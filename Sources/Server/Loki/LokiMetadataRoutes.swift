import Codecs
import LogQL
import Telemetry

/// Labels, series, index figures and the service's own state (Loki, HTTP API).
struct LokiMetadataRoutes {
    let store: any TelemetryStore
    let time: TimeSource

    /// Six hours, Loki's default for label queries.
    private static let labelRange: Int64 = 6 * 3_600_000_000_000

    var routes: [Route] {
        [
            .form("/loki/api/v1/labels", scope: .query, errors: .text) { try await labels($0) },
            .form("/loki/api/v1/label", scope: .query, errors: .text) { try await labels($0) },
            .get("/loki/api/v1/label/{name}/values", scope: .query, errors: .text) { try await values($0) },
            .form("/loki/api/v1/series", scope: .query, errors: .text) { try await series($0) },
            .form("/loki/api/v1/index/stats", scope: .query, errors: .text) { try await indexStatistics($0) },
            .form("/loki/api/v1/index/volume", scope: .query, errors: .text) { try await volume($0) },
            .get("/loki/api/v1/status/buildinfo", scope: .query, errors: .text) { _ in Self.buildInformation() },
            .get("/ready", scope: nil, errors: .text) { _ in .text("ready\n") },
        ]
    }

    private func labels(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try Self.matchers(parameters.form.nonEmpty("query"))
        let names = try await store.labelNames(.logs, matching: matchers, in: try parameters.closedRange(defaultLength: Self.labelRange))
        return LokiJSON.success { $0.array(names) }
    }

    private func values(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try Self.matchers(parameters.form.nonEmpty("query"))
        let range = try parameters.closedRange(defaultLength: Self.labelRange)
        let values = try await store.labelValues(call.captures.first ?? "", .logs, matching: matchers, in: range)
        return LokiJSON.success { $0.array(values) }
    }

    private func series(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let range = try parameters.closedRange(defaultLength: Self.labelRange)
        var selectors = parameters.form.all("match[]") + parameters.form.all("match")
        if selectors.isEmpty { selectors = [""] }
        var found: Set<Labels> = []
        for selector in selectors {
            let matchers = try Self.matchers(selector.isEmpty ? nil : selector)
            for stream in try await store.streams(.logs, matching: matchers, in: range) { found.insert(stream.labels) }
        }
        return LokiJSON.success { json in
            json.beginArray()
            for labels in found.sorted() { json.labels(labels) }
            json.endArray()
        }
    }

    private func indexStatistics(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try Self.matchers(parameters.form.nonEmpty("query"))
        let figures = try await figures(matchers, in: try parameters.closedRange(defaultLength: Self.labelRange))
        var json = JSONWriter()
        json.beginObject()
        json.field("streams", figures.count)
        // A stream's rows within the range stand for its chunks: there are no chunks here.
        json.field("chunks", figures.count)
        json.field("bytes", figures.reduce(0) { $0 + $1.bytes })
        json.field("entries", figures.reduce(0) { $0 + $1.entries })
        json.endObject()
        return .json(json.bytes)
    }

    private func volume(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let limit = try parameters.limit(default: 100)
        let range = try parameters.closedRange(defaultLength: Self.labelRange)
        let matchers = try Self.matchers(parameters.form.nonEmpty("query"))
        let targets = parameters.form.nonEmpty("targetLabels").map { Set($0.split(separator: ",").map { $0.trimmed }) } ?? Set(matchers.map(\.name))
        var volumes: [Labels: Int] = [:]
        for figure in try await figures(matchers, in: range) {
            volumes[targets.isEmpty ? figure.labels : figure.labels.keeping(targets), default: 0] += figure.bytes
        }
        let sorted = volumes.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }.prefix(limit)
        let at = PrometheusJSON.timestamp(range.end.floorDivided(by: 1_000_000))
        return LokiJSON.success { json in
            json.beginObject()
            json.field("resultType", "vector")
            json.key("result")
            json.beginArray()
            for (labels, bytes) in sorted {
                json.beginObject()
                json.key("metric")
                json.labels(labels)
                json.key("value")
                json.beginArray()
                json.raw(at)
                json.string(String(bytes))
                json.endArray()
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
    }

    /// Entries and bytes of each stream within a range.
    private func figures(_ matchers: [LabelMatcher], in range: TimeRange) async throws -> [(labels: Labels, entries: Int, bytes: Int)] {
        let streams = try await store.streams(.logs, matching: matchers, in: range)
        var figures: [StreamID: (labels: Labels, entries: Int, bytes: Int)] = [:]
        try await store.scan(ScanRequest(signal: .logs, streams: streams, range: range, columns: .line)) { block in
            guard case .logs(let columns) = block.columns else { return .continue }
            let before = figures[block.stream.id] ?? (block.stream.labels, 0, 0)
            figures[block.stream.id] = (before.labels, before.entries + block.count, before.bytes + columns.bytes.count)
            return .continue
        }
        return figures.values.sorted { $0.labels < $1.labels }
    }

    private static func matchers(_ selector: String?) throws -> [LabelMatcher] {
        guard let selector, selector != "{}" else { return [] }
        return try LogQLParser.matchers(selector)
    }

    private static func buildInformation() -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("version", "3.0.0")
        json.field("revision", "apus-\(Version.number)")
        json.field("branch", "main")
        json.field("buildUser", "")
        json.field("buildDate", "")
        json.field("goVersion", "")
        json.endObject()
        return .json(json.bytes)
    }
}
