import Codecs
import Telemetry

extension OTLPTraceEncoder {
    static func write(_ group: SpanBatch.Group, _ json: inout JSONWriter) {
        json.object { json in
            json.key("resource")
            json.object { write("attributes", group.resource.attributes, &$0) }
            json.key("scopeSpans")
            json.array { json in
                for spans in byScope(group.spans) {
                    json.object { json in
                        json.key("scope")
                        json.object { json in
                            guard let scope = spans.first?.scope else { return }
                            if !scope.name.isEmpty { json.field("name", scope.name) }
                            if !scope.version.isEmpty { json.field("version", scope.version) }
                            if !scope.attributes.isEmpty { write("attributes", scope.attributes, &json) }
                        }
                        json.key("spans")
                        json.array { json in
                            for span in spans { write(span, &json) }
                        }
                    }
                }
            }
        }
    }

    private static func write(_ span: TraceSpan, _ json: inout JSONWriter) {
        json.object { json in
            json.field("traceId", span.traceID.description)
            json.field("spanId", span.spanID.description)
            if !span.traceState.isEmpty { json.field("traceState", span.traceState) }
            if !span.parentID.isNone { json.field("parentSpanId", span.parentID.description) }
            if span.flags != 0 { json.field("flags", span.flags) }
            json.field("name", span.name)
            json.field("kind", OTLPTraceJSON.kindNames[Int(span.kind.rawValue)])
            json.field("startTimeUnixNano", String(span.start))
            json.field("endTimeUnixNano", String(span.start.addingReportingOverflow(span.duration).partialValue))
            if !span.attributes.isEmpty { write("attributes", span.attributes, &json) }
            if span.droppedAttributesCount != 0 { json.field("droppedAttributesCount", span.droppedAttributesCount) }
            if !span.events.isEmpty {
                json.key("events")
                json.array { json in
                    for event in span.events { write(event, &json) }
                }
            }
            if span.droppedEventsCount != 0 { json.field("droppedEventsCount", span.droppedEventsCount) }
            if !span.links.isEmpty {
                json.key("links")
                json.array { json in
                    for link in span.links { write(link, &json) }
                }
            }
            if span.droppedLinksCount != 0 { json.field("droppedLinksCount", span.droppedLinksCount) }
            json.key("status")
            json.object { json in
                if !span.statusMessage.isEmpty { json.field("message", span.statusMessage) }
                if span.status != .unset { json.field("code", OTLPTraceJSON.statusNames[Int(span.status.rawValue)]) }
            }
        }
    }

    private static func write(_ event: TraceSpan.Event, _ json: inout JSONWriter) {
        json.object { json in
            json.field("timeUnixNano", String(event.timestamp))
            json.field("name", event.name)
            if !event.attributes.isEmpty { write("attributes", event.attributes, &json) }
            if event.droppedAttributesCount != 0 { json.field("droppedAttributesCount", event.droppedAttributesCount) }
        }
    }

    private static func write(_ link: TraceSpan.Link, _ json: inout JSONWriter) {
        json.object { json in
            json.field("traceId", link.traceID.description)
            json.field("spanId", link.spanID.description)
            if !link.traceState.isEmpty { json.field("traceState", link.traceState) }
            if !link.attributes.isEmpty { write("attributes", link.attributes, &json) }
            if link.droppedAttributesCount != 0 { json.field("droppedAttributesCount", link.droppedAttributesCount) }
            if link.flags != 0 { json.field("flags", link.flags) }
        }
    }

    private static func write(_ name: String, _ attributes: [Attribute], _ json: inout JSONWriter) {
        json.key(name)
        json.array { json in
            for attribute in attributes {
                json.object { json in
                    json.field("key", attribute.name)
                    json.key("value")
                    write(attribute.value, &json)
                }
            }
        }
    }

    private static func write(_ value: AttributeValue, _ json: inout JSONWriter) {
        json.object { json in
            switch value {
            case .empty: break
            case .string(let value): json.field("stringValue", value)
            case .bool(let value): json.field("boolValue", value)
            case .int(let value): json.field("intValue", String(value))
            case .double(let value): json.field("doubleValue", value)
            case .bytes(let value): json.field("bytesValue", Base64.encode(value))
            case .array(let elements):
                json.key("arrayValue")
                json.object { json in
                    json.key("values")
                    json.array { json in
                        for element in elements { write(element, &json) }
                    }
                }
            case .map(let attributes):
                json.key("kvlistValue")
                json.object { write("values", attributes, &$0) }
            }
        }
    }
}
