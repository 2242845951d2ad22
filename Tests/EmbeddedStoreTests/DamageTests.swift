import Codecs
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Damage on disk")
struct DamageTests {
    @Test("every flipped bit of a log's records is found, and no other record is lost")
    func flippedBitsOfTheLog() {
        let payloads: [[UInt8]] = [[1, 2, 3], [], Array(0..<40), [9]]
        var bytes: [UInt8] = []
        for payload in payloads { RecordFraming.append(payload, to: &bytes, offset: bytes.count, file: 7) }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let walk = RecordWalk(damaged, from: 0, file: 7)
            #expect(walk.damages.count == 1, "bit \(bit)")
            #expect(walk.payloads.count == payloads.count - 1, "bit \(bit)")
            #expect(walk.payloads.allSatisfy { payloads.contains(Array(damaged[$0])) }, "bit \(bit)")
        }
    }

    @Test("a log cut anywhere keeps the records before the cut")
    func cutLog() {
        let payloads: [[UInt8]] = [[1, 2, 3], Array(0..<40), [9]]
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for payload in payloads {
            RecordFraming.append(payload, to: &bytes, offset: bytes.count, file: 7)
            ends.append(bytes.count)
        }
        for length in 0..<bytes.count {
            let walk = RecordWalk(Array(bytes[..<length]), from: 0, file: 7)
            #expect(walk.payloads.count == ends.filter { $0 <= length }.count)
            #expect(!walk.damages.contains { !$0.isTail })
        }
    }

    @Test("records of another file or place are not taken for this one's")
    func foreignRecords() {
        var bytes: [UInt8] = []
        RecordFraming.append([1, 2, 3], to: &bytes, offset: 0, file: 7)
        #expect(RecordWalk(bytes, from: 0, file: 8).payloads.isEmpty)
        #expect(RecordWalk([0] + bytes, from: 0, file: 7).payloads.isEmpty)
    }

    /// A store with one part a signal, on a simulated disk.
    private func writtenDisk() async throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        let store = try EmbeddedStore.open(CrashTests.options(disk, TestClock(noon)))
        try await store.append(samples(["a": "1"], [(noonMilliseconds - 1, 1.5), (noonMilliseconds, 2)]))
        let trace = TraceID(high: 3, low: 4)
        try await store.append(logs(["app": "x"], [LogEntry(timestamp: noon, line: "hello", traceID: trace)]))
        try await store.append(spans("s", [TraceSpan(traceID: trace, spanID: SpanID(1), name: "n", start: noon, duration: 1)]))
        try await store.close()
        return disk
    }

    /// Reads everything of a part; true if it is whole.
    private func isWhole(_ path: String, _ disk: SimulatedDisk) -> Bool {
        do throws(StoreError) {
            let part = try Part(path: path, sequence: 1...1, fileSystem: disk, reporter: StoreReporter { _ in })
            do throws(PartFailure) {
                let reader = try part.reader()
                for number in 0..<reader.index.values.count {
                    let page = try reader.page(number)
                    if let failure = page.failures.first { throw failure }
                    for chunk in page.chunks { _ = try reader.run(chunk, of: page, columns: .all) }
                }
                _ = try part.pages(of: TraceID(high: 3, low: 4))
            } catch { throw error.error }
            return true
        } catch {
            #expect(error.code == .corrupted, "\(error)")
            #expect(error.description.contains(path), "\(error)")
            return false
        }
    }

    @Test("every flipped bit and every cut of a part is found, with its path")
    func damagedParts() async throws {
        let disk = try await writtenDisk()
        let paths = disk.paths.filter { $0.hasSuffix(".part") }
        #expect(paths.count == 3)
        for path in paths {
            let bytes = try #require(disk.contents(path))
            #expect(isWhole(path, disk))
            for bit in 0..<bytes.count * 8 {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                disk.setContents(path, damaged)
                #expect(!isWhole(path, disk), "bit \(bit) of \(path)")
            }
            for length in 0..<bytes.count {
                disk.setContents(path, Array(bytes[..<length]))
                #expect(!isWhole(path, disk), "\(path) cut to \(length) bytes")
            }
            disk.setContents(path, bytes)
        }
    }

    @Test("a damaged block is left out and reported once; everything else is served")
    func damagedBlock() async throws {
        let disk = try await writtenDisk()
        let path = try #require(disk.paths.first { $0.contains("/metrics/") && $0.hasSuffix(".part") })
        var bytes = try #require(disk.contents(path))
        bytes[9] ^= 1
        disk.setContents(path, bytes)
        let log = EventLog()
        var options = CrashTests.options(disk, TestClock(noon))
        options.log = { log.record($0) }
        let store = try EmbeddedStore.open(options)
        #expect(try await store.floats().isEmpty)
        #expect(try await store.floats().isEmpty)
        #expect(try await store.lines() == ["hello"])
        #expect(try await store.allSpans().count == 1)
        #expect(await store.statistics().quarantinedCount == 1)
        #expect(log.errors.count == 1 && log.errors[0].contains(path) && log.errors[0].contains("expected"), "\(log.errors)")
        let damages = await store.statistics().damages
        #expect(damages.map(\.path) == [path] && damages[0].kind == .block && damages[0].signal == .metrics && damages[0].offset != nil)
    }

    @Test("a part that goes missing while the store runs is left out and reported once; everything else is served")
    func missingPart() async throws {
        let disk = try await writtenDisk()
        let log = EventLog()
        let store = try EmbeddedStore.open(CrashTests.options(disk, TestClock(noon), log: log))
        let path = try #require(disk.paths.first { $0.contains("/metrics/") && $0.hasSuffix(".part") })
        disk.lose(path)
        for _ in 0..<2 { #expect(try await store.floats().isEmpty) }
        #expect(try await store.lines() == ["hello"])
        #expect(await store.statistics().quarantined == [.init(signal: .metrics, kind: .part): 1])
        #expect(log.errors.count == 1 && log.errors[0].contains(path) && log.errors[0].contains("missing"), "\(log.errors)")
    }

    @Test("a part that the disk cannot read is left out; everything else is served")
    func unreadablePart() async throws {
        let disk = try await writtenDisk()
        let log = EventLog()
        let store = try EmbeddedStore.open(CrashTests.options(disk, TestClock(noon), log: log))
        let streams = try await store.streams(.metrics, matching: [], in: .all)
        disk.failReads(perThousand: 1000)
        try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { _ in .continue }
        disk.failReads(perThousand: 0)
        #expect(log.errors.count == 1 && log.errors[0].contains("Input/output error"), "\(log.errors)")
        #expect(try await store.floats().count == 2, "it is read again once the disk can")
    }

    @Test("a damaged record in the middle of the log costs that record only")
    func damagedRecord() async throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = TestClock(noon)
        let first = try EmbeddedStore.open(CrashTests.options(disk, clock))
        for number in 0..<3 { try await first.append(samples(["a": "1"], [(noonMilliseconds + Int64(number), Double(number))])) }
        let path = try #require(disk.paths.first { $0.hasSuffix(".wal") })
        let bytes = try #require(disk.contents(path))
        let walk = RecordWalk(bytes, from: LogSegment.headerByteCount, file: 1)
        var damaged = bytes
        damaged[walk.payloads[2].lowerBound] ^= 0x40
        disk.setContents(path, damaged)
        let log = EventLog()
        var options = CrashTests.options(disk, clock)
        options.log = { log.record($0) }
        let store = try EmbeddedStore.open(options)
        #expect(try await store.floats().map(\.timestamp) == [noonMilliseconds, noonMilliseconds + 2])
        #expect(log.errors.count == 1 && log.errors[0].contains(path), "\(log.errors)")
        #expect(log.errors[0].contains("checksum") && log.errors[0].contains("expected"), "\(log.errors)")
        #expect(await store.statistics().quarantined == [.init(signal: nil, kind: .log): 1])
    }
}
