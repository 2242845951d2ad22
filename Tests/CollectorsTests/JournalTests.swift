import Foundation
import Logging
import Query
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("JournalExport")
struct JournalExportTests {
    static func entry(_ fields: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in fields {
            if value.contains("\n") {
                bytes += Array(name.utf8) + [0x0a]
                for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value.utf8.count >> (8 * shift))) }
                bytes += Array(value.utf8) + [0x0a]
            } else {
                bytes += Array("\(name)=\(value)\n".utf8)
            }
        }
        return bytes + [0x0a]
    }

    @Test("entries come back, cut at every byte", arguments: [1, 2, 3, 5, 8, 1_000])
    func pieces(size: Int) {
        let entries = [
            [("__CURSOR", "s=1"), ("MESSAGE", "one"), ("EMPTY", ""), ("WITH_EQUALS", "a=b")],
            [("__CURSOR", "s=2"), ("MESSAGE", "two\nlines\n\nand more"), ("PRIORITY", "6")],
        ]
        let bytes = entries.flatMap { Self.entry($0) }
        var export = JournalExport()
        var found: [JournalExport.Entry] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            export.feed(Array(bytes[start..<min(start + size, bytes.count)]), into: &found)
        }
        #expect(found.count == 2)
        for (wanted, entry) in zip(entries, found) {
            #expect(entry.fields.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" } == wanted.map { "\($0.0)=\($0.1)" })
        }
    }

    @Test("bytes that no journal writes do no harm")
    func damage() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<2_000 {
            var bytes = Self.entry([("A", "b\nc"), ("D", "e")])
            for _ in 0..<3 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next() % 64) }
            var export = JournalExport()
            var found: [JournalExport.Entry] = []
            export.feed(bytes, into: &found)
        }
    }
}

@Suite("JournalSource")
struct JournalSourceTests {
    /// A stand-in for `journalctl`: 30 entries, those behind the cursor, and then silence.
    private static let script = """
        #!/usr/bin/env python3
        import sys, time
        open(sys.argv[0] + ".arguments", "a").write(" ".join(sys.argv[1:]) + "\\n")
        after = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--after-cursor=")]
        start = int(after[0][1:]) + 1 if after else 0
        for number in range(start, 30):
            sys.stdout.write(f"__CURSOR=c{number}\\n__REALTIME_TIMESTAMP={1795366800000000 + number}\\n_SYSTEMD_UNIT=a.service\\nPRIORITY={number % 8}\\nMESSAGE=entry {number}\\n\\n")
            sys.stdout.flush()
            if number % 7 == 6: time.sleep(0.05)
        time.sleep(60)
        """

    private func source(_ settings: PromtailJournal, _ context: SourceContext, _ folder: ScratchFolder) throws -> JournalSource {
        let path = folder.path + "/journalctl"
        try Self.script.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return JournalSource(settings, context: context, command: path)
    }

    @Test("entries are read from behind the last one kept, once each, whenever it is stopped")
    func restarts() async throws {
        let folder = try ScratchFolder()
        let bench = SourceBench()
        var settings = PromtailJournal()
        settings.labels = Labels(["job": "journal"])
        settings.matches = ["_SYSTEMD_UNIT=a.service"]
        settings.path = "/var/log/journal"
        let job = try SourceBench.job(["unit": "__journal__systemd_unit", "level": "__journal_priority_keyword"])
        for count in [1, 10, 30] {
            let source = try source(settings, bench.context(job), folder)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await source.run() }
                try await until { try await bench.store.logEntries().count >= count }
                group.cancelAll()
            }
        }
        let entries = try await bench.store.logEntries()
        #expect(entries.map(\.entry.line).sorted() == (0..<30).map { "entry \($0)" }.sorted())
        let third = try #require(entries.first { $0.entry.line == "entry 3" })
        #expect(third.labels == Labels(["job": "journal", "unit": "a.service", "level": "error"]))
        #expect(third.entry.timestamp == 1_795_366_800_000_003_000)
        let arguments = try String(contentsOfFile: folder.path + "/journalctl.arguments", encoding: .utf8).split(separator: "\n")
        #expect(arguments.first?.hasSuffix("--no-tail --since=-25200s --directory=/var/log/journal _SYSTEMD_UNIT=a.service") == true)
        #expect(arguments.dropFirst().allSatisfy { $0.contains("--after-cursor=c") })
    }

    @Test("a program that is told to end ends at once")
    func ends() async throws {
        let process = try ChildProcess(["sleep", "60"])
        let start = ContinuousClock.now
        // Where signals are blocked, as on Dispatch's threads.
        let (ended, end) = AsyncStream.makeStream(of: Int.self)
        DispatchQueue.global().async { [process] in
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            let other = try? ChildProcess(["sleep", "60"])
            other?.terminate()
            process.terminate()
            end.yield((other?.read(byteCountMax: 10).count ?? -1) + process.read(byteCountMax: 10).count)
            end.finish()
        }
        for await count in ended { #expect(count == 0) }
        #expect(start.duration(to: .now) < .seconds(30))
    }

    @Test("`json` gives the whole entry")
    func json() async throws {
        let folder = try ScratchFolder()
        let bench = SourceBench()
        var settings = PromtailJournal()
        settings.labels = Labels(["job": "journal"])
        settings.isJSON = true
        let source = try source(settings, bench.context(), folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await source.run() }
            try await until { try await bench.store.logEntries().count == 30 }
            group.cancelAll()
        }
        #expect(try await bench.lines().contains(#"{"MESSAGE":"entry 0","PRIORITY":"0","_SYSTEMD_UNIT":"a.service"}"#))
    }

    @Test("a program that is not there is an error that names it")
    func missing() async throws {
        let source = JournalSource(PromtailJournal(), context: SourceBench().context(), command: "/nowhere/journalctl")
        await #expect(throws: SourceError("/nowhere/journalctl cannot be started: No such file or directory")) { try await source.run() }
    }
}
