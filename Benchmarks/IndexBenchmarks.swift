import CIntrinsics
import Glibc
import Telemetry

@testable import EmbeddedStore

/// The stream registry and the sealed index, over the label sets that a fleet of instrumented services sends.
func indexBenchmarks() -> [Benchmark] {
    let fleet = Fleet()
    return [
        Benchmark(name: "index/registry/insert", unit: "series", itemCount: Fleet.count, note: { fleet.insertNote }) { fleet.insert() },
        Benchmark(name: "index/registry/look up known", unit: "series", itemCount: Fleet.count) {
            fleet.inserted()
            for start in stride(from: 0, to: Fleet.count, by: 500) {
                keep(fleet.registry.slots(for: fleet.labels[start..<start + 500].map { ($0, .unknown) }))
            }
        },
        Benchmark(name: "index/registry/refresh", unit: "series", itemCount: Fleet.count) {
            fleet.inserted()
            for start in stride(from: 0, to: Fleet.count, by: 500) { keep(fleet.registry.refresh(Array(fleet.slots[start..<start + 500]))) }
        },
        Benchmark(name: "index/registry/slots of handed-out streams", unit: "query", itemCount: 1, note: { "\(fleet.selected.count) streams" }) {
            keep(fleet.registry.slots(of: fleet.selected))
        },
        Benchmark(name: "index/registry/select one service", unit: "query", itemCount: 1, note: { fleet.note(fleet.service) }) {
            keep(fleet.select(fleet.service))
        },
        Benchmark(name: "index/registry/select and hand out", unit: "query", itemCount: 1, note: { fleet.note(fleet.metric) }) {
            keep(fleet.registry.streams(fleet.select(fleet.metric), limit: nil))
        },
        Benchmark(name: "index/registry/select by expression", unit: "query", itemCount: 1, note: { fleet.note(fleet.expression) }) {
            keep(fleet.select(fleet.expression))
        },
        Benchmark(name: "index/registry/expression over 100,000 values", unit: "query", itemCount: 1, note: { fleet.manyNote }) {
            keep(fleet.selectMany())
        },
        Benchmark(name: "index/registry/label values", unit: "query", itemCount: 1) {
            fleet.inserted()
            var values: Set<String> = []
            fleet.registry.labelValues("pod", fleet.members, into: &values)
            keep(values)
        },
        Benchmark(name: "index/sealed/write", unit: "series", itemCount: Fleet.count, note: { fleet.sealNote }) { try fleet.seal() },
        Benchmark(name: "index/sealed/select one service", unit: "query", itemCount: 1) {
            keep(try fleet.reader().matching(try fleet.compile(fleet.service)))
        },
        Benchmark(name: "index/sealed/select and hand out", unit: "query", itemCount: 1) {
            let reader = try fleet.reader()
            keep(reader.streams(reader.matching(try fleet.compile(fleet.metric)), limit: nil))
        },
        Benchmark(name: "index/sealed/expression over 100,000 values", unit: "query", itemCount: 1) {
            keep(try fleet.manyReader().matching(try fleet.compile(fleet.many)))
        },
    ]
}

/// A million series, and what the benchmarks made of them. Everything is made when it is first needed.
private final class Fleet {
    static let count = 1_000_000
    let service = [LabelMatcher("service", .equal, "svc-07")]
    let metric = [LabelMatcher("__name__", .equal, "http_request_duration_seconds_bucket"), LabelMatcher("namespace", .equal, "team-3")]
    let expression = [LabelMatcher("service", .matches, "svc-0[1-5]|svc-1.*"), LabelMatcher("status", .matches, "5..")]
    let many = [LabelMatcher("user", .matches, "svc-0[1-5]|svc-1.*")]

    lazy var labels: [Labels] = Self.makeLabels()
    var registry = StreamRegistry(signal: .metrics)
    var slots: [UInt32] = []
    var insertNote = ""
    private(set) lazy var members = Bitmap(slots)
    private(set) lazy var selected: [TelemetryStream] = registry.streams(select(metric), limit: nil)
    private(set) lazy var manyRegistry: StreamRegistry = {
        let registry = StreamRegistry(signal: .metrics)
        _ = registry.slots(for: (0..<100_000).map { (Labels(["user": "svc-\($0 % 1000)-\($0)"]), .unknown) })
        return registry
    }()
    private var path = ""
    var sealNote = ""
    private var segment: IndexSegment?
    private lazy var manySegment: IndexSegment? = try? Self.write(manyRegistry, Array(0..<100_000), "/many.index")

