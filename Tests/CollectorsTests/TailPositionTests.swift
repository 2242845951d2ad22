import Foundation
import Glibc
import Logging
import Query
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("Positions of tailed files")
struct TailPositionTests {
    @Test("a position comes back as it was, and every damaged one is none")
    func roundTrip() throws {
        var position = TailPosition(identity: FileIdentity(device: 7, inode: .max), path: "/var/log/a b/ü.log")
        position.head = FileFingerprint(byteCount: 256, hash: .max)
        position.tail = FileFingerprint(byteCount: 3, hash: 1)
        position.birth = 1_800_000_000_000_000_001
        position.offset = .max
        position.isInsideCutLine = true
        for checkpoint in [[], [0, 255, 10]] as [[UInt8]] {
            position.checkpoint = checkpoint
            #expect(TailPosition(position.encoded) == position)
        }
        position.birth = 0
        position.checkpoint = []
        #expect(TailPosition(Array("2 7 18446744073709551615 256 18446744073709551615 3 1 9223372036854775807 1 - /var/log/a b/ü.log".utf8)) == position)
        let encoded = position.encoded
        for count in 0..<(encoded.count - position.path.utf8.count) { #expect(TailPosition(Array(encoded[..<count])) == nil) }
    }

    @Test("the position moves with the lines: whatever append is the last that the store takes, nothing is lost or doubled")
    func atomic() async throws {
        for stop in 0..<6 {
            let bench = try TailBench(format: .cri)
            var time = 0
            func write(_ count: Int) throws {
                for _ in 0..<count {
                    try bench.append("2026-11-22T17:00:00Z stdout P begin \(time) \n2026-11-22T17:00:00Z stderr F between \(time)\n", to: "a.log")
                    try bench.append("2026-11-22T17:00:00Z stdout F end \(time)\n2026-11-22T17:00:00Z stdout P open \n", to: "a.log")
                    try bench.append("2026-11-22T17:00:00Z stdout F shut \(time)\n", to: "a.log")
                    time += 1
                }
            }
            let failing = FailingStore(bench.store)
            var tailer = bench.start(failing)
            for round in 0..<6 {
                try write(1)
                // Half of a record, and a piece whose end comes later.
                try bench.append("2026-11-22T17:00:00Z stdout P half \(round) \n2026-11-22T17:00:00Z std", to: "a.log")
                failing.isFailing = round == stop
                await bench.poll(&tailer)
                // Killed: nothing but what the store has remains.
                if round == stop { tailer = bench.start(failing) }
                try bench.append("out F of \(round)\n", to: "a.log")
                failing.isFailing = false
                await bench.poll(&tailer)
            }
            let wanted = (0..<6).flatMap { ["begin \($0) end \($0)", "between \($0)", "open shut \($0)", "half \($0) of \($0)"] }
            let lines = try await bench.lines()
            #expect(lines.sorted() == wanted.sorted(), "stopped at \(stop)")
        }
    }

    @Test("lines that were read are handed over again as they were, and files that grow meanwhile lose nothing")
    func failingLong() async throws {
        let bench = try TailBench()
        let failing = FailingStore(bench.store)
        failing.isFailing = true
        var tailer = bench.start(failing)
        for number in 0..<5 {
            try bench.append("line \(number)\n", to: "a.log")
            await bench.poll(&tailer)
        }
        failing.isFailing = false
        await bench.poll(&tailer)
        #expect(try await bench.lines() == (0..<5).map { "line \($0)" })
    }

    @Test("a file that begins as a remembered one did, but goes on in another way, is read from its start")
    func sameHead() async throws {
        let bench = try TailBench()
        let head = String(repeating: "#", count: 400) + "\n"
        try bench.append(head + "one\ntwo\n", to: "a.log")
        var before = bench.start()
        await bench.poll(&before)
        let handle = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data((head + "three and more\nfour\n").utf8))
        try handle.close()
        var after = bench.start()
        await bench.poll(&after)
        #expect(try await bench.lines() == [String(head.dropLast()), "one", "two", String(head.dropLast()), "three and more", "four"])
    }

    @Test("a file of another job that got a gone one's inode is not taken for it", arguments: [false, true])
    func inodeOfAnotherJob(hasBirth: Bool) async throws {
        let bench = try TailBench()
        var other = bench.configuration
        (other.name, other.include, other.labels) = ("other", [bench.path("*.txt")], Labels(["job": "other"]))
        let jobs = [TailJob(bench.configuration), TailJob(other)]
        try bench.append("one\n", to: "a.log")
        var before = bench.start()
        _ = await before.poll(jobs)
        // Births are as fine as the kernel's ticks.
        try await Task.sleep(for: .milliseconds(30))
        try bench.append("two\n", to: "b.txt")
        try bench.giveInode(of: "b.txt", to: "a.log", hasBirth: hasBirth)
        try FileManager.default.removeItem(atPath: bench.path("a.log"))
        var after = bench.start()
        _ = await after.poll(jobs)
        try bench.append("three\n", to: "b.txt")
        _ = await after.poll(jobs)
        let found = try await bench.store.logEntries().map { "\($0.labels["job"] ?? "") \($0.entry.line)" }
        #expect(found == ["shop one", "other two", "other three"])
        #expect(try bench.store.values(in: TailPosition.namespace).keys.allSatisfy { $0.hasPrefix("other/") })
    }

