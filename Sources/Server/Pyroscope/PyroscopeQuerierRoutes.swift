import Codecs
import FlameQL
import Query
import Telemetry

/// The querier's methods that list and merge, over connect with JSON bodies (Pyroscope, querier/v1).
struct PyroscopeQuerierRoutes {
    let store: any TelemetryStore
    let engine: FlameQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        let methods: [(String, @Sendable (Call, Request) async throws -> [UInt8])] = [
            ("ProfileTypes", { try await profileTypes($0, $1) }), ("LabelNames", { try await labelNames($0, $1) }),
            ("LabelValues", { try await labelValues($0, $1) }), ("SelectMergeStacktraces", { try await merge($0, $1) }),
        ]
        return methods.map { name, method in
            .post("/querier.v1.QuerierService/\(name)", scope: .query, errors: .connect) { call in
                guard call.mediaType == "application/json" else {
                    throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(call.mediaType)\": send application/json")
                }
                return .json(try await method(call, try Request(call, now: time.nanoseconds)))
            }
        }
    }

    /// A request's body. 64-bit numbers come as numbers or, as protobuf's JSON mapping writes them, strings.
    struct Request: Sendable {
        let json: JSONValue
        let range: TimeRange

        init(_ call: Call, now: Int64) throws(APIError) {
            let bytes = try call.decodedBody()
            let body: JSONValue
            do {
                body = try JSONValue(parsing: bytes.span)
            } catch {
                throw APIError(.badRequest, "the body is not valid JSON: \(error)")
            }
            func time(_ name: String) -> Int64? {
                let milliseconds = body[name]?.int64 ?? body[name]?.string.flatMap { Int64($0) }
                return milliseconds.flatMap { $0 == 0 ? nil : $0.multipliedReportingOverflow(by: 1_000_000).partialValue }
            }
            let end = time("end") ?? now
            json = body
            range = TimeRange(time("start") ?? end.subtractingReportingOverflow(3_600_000_000_000).partialValue, end)
        }

        /// The conditions of `matchers`.
        func matchers() throws(QueryError) -> [LabelMatcher] {
            var matchers: [LabelMatcher] = []
            for selector in json["matchers"]?.array ?? [] { matchers += try ProfileSelector(selector.string ?? "").matchers }
            return matchers
        }
    }

    private func profileTypes(_ call: Call, _ request: Request) async throws -> [UInt8] {
        let engine = engine
        let found = try await runner.run("flameql", for: call) { context throws(QueryError) in
            try await engine.profileTypes(in: request.range, context: context)
        }
        var seen: Set<ProfileType> = []
        var json = JSONWriter()
        json.beginObject()
        json.key("profileTypes")
        json.beginArray()
        for type in found.map(\.type) where seen.insert(type).inserted {
            json.object { json in
                json.field("ID", type.description)
                json.field("name", type.name)
                json.field("sampleType", type.sampleType)
                json.field("sampleUnit", type.sampleUnit)
                json.field("periodType", type.periodType)
                json.field("periodUnit", type.periodUnit)
            }
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private func labelNames(_ call: Call, _ request: Request) async throws -> [UInt8] {
        Self.names(try await store.labelNames(.profiles, matching: try request.matchers(), in: request.range))
    }

    private func labelValues(_ call: Call, _ request: Request) async throws -> [UInt8] {
        guard let name = request.json["name"]?.string, !name.isEmpty else { throw APIError(.badRequest, "name is missing") }
        return Self.names(try await store.labelValues(name, .profiles, matching: try request.matchers(), in: request.range))
    }

    private static func names(_ names: [String]) -> [UInt8] {
        var json = JSONWriter()
        json.object { $0.field("names", names) }
        return json.bytes
    }

    private func merge(_ call: Call, _ request: Request) async throws -> [UInt8] {
        guard let type = request.json["profileTypeID"]?.string.flatMap({ ProfileType($0) }) else {
            throw APIError(.badRequest, "profileTypeID is missing, or is no profile type")
        }
        let selector = request.json["labelSelector"]?.string ?? "{}"
        let engine = engine
        let graph = try await runner.run("flameql", selector, for: call) { context throws(QueryError) in
            try await engine.merge(type: type, selector: selector, in: request.range, context: context)
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("flamegraph")
        json.beginObject()
        json.field("names", graph.names)
        json.key("levels")
        json.beginArray()
        for level in graph.levels { json.object { $0.field("values", level.map { String($0) }) } }
        json.endArray()
        json.field("total", String(graph.total))
        json.field("maxSelf", String(graph.maxOwn))
        json.endObject()
        json.endObject()
        return json.bytes
    }
}