    func insert() {
        _ = labels
        registry = StreamRegistry(signal: .metrics)
        apus_trim_heap()
        let before = Int(apus_heap_byte_count())
        slots = []
        for start in stride(from: 0, to: Self.count, by: 500) {
            slots += registry.slots(for: labels[start..<start + 500].map { ($0, .unknown) })
        }
        let bytes = Int(apus_heap_byte_count()) - before - slots.capacity * 4
        insertNote = "\(bytes / Self.count) B/series in use, \(registry.figures.pairs) pairs"
    }

    func inserted() {
        if slots.isEmpty { insert() }
    }

    func compile(_ matchers: [LabelMatcher]) throws -> [CompiledMatcher] { try matchers.map { try CompiledMatcher($0) } }

    func select(_ matchers: [LabelMatcher]) -> Bitmap {
        inserted()
        return (try? registry.matching(compile(matchers), among: members)) ?? Bitmap()
    }

    func note(_ matchers: [LabelMatcher]) -> String { "\(select(matchers).count) streams" }

    func selectMany() -> Bitmap {
        (try? manyRegistry.matching(compile(many), among: Bitmap(below: 100_000))) ?? Bitmap()
    }

    var manyNote: String { "\(selectMany().count) streams" }

    func seal() throws {
        inserted()
        segment = try Self.write(registry, slots, "/fleet.index")
        sealNote = "\(Double((segment?.fileByteCount ?? 0) * 10 / Self.count) / 10) B/series on disk"
    }

    func reader() throws -> IndexSegmentReader {
        if segment == nil { try seal() }
        guard let reader = segment?.reader() else { throw StoreError(.system, "no sealed index") }
        return reader
    }

    func manyReader() throws -> IndexSegmentReader {
        guard let reader = manySegment?.reader() else { throw StoreError(.system, "no sealed index") }
        return reader
    }

    private static func write(_ registry: StreamRegistry, _ slots: [UInt32], _ name: String) throws(StoreError) -> IndexSegment {
        let files = PosixFileSystem()
        let folder = "/tmp/apus-benchmarks-\(getpid())"
        try files.createFolder(folder)
        let rows = registry.rows(slots, ids: registry.ids(slots))
        try IndexSegmentWriter(try files.open(folder + name, .create), signal: .metrics, rows: rows).finish()
        let segment = try IndexSegment(path: folder + name, number: 1, fileSystem: files, reporter: StoreReporter { _ in })
        // Held open by the segment.
        try files.remove(folder + name)
        try? files.removeFolder(folder)
        return segment
    }

    private static func makeLabels() -> [Labels] {
        let routes = ["/api/orders", "/api/orders/{id}", "/api/users", "/api/users/{id}", "/api/cart", "/api/checkout", "/api/search", "/healthz"]
        let buckets = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
        var labels: [Labels] = []
        labels.reserveCapacity(count)
        var instance = 0
        while labels.count < count {
            let base = [
                Label("instance", "10.0.\(instance / 250).\(instance % 250):8080"), Label("job", "backend"), Label("namespace", "team-\(instance % 7)"),
                Label("pod", "shop-\(instance % 23)-\(String(instance &* 2_654_435_761 & 0xffff_ffff, radix: 16))"),
                Label("service", "svc-\(instance % 23 < 10 ? "0" : "")\(instance % 23)"),
            ]
            for method in ["GET", "POST", "PUT"] {
                for route in routes {
                    for status in ["200", "201", "404", "500"].prefix(2 + instance % 3) {
                        let request = [Label("method", method), Label("route", route), Label("status", status)]
                        for bucket in buckets where labels.count < count {
                            let name = Label("__name__", "http_request_duration_seconds_bucket")
                            labels.append(Labels(base + request + [name, Label("le", bucket), Label("db", "orders")]))
                        }
                        for name in ["sum", "count"] where labels.count < count {
                            labels.append(Labels(base + request + [Label("__name__", "http_request_duration_seconds_" + name)]))
                        }
                    }
                }
            }
            instance += 1
        }
        return labels
    }
}
