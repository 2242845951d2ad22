import Codecs
import Formats
import LogQL
import PromQL
import Telemetry

/// Loki's JSON (HTTP API, "Query logs within a range of time").
struct LokiJSON {
    /// Whether the client asks for structured metadata and parsed labels apart from the stream's own, as Grafana does; otherwise they
    /// are labels of the stream like others.
    let categorizesLabels: Bool

    init(categorizesLabels: Bool = false) {
        self.categorizesLabels = categorizesLabels
    }

    /// As the call's `X-Loki-Response-Encoding-Flags` say.
    init(_ call: Call) {
        let flags = (call.headers["x-loki-response-encoding-flags"] ?? "").split(separator: ",").map { $0.trimmed }
        categorizesLabels = flags.contains("categorize-labels")
    }

    /// `{"status":"success","data":…}` around what `data` writes.
    static func success(_ data: (inout JSONWriter) -> Void) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("status", "success")
        json.key("data")
        data(&json)
        json.endObject()
        return .json(json.bytes)
    }

    /// - Parameter cursor: of a page: where the next one begins, nil behind the last.
    func answer(_ result: LogQLResult, after duration: Duration, cursor: String?? = nil) -> Answer {
        Self.success { json in
            json.beginObject()
            switch result.value {
            case .streams(let streams):
                json.field("resultType", "streams")
                if categorizesLabels { json.field("encodingFlags", ["categorize-labels"]) }
                json.key("result")
                write(streams, &json)
            case .vector(let samples):
                json.field("resultType", "vector")
                json.key("result")
                json.array { json in for sample in samples { Self.write(sample, &json) } }
            case .matrix(let series):
                json.field("resultType", "matrix")
                json.key("result")
                json.array { json in for one in series { Self.write(one, &json) } }
            case .scalar(let timestamp, let value):
                json.field("resultType", "scalar")
                json.key("result")
                Self.point(timestamp, value, &json)
            }
            json.key("stats")
            LokiStatistics.write(result.statistics, duration, &json)
            if let cursor {
                if let cursor { json.field("cursor", cursor) } else {
                    json.key("cursor")
                    json.null()
                }
            }
            json.endObject()
        }
    }

    /// A message of a tail: one stream a line, as Loki sends them.
    func tail(_ lines: [(labels: Labels, entry: LogQLEntry)], _ dropped: [LogMailbox.Dropped]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("streams")
        write(lines.map { LogQLStream(labels: $0.labels, entries: [$0.entry]) }, &json, merges: false)
        if !dropped.isEmpty {
            json.key("dropped_entries")
            json.array { json in
                for one in dropped {
                    json.beginObject()
                    json.field("timestamp", String(one.timestamp))
                    json.key("labels")
                    json.labels(one.labels)
                    json.endObject()
                }
            }
        }
        if categorizesLabels { json.field("encodingFlags", ["categorize-labels"]) }
        json.endObject()
        return json.bytes
    }

    static func write(_ sample: LogQLSample, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("metric")
        json.labels(sample.labels)
        json.key("value")
        point(sample.timestamp, sample.value, &json)
        json.endObject()
    }

    static func write(_ series: LogQLSeries, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("metric")
        json.labels(series.labels)
        json.key("values")
        json.beginArray()
        for index in series.timestamps.indices { point(series.timestamps[index], series.values[index], &json) }
        json.endArray()
        json.endObject()
    }

    private func write(_ streams: [LogQLStream], _ json: inout JSONWriter, merges: Bool = true) {
        json.beginArray()
        for (labels, entries) in categorizesLabels ? Self.categorized(streams, merges: merges) : streams.map({ ($0.labels, $0.entries) }) {
            json.beginObject()
            json.key("stream")
            json.labels(labels)
            json.key("values")
            json.beginArray()
            for entry in entries { write(entry, &json) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
    }

    private func write(_ entry: LogQLEntry, _ json: inout JSONWriter) {
        json.beginArray()
        json.string(String(entry.timestamp))
        json.string(entry.line)
        if categorizesLabels {
            json.beginObject()
            if !entry.structuredMetadata.isEmpty {
                json.key("structuredMetadata")
                json.labels(entry.structuredMetadata)
            }
            if !entry.parsed.isEmpty {
                json.key("parsed")
                json.labels(entry.parsed)
            }
            json.endObject()
        }
        json.endArray()
    }

    /// The streams by their own labels alone: structured metadata and parsed labels stand with each entry.
    private static func categorized(_ streams: [LogQLStream], merges: Bool) -> [(Labels, [LogQLEntry])] {
        var positions: [Labels: Int] = [:]
        var result: [(labels: Labels, entries: [LogQLEntry])] = []
        for stream in streams {
            for entry in stream.entries {
                let others = Set(entry.structuredMetadata.pairs.map(\.name)).union(entry.parsed.pairs.map(\.name))
                let labels = others.isEmpty ? stream.labels : stream.labels.dropping(others)
                if merges, let position = positions[labels] {
                    result[position].entries.append(entry)
                } else {
                    positions[labels] = result.count
                    result.append((labels, [entry]))
                }
            }
        }
        return result.map { ($0.labels, $0.entries) }
    }

    /// Seconds, and the value as text.
    static func point(_ nanoseconds: Int64, _ value: Double, _ json: inout JSONWriter) {
        json.beginArray()
        json.raw(PrometheusJSON.timestamp(nanoseconds.floorDivided(by: 1_000_000)))
        json.string(PrometheusJSON.number(value))
        json.endArray()
    }
}
