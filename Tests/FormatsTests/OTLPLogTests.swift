import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("OTLP logs")
struct OTLPLogTests {
    @Test(
        "a client's request decodes to every record that was sent",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("ExportLogsServiceRequest"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let decoded = try OTLP.decodeLogs(message.span, encoding: capture.path.contains("/json/") ? .json : .protobuf)
        let expected = try capture.expected()["resourceLogs"].elements
        #expect(decoded.rejected == 0)
        #expect(decoded.batch.logs.streams.count == expected.count)
        for (stream, group) in zip(decoded.batch.logs.streams, expected) {
            #expect(stream.resource.attributes.map(\.comparable) == OTLPExpected.attributes(group["resource"]?["attributes"]).map(\.comparable))
            #expect(stream.labels["service_name"] == stream.resource.serviceName)
            let records = group["scopeLogs"].elements.flatMap { scope in
                scope["logRecords"].elements.map { (scope: OTLPExpected.scope(scope["scope"]), record: $0) }
            }
            #expect(stream.entries.count == records.count)
            for (entry, (scope, record)) in zip(stream.entries, records) {
                let time = record["timeUnixNano"].proto64
                #expect(entry.timestamp == (time != 0 ? time : record["observedTimeUnixNano"].proto64))
                #expect(entry.line == (record["body"].map(OTLPExpected.value) ?? .empty).text)
                #expect(entry.traceID == OTLPExpected.traceID(record["traceId"]))
                #expect(entry.spanID == OTLPExpected.spanID(record["spanId"]))
                #expect((entry.metadata["scope_name"] ?? "") == scope.name)
                #expect((entry.metadata["severity_text"] ?? "") == record["severityText"].text)
                for attribute in OTLPExpected.attributes(record["attributes"]) {
                    if case .map = attribute.value { continue }
                    let name = PrometheusNaming.labelName(attribute.name)
                    #expect((entry.metadata[name] ?? "") == attribute.value.text, "\(attribute.name)")
                }
            }
        }
    }

    static func decode(_ json: String) throws -> LogBatch {
        let bytes = Array(json.utf8)
        return try OTLP.decodeLogs(bytes.span, encoding: .json, time: TimeSource { 77 }).batch.logs
    }

    @Test("resource attributes that Loki indexes are labels, everything else is structured metadata")
    func labels() throws {
        let batch = try Self.decode(
            #"""
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},
              {"key":"deployment.environment.name","value":{"stringValue":"prod"}},{"key":"k8s.pod.name","value":{"stringValue":"shop-1"}},
              {"key":"host.name","value":{"stringValue":"node"}}]},
             "scopeLogs":[{"scope":{"name":"zap","version":"1.2","attributes":[{"key":"s.k","value":{"boolValue":true}}]},
              "logRecords":[{"timeUnixNano":"5","observedTimeUnixNano":"6","severityNumber":17,"severityText":"ERROR","flags":1,
               "droppedAttributesCount":2,"eventName":"ev","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7",
               "body":{"stringValue":"boom"},"attributes":[{"key":"http.status","value":{"intValue":"500"}},
               {"key":"user","value":{"kvlistValue":{"values":[{"key":"id","value":{"intValue":"7"}}]}}},{"key":"9lives","value":{"stringValue":"cat"}}]}]}]}]}
            """#)
        let stream = try #require(batch.streams.first)
        #expect(stream.labels == Labels(["deployment_environment_name": "prod", "k8s_pod_name": "shop-1", "service_name": "shop"]))
        let entry = try #require(stream.entries.first)
        #expect(entry.timestamp == 5)
        #expect(entry.line == "boom")
        #expect(
            entry.metadata
                == Labels([
                    "detected_level": "error", "dropped_attributes_count": "2", "event_name": "ev", "flags": "1", "host_name": "node",
                    "http_status": "500", "key_9lives": "cat", "observed_timestamp": "6", "s_k": "true", "scope_name": "zap",
                    "scope_version": "1.2", "severity_number": "17", "severity_text": "ERROR", "span_id": "00f067aa0ba902b7",
                    "trace_id": "0af7651916cd43dd8448eb211c80319c", "user_id": "7",
                ]))
        #expect(entry.traceID.description == "0af7651916cd43dd8448eb211c80319c")
        #expect(entry.spanID.description == "00f067aa0ba902b7")
    }

    @Test(
        "the level comes from the severity's number, else from its text",
        arguments: [
            (#""severityNumber":1"#, "trace"), (#""severityNumber":8"#, "debug"), (#""severityNumber":"SEVERITY_NUMBER_INFO3""#, "info"),
            (#""severityNumber":13"#, "warn"), (#""severityNumber":24,"severityText":"info""#, "fatal"), (#""severityText":"Warning""#, "warn"),
            (#""severityText":"odd""#, nil),
        ] as [(String, String?)])
    func levels(fields: String, level: String?) throws {
        let batch = try Self.decode(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{\#(fields)}]}]}]}"#)
        #expect(batch.streams.first?.entries.first?.metadata["detected_level"] == level)
    }

    @Test("a record without a time gets that of its observation, else the clock's; a resource without a name is unknown_service")
    func defaults() throws {
        let batch = try Self.decode(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"observedTimeUnixNano":"9"},{}]}]}]}"#)
        #expect(batch.streams.first?.labels == Labels(["service_name": "unknown_service"]))
        #expect(batch.streams.first?.entries.map(\.timestamp) == [9, 77])
        #expect(batch.streams.first?.entries.map(\.line) == ["", ""])
    }

    @Test("bodies that are no text become JSON")
    func bodies() throws {
        let batch = try Self.decode(
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},{"doubleValue":0.5}]}}}]}}},{"body":{"bytesValue":"AP8="}}]}]}]}"#)
        #expect(batch.streams.first?.entries.map(\.line) == [#"{"a":[1,0.5]}"#, "AP8="])
    }

    @Test("records whose resource brings too many attributes are rejected, not multiplied")
    func limits() throws {
        let attributes = (0..<200).map { #"{"key":"a\#($0)","value":{"intValue":1}}"# }.joined(separator: ",")
        let bytes = Array(#"{"resourceLogs":[{"resource":{"attributes":[\#(attributes)]},"scopeLogs":[{"logRecords":[{},{}]}]}]}"#.utf8)
        let decoded = try OTLP.decodeLogs(bytes.span, encoding: .json)
        #expect(decoded.rejected == 2)
        #expect(decoded.batch.logs.entryCount == 0)
        #expect(decoded.rejectionMessage.contains("at most 128"))
    }
}
