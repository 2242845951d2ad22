import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Scans of parts")
struct ScanTests {
    /// 200 series of four targets, each scraped 40 times, in parts.
    private func store(_ folder: ScratchFolder) async throws -> EmbeddedStore {
        let store = try EmbeddedStore.open(options(folder.path))
        for half in 0..<2 {
            var batch = TelemetryBatch()
            for number in 0..<200 {
                let series = batch.metrics.addSeries(Labels(["__name__": "m\(number % 5)", "instance": "\(number % 4)", "n": "\(number)"]))
                for row in half * 20..<half * 20 + 20 {
                    let time = noonMilliseconds - 3_600_000 + Int64(row) * 15_000 + Int64(number % 4)
                    batch.metrics.append(series: series, timestamp: time, value: Double(number * row))
                }
            }
            try await store.append(batch)
            try await store.flush()
        }
        return store
    }

    @Test("blocks with the same times say so, and share them", arguments: [false, true])
    func timesID(isMerged: Bool) async throws {
        let folder = try ScratchFolder()
        let store = try await store(folder)
        if isMerged { try await store.compact() }
        for range in [TimeRange.all, TimeRange(noonMilliseconds - 3_600_000 + 100_000, noonMilliseconds - 3_600_000 + 500_000)] {
            let blocks = try await store.blocks(.metrics, in: range)
            #expect(blocks.count == (isMerged ? 200 : 400))
            var known: [UInt64: [Int64]] = [:]
            for block in blocks {
                #expect(block.timesID != 0)
                #expect(known.updateValue(block.timestamps, forKey: block.timesID) ?? block.timestamps == block.timestamps)
                #expect(block.timestamps.allSatisfy { range.contains($0) })
                if case .floats(let values) = block.columns { #expect(values.count == block.count) }
            }
            #expect(known.count == (isMerged ? 4 : 8))
            let storages = Set(blocks.map { block in block.timestamps.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } })
            #expect(storages.count == known.count)
        }
    }

    @Test("a scan says what it read: one series of a large part takes few pages")
    func statistics() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var random = SplitMix64(seed: 1)
        var batch = TelemetryBatch()
        for number in 0..<3000 {
            let series = batch.metrics.addSeries(Labels(["n": "\(number)"]))
            for row in 0..<30 {
                batch.metrics.append(
                    series: series, timestamp: noonMilliseconds - Int64(row) * 15_000, value: Double(bitPattern: random.next() >> 2))
            }
        }
        try await store.append(batch)
        try await store.flush()
        func read(_ matchers: [LabelMatcher], _ range: TimeRange = .all) async throws -> ScanStatistics.Values {
            let statistics = ScanStatistics()
            let streams = try await store.streams(.metrics, matching: matchers, in: .all)
            try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: range, statistics: statistics)) { _ in .continue }
            return statistics.current
        }
        let all = try await read([])
        #expect(all.blocksRead == 3000 && all.rowsRead == 90_000 && all.partsRead == 1 && all.pagesRead > 8)
        #expect(all.bytesRead > 90_000 * 7)
        let one = try await read([LabelMatcher("n", .equal, "1234")])
        #expect(one.blocksRead == 1 && one.rowsRead == 30 && one.pagesRead <= 3 && one.bytesRead < 200_000)
        let none = try await read([LabelMatcher("n", .equal, "1234")], TimeRange(0, 10))
        #expect(none.blocksRead == 0 && none.pagesRead == 0)
    }

    @Test("a scan in the order of time that stops early reads little", arguments: [ScanRequest.Order.newestFirst, .oldestFirst])
    func stopsEarly(order: ScanRequest.Order) async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path))
        var random = SplitMix64(seed: 9)
        for hour in 0..<6 {
            for app in 0..<5 {
                let entries = (0..<400).map { row in
                    LogEntry(timestamp: noon - Int64(hour) * 3_600_000_000_000 - Int64(row) * 1_000_000_000, line: "\(random.next()) \(random.next()) \(random.next())")
                }
                try await store.append(logs(["app": "\(app)"], entries))
            }
            try await store.flush()
        }
        func read(limit: Int) async throws -> (first: Int64?, statistics: ScanStatistics.Values) {
            let statistics = ScanStatistics()
            let streams = try await store.streams(.logs, matching: [], in: .all)
            var first: Int64?
            var rowCount = 0
            try await store.scan(ScanRequest(signal: .logs, streams: streams, range: .all, order: order, statistics: statistics)) { block in
                if first == nil { first = order == .newestFirst ? block.timestamps.last : block.timestamps.first }
                rowCount += block.count
                return rowCount >= limit ? .stop : .continue
            }
            return (first, statistics.current)
        }
        let (first, some) = try await read(limit: 10)
        #expect(first == (order == .newestFirst ? noon : noon - 5 * 3_600_000_000_000 - 399_000_000_000))
        let (_, all) = try await read(limit: .max)
        #expect(all.rowsRead == 6 * 5 * 400)
        #expect(some.bytesRead * 3 < all.bytesRead, "\(some) of \(all)")
    }

    @Test("streams are found in whatever order they are asked for")
    func unsortedStreams() async throws {
        let folder = try ScratchFolder()
        let store = try await store(folder)
        var streams = try await store.streams(.metrics, matching: [], in: .all)
        var random = SplitMix64(seed: 4)
        streams.shuffle(using: &random)
        var seen: [StreamID] = []
        try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { block in
            if seen.last != block.stream.id { seen.append(block.stream.id) }
            return .continue
        }
        #expect(seen == streams.map(\.id))
    }
}
