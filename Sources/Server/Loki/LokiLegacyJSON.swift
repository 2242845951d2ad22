import Codecs
import Formats
import LogQL
import Telemetry

/// The JSON of Loki's first API, `/api/prom`: labels as text, times as RFC 3339 writes them.
enum LokiLegacyJSON {
    static func answer(_ streams: [LogQLStream], _ statistics: LogQLStatistics, after duration: Duration) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.key("streams")
        json.array { json in for stream in streams { write(stream, &json) } }
        json.key("stats")
        LokiStatistics.write(statistics, duration, &json)
        json.endObject()
        return .json(json.bytes)
    }

    static func labels(_ values: [String]) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("values", values)
        json.endObject()
        return .json(json.bytes)
    }

    /// A message of a tail.
    static func tail(_ lines: [(labels: Labels, entry: LogQLEntry)], _ dropped: [LogMailbox.Dropped]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("streams")
        json.array { json in
            for line in lines { write(LogQLStream(labels: line.labels, entries: [line.entry]), &json) }
        }
        json.key("dropped_entries")
        json.array { json in
            for one in dropped {
                json.beginObject()
                json.field("Timestamp", RFC3339.text(nanoseconds: one.timestamp))
                json.field("Labels", one.labels.description)
                json.endObject()
            }
        }
        json.endObject()
        return json.bytes
    }

    private static func write(_ stream: LogQLStream, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("labels", stream.labels.description)
        json.key("entries")
        json.array { json in
            for entry in stream.entries {
                json.beginObject()
                json.field("ts", RFC3339.text(nanoseconds: entry.timestamp))
                json.field("line", entry.line)
                json.endObject()
            }
        }
        json.endObject()
    }
}
