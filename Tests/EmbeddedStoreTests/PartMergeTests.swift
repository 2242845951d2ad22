import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Merging parts")
struct PartMergeTests {
    private func merge(_ parts: [Part], _ disk: SimulatedDisk) throws(StoreError) -> Part {
        var merger = try PartMerger(parts, parts.map { _ in nil })
        return try writePart(disk, 1...UInt64(parts.count)) { writer throws(StoreError) in try merger.write(to: &writer) }
    }

    @Test("a merge holds of every timestamp the last write, whatever its kind", arguments: UInt64(0)..<40)
    func againstModel(seed: UInt64) throws {
        enum Value: Equatable {
            case float(UInt64), histogram(NativeHistogram)
        }
        var random = SplitMix64(seed: seed)
        let disk = SimulatedDisk(seed: seed)
        var model: [UInt64: [Int64: Value]] = [:]
        var exemplarCount = 0
        var parts: [Part] = []
        for sequence in 1...UInt64(2 + random.next() % 4) {
            let isInOrder = random.next() % 2 == 0
            let part = try writePart(disk, sequence...sequence) { writer throws(StoreError) in
                for stream in 0..<UInt64(30) where random.next() % 3 != 0 {
                    // Half the parts follow each other in time; the others meet.
                    let start = isInOrder ? Int64(sequence) * 100_000 : Int64(random.next() % 300)
                    let count = random.next() % 20 == 0 ? 3000 : 1 + Int(random.next() % 30)
                    var used: Set<Int64> = []
                    for _ in 0..<count { used.insert(start + Int64(random.next() % 400) * 15) }
                    let isMixed = random.next() % 6 == 0
                    let histogramTimes = isMixed ? used.filter { $0 % 2 == 0 }.sorted() : []
                    let floatTimes = used.subtracting(histogramTimes).sorted()
                    if !floatTimes.isEmpty {
                        let values = floatTimes.map { _ in Double(random.next() % 5000) }
                        try writer.append(floats(floatTimes, values), stream: stream)
                        for (time, value) in zip(floatTimes, values) { model[stream, default: [:]][time] = .float(value.bitPattern) }
                    }
                    if !histogramTimes.isEmpty {
                        let histograms = histogramTimes.map { _ in
                            NativeHistogram(schema: 1, zeroThreshold: 0, zeroCount: 0, count: Double(random.next() % 100), sum: 0)
                        }
                        try writer.append(Run(timestamps: histogramTimes, rows: .histograms(histograms)), stream: stream)
                        for (time, value) in zip(histogramTimes, histograms) { model[stream, default: [:]][time] = .histogram(value) }
                    }
                    if random.next() % 8 == 0 {
                        let exemplar = Exemplar(labels: Labels(["n": "\(sequence) \(stream)"]), value: 1, timestamp: start)
                        try writer.append(Run(timestamps: [start], rows: .exemplars([exemplar])), stream: stream)
                        exemplarCount += 1
                    }
                }
            }
            parts.append(part)
        }
        var found: [UInt64: [Int64: Value]] = [:]
        var exemplarsFound = 0
        let merged = try merge(parts, disk)
        for (stream, run) in try readAll(merged) {
            #expect(zip(run.timestamps, run.timestamps.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
            for (row, time) in run.timestamps.enumerated() {
                let value: Value
                switch run.rows {
                case .floats(let values): value = .float(values[row].bitPattern)
                case .histograms(let values): value = .histogram(values[row])
                default:
                    exemplarsFound += 1
                    continue
                }
                #expect(found[stream, default: [:]].updateValue(value, forKey: time) == nil, "seed \(seed): \(time) of \(stream) came twice")
            }
        }
        #expect(found == model, "seed \(seed)")
        #expect(exemplarsFound == exemplarCount, "seed \(seed)")
        #expect(merged.footer.rowCount == model.values.reduce(0) { $0 + $1.count }, "seed \(seed)")
    }

