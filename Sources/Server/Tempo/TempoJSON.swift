import Codecs
import Telemetry
import TraceQL

/// Tempo's JSON for search results (tempopb, `SearchResponse` in protobuf's JSON mapping: 64-bit numbers are strings).
enum TempoJSON {
    static func search(_ traces: [TraceSummary], spansRead: Int) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("traces")
        json.beginArray()
        for trace in traces { write(trace, &json) }
        json.endArray()
        json.key("metrics")
        json.beginObject()
        json.field("inspectedTraces", traces.count)
        json.field("inspectedSpans", String(spansRead))
        json.field("completedJobs", 1)
        json.field("totalJobs", 1)
        json.endObject()
        json.endObject()
        return json.bytes
    }

    private static func write(_ trace: TraceSummary, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("traceID", trace.traceID.description)
        json.field("rootServiceName", trace.rootServiceName)
        json.field("rootTraceName", trace.rootTraceName)
        json.field("startTimeUnixNano", String(trace.startTimeUnixNano))
        json.field("durationMs", trace.durationMs)
        json.key("serviceStats")
        json.beginObject()
        for (service, statistics) in trace.serviceStats.sorted(by: { $0.key.utf8Precedes($1.key) }) {
            json.key(service)
            json.object { json in
                json.field("spanCount", statistics.spanCount)
                if statistics.errorCount > 0 { json.field("errorCount", statistics.errorCount) }
            }
        }
        json.endObject()
        if let first = trace.spanSets.first {
            json.key("spanSet")
            write(first, &json)
            json.key("spanSets")
            json.beginArray()
            for set in trace.spanSets { write(set, &json) }
            json.endArray()
        }
        json.endObject()
    }

    private static func write(_ set: TraceSummary.SpanSet, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("spans")
        json.beginArray()
        for span in set.spans {
            json.beginObject()
            json.field("spanID", span.spanID.description)
            json.field("name", span.name)
            json.field("startTimeUnixNano", String(span.startTimeUnixNano))
            json.field("durationNanos", String(span.durationNanos))
            json.key("attributes")
            attributes(span.attributes, &json)
            json.endObject()
        }
        json.endArray()
        json.field("matched", set.matched)
        if !set.attributes.isEmpty {
            json.key("attributes")
            attributes(set.attributes, &json)
        }
        json.endObject()
    }

    static func attributes(_ attributes: [Attribute], _ json: inout JSONWriter) {
        json.beginArray()
        for attribute in attributes {
            json.beginObject()
            json.field("key", attribute.name)
            json.key("value")
            value(attribute.value, &json)
            json.endObject()
        }
        json.endArray()
    }

    private static func value(_ value: AttributeValue, _ json: inout JSONWriter) {
        json.beginObject()
        switch value {
        case .empty: break
        case .string(let text): json.field("stringValue", text)
        case .bool(let flag): json.field("boolValue", flag)
        case .int(let number): json.field("intValue", String(number))
        case .double(let number) where number.isFinite: json.field("doubleValue", number)
        case .double, .bytes, .array, .map: json.field("stringValue", value.text)
        }
        json.endObject()
    }
}
