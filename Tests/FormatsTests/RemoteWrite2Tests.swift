import Codecs
import Formats
import Synchronization
import Telemetry
import TestSupport
import Testing

@Suite("Remote write 2.0")
struct RemoteWrite2Tests {
    static func decode(
        _ bytes: [UInt8], _ directory: (any SeriesDirectory)? = nil, _ metadata: RemoteWriteMetadataCache? = nil
    ) throws -> RemoteWrite2.Decoded {
        try RemoteWrite2.decode(bytes.span, directory: directory, metadata: metadata)
    }

    /// Rows of a batch as a set: 2.0 groups them by series.
    static func rows(_ batch: MetricBatch) -> Set<String> {
        var rows = Set<String>()
        for row in batch.timestamps.indices {
            rows.insert("\(batch.series[Int(batch.sampleSeries[row])]) \(batch.timestamps[row]) \(batch.values[row].bitPattern)")
        }
        for row in batch.histograms { rows.insert("\(batch.series[Int(row.series)]) \(row.timestamp) \(row.histogram)") }
        for row in batch.exemplars { rows.insert("\(batch.series[Int(row.series)]) \(row.exemplar)") }
        for row in batch.startTimes { rows.insert("\(batch.series[Int(row.series)]) \(row.timestamp) since \(row.start)") }
        return rows
    }

