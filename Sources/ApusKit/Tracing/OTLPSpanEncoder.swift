import Tracing

/// Writes spans as an OTLP/JSON ExportTraceServiceRequest: ids in hexadecimal, 64-bit integers as strings.
///
/// - SeeAlso: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>
enum OTLPSpanEncoder {
    static func encode(_ spans: [EndedSpan], resource: [(String, SpanAttribute)]) -> [UInt8] {
        var json = JSONText(reserving: 256 + spans.count * 700)
        json.beginObject()
        json.key("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.key("resource")
        json.beginObject()
        json.key("attributes")
        json.beginArray()
        for (name, value) in resource { attribute(name, value, to: &json) }
        json.endArray()
        json.endObject()
        json.key("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.key("scope")
        json.beginObject()
        json.field("name", "ApusKit")
        json.endObject()
        json.key("spans")
        json.beginArray()
        for span in spans { encode(span, to: &json) }
        for _ in 0..<2 {  // spans and scopeSpans
            json.endArray()
            json.endObject()
        }
        json.endArray()  // resourceSpans
        json.endObject()
        return json.bytes
    }

    private static func encode(_ span: EndedSpan, to json: inout JSONText) {
        json.beginObject()
        ids(span.context, to: &json)
        if let parent = span.parentID { json.field("parentSpanId", parent.description) }
        json.field("name", span.name)
        json.key("kind")
        json.raw(kind(span.kind))
        json.field("startTimeUnixNano", "\(span.startNanoseconds)")
        json.field("endTimeUnixNano", "\(span.endNanoseconds)")
        attributes(span.attributes, to: &json)
        if !span.events.isEmpty {
            json.key("events")
            json.beginArray()
            for event in span.events {
                json.beginObject()
                json.field("timeUnixNano", "\(event.nanosecondsSinceEpoch)")
                json.field("name", event.name)
                attributes(event.attributes, to: &json)
                json.endObject()
            }
            json.endArray()
        }
        let links = span.links.compactMap { link in link.context.spanContext.map { ($0, link.attributes) } }
        if !links.isEmpty {
            json.key("links")
            json.beginArray()
            for (context, linkAttributes) in links {
                json.beginObject()
                ids(context, to: &json)
                attributes(linkAttributes, to: &json)
                json.endObject()
            }
            json.endArray()
        }
        count("droppedEventsCount", span.droppedEventCount, to: &json)
        count("droppedLinksCount", span.droppedLinkCount, to: &json)
        json.key("status")
        json.beginObject()
        if let status = span.status {
            json.key("code")
            json.raw(status.code == .ok ? "1" : "2")
            if let message = status.message { json.field("message", message) }
        }
        json.endObject()
        json.endObject()
    }

    private static func ids(_ context: SpanContext, to json: inout JSONText) {
        json.field("traceId", context.traceID.description)
        json.field("spanId", context.spanID.description)
        if !context.traceState.isEmpty { json.field("traceState", context.traceState) }
    }

    private static func count(_ name: String, _ count: Int, to json: inout JSONText) {
        guard count > 0 else { return }
        json.key(name)
        json.raw("\(count)")
    }

    private static func kind(_ kind: SpanKind) -> String {
        switch kind {
        case .internal: "1"
        case .server: "2"
        case .client: "3"
        case .producer: "4"
        case .consumer: "5"
        }
    }

    private static func attributes(_ attributes: SpanAttributes, to json: inout JSONText) {
        guard !attributes.isEmpty else { return }
        var sorted: [(String, SpanAttribute)] = []
        attributes.forEach { sorted.append(($0, $1)) }
        sorted.sort { $0.0 < $1.0 }
        json.key("attributes")
        json.beginArray()
        for (name, value) in sorted { attribute(name, value, to: &json) }
        json.endArray()
    }

    private static func attribute(_ name: String, _ value: SpanAttribute, to json: inout JSONText) {
        json.beginObject()
        json.field("key", name)
        json.key("value")
        self.value(value, to: &json)
        json.endObject()
    }

    private static func value(_ value: SpanAttribute, to json: inout JSONText) {
        switch value {
        case .int32(let number): integer(Int64(number), to: &json)
        case .int64(let number): integer(number, to: &json)
        case .double(let number): double(number, to: &json)
        case .bool(let flag): boolean(flag, to: &json)
        case .string(let text): string(text, to: &json)
        case .stringConvertible(let convertible): string(convertible.description, to: &json)
        case .int32Array(let numbers): array(numbers, to: &json) { integer(Int64($0), to: &$1) }
        case .int64Array(let numbers): array(numbers, to: &json) { integer($0, to: &$1) }
        case .doubleArray(let numbers): array(numbers, to: &json) { double($0, to: &$1) }
        case .boolArray(let flags): array(flags, to: &json) { boolean($0, to: &$1) }
        case .stringArray(let texts): array(texts, to: &json) { string($0, to: &$1) }
        case .stringConvertibleArray(let convertibles):
            array(convertibles, to: &json) { string($0.description, to: &$1) }
        default: string("\(value)", to: &json)
        }
    }

    private static func integer(_ number: Int64, to json: inout JSONText) {
        json.beginObject()
        json.field("intValue", "\(number)")
        json.endObject()
    }

    private static func double(_ number: Double, to json: inout JSONText) {
        json.beginObject()
        // JSON has no NaN; protobuf's JSON mapping writes those as strings, and so does this.
        json.key("doubleValue")
        if number.isFinite {
            json.raw("\(number)")
        } else {
            json.string(number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity")
        }
        json.endObject()
    }

    private static func boolean(_ flag: Bool, to json: inout JSONText) {
        json.beginObject()
        json.key("boolValue")
        json.raw(flag ? "true" : "false")
        json.endObject()
    }

    private static func string(_ text: String, to json: inout JSONText) {
        json.beginObject()
        json.field("stringValue", text)
        json.endObject()
    }

    private static func array<Element>(
        _ elements: [Element], to json: inout JSONText, each: (Element, inout JSONText) -> Void
    ) {
        json.beginObject()
        json.key("arrayValue")
        json.beginObject()
        json.key("values")
        json.beginArray()
        for element in elements { each(element, &json) }
        json.endArray()
        json.endObject()
        json.endObject()
    }
}