    @Test("times that series share are stored once, and still once after a merge")
    func sharedTimes() throws {
        let disk = SimulatedDisk(seed: 1)
        var parts: [Part] = []
        for sequence in 1...UInt64(4) {
            let part = try writePart(disk, sequence...sequence) { writer throws(StoreError) in
                for stream in 0..<UInt64(300) {
                    let times = (0..<32).map { noonMilliseconds + Int64(sequence) * 480_000 + Int64($0) * 15_000 + Int64(stream % 3) }
                    try writer.append(floats(times, times.map { Double($0 % 7) }), stream: stream)
                }
            }
            parts.append(part)
            #expect(try timeColumnCount(part) == 3)
        }
        let merged = try merge(parts, disk)
        #expect(try timeColumnCount(merged) == 3)
        let rows = try readAll(merged)
        #expect(rows.map(\.run.count) == Array(repeating: 128, count: 300))
        #expect(rows[0].run.timestamps == rows[3].run.timestamps && rows[0].run.timestamps != rows[1].run.timestamps)
    }

    private func timeColumnCount(_ part: Part) throws -> Int {
        let reader = try part.reader()
        var numbers: Set<UInt32> = []
        for number in 0..<reader.index.values.count { numbers.formUnion(try reader.page(number).chunks.map(\.times)) }
        return numbers.count
    }

    @Test("a merge may be given up at any checkpoint")
    func givingUp() throws {
        let disk = SimulatedDisk(seed: 1)
        let part = try writePart(disk) { writer throws(StoreError) in
            for stream in 0..<UInt64(5000) { try writer.append(floats([1, 2], [1, 2]), stream: stream) }
        }
        var merger = try PartMerger([part], [nil])
        var count = 0
        do throws(StoreError) {
            _ = try writePart(disk, 1...2) { writer throws(StoreError) in
                try merger.write(to: &writer) { () throws(StoreError) in
                    count += 1
                    if count == 2 { throw StoreError(.closed, "given up") }
                }
            }
            Issue.record("went on")
        } catch { #expect(error.code == .closed && count == 2) }
    }

    @Test("a sealed day becomes one part, with the same rows")
    func sealedDay() async throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = TestClock(noon)
        let store = try EmbeddedStore.open(CrashTests.options(disk, clock))
        for round in 0..<3 {
            try await store.append(
                logs(["app": "x"], (0..<2500).map { LogEntry(timestamp: noon + Int64(round * 2500 + $0), line: "line \(round) \($0 % 97)") }))
            try await store.append(samples(["a": "1"], (0..<50).map { (noonMilliseconds + Int64(round * 50 + $0), Double($0)) }))
            try await store.flush()
        }
        let (lines, rows) = (try await store.lines(), try await store.floats())
        try await store.maintain()
        #expect(await store.statistics().signals[.logs]?.partCount == 3)
        clock.advance(by: .seconds(2 * 86_400))
        try await store.maintain()
        #expect(await store.statistics().signals[.logs]?.partCount == 1)
        #expect(await store.statistics().signals[.metrics]?.partCount == 1)
        #expect(try await store.lines() == lines && lines.count == 7500)
        #expect(try await store.floats() == rows)
    }

    @Test("a damaged part stays as it is, and merges go on around it")
    func damagedPart() async throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = TestClock(noon)
        let log = EventLog()
        let store = try EmbeddedStore.open(CrashTests.options(disk, clock, log: log))
        for number in 0..<7 {
            try await store.append(samples(["a": "1"], [(noonMilliseconds + Int64(number), Double(number))]))
            try await store.flush()
        }
        let paths = disk.paths.filter { $0.hasSuffix(".part") }
        #expect(paths.count == 7)
        var bytes = try #require(disk.contents(paths[3]))
        bytes[8] ^= 1
        disk.setContents(paths[3], bytes)
        // The first merge finds it; the second goes around it.
        try await store.compact()
        try await store.compact()
        #expect(try await store.floats().map(\.timestamp) == [0, 1, 2, 4, 5, 6].map { noonMilliseconds + $0 })
        #expect(disk.contents(paths[3]) == bytes)
        #expect(disk.paths.filter { $0.hasSuffix(".part") }.count == 3)
        #expect(log.errors.count == 1 && log.errors[0].contains(paths[3]), "\(log.errors)")
    }
}