    @Test(
        "what Prometheus sends in 1.0 means the same in 2.0", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("prometheus.WriteRequest"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let batch = try RemoteWrite.decode(message.span).metrics
        let decoded = try Self.decode(RemoteWrite2.encode(batch))
        #expect(Self.rows(decoded.batch) == Self.rows(batch))
        // Each of a batch's exemplars comes as a series of its own, which 2.0 finds fault with but keeps.
        #expect(decoded.rejected == 0)
    }

    /// One of everything.
    static let batch: MetricBatch = {
        var batch = RemoteWriteTests.batch
        let series = batch.addSeries(Labels(["__name__": "started_total", "job": "é"]))
        batch.append(series: series, timestamp: 5_000, value: 7)
        batch.startTimes.append((series, 5_000, 1_000))
        batch.metadata = [MetricMetadata(family: "started_total", kind: .counter, help: "How \"often\".", unit: "s")]
        return batch
    }()

    @Test("samples, histograms, exemplars, metadata and start times come back")
    func roundTrip() throws {
        let decoded = try Self.decode(RemoteWrite2.encode(Self.batch))
        #expect(Self.rows(decoded.batch) == Self.rows(Self.batch))
        #expect(decoded.batch.metadata == Self.batch.metadata)
        #expect(decoded.complaint.isEmpty)
    }

    static func request(_ symbols: [String], _ series: [(inout ProtobufWriter) -> Void]) -> [UInt8] {
        var writer = ProtobufWriter()
        for symbol in symbols { writer.string(4, symbol, always: true) }
        for series in series { writer.message(5, series) }
        return writer.bytes
    }

    static func sample(_ references: [UInt64]) -> (inout ProtobufWriter) -> Void {
        { writer in
            writer.packedUInt64s(1, references)
            writer.message(2) { writer in
                writer.double(1, 1)
                writer.int64(2, 1_000)
            }
        }
    }

    static let symbols = ["", "__name__", "up", "job", "a", "b"]

    @Test(
        "a series that is wrong in itself is left out, the others stay",
        arguments: [
            ([1, 2, 3], "pairs"), ([1, 2, 3, 99], "symbol 99"), ([3, 4], "__name__"), ([1, 2, 3, 4, 3, 5], "twice"), ([1, 2, 0, 4], "no name"), ([], "__name__"),
        ] as [([UInt64], String)])
    func partial(references: [UInt64], words: String) throws {
        let good = Self.sample([1, 2, 3, 4])
        let other = Self.sample([1, 2, 3, 5])
        let directories: [(any SeriesDirectory)?] = [nil, TableDirectory()]
        for directory in directories {
            let decoded = try Self.decode(Self.request(Self.symbols, [good, Self.sample(references), other]), directory)
            #expect(decoded.batch.series == [Labels(["__name__": "up", "job": "a"]), Labels(["__name__": "up", "job": "b"])])
            #expect(decoded.batch.sampleSeries == [0, 1])
            #expect(decoded.rejected == 1)
            #expect(decoded.complaint.contains(words), "\(decoded.complaint)")
        }
    }

    @Test("a histogram whose buckets contradict each other is left out, and a series without samples is complained of")
    func histogram() throws {
        let bytes = Self.request(
            Self.symbols,
            [
                { writer in
                    writer.packedUInt64s(1, [1, 2])
                    writer.message(3) { writer in
                        writer.message(11) { $0.uint32(2, 3) }
                        writer.packedSInt64s(12, [1])
                    }
                },
                Self.sample([1, 2]),
            ])
        let decoded = try Self.decode(bytes)
        #expect(decoded.batch.histograms.isEmpty)
        #expect(decoded.batch.sampleCount == 1)
        #expect(decoded.rejected == 1)
        #expect(decoded.complaint.contains("positive_spans"))
        #expect(decoded.complaint.contains("neither samples nor histograms"))
    }

    @Test("symbols may stand behind the series that use them")
    func order() throws {
        var writer = ProtobufWriter()
        writer.message(5, Self.sample([1, 2]))
        for symbol in Self.symbols { writer.string(4, symbol, always: true) }
        let decoded = try Self.decode(writer.bytes)
        #expect(decoded.batch.series == [Labels(["__name__": "up"])])
    }

    /// A directory that a test fills.
    final class TableDirectory: SeriesDirectory {
        let seed = SeriesKey.Seed.random()
        let table = Mutex<[SeriesKey: SeriesHandle]>([:])

        func find(_ keys: [SeriesKey]) -> [SeriesHandle] {
            let table = table.withLock { $0 }
            return keys.map { table[$0] ?? .unknown }
        }
    }

    @Test("a known series comes by its handle, whatever numbers its symbols have")
    func known() throws {
        let directory = TableDirectory()
        let first = try Self.decode(Self.request(Self.symbols, [Self.sample([1, 2, 3, 4])]), directory)
        let key = try #require(first.batch.keys.first ?? nil)
        directory.table.withLock { $0[key] = SeriesHandle(17) }
        let moved = ["", "b", "a", "job", "up", "__name__"]
        let second = try Self.decode(Self.request(moved, [Self.sample([5, 4, 3, 2]), Self.sample([5, 4, 3, 1])]), directory)
        #expect(second.batch.handles == [SeriesHandle(17), .unknown])
        #expect(second.batch.series == [.empty, Labels(["__name__": "up", "job": "b"])])
        let third = try Self.decode(Self.request(moved, [Self.sample([5, 4, 3, 2])]), directory)
        #expect(third.batch.handles == [SeriesHandle(17)])
        #expect(third.batch.series.isEmpty)
    }

    @Test("metadata comes once, until the cache forgets it")
    func metadata() throws {
        let bytes = RemoteWrite2.encode(Self.batch)
        let (cache, directory) = (RemoteWriteMetadataCache(), TableDirectory())
        let first = try Self.decode(bytes, directory, cache)
        #expect(first.batch.metadata.count == 1)
        // Not stored yet: it comes again.
        let again = try Self.decode(bytes, directory, cache)
        #expect(again.batch.metadata.count == 1)
        cache.enter(first.metadataKeys)
        let known = try Self.decode(bytes, directory, cache)
        #expect(known.batch.metadata.isEmpty)
    }

    @Test("a histogram's or summary's series name their family")
    func families() throws {
        for (type, name, family) in [(3, "h_bucket", "h"), (5, "s_sum", "s"), (1, "c_total", "c_total"), (3, "h", "h"), (2, "g_count", "g_count")] {
            let bytes = Self.request(
                ["", "__name__", name],
                [
                    { writer in
                        Self.sample([1, 2])(&writer)
                        writer.message(5) { $0.uint64(1, UInt64(type)) }
                    }
                ])
            let decoded = try Self.decode(bytes)
            #expect(decoded.batch.metadata.first?.family == family)
        }
    }

    @Test("survives every truncation and flipped bit, with and without a directory")
    func damage() {
        let bytes = RemoteWrite2.encode(Self.batch)
        let (cache, directory) = (RemoteWriteMetadataCache(), TableDirectory())
        Damage.both(bytes) { _ = try? Self.decode($0) }
        Damage.both(bytes) { _ = try? Self.decode($0, directory, cache) }
        var random = SplitMix64(seed: 7)
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0..<4 { damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            _ = try? Self.decode(damaged, directory, cache)
        }
    }
}
