import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("A queue on disk")
struct DiskQueueTests {
    static func options(_ disk: SimulatedDisk, byteCountMax: Int = 1 << 20, segment: Int = 4_096, log: EventLog = EventLog()) -> DiskQueue.Options {
        var options = DiskQueue.Options(folder: "/data/remote", byteCountMax: byteCountMax)
        options.segmentByteCountMax = segment
        options.fileSystem = disk
        options.log = { log.record($0) }
        return options
    }

    static func record(_ number: Int, byteCount: Int = 100) -> [UInt8] {
        Array("\(number) ".utf8) + [UInt8](repeating: 7, count: byteCount)
    }

    static func number(_ record: QueueRun.Record) -> Int? {
        Int(String(decoding: record.bytes.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }

    /// Everything from a position on.
    static func readAll(
        _ queue: DiskQueue, from start: QueuePosition, byteCountMax: Int = 700
    ) throws -> (numbers: [Int], end: QueuePosition, lost: UInt64) {
        var (numbers, position, lost) = ([Int](), start, UInt64(0))
        while true {
            let run = try queue.read(from: position, byteCountMax: byteCountMax)
            lost += run.lostRowCount
            numbers += run.records.compactMap(number)
            if run.end == position { return (numbers, position, lost) }
            position = run.end
        }
    }

    @Test("records come in order over segments, from any position, and after a restart")
    func order() async throws {
        let disk = SimulatedDisk(seed: 1)
        let queue = try DiskQueue.open(Self.options(disk))
        let start = queue.newest
        for number in 0..<200 { try await queue.append(Self.record(number), rowCount: 3) }
        #expect(queue.segments.count > 3)
        let all = try Self.readAll(queue, from: start)
        #expect(all.numbers == Array(0..<200))
        #expect(all.end == queue.newest)
        #expect(all.end.rowCount == 600)
        let first = try queue.read(from: start, byteCountMax: 1)
        #expect(first.records.count == 1)
        let text = try #require(QueuePosition(first.end.description))
        #expect(text == first.end)

        disk.crash()
        let reopened = try DiskQueue.open(Self.options(disk))
        #expect(reopened.newest.rowCount == 600)
        try await reopened.append(Self.record(200), rowCount: 1)
        let rest = try Self.readAll(reopened, from: first.end)
        #expect(rest.numbers == Array(1...200))
        #expect(rest.lost == 0)
        #expect(rest.end.rowCount == 601)
    }

    @Test("a record larger than a read comes whole")
    func large() async throws {
        let disk = SimulatedDisk(seed: 2)
        let queue = try DiskQueue.open(Self.options(disk, segment: 1 << 20))
        let start = queue.newest
        for number in 0..<5 { try await queue.append(Self.record(number, byteCount: 50_000), rowCount: 1) }
        for byteCount in [0, 1, 12, 13, 100, 50_100, 1 << 20] {
            let all = try Self.readAll(queue, from: start, byteCountMax: byteCount)
            #expect(all.numbers == Array(0..<5), "\(byteCount)")
        }
    }

    @Test("of a full queue the oldest records go, and readers hear how many rows that were")
    func budget() async throws {
        let disk = SimulatedDisk(seed: 3)
        let log = EventLog()
        let queue = try DiskQueue.open(Self.options(disk, byteCountMax: 20_000, log: log))
        let start = queue.newest
        for number in 0..<500 { try await queue.append(Self.record(number), rowCount: 2) }
        #expect(queue.byteCount <= 20_000 + 4_096)
        let rest = try Self.readAll(queue, from: start)
        #expect(rest.numbers.last == 499)
        #expect(rest.numbers == Array((500 - rest.numbers.count)..<500))
        #expect(rest.lost == UInt64(2 * (500 - rest.numbers.count)))
        #expect(rest.end.rowCount == 1_000)
    }

    @Test("what all readers have is removed, but never what is being written")
    func release() async throws {
        let disk = SimulatedDisk(seed: 4)
        let queue = try DiskQueue.open(Self.options(disk))
        for number in 0..<100 { try await queue.append(Self.record(number), rowCount: 1) }
        try queue.release(before: queue.newest)
        #expect(queue.segments.count == 1)
        // A position of a queue that is gone begins at the start.
        let strange = QueuePosition(segment: 9_999, offset: 50, rowCount: 7)
        let rest = try Self.readAll(queue, from: strange)
        #expect(rest.numbers.last == 99)
        #expect(rest.lost == 0)
    }

    @Test("damage is skipped to the next record, reported and counted as lost")
    func damage() async throws {
        let disk = SimulatedDisk(seed: 5)
        let log = EventLog()
        let queue = try DiskQueue.open(Self.options(disk, log: log))
        let start = queue.newest
        for number in 0..<100 { try await queue.append(Self.record(number), rowCount: 1) }
        let path = "/data/remote/" + QueueSegment.name(queue.segments[1].number)
        let file = try disk.open(path, .update)
        var byte = try file.read(at: 300, count: 1)
        byte[0] ^= 0x10
        try file.write(byte, at: 300)
        let all = try Self.readAll(queue, from: start)
        #expect(all.numbers.count == 99)
        #expect(all.numbers == all.numbers.sorted())
        #expect(all.lost == 1)
        #expect(queue.reporter.damagedPlaces.count == 1)
    }

    @Test("a file that was cut ends where it was cut")
    func cut() async throws {
        for byteCount in [0, 5, 28, 29, 100, 500] {
            let disk = SimulatedDisk(seed: 6)
            let queue = try DiskQueue.open(Self.options(disk))
            let start = queue.newest
            for number in 0..<100 { try await queue.append(Self.record(number), rowCount: 1) }
            let first = queue.segments[0].number
            try disk.open("/data/remote/" + QueueSegment.name(first), .update).truncate(to: byteCount)
            let all = try Self.readAll(queue, from: start)
            #expect(all.numbers == all.numbers.sorted())
            #expect(all.numbers.last == 99)
            #expect(all.lost == UInt64(100 - all.numbers.count), "\(byteCount)")
        }
    }

    @Test("no acknowledged record is missing after a crash at any operation", arguments: [true, false])
    func crashes(isOrderly: Bool) async throws {
        for operation in 1...120 {
            let disk = SimulatedDisk(seed: UInt64(operation), isOrderly: isOrderly)
            var acknowledged: [Int] = []
            var position = QueuePosition(segment: 0, offset: 0, rowCount: 0)
            var readBefore: [Int] = []
            disk.fail(.powerOff(at: operation))
            if let queue = try? DiskQueue.open(Self.options(disk, segment: 700)) {
                for number in 0..<40 {
                    do throws(StoreError) {
                        try await queue.append(Self.record(number), rowCount: 1)
                        acknowledged.append(number)
                    } catch {}
                }
                let run = try? queue.read(from: position, byteCountMax: 1_500)
                readBefore = run?.records.compactMap(Self.number) ?? []
                if let run { position = run.end }
            }
            disk.crash()
            let queue = try DiskQueue.open(Self.options(disk, segment: 700))
            try await queue.append(Self.record(1_000), rowCount: 1)
            let rest = try Self.readAll(queue, from: position)
            let seen = readBefore + rest.numbers
            // Refused ones may be there too: at least once is what is promised.
            #expect(Set(acknowledged + [1_000]).isSubset(of: seen), "operation \(operation): \(acknowledged.count) acknowledged, \(seen)")
            #expect(seen == seen.sorted(), "operation \(operation)")
        }
    }
}
