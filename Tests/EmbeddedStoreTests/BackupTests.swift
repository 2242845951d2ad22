import Codecs
import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import EmbeddedStore

@Suite("Snapshots, backups and checks")
struct BackupTests {
    /// A store with rows of all signals, in parts and in memory.
    private func written(_ folder: String, clock: TestClock = TestClock(noon)) async throws -> EmbeddedStore {
        var options = options(folder, clock: clock)
        options.catalog = { folder throws(StoreError) in try Catalog.open(dataFolder: folder) }
        let store = try EmbeddedStore.open(options)
        for round in 0..<3 {
            let time = noonMilliseconds - Int64(round) * 24 * hourMilliseconds
            try await store.append(samples(["__name__": "m", "n": "\(round)"], (0..<200).map { (time + Int64($0), Double($0)) }))
            try await store.append(logs(["app": "x"], [LogEntry(timestamp: time * 1_000_000, line: "line \(round)")]))
            try await store.append(
                spans("s", [TraceSpan(traceID: TraceID(high: 3, low: 4), spanID: SpanID(UInt64(round) + 1), name: "n", start: noon, duration: 1)]))
            if round < 2 { try await store.flush() }
        }
        return store
    }

    /// An archive of a folder in memory.
    private func archive(_ folder: String) async throws -> [UInt8] {
        var archive: [UInt8] = []
        let disk = PosixFileSystem()
        let summary = try await Backup.write(
            try Backup.files(of: folder), read: { try disk.open(folder + "/" + $0, .read).read(at: $1, count: min($2, 1000)) },
            to: { archive += $0 })
        #expect(summary.fileCount > 5)
        return archive
    }

    /// Hands an archive over in pieces that meet no border.
    private func pieces(_ archive: [UInt8], _ byteCount: Int = 777) -> () -> [UInt8] {
        var rest = archive[...]
        return {
            let piece = rest.prefix(byteCount)
            rest = rest.dropFirst(byteCount)
            return Array(piece)
        }
    }

    @Test("a snapshot has every row of its moment, and keeps it whatever the store does later")
    func snapshot() async throws {
        let folder = try ScratchFolder()
        let clock = TestClock(noon)
        let store = try await written(folder.path + "/data", clock: clock)
        let rows = try await store.floats()
        let target = folder.path + "/copy"
        try await store.snapshot(to: target)
        let report = try DataCheck.run(folder: target)
        #expect(report.damages == [] && report.partCount >= 7)
        #expect(try FileManager.default.attributesOfItem(atPath: target + "/metrics/2026-11-22/" + PosixFileSystem().list(target + "/metrics/2026-11-22")[0])[.referenceCount] as? Int == 2)
        // Written later, merged later, dropped later.
        try await store.append(samples(["__name__": "later"], [(noonMilliseconds, 1)]))
        try await store.compact()
        clock.advance(by: .seconds(60 * 86_400))
        try await store.maintain()
        #expect(try await store.floats().isEmpty)
        let copy = try EmbeddedStore.open(options(target))
        #expect(try await copy.floats() == rows)
        #expect(try await copy.lines().count == 3)
        #expect(try await copy.allSpans().count == 3)
        #expect(await copy.statistics().quarantinedCount == 0)
        try await copy.close()
    }

