import Codecs
import Foundation
import Logging
import Query
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("Compressed and encoded files")
struct TailContentTests {
    private static let text = (0..<5_000).map { "line \($0) of a compressed file\n" }.joined()

    private func compressed(_ format: DecompressionStream.Format) throws -> [UInt8] {
        let bytes = Array(Self.text.utf8)
        switch format {
        case .gzip:
            // Two members, as `cat a.gz b.gz` makes them.
            let middle = bytes.count / 2
            let (first, second) = (Array(bytes[..<middle]), Array(bytes[middle...]))
            return Compression.gzip.compress(first.span) + Compression.gzip.compress(second.span)
        case .zlib: return Compression.deflate.compress(bytes.span)
        case .zstd: return Compression.zstd.compress(bytes.span)
        case .bzip2:
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3", "-c", "import bz2,sys; sys.stdout.buffer.write(bz2.compress(sys.stdin.buffer.read()))"]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: bytes)
            try input.fileHandleForWriting.close()
            let result = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return Array(result)
        }
    }

    @Test("compressed files are expanded, also where they come in pieces and over a restart", arguments: DecompressionStream.Format.allCases)
    func decompression(format: DecompressionStream.Format) async throws {
        var bench = try TailBench(include: ["*"])
        bench.decompression = TailJob.Decompression()
        bench.options.chunkByteCount = 10_000
        bench.options.lineByteCountMax = 1_000
        let bytes = try compressed(format)
        let name = "a.log.\(format.rawValue)"
        var tailer = bench.start()
        try bench.append(Array(bytes[..<(bytes.count / 3)]), to: name)
        await bench.poll(&tailer)
        var restarted = bench.start()
        try bench.append(Array(bytes[(bytes.count / 3)...]), to: name)
        await bench.poll(&restarted)
        #expect(try await bench.lines().joined(separator: "\n") + "\n" == Self.text)
        await bench.poll(&restarted)
        #expect(try await bench.lines().count == 5_000)
    }

    // zstd's frames have no checksum unless their writer asked for one: there nothing tells the damage.
    @Test(
        "a damaged compressed file gives what stands before the damage, and harms no other",
        arguments: DecompressionStream.Format.allCases.filter { $0 != .zstd })
    func damaged(format: DecompressionStream.Format) async throws {
        var bench = try TailBench(include: ["*"])
        bench.decompression = TailJob.Decompression()
        var bytes = try compressed(format)
        for index in (bytes.count / 2)..<(bytes.count / 2 + 20) { bytes[index] ^= 0x5a }
        try bench.append(bytes, to: "a.\(format.rawValue)")
        try bench.append("fine\n", to: "b.log")
        var tailer = bench.start()
        await bench.poll(&tailer)
        let lines = try await bench.lines()
        #expect(lines.contains("fine") && lines.count < 5_000)
    }

    @Test("without `decompression` a file's name means nothing")
    func plain() async throws {
        let bench = try TailBench(include: ["*"])
        try bench.append("not compressed\n", to: "a.gz")
        var tailer = bench.start()
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["not compressed"])
    }

    @Test(
        "lines of any encoding become UTF-8",
        arguments: [
            ("UTF-16LE", "grün\r\n日本\n", [0x67, 0, 0x72, 0, 0xfc, 0, 0x6e, 0, 0x0d, 0, 0x0a, 0, 0xe5, 0x65, 0x2c, 0x67, 0x0a, 0]),
            ("UTF-16BE", "grün\n", [0, 0x67, 0, 0x72, 0, 0xfc, 0, 0x6e, 0, 0x0a]),
            ("UTF-16", "grün\n", [0xff, 0xfe, 0x67, 0, 0x72, 0, 0xfc, 0, 0x6e, 0, 0x0a, 0]),
            ("ISO-8859-1", "grün\n", [0x67, 0x72, 0xfc, 0x6e, 0x0a]), ("iso-8859-15", "10 €\n", [0x31, 0x30, 0x20, 0xa4, 0x0a]),
            ("windows-1252", "“x”\n", [0x93, 0x78, 0x94, 0x0a]), ("Shift_JIS", "日本\n", [0x93, 0xfa, 0x96, 0x7b, 0x0a]),
            ("GBK", "中文\n", [0xd6, 0xd0, 0xce, 0xc4, 0x0a]), ("EUC-KR", "한\n", [0xc7, 0xd1, 0x0a]), ("UTF-8", "grün\n", Array("grün\n".utf8)),
        ] as [(String, String, [UInt8])])
    func encodings(name: String, text: String, bytes: [UInt8]) async throws {
        var bench = try TailBench()
        bench.encoding = try LineEncoding(named: name)
        // A writer stops in the middle of a character.
        try bench.append(Array(bytes[..<3]), to: "a.log")
        var tailer = bench.start()
        await bench.poll(&tailer)
        try bench.append(Array(bytes[3...]), to: "a.log")
        await bench.poll(&tailer)
        let wanted = text.replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
        #expect(try await bench.lines() == wanted)
    }

    @Test("bytes that are no character are replaced and counted")
    func damagedText() async throws {
        var bench = try TailBench()
        bench.encoding = try LineEncoding(named: "EUC-JP")
        try bench.append([0x61, 0xff, 0x62, 0x0a, 0x63, 0x0a], to: "a.log")
        var tailer = bench.start()
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["a\u{fffd}b", "c"])
        #expect(tailer.metrics.value("promtail_encoding_failures_total", Labels(["path": bench.path("a.log")])) == 1)
    }

    @Test("an encoding that nobody knows is an error that names it")
    func unknownEncoding() {
        #expect(throws: EncodingError(name: "klingon")) { try LineEncoding(named: "klingon") }
    }

    @Test("the zeros before the text of a writer that was not told of a truncation are left out")
    func hole() async throws {
        let bench = try TailBench()
        try bench.append([0, 0, 0, 0] + Array("after\n".utf8), to: "a.log")
        var tailer = bench.start()
        await bench.poll(&tailer)
        #expect(try await bench.lines() == ["after"])
    }
}
