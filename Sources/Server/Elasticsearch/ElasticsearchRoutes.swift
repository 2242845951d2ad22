import Codecs
import Formats
import Settings
import Telemetry

/// What agents that write to Elasticsearch ask before and while they send logs (Elasticsearch reference, "REST APIs"): Filebeat, Logstash,
/// Vector, Fluent Bit. The paths lie below a prefix, since `/` is the web app's; `_bulk` is there without one as well.
struct ElasticsearchRoutes {
    let ingest: Ingest

    /// New enough for every agent, and before the version from which clients want more than this.
    private static let version = "8.9.0"
    private static let prefixes = ["/insert/elasticsearch", "/elasticsearch"]

    var routes: [Route] {
        var routes: [Route] = [
            .post("/_bulk", scope: .ingest, errors: .elasticsearch) { try await bulk($0, index: nil) },
            .post("/{index}/_bulk", scope: .ingest, errors: .elasticsearch) { try await bulk($0, index: $0.captures.first) },
        ]
        for prefix in Self.prefixes {
            for path in [prefix, prefix + "/"] {
                routes.append(Route([.get, .head], path, scope: .ingest, errors: .elasticsearch) { _ in information() })
            }
            routes += [
                .post("\(prefix)/_bulk", scope: .ingest, errors: .elasticsearch) { try await bulk($0, index: nil) },
                Route([.put], "\(prefix)/_bulk", scope: .ingest, errors: .elasticsearch) { try await bulk($0, index: nil) },
                .post("\(prefix)/{index}/_bulk", scope: .ingest, errors: .elasticsearch) { try await bulk($0, index: $0.captures.first) },
                .get("\(prefix)/_license", scope: .ingest, errors: .elasticsearch) { _ in license() },
                .get("\(prefix)/_xpack", scope: .ingest, errors: .elasticsearch) { _ in object { _ in } },
                .get("\(prefix)/_nodes/{rest...}", scope: .ingest, errors: .elasticsearch) { _ in nodes() },
                // Templates, policies, pipelines and data streams mean nothing here: whatever is asked of them has been done.
                Route([.get, .head, .put, .post, .delete], "\(prefix)/{rest...}", scope: .ingest, errors: .elasticsearch) { call in
                    call.method == .get || call.method == .head ? object { _ in } : object { $0.field("acknowledged", true) }
                },
            ]
        }
        return routes
    }

    private func object(_ body: (inout JSONWriter) -> Void) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        body(&json)
        json.endObject()
        var answer = Answer.json(json.bytes)
        // Clients of Elastic's own speak to nothing that lacks it.
        answer.headers.append(("X-Elastic-Product", "Elasticsearch"))
        return answer
    }

    private func information() -> Answer {
        object { json in
            json.field("name", "apus")
            json.field("cluster_name", "apus")
            json.field("cluster_uuid", "apus")
            json.key("version")
            json.beginObject()
            json.field("number", Self.version)
            json.field("build_flavor", "default")
            json.field("minimum_wire_compatibility_version", "7.17.0")
            json.field("minimum_index_compatibility_version", "7.0.0")
            json.endObject()
            json.field("tagline", "You Know, for Search")
        }
    }

    private func license() -> Answer {
        object { json in
            json.key("license")
            json.beginObject()
            json.field("status", "active")
            json.field("uid", "apus")
            json.field("type", "basic")
            json.field("mode", "basic")
            json.field("expiry_date_in_millis", 4_000_000_000_000)
            json.endObject()
        }
    }

    private func nodes() -> Answer {
        object { json in
            json.key("nodes")
            json.beginObject()
            json.endObject()
        }
    }

    private func bulk(_ call: Call, index: String?) async throws -> Answer {
        let start = ContinuousClock.now
        var items: [ElasticsearchBulk.Item] = []
        let result = try await ingest.store(from: .elasticsearch, byteCount: call.body.count) {
            let bytes = try call.decodedBody()
            let decoded = try ElasticsearchBulk.decode(bytes.span, index: index)
            items = decoded.items
            var batch = TelemetryBatch()
            batch.logs = decoded.batch
            return OTLP.Decoded(batch: batch, rejected: items.count { $0.error != nil })
        }
        // Which of the lines the bounds of time refused is not told apart: the answer names the reason, and no sender tries 4xx again.
        let late = result.message.isEmpty ? nil : result.message
        return object { json in
            json.field("took", Int((ContinuousClock.now - start).seconds * 1e3))
            json.field("errors", result.rejected > 0)
            if let late { json.field("error", late) }
            json.key("items")
            json.array { json in for item in items { Self.write(item, &json) } }
        }
    }

    private static func write(_ item: ElasticsearchBulk.Item, _ json: inout JSONWriter) {
        json.beginObject()
        json.key(item.action)
        json.beginObject()
        json.field("_index", item.index)
        json.field("_id", "")
        if let error = item.error {
            json.field("status", 400)
            json.key("error")
            json.beginObject()
            json.field("type", "mapper_parsing_exception")
            json.field("reason", error)
            json.endObject()
        } else {
            json.field("_version", 1)
            json.field("result", "created")
            json.field("status", 201)
        }
        json.endObject()
        json.endObject()
    }
}
