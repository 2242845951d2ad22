@testable import EmbeddedStore
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Series cache")
struct SeriesCacheTests {
    private static func key(_ text: String, _ seed: SeriesKey.Seed) -> SeriesKey {
        let bytes = Array(text.utf8)
        return SeriesKey(0..<bytes.count, in: bytes.span, seed: seed)
    }

    @Test("It finds what was entered, through growth, and nothing else")
    func finding() {
        let cache = SeriesCache()
        for number in 0..<5000 { cache.enter([(Self.key("series \(number)", cache.seed), UInt32(number))]) }
        #expect(cache.count == 5000)
        let found = cache.find((0..<6000).map { Self.key("series \($0)", cache.seed) })
        for number in 0..<5000 { #expect(found[number] == SeriesHandle(UInt32(number))) }
        #expect(found[5000...].allSatisfy { $0 == .unknown })
        cache.enter([(Self.key("series 7", cache.seed), 70_000)])
        #expect(cache.find([Self.key("series 7", cache.seed)]) == [SeriesHandle(70_000)])
        cache.removeAll()
        #expect(cache.find([Self.key("series 7", cache.seed)]) == [.unknown])
    }

    @Test("Keys differ with each byte, with the length and with the seed")
    func keys() {
        let seed = SeriesKey.Seed.random()
        var seen: Set<SeriesKey> = []
        for length in 0...70 {
            #expect(seen.insert(Self.key(String(repeating: "\0", count: length), seed)).inserted)
            for position in 0..<length {
                var bytes = [UInt8](repeating: 0, count: length)
                bytes[position] = 1
                #expect(seen.insert(SeriesKey(0..<length, in: bytes.span, seed: seed)).inserted)
            }
        }
        #expect(Self.key("a", seed) != Self.key("a", .random()))
    }

    @Test("A request's series are the same whether their labels were decoded or found")
    func requests() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var random = SplitMix64(seed: 5)
        var expected: Set<FloatRow> = []
        for request in 0..<20 {
            var batch = MetricBatch()
            for _ in 0..<50 {
                let number = Int.random(in: 0..<80, using: &random)
                // A label longer than 127 bytes takes two bytes for its length.
                let long = String(repeating: "x", count: number % 5 == 0 ? 200 : 3)
                let labels = Labels(["__name__": "m\(number)", "a": "\(number)", "long": long])
                let series = batch.addSeries(labels)
                for sample in 0..<(number % 3) {
                    let (time, value) = (noonMilliseconds + Int64(request * 100 + sample), Double(number) + 0.5)
                    batch.append(series: series, timestamp: time, value: value)
                    expected.insert(FloatRow(labels: labels, timestamp: time, bits: value.bitPattern))
                }
            }
            let bytes = RemoteWrite.encode(batch)
            let decoded = try RemoteWrite.decode(bytes.span, directory: store.seriesDirectory)
            #expect(decoded.metrics.handles.count == 50)
            try await store.append(decoded)
        }
        #expect(Set(try await store.floats()) == expected)
        try await store.close()
    }

    @Test("Labels behind the samples, or sorted otherwise, name the same series")
    func oddOrders() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        func label(_ name: String, _ value: String) -> [UInt8] {
            [0x0a, UInt8(name.utf8.count + value.utf8.count + 4), 0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x12, UInt8(value.utf8.count)]
                + Array(value.utf8)
        }
        func sample(_ time: UInt8) -> [UInt8] { [0x12, 11, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, time] }
        let (name, job) = (label("__name__", "up"), label("job", "api"))
        for (time, series) in [name + job + sample(1), job + name + sample(2), name + sample(3) + job, sample(4) + name + job].enumerated() {
            for _ in 0..<2 {
                let bytes = [0x0a, UInt8(series.count)] + series
                var batch = try RemoteWrite.decode(bytes.span, directory: store.seriesDirectory)
                #expect(batch.metrics.timestamps == [Int64(time + 1)])
                let handles = batch.metrics.handles
                let labels = batch.metrics.series
                batch.metrics = MetricBatch()
                if labels.isEmpty { batch.metrics.setSeries(known: handles) } else { batch.metrics.setSeries(labels, handles: handles, keys: [nil]) }
                batch.metrics.append(series: 0, timestamp: noonMilliseconds + Int64(time), value: 0)
                try await store.append(batch)
            }
        }
        let rows = try await store.floats()
        #expect(rows.map(\.timestamp) == (0..<4).map { noonMilliseconds + $0 })
        #expect(Set(rows.map(\.labels)) == [Labels(["__name__": "up", "job": "api"])])
        try await store.close()
    }
}
