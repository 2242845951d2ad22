import Codecs
import Formats
import Foundation
import Logging
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("Spool")
struct SpoolTests {
    private func batch(_ numbers: Range<Int>, byteCount: Int = 10) -> DeliveryBatch {
        var batch = DeliveryBatch()
        for number in numbers {
            let line = "line \(number) " + String(repeating: "x", count: byteCount)
            batch.append(
                LogEntry(timestamp: Int64(number), line: line, metadata: Labels(["n": "\(number)"])), labels: Labels(["app": "a\(number % 3)"]),
                tenant: number % 2 == 0 ? "" : "t")
        }
        return batch
    }

    private func numbers(_ spool: Spool) throws -> [Int] {
        var found: [Int] = []
        var position = spool.head
        while let item = try spool.read(at: position) {
            for stream in item.record.batch.streams {
                for entry in stream.entries {
                    #expect(stream.labels == Labels(["app": "a\(entry.timestamp % 3)"]) && stream.tenant == (entry.timestamp % 2 == 0 ? "" : "t"))
                    #expect(entry.metadata == Labels(["n": "\(entry.timestamp)"]) && entry.line.hasPrefix("line \(entry.timestamp) "))
                    found.append(Int(entry.timestamp))
                }
            }
            position = item.next
        }
        return found.sorted()
    }

    private func write(_ spool: Spool, _ sequence: UInt64, _ batch: DeliveryBatch, commits: Bool = true) throws {
        #expect(try spool.write(SpoolRecord(sequence: sequence, batch: batch)) == Spool.Loss())
        if commits { spool.commit() }
    }

    @Test("records come back in order; one that is not committed is not seen, and is written over")
    func records() throws {
        let folder = try ScratchFolder()
        let spool = try Spool(folder: folder.path + "/s", byteCountMax: 1 << 20, committed: 0)
        #expect(try numbers(spool).isEmpty)
        try write(spool, 1, batch(0..<5))
        try write(spool, 2, batch(5..<50), commits: false)
        #expect(try numbers(spool) == Array(0..<5))
        try write(spool, 2, batch(5..<7))
        #expect(try numbers(spool) == Array(0..<7))
    }

    @Test("after a crash what no commit covers is cut off, and writing goes on", arguments: [1, 2, 3] as [UInt64])
    func committed(last: UInt64) throws {
        let folder = try ScratchFolder()
        do {
            let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 0)
            for sequence in 1...3 { try write(spool, UInt64(sequence), batch(sequence * 10..<sequence * 10 + 2)) }
        }
        let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: last)
        let wanted = (1...Int(last)).flatMap { [$0 * 10, $0 * 10 + 1] }
        #expect(try numbers(spool) == wanted)
        try write(spool, last + 1, batch(90..<91))
        #expect(try numbers(spool) == wanted + [90])
    }

    @Test("a spool that was cut at any byte holds every record before")
    func cuts() throws {
        let folder = try ScratchFolder()
        var ends: [Int] = []
        let path = folder.path + "/00000001.spool"
        do {
            let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 0)
            for sequence in 1...3 {
                try write(spool, UInt64(sequence), batch(sequence..<sequence + 1))
                ends.append(try Data(contentsOf: URL(filePath: path)).count)
            }
        }
        let whole = try Data(contentsOf: URL(filePath: path))
        for count in stride(from: 0, through: whole.count, by: 7) {
            try whole.prefix(count).write(to: URL(filePath: path))
            let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 3)
            #expect(try numbers(spool) == Array(1..<1 + ends.count { $0 <= count }))
        }
        for index in stride(from: 0, to: whole.count, by: 5) {
            var damaged = whole
            damaged[index] ^= 0x10
            try damaged.write(to: URL(filePath: path))
            let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 3)
            #expect(try numbers(spool) == Array(1..<1 + ends.count { $0 <= index }))
        }
    }

    @Test("a full spool drops its oldest lines and says how many; what was sent is not counted")
    func bound() throws {
        let folder = try ScratchFolder()
        let spool = try Spool(folder: folder.path, byteCountMax: 256 << 10, committed: 0)
        var (lost, written) = (0, 0)
        for sequence in 0..<40 {
            let loss = try spool.write(SpoolRecord(sequence: UInt64(sequence + 1), batch: batch(written..<written + 10, byteCount: 2_000)))
            spool.commit()
            lost += loss.entryCount
            written += 10
        }
        let found = try numbers(spool)
        #expect(lost > 0 && found.count == written - lost)
        #expect(found == Array(lost..<written))
        #expect(spool.waitingByteCount <= 256 << 10)
    }

    @Test("what was sent stays sent over a restart, and its files go")
    func acknowledged() throws {
        let folder = try ScratchFolder()
        var spool = try Spool(folder: folder.path, byteCountMax: 256 << 10, committed: 0)
        for sequence in 0..<8 { try write(spool, UInt64(sequence + 1), batch(sequence * 10..<sequence * 10 + 10, byteCount: 2_000)) }
        for sent in 1...8 {
            let item = try #require(try spool.read(at: spool.head))
            try spool.acknowledge(item.next)
            #expect(try numbers(spool) == Array(sent * 10..<80))
            spool = try Spool(folder: folder.path, byteCountMax: 256 << 10, committed: 8)
            #expect(try numbers(spool) == Array(sent * 10..<80))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasSuffix(".spool") } == 1)
    }
}

