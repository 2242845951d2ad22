import Codecs
import Formats
import Telemetry

@testable import EmbeddedStore

/// Spans from the wire to a block and back, over data as an instrumented fleet of services makes it.
func spanBenchmarks() -> [Benchmark] {
    let groups = spanGroups(traceCount: 400)
    let spans = groups.flatMap(\.spans)
    let request = OTLP.encodeTrace(groups, encoding: .protobuf)
    var batch = PreparedBatch()
    for (slot, group) in groups.enumerated() { batch.spans.append(PreparedBatch.Group(slot: UInt32(slot), rows: group.spans)) }
    let runs = groups.map { group in
        Run(timestamps: group.spans.map(\.start), rows: .spans(group.spans)).ordered()
    }
    func encoded(_ run: Run) -> [UInt8] {
        var bytes: [UInt8] = []
        BlockCodec.encode(run, to: &bytes)
        return bytes
    }
    let blocks = runs.map(encoded)
    let blockByteCount = blocks.reduce(0) { $0 + $1.count }
    let record = LogRecord.encode(batch)
    let note = "\(blockByteCount / spans.count) B/span in blocks, \(record.count / spans.count) in the log, \(request.count / spans.count) received"
    func benchmark(_ name: String, _ body: @escaping () throws -> Void) -> Benchmark {
        Benchmark(name: "spans/" + name, unit: "span", itemCount: spans.count, note: { note }, body: body)
    }
    func select(_ predicates: [Predicate], _ columns: ScanRequest.Columns) throws {
        var conditions = SpanConditions()
        for predicate in predicates { _ = conditions.add(predicate) }
        for (run, block) in zip(runs, blocks) {
            var spans = try SpanBlockReader(ByteReader(block), run.timestamps)
            keep(try spans.spans(try spans.select(conditions, in: .all), columns: columns, attributeNames: nil))
        }
    }
    let trace = spans[spans.count / 2].traceID
    return [
        benchmark("otlp/decode") { keep(try OTLP.decodeTraces(request.span, encoding: .protobuf)) },
        benchmark("log/encode") { keep(LogRecord.encode(batch)) },
        benchmark("log/decode") { keep(try LogRecord.decodeRows(ByteReader(record, 1..<record.count))) },
        benchmark("memtable/append") {
            keep(Memtable(signal: .spans).append(batch, now: 0) { _, _ in })
        },
        benchmark("block/encode") { for run in runs { keep(encoded(run)) } },
        benchmark("block/decode/all") { try select([], .all) },
        benchmark("block/decode/identifiers") { try select([], .identifiers) },
        benchmark("block/select/trace") { try select([.trace(trace)], .all) },
        benchmark("block/select/attribute") { try select([.attribute("user.id", .equal, .int(4242))], .all) },
        benchmark("block/select/errors") { try select([.status(.equal, .error), .duration(.greater, 100_000_000)], .identifiers) },
    ]
}

/// Traces of a gateway and one of eight services, about eight spans each, in the order of time.
private func spanGroups(traceCount: Int) -> [SpanBatch.Group] {
    var state: UInt64 = 1
    func random(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
    func id() -> UInt64 { random(1 << 31) << 32 | random(1 << 31) | 1 }
    let scope = TraceSpan.Scope(name: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
    let services = ["gateway"] + (0..<8).map { "svc-0\($0)" }
    var groups = services.map { service in
        SpanBatch.Group(
            resource: Resource([Attribute("service.name", .string(service)), Attribute("service.version", .string("1.4.2"))]))
    }
    let statements = ["select_user", "select_orders", "insert_order", "update_stock", "select_cart", "delete_session"]
    for index in 0..<traceCount {
        let at = 1_700_000_000_000_000_000 + Int64(index) * 12_000_000
        let trace = TraceID(high: id(), low: id())
        let service = 1 + Int(random(8))
        let total = Int64(random(200_000_000))
        let route = "/api/orders/{id}/items/\(random(6))"
        let (root, client, server) = (SpanID(id()), SpanID(id()), SpanID(id()))
        let status: TraceSpan.Status = random(50) == 0 ? .error : .unset
        groups[0].spans.append(
            TraceSpan(
                traceID: trace, spanID: root, name: "GET " + route, kind: .server, start: at, duration: total, status: status,
                attributes: [
                    Attribute("http.request.method", .string("GET")), Attribute("http.route", .string(route)),
                    Attribute("url.path", .string("/api/orders/\(random(1_000_000))")),
                    Attribute("http.response.status_code", .int(200)),
                    Attribute("client.address", .string("10.1.\(random(256)).\(random(256))")),
                ], scope: scope))
        groups[0].spans.append(
            TraceSpan(
                traceID: trace, spanID: client, parentID: root, name: "GET", kind: .client, start: at + total / 20,
                duration: total * 9 / 10, status: status,
                attributes: [Attribute("server.address", .string(services[service])), Attribute("http.response.status_code", .int(200))],
                scope: scope))
        groups[service].spans.append(
            TraceSpan(
                traceID: trace, spanID: server, parentID: client, name: "GET " + route, kind: .server, start: at + total / 10,
                duration: total * 8 / 10, status: status,
                attributes: [Attribute("http.route", .string(route)), Attribute("user.id", .int(Int64(random(100_000))))], scope: scope))
        for query in 0..<(3 + Int64(random(4))) {
            let statement = statements[Int(random(6))]
            groups[service].spans.append(
                TraceSpan(
                    traceID: trace, spanID: SpanID(id()), parentID: server, name: statement, kind: .client,
                    start: at + total / 8 + query * total / 20, duration: total / 25,
                    attributes: [
                        Attribute("db.system.name", .string("postgresql")), Attribute("db.operation.name", .string(statement)),
                        Attribute("db.query.text", .string("SELECT id, total, status FROM orders WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20")),
                    ], scope: scope))
        }
    }
    return groups
}