    @Test("a file with a gone one's inode and the same content is another one where the file system tells when it was made")
    func sameContent() async throws {
        let bench = try TailBench()
        try bench.append("started\n", to: "a.log")
        var before = bench.start()
        await bench.poll(&before)
        guard before.entries.values.contains(where: { $0.file.position.birth != 0 }) else { return }
        try bench.move("a.log", to: "b")
        try await Task.sleep(for: .milliseconds(30))
        try bench.append("started\n", to: "a.log")
        try bench.giveInode(of: "a.log", to: "a.log", hasBirth: true)
        var after = bench.start()
        await bench.poll(&after)
        #expect(try await bench.lines() == ["started", "started"])
    }

    @Test("what was held back of a file's lines is let go once the file is truncated or gone", arguments: [false, true])
    func heldBackOfGoneFile(isGone: Bool) async throws {
        let bench = try TailBench(format: .cri)
        try bench.append("2026-11-22T17:00:00Z stdout P never ended\n", to: "a.log")
        var before = bench.start()
        await bench.poll(&before)
        var after = bench.start()
        if isGone {
            try FileManager.default.removeItem(atPath: bench.path("a.log"))
        } else {
            let handle = try #require(FileHandle(forWritingAtPath: bench.path("a.log")))
            try handle.truncate(atOffset: 0)
            try handle.close()
        }
        await bench.poll(&after)
        #expect(try await bench.lines() == ["never ended"])
        var last = bench.start()
        await bench.poll(&last)
        #expect(try await bench.lines() == ["never ended"])
    }

    @Test("a file that was renamed is found after every further restart")
    func renamedAndRestarted() async throws {
        let bench = try TailBench()
        try bench.append("one\n", to: "a.log")
        var tailer = bench.start()
        await bench.poll(&tailer)
        try bench.move("a.log", to: "a.log.1")
        for number in 2..<5 {
            try bench.append("\(number)\n", to: "a.log.1")
            tailer = bench.start()
            await bench.poll(&tailer)
        }
        #expect(try await bench.lines() == ["one", "2", "3", "4"])
        #expect(Set(try await bench.store.logEntries().compactMap { $0.labels["filename"] }) == [bench.path("a.log")])
    }

    @Test("lines outside of retention are counted, and hold nothing up")
    func refused() async throws {
        let bench = try TailBench()
        let failing = FailingStore(bench.store)
        failing.refusedRowCount = 3
        var tailer = bench.start(failing)
        try bench.append("one\n", to: "a.log")
        await bench.poll(&tailer)
        #expect(tailer.metrics.value("promtail_dropped_entries_total", Labels(["reason": "out_of_bounds"])) == 3)
        #expect(tailer.snapshot.map(\.offset) == [4])
    }

    @Test("two targets of a job that match the same file follow it each for itself")
    func twoTargets() async throws {
        let bench = try TailBench()
        var other = bench.configuration
        other.labels = Labels(["job": "other"])
        let jobs = [TailJob(bench.configuration), TailJob(other)]
        var tailer = bench.start()
        try bench.append("one\n", to: "a.log")
        _ = await tailer.poll(jobs)
        var again = bench.start()
        try bench.append("two\n", to: "a.log")
        _ = await again.poll(jobs)
        let found = try await bench.store.logEntries().map { "\($0.labels["job"] ?? "") \($0.entry.line)" }
        #expect(found.sorted() == ["other one", "other two", "shop one", "shop two"])
    }

    @Test("a position of a job that is not there yet waits for it")
    func lateJob() async throws {
        let bench = try TailBench()
        var tailer = bench.start()
        try bench.append("one\n", to: "a.log")
        await bench.poll(&tailer)
        var again = bench.start()
        _ = await again.poll([])
        try bench.append("two\n", to: "a.log")
        await bench.poll(&again)
        #expect(try await bench.lines() == ["one", "two"])
    }
}

extension TailBench {
    /// Makes a remembered position one of the inode that another file has, as if that one had been made once the first was gone.
    func giveInode(of other: String, to name: String, hasBirth: Bool) throws {
        var status = stat()
        #expect(stat(path(other), &status) == 0)
        let saved = try store.values(in: TailPosition.namespace)
        let (key, bytes) = try #require(saved.first { TailPosition($0.value)?.path == path(name) })
        var position = try #require(TailPosition(bytes))
        let job = String(key.prefix { $0 != "/" })
        position.identity = FileIdentity(status)
        if !hasBirth { position.birth = 0 }
        try store.set([key: nil, position.key(configuration: job): position.encoded], in: TailPosition.namespace)
    }
}
