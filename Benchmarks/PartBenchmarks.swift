import Telemetry

@testable import EmbeddedStore

/// Parts: a flush's write, merges, and raw reads.
func partBenchmarks() -> [Benchmark] {
    partBenchmarks(seriesCount: 50_000, rowCount: 32) + partBenchmarks(seriesCount: 1_000_000, rowCount: 4) + readBenchmarks()
}

private func partBenchmarks(seriesCount: Int, rowCount: Int) -> [Benchmark] {
    let name = seriesCount >= 1_000_000 ? "\(seriesCount / 1_000_000)Mx\(rowCount)" : "\(seriesCount / 1000)kx\(rowCount)"
    let setup = Lazy {
        let fixture = PartFixture(seriesCount: seriesCount)
        let columns = (0..<4).map { fixture.columns($0 * rowCount..<($0 + 1) * rowCount) }
        return (fixture: fixture, columns: columns)
    }
    let parts = Lazy {
        let (fixture, columns) = try setup.value()
        return try columns.indices.map { try fixture.write(columns[$0], sequence: UInt64($0 + 1)) }
    }
    var (written, merged) = ("", "")
    return [
        Benchmark(
            name: "part/write/\(name)", unit: "sample", itemCount: seriesCount * rowCount, note: { written },
            prepare: { _ = try setup.value() }
        ) {
            let (fixture, columns) = try setup.value()
            let part = try fixture.write(columns[0], sequence: 1)
            written = bytesPerSample(part)
        },
        Benchmark(
            name: "part/merge/4x\(name)", unit: "sample", itemCount: 4 * seriesCount * rowCount, note: { merged },
            prepare: { _ = try parts.value() }
        ) {
            let (fixture, _) = try setup.value()
            merged = bytesPerSample(try fixture.merge(try parts.value()))
        },
    ]
}

private func readBenchmarks() -> [Benchmark] {
    let (seriesCount, rowCount) = (50_000, 240)
    let setup = Lazy {
        let fixture = PartFixture(seriesCount: seriesCount)
        let streams = fixture.ids.enumerated().map { index, id in
            TelemetryStream(id: StreamID(id), labels: Labels(["__name__": "m", "n": "\(index)"]))
        }
        let store = try fixture.store(streams)
        var parts: [Part] = []
        for quarter in 0..<4 {
            parts.append(try fixture.write(fixture.columns(quarter * rowCount / 4..<(quarter + 1) * rowCount / 4), sequence: UInt64(quarter + 1)))
        }
        let part = try fixture.merge(parts)
        store.publish(Memtable(signal: .metrics), [(day: PartFixture.day, part: part)])
        return (fixture: fixture, store: store, streams: streams, part: part)
    }
    let one = 200
    return [
        Benchmark(name: "part/read/one-series", unit: "series", itemCount: one, prepare: { _ = try setup.value() }) {
            let (_, store, streams, _) = try setup.value()
            for number in 0..<one {
                let request = ScanRequest(signal: .metrics, streams: [streams[number * 239 % streams.count]], range: .all)
                try Scan(request, kinds: [.floats], store: store).run { block in
                    keep(block.timestamps)
                    return .continue
                }
            }
        },
        Benchmark(
            name: "part/read/everything", unit: "sample", itemCount: seriesCount * rowCount,
            note: { (try? setup.value()).map { bytesPerSample($0.part) } ?? "" }, prepare: { _ = try setup.value() }
        ) {
            let (_, store, streams, _) = try setup.value()
            var count = 0
            try Scan(ScanRequest(signal: .metrics, streams: streams, range: .all), kinds: [.floats], store: store).run { block in
                count += block.count
                return .continue
            }
            precondition(count == seriesCount * rowCount)
        },
    ]
}

private func bytesPerSample(_ part: Part) -> String {
    let hundredths = part.byteCount * 100 / max(1, part.footer.rowCount)
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) B/sample"
}

/// Made when it is first asked for, so that benchmarks that are not run cost nothing.
private final class Lazy<Value> {
    private var made: Value?
    private let make: () throws -> Value

    init(_ make: @escaping () throws -> Value) {
        self.make = make
    }

    func value() throws -> Value {
        if let made { return made }
        let value = try make()
        made = value
        return value
    }
}