    @Test("a snapshot under writes holds everything acknowledged before it, and no half batch")
    func snapshotUnderLoad() async throws {
        let folder = try ScratchFolder()
        let store = try EmbeddedStore.open(options(folder.path + "/data"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<200 {
                    let time = noonMilliseconds - Int64(number)
                    try await store.append(samples(["half": "a"], [(time, 1)]))
                }
            }
            group.addTask { for _ in 0..<5 { try await store.compact() } }
            group.addTask {
                for number in 0..<5 {
                    let before = try await store.floats().count
                    let target = folder.path + "/copy\(number)"
                    try await store.snapshot(to: target)
                    let copy = try EmbeddedStore.open(options(target))
                    #expect(try await copy.floats().count >= before)
                    try await copy.close()
                    #expect(try DataCheck.run(folder: target).damages == [])
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("snapshots are named, listed, read and removed, and no other path is")
    func namedSnapshots() async throws {
        let folder = try ScratchFolder()
        let store = try await written(folder.path)
        try store.set(["a": [1, 2]], in: "alerts")
        let snapshots = Snapshots(store: store)
        let name = try await snapshots.take()
        #expect(name.hasPrefix("20261122T120000Z-") && Snapshots.isName(name))
        #expect(try snapshots.names() == [name])
        let files = try snapshots.files(of: name)
        #expect(files.contains { $0.path == "catalog.sqlite" && $0.byteCount > 0 } && files.contains { $0.path.hasSuffix(".part") })
        let part = try #require(files.first { $0.path.hasSuffix(".part") })
        #expect(try snapshots.read(name, part.path, at: 2, count: 3).count == 3)
        for path in ["../../LOCK", "LOCK", "", "/etc/passwd"] {
            #expect(throws: StoreError.self) { try snapshots.read(name, path, at: 0, count: 1) }
        }
        for name in ["..", "", "x", name + "/..", "20261122T120000Z-0000000000000000"] {
            #expect(throws: StoreError.self) { try snapshots.files(of: name) }
            #expect(throws: StoreError.self) { try snapshots.remove(name) }
        }
        let copy = try Catalog.open(dataFolder: folder.path + "/snapshots/" + name)
        #expect(try copy.value("a", in: "alerts") == [1, 2])
        try snapshots.remove(name)
        #expect(try snapshots.names() == [])
        #expect(try await store.floats().count == 600)
    }

    @Test("a snapshot without memory leaves out what no flush has written")
    func skippingMemory() async throws {
        let folder = try ScratchFolder()
        let store = try await written(folder.path + "/data")
        try await store.snapshot(to: folder.path + "/copy", skipsMemory: true)
        #expect(try DataCheck.run(folder: folder.path + "/copy").rowCount == 2 * 202)
    }

    @Test("what was backed up is restored to the last row, from a stopped store with its log too")
    func roundTrip() async throws {
        let folder = try ScratchFolder()
        let data = folder.path + "/data"
        var rows: [FloatRow] = []
        do {
            let store = try await written(data)
            rows = try await store.floats()
            #expect(throws: StoreError.self) { try Backup.files(of: data) }
            // As after kill -9: the last round is in the log alone.
            store.lock.withLock { $0 = nil }
        }
        let archive = try await archive(data)
        let summary = try Restore.run(into: folder.path + "/restored", source: pieces(archive)) { _ in Issue.record("damaged") }
        #expect(summary.fileCount > 5)
        let restored = try EmbeddedStore.open(options(folder.path + "/restored"))
        #expect(try await restored.floats() == rows)
        #expect(try await restored.lines().count == 3)
        try await restored.close()
        #expect(throws: StoreError.self) { try Restore.run(into: folder.path + "/restored", source: pieces(archive)) { _ in } }
    }

    @Test("a damaged or cut archive restores nothing")
    func damagedArchives() async throws {
        let folder = try ScratchFolder()
        let store = try await written(folder.path + "/data")
        try await store.close()
        let archive = try await archive(folder.path + "/data")
        let target = folder.path + "/restored"
        var random = SplitMix64(seed: 7)
        for round in 0..<60 {
            var damaged = archive
            if round % 2 == 0 {
                // Not in the zeros that fill up and end an archive, nor in a head's unused bytes.
                repeat { damaged = archive; let at = Int(random.next() % UInt64(archive.count - 1024)); damaged[at] ^= damaged[at] == 0 ? 0 : 1 }
                while damaged == archive
            } else {
                damaged.removeLast(1025 + Int(random.next() % UInt64(archive.count - 1025)))
            }
            do {
                _ = try Restore.run(into: target, source: pieces(damaged, 5000)) { _ in }
                Issue.record("round \(round) restored")
                try FileManager.default.removeItem(atPath: target)
            } catch let error as StoreError {
                #expect(error.code == .corrupted, "\(error)")
            }
            #expect(try PosixFileSystem().list(folder.path) == ["data"])
        }
    }

    @Test("a check names every damaged file with offset and checksums, and changes nothing")
    func checks() async throws {
        let folder = try ScratchFolder()
        let disk = PosixFileSystem()
        let store = try await written(folder.path)
        try await store.append(samples(["__name__": "m", "n": "9"], [(noonMilliseconds, 1)]))
        store.lock.withLock { $0 = nil }
        let catalog = try Catalog.open(dataFolder: folder.path)
        try catalog.set(["a": [UInt8](repeating: 7, count: 100_000)], in: "alerts")
        let whole = try DataCheck.run(folder: folder.path)
        #expect(whole.damages == [] && whole.rowCount > 600 && whole.recordCount > 0 && whole.partCount > 0 && whole.streamCount > 0)
        let paths = try disk.files(below: folder.path).filter { $0.hasSuffix(".part") || $0.hasSuffix(".wal") || $0.hasSuffix("/index") }
        #expect(Set(paths.map { $0.split(separator: ".").last ?? "" }).count >= 2)
        for path in paths {
            let path = folder.path + "/" + path
            let bytes = try disk.contents(of: path)
            var damaged = bytes
            damaged[bytes.count / 2] ^= 0x10
            try disk.open(path, .update).write(damaged, at: 0)
            let report = try DataCheck.run(folder: folder.path)
            #expect(!report.damages.isEmpty && report.damages.contains { $0.path == path && $0.message.contains(path) }, "\(path)")
            #expect(try disk.contents(of: path) == damaged)
            try disk.open(path, .update).write(bytes, at: 0)
        }
        #expect(try DataCheck.run(folder: folder.path).damages == [])
        // The catalogue, in the middle of its pages.
        let database = folder.path + "/catalog.sqlite"
        try catalog.backup(to: folder.path + "/copy.sqlite")
        for name in ["-wal", "-shm"] { try disk.remove(database + name) }
        var bytes = try disk.contents(of: folder.path + "/copy.sqlite")
        for index in 4096..<min(bytes.count, 8192) { bytes[index] = 0xa5 }
        let file = try disk.open(database, .create)
        try file.write(bytes, at: 0)
        #expect(try DataCheck.run(folder: folder.path).damages.contains { $0.kind == .catalog })
    }

    @Test("a check of a store in use, or of no store, says so")
    func checkRefuses() async throws {
        let folder = try ScratchFolder()
        #expect(throws: StoreError.self) { try DataCheck.run(folder: folder.path) }
        let store = try await written(folder.path)
        do throws(StoreError) {
            _ = try DataCheck.run(folder: folder.path)
            Issue.record("checked")
        } catch { #expect(error.code == .inUse && !error.remedy.isEmpty) }
        try await store.close()
        #expect(try DataCheck.run(folder: folder.path).damages == [])
    }

    @Test("heads of archives keep path and size, beyond 8 GiB too", arguments: [0, 1, 511, 512, 1 << 20, (1 << 33) - 1, 1 << 33, 1 << 45])
    func heads(size: Int) throws {
        let header = TarHeader(path: "metrics/2026-11-22/00000003-00000007.part", size: size)
        let bytes = try header.encode()
        #expect(try TarHeader.decode(bytes, at: 0) == header)
        for bit in stride(from: 0, to: 124 * 8, by: 7) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: StoreError.self) { try TarHeader.decode(damaged, at: 0) }
        }
    }
}
