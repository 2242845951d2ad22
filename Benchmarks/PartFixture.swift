import Glibc
import Telemetry

@testable import EmbeddedStore

/// A day of metrics as a fleet sends them: targets of a hundred series, scraped together every 15 seconds with a little jitter; six
/// series in ten hardly change, the others count.
final class PartFixture {
    let folder: String
    let files = PosixFileSystem()
    let reporter = StoreReporter { _ in }
    let seriesCount: Int
    /// Ascending, as a part holds them.
    private(set) var ids: [UInt64] = []
    private var targets: [Int] = []
    private var state: UInt64 = 1

    static let day: Int64 = 20_779
    static let start = day * 86_400_000 + 36_000_000

    init(seriesCount: Int) {
        self.seriesCount = seriesCount
        folder = (getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/apus-benchmarks-\(getpid())-\(seriesCount)"
        try? files.createFolder(folder)
        for _ in 0..<seriesCount { ids.append(random()) }
        ids.sort()
        targets = ids.map { Int($0 >> 7 % UInt64(max(1, seriesCount / 100))) }
    }

    deinit {
        remove(folder)
    }

    private func remove(_ folder: String) {
        for name in (try? files.list(folder)) ?? [] {
            let path = folder + "/" + name
            if (try? files.remove(path)) == nil { remove(path) }
        }
        try? files.removeFolder(folder)
    }

    private func random() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 32) &* 0x9e37_79b9_7f4a_7c15
    }

    private func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: right ^ 0xa54f_f53a_5f1d_36f1)
        return product.high ^ product.low
    }

    /// The scrapes `rows` of every series, as columns end to end.
    func columns(_ rows: Range<Int>) -> (times: [Int64], values: [Double]) {
        var (times, values) = ([Int64](), [Double]())
        times.reserveCapacity(seriesCount * rows.count)
        values.reserveCapacity(seriesCount * rows.count)
        for (series, id) in ids.enumerated() {
            let target = UInt64(targets[series])
            let isQuiet = id % 10 < 6
            var total = Double(id % 100_000) + Double(rows.lowerBound * 25)
            for row in rows {
                times.append(Self.start + Int64(row) * 15_000 + Int64(mix(target, UInt64(row / 4)) % 6))
                let draw = mix(id, UInt64(row))
                if isQuiet { total += draw % 50 == 0 ? 1 : 0 } else { total += Double(draw % 50) }
                values.append(total)
            }
        }
        return (times, values)
    }

    /// Writes a part of some scrapes.
    func write(_ columns: (times: [Int64], values: [Double]), sequence: UInt64) throws -> Part {
        let path = folder + "/" + Part.name(sequence...sequence)
        var writer = PartWriter(try files.open(path, .create), signal: .metrics)
        let count = columns.times.count / seriesCount
        let (times, values) = (columns.times.span, columns.values.span)
        for (series, id) in ids.enumerated() {
            let rows = series * count..<(series + 1) * count
            try writer.appendFloats(times: times.extracting(rows), values: values.extracting(rows), stream: id)
        }
        try writer.finish()
        return try Part(path: path, sequence: sequence...sequence, fileSystem: files, reporter: reporter)
    }

    func merge(_ parts: [Part]) throws -> Part {
        let sequence = parts[0].sequence.lowerBound...parts[parts.count - 1].sequence.upperBound
        let path = folder + "/" + Part.name(sequence)
        var writer = PartWriter(try files.open(path, .create), signal: .metrics)
        var merger = try PartMerger(parts, parts.map { _ in nil })
        try merger.write(to: &writer)
        try writer.finish()
        return try Part(path: path, sequence: sequence, fileSystem: files, reporter: reporter)
    }

    /// A store over parts written for `streams`, whose ids the series take.
    func store(_ streams: [TelemetryStream]) throws -> SignalStore {
        try files.createFolder(folder + "/metrics")
        try files.createFolder(folder + "/metrics/" + Days.name(Self.day))
        let store = SignalStore(signal: .metrics, dataFolder: folder, fileSystem: files, reporter: reporter)
        let slots = store.registry.slots(for: streams.map { ($0.labels, $0.resource) })
        ids = try store.index(of: Self.day).persist(slots).sorted()
        return store
    }
}
