import Codecs
import Settings
import LogQL
import PromQL
import Telemetry

/// Loki's JSON (HTTP API, "Query logs within a range of time").
struct LokiJSON {
    /// Whether the client asks for structured metadata and parsed labels apart from the stream's own, as Grafana does; otherwise they
    /// are labels of the stream like others.
    let categorizesLabels: Bool

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

    func answer(_ result: LogQLResult, after duration: Duration) -> Answer {
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
                json.beginArray()
                for sample in samples {
                    json.beginObject()
                    json.key("metric")
                    json.labels(sample.labels)
                    json.key("value")
                    Self.point(sample.timestamp, sample.value, &json)
                    json.endObject()
                }
                json.endArray()
            case .matrix(let series):
                json.field("resultType", "matrix")
                json.key("result")
                json.beginArray()
                for one in series {
                    json.beginObject()
                    json.key("metric")
                    json.labels(one.labels)
                    json.key("values")
                    json.beginArray()
                    for index in one.timestamps.indices { Self.point(one.timestamps[index], one.values[index], &json) }
                    json.endArray()
                    json.endObject()
                }
                json.endArray()
            case .scalar(let timestamp, let value):
                json.field("resultType", "scalar")
                json.key("result")
                Self.point(timestamp, value, &json)
            }
            Self.statistics(result, duration, &json)
            json.endObject()
        }
    }

    private func write(_ streams: [LogQLStream], _ json: inout JSONWriter) {
        json.beginArray()
        for (labels, entries) in categorizesLabels ? Self.categorized(streams) : streams.map({ ($0.labels, $0.entries) }) {
            json.beginObject()
            json.key("stream")
            json.labels(labels)
            json.key("values")
            json.beginArray()
            for entry in entries {
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
            json.endArray()
            json.endObject()
        }
        json.endArray()
    }

    /// The streams by their own labels alone: structured metadata and parsed labels stand with each entry.
    private static func categorized(_ streams: [LogQLStream]) -> [(Labels, [LogQLEntry])] {
        var positions: [Labels: Int] = [:]
        var result: [(labels: Labels, entries: [LogQLEntry])] = []
        for stream in streams {
            for entry in stream.entries {
                let others = Set(entry.structuredMetadata.pairs.map(\.name)).union(entry.parsed.pairs.map(\.name))
                let labels = others.isEmpty ? stream.labels : stream.labels.dropping(others)
                if let position = positions[labels] {
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
    private static func point(_ nanoseconds: Int64, _ value: Double, _ json: inout JSONWriter) {
        json.beginArray()
        json.raw(PrometheusJSON.timestamp(nanoseconds.floorDivided(by: 1_000_000)))
        json.string(PrometheusJSON.number(value))
        json.endArray()
    }

    /// The part of Loki's statistics that has a meaning here; clients take what is missing for zero.
    private static func statistics(_ result: LogQLResult, _ duration: Duration, _ json: inout JSONWriter) {
        let seconds = duration.seconds
        let bytes = result.statistics.bytesProcessed
        let lines = result.statistics.linesProcessed
        json.key("stats")
        json.beginObject()
        json.key("summary")
        json.beginObject()
        json.field("bytesProcessedPerSecond", seconds > 0 ? Int(Double(bytes) / seconds) : 0)
        json.field("linesProcessedPerSecond", seconds > 0 ? Int(Double(lines) / seconds) : 0)
        json.field("totalBytesProcessed", bytes)
        json.field("totalLinesProcessed", lines)
        json.field("execTime", seconds)
        json.field("queueTime", 0)
        json.field("subqueries", 0)
        json.field("totalEntriesReturned", result.statistics.linesReturned)
        json.endObject()
        json.endObject()
    }
}
