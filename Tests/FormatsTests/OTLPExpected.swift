import Codecs
import Telemetry

/// Telemetry built from protobuf's JSON of an OTLP request, independently of the decoders.
enum OTLPExpected {
    static func value(_ json: JSONValue) -> AttributeValue {
        guard let member = json.object?.members.first else { return .empty }
        switch member.name {
        case "stringValue": return .string(member.value.string ?? "")
        case "boolValue": return .bool(member.value.bool ?? false)
        case "intValue": return .int(member.value.proto64)
        case "doubleValue": return .double(member.value.protoDouble)
        case "bytesValue": return .bytes(Base64.decode(member.value.string ?? "") ?? [])
        case "arrayValue": return .array(member.value["values"].elements.map(value))
        case "kvlistValue": return .map(attributes(member.value["values"]))
        default: return .empty
        }
    }

    static func attributes(_ json: JSONValue?) -> [Attribute] {
        json.elements.map { Attribute($0["key"].text, $0["value"].map(value) ?? .empty) }
    }

    static func traceID(_ json: JSONValue?) -> TraceID {
        TraceID(hex: Hex.text(Base64.decode(json.text) ?? [])) ?? .none
    }

    static func spanID(_ json: JSONValue?) -> SpanID {
        SpanID(hex: Hex.text(Base64.decode(json.text) ?? [])) ?? .none
    }

    static func scope(_ json: JSONValue?) -> TraceSpan.Scope {
        TraceSpan.Scope(
            name: json?["name"].text ?? "", version: json?["version"].text ?? "", attributes: attributes(json?["attributes"]))
    }

    private static let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    private static let codes = ["UNSET", "OK", "ERROR"]

    static func groups(_ json: JSONValue) -> [SpanBatch.Group] {
        json["resourceSpans"].elements.map { group in
            var result = SpanBatch.Group(resource: Resource(attributes(group["resource"]?["attributes"])))
            for scopeSpans in group["scopeSpans"].elements {
                for span in scopeSpans["spans"].elements { result.spans.append(self.span(span, scope(scopeSpans["scope"]))) }
            }
            return result
        }
    }

    private static func span(_ json: JSONValue, _ scope: TraceSpan.Scope) -> TraceSpan {
        let start = json["startTimeUnixNano"].proto64
        let kind = kinds.firstIndex { "SPAN_KIND_" + $0 == json["kind"].text } ?? 0
        let code = codes.firstIndex { "STATUS_CODE_" + $0 == json["status"]?["code"].text } ?? 0
        return TraceSpan(
            traceID: traceID(json["traceId"]), spanID: spanID(json["spanId"]), parentID: spanID(json["parentSpanId"]),
            traceState: json["traceState"].text, flags: UInt32(json["flags"].proto64), name: json["name"].text,
            kind: TraceSpan.Kind(rawValue: UInt8(kind)) ?? .unspecified, start: start,
            duration: json["endTimeUnixNano"].proto64 - start, status: TraceSpan.Status(rawValue: UInt8(code)) ?? .unset,
            statusMessage: json["status"]?["message"].text ?? "", attributes: attributes(json["attributes"]),
            events: json["events"].elements.map { event in
                TraceSpan.Event(
                    timestamp: event["timeUnixNano"].proto64, name: event["name"].text,
                    attributes: attributes(event["attributes"]),
                    droppedAttributesCount: UInt32(event["droppedAttributesCount"].proto64))
            },
            links: json["links"].elements.map { link in
                TraceSpan.Link(
                    traceID: traceID(link["traceId"]), spanID: spanID(link["spanId"]), traceState: link["traceState"].text,
                    attributes: attributes(link["attributes"]),
                    droppedAttributesCount: UInt32(link["droppedAttributesCount"].proto64), flags: UInt32(link["flags"].proto64))
            },
            scope: scope, droppedAttributesCount: UInt32(json["droppedAttributesCount"].proto64),
            droppedEventsCount: UInt32(json["droppedEventsCount"].proto64),
            droppedLinksCount: UInt32(json["droppedLinksCount"].proto64))
    }
}

extension AttributeValue {
    /// As text that can be compared although NaN is not equal to itself.
    var comparable: String {
        switch self {
        case .double(let value): "double \(value.isNaN ? "NaN" : "\(value.bitPattern)")"
        case .array(let values): "[" + values.map(\.comparable).joined(separator: ",") + "]"
        case .map(let attributes): "{" + attributes.map(\.comparable).joined(separator: ",") + "}"
        default: "\(self)"
        }
    }
}

extension Attribute {
    var comparable: String { name + "=" + value.comparable }
}

extension TraceSpan {
    /// Everything of the span, NaN or not.
    var comparable: [String] {
        [
            traceID.description, spanID.description, parentID.description, traceState, "\(flags)", name, "\(kind)", "\(start)",
            "\(duration)", "\(status)", statusMessage, scope.name, scope.version,
            "\(droppedAttributesCount) \(droppedEventsCount) \(droppedLinksCount)",
        ] + attributes.map(\.comparable) + scope.attributes.map(\.comparable)
            + events.map { "event \($0.timestamp) \($0.name) \($0.droppedAttributesCount) \($0.attributes.map(\.comparable))" }
            + links.map {
                "link \($0.traceID) \($0.spanID) \($0.traceState) \($0.droppedAttributesCount) \($0.flags) \($0.attributes.map(\.comparable))"
            }
    }
}