@Suite("SpoolDelivery and SpoolSender")
struct SpoolDeliveryTests {
    /// Positions, and whether they can be changed.
    private final class Positions: StateStore {
        let memory = MemoryStateStore()
        let isFailing = Mutex(false)

        func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? { try memory.value(key, in: namespace) }
        func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] { try memory.values(in: namespace) }
        func apply(_ changes: [StateChange]) throws(StoreError) {
            if isFailing.withLock({ $0 }) { throw StoreError(.diskFull, "full") }
            try memory.apply(changes)
        }
    }

    /// A server that keeps what it is sent.
    private final class Remote: Sendable {
        let status = Mutex(204)
        let lines = Mutex<[String]>([])
        let requests = Mutex<[(tenant: String, labels: [Labels])]>([])

        var post: SpoolSender.Post {
            { body, headers in
                let status = self.status.withLock { $0 }
                if status == 0 { throw SourceError("connection refused") }
                guard status == 204 else { return SpoolSender.Answer(status: status, body: Array("no".utf8)) }
                let bytes = try Compression.snappy.decompress(body.span, byteCountMax: 1 << 24)
                let batch = try LokiPush.decodeProtobuf(bytes.span)
                self.lines.withLock { lines in for stream in batch.streams { lines += stream.entries.map(\.line) } }
                let tenant = headers.first { $0.name == "X-Scope-OrgID" }?.value ?? ""
                self.requests.withLock { $0.append((tenant, batch.streams.map(\.labels))) }
                return SpoolSender.Answer(status: 204)
            }
        }
    }

    private func batch(_ numbers: Range<Int>, tenant: String = "", position: Int) -> DeliveryBatch {
        var batch = DeliveryBatch()
        for number in numbers { batch.append(LogEntry(timestamp: Int64(number), line: "line \(number)"), labels: Labels(["a": "b"]), tenant: tenant) }
        batch.positions = [StateChange("tail", "f", Array("\(position)".utf8))]
        return batch
    }

    private func options() -> SpoolSender.Options {
        var options = SpoolSender.Options()
        options.host = "loki:3100"
        options.batchWait = .milliseconds(10)
        options.backoffMin = .milliseconds(5)
        options.backoffMax = .milliseconds(20)
        options.tenant = "own"
        options.externalLabels = Labels(["cluster": "c", "a": "x"])
        return options
    }

    private func run(_ spool: Spool, _ remote: Remote, _ metrics: SourceMetrics, options: SpoolSender.Options? = nil, until done: () -> Bool) async throws {
        let sender = SpoolSender(
            options: options ?? self.options(), spool: spool, metrics: metrics, logger: Logger(label: "test"), post: remote.post)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sender.sendUntilCancelled() }
            try await until { done() }
            group.cancelAll()
        }
    }

    @Test("lines and positions advance together, wherever a crash comes: nothing is lost, nothing comes twice")
    func crashes() async throws {
        let folder = try ScratchFolder()
        let positions = Positions()
        let (remote, metrics) = (Remote(), SourceMetrics())
        var next = 0
        for round in 0..<6 {
            let committed = try SpoolDelivery.committed(positions)
            let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: committed)
            let delivery = SpoolDelivery(spools: [("r", spool)], committed: committed, store: nil, positions: positions, metrics: metrics)
            // As a source does: from its position on.
            let start = Int(String(decoding: try positions.value("f", in: "tail") ?? Array("0".utf8), as: UTF8.self)) ?? 0
            #expect(start == next)
            #expect(try await delivery.deliver(batch(start..<start + 10, position: start + 10)) == 0)
            next = start + 10
            // Killed between the spool and the commit.
            positions.isFailing.withLock { $0 = true }
            await #expect(throws: StoreError.self) { try await delivery.deliver(self.batch(start + 10..<start + 30, position: start + 30)) }
            positions.isFailing.withLock { $0 = false }
            if round % 2 == 0 {
                // … or only a failure: the same source tries again.
                #expect(try await delivery.deliver(batch(start + 10..<start + 15, position: start + 15)) == 0)
                next = start + 15
            }
            if round == 3 { try await run(spool, remote, metrics) { spool.waitingByteCount == 0 } }
        }
        let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: try SpoolDelivery.committed(positions))
        try await run(spool, remote, metrics) { spool.waitingByteCount == 0 }
        #expect(remote.lines.withLock { $0 } == (0..<next).map { "line \($0)" })
        #expect(metrics.value("promtail_sent_entries_total", Labels(["host": "loki:3100", "tenant": "own"])) == Double(next))
    }

    @Test("many sources at once are kept together, each whole")
    func concurrently() async throws {
        let folder = try ScratchFolder()
        let (positions, store) = (Positions(), MemoryStore())
        let spool = try Spool(folder: folder.path, byteCountMax: 1 << 24, committed: 0)
        let delivery = SpoolDelivery(
            spools: [("r", spool)], committed: 0, store: StoreDelivery(store: store), positions: store, metrics: SourceMetrics())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in 0..<20 {
                group.addTask {
                    for step in 0..<10 {
                        let first = source * 1_000 + step * 10
                        _ = try await delivery.deliver(self.batch(first..<first + 10, position: first))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.logEntries().count == 2_000)
        let (remote, metrics) = (Remote(), SourceMetrics())
        try await run(spool, remote, metrics) { spool.waitingByteCount == 0 }
        #expect(Set(remote.lines.withLock { $0 }).count == 2_000 && remote.lines.withLock { $0 }.count == 2_000)
        #expect(try positions.values(in: "tail").isEmpty && store.values(in: "tail").count == 1)
    }

    @Test("a server that is away, busy or full gets everything later; what it refuses for good is counted")
    func failures() async throws {
        let folder = try ScratchFolder()
        let (positions, metrics, remote) = (Positions(), SourceMetrics(), Remote())
        let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 0)
        let delivery = SpoolDelivery(spools: [("r", spool)], committed: 0, store: nil, positions: positions, metrics: metrics)
        let labels = Labels(["host": "loki:3100", "tenant": "own"])
        var first = 0
        for status in [0, 500, 429, 503] {
            remote.status.withLock { $0 = status }
            _ = try await delivery.deliver(batch(first..<first + 3, position: 0))
            first += 3
            let before = metrics.value("promtail_batch_retries_total", labels)
            try await run(spool, remote, metrics) { metrics.value("promtail_batch_retries_total", labels) >= before + 2 }
            #expect(spool.waitingByteCount > 0)
        }
        remote.status.withLock { $0 = 204 }
        try await run(spool, remote, metrics) { spool.waitingByteCount == 0 }
        #expect(remote.lines.withLock { $0 } == (0..<12).map { "line \($0)" })
        remote.status.withLock { $0 = 400 }
        _ = try await delivery.deliver(batch(100..<107, position: 0))
        try await run(spool, remote, metrics) { spool.waitingByteCount == 0 }
        var dropped = labels
        dropped["reason"] = "ingester_error"
        #expect(metrics.value("promtail_dropped_entries_total", dropped) == 7)
        remote.status.withLock { $0 = 429 }
        var options = options()
        options.dropsRateLimitedBatches = true
        _ = try await delivery.deliver(batch(200..<202, position: 0))
        try await run(spool, remote, metrics, options: options) { spool.waitingByteCount == 0 }
        dropped["reason"] = "rate_limited"
        #expect(metrics.value("promtail_dropped_entries_total", dropped) == 2)
    }

    @Test("requests go to the tenant of their lines, with the external labels that a line does not have, in pieces of the batch's size")
    func requests() async throws {
        let folder = try ScratchFolder()
        let (metrics, remote) = (SourceMetrics(), Remote())
        let spool = try Spool(folder: folder.path, byteCountMax: 1 << 20, committed: 0)
        let delivery = SpoolDelivery(spools: [("r", spool)], committed: 0, store: nil, positions: Positions(), metrics: metrics)
        var options = options()
        options.batchByteCountMax = 30
        _ = try await delivery.deliver(batch(0..<8, position: 1))
        _ = try await delivery.deliver(batch(8..<10, tenant: "other", position: 2))
        try await run(spool, remote, metrics, options: options) { spool.waitingByteCount == 0 }
        #expect(remote.lines.withLock { $0 } == (0..<10).map { "line \($0)" })
        let requests = remote.requests.withLock { $0 }
        #expect(requests.map(\.tenant) == ["own", "own", "other"])
        #expect(requests.allSatisfy { $0.labels == [Labels(["a": "b", "cluster": "c"])] })
    }
}
