import Codecs
import Foundation
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("pprof")
struct PprofTests {
    @Test(
        "Go's profiles decode to the stacks and totals that `go tool pprof` shows",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("perftools.profiles.Profile"))
    func captures(capture: Captures.Capture) throws {
        let bytes = try SharedCases.bytes("conformance/captures/" + capture.path)
        let decoded = try Pprof.decode(bytes.span)
        let summary = try #require(try capture.expected()["summary"])
        let types = summary["sampleTypes"].elements.map { Pprof.SampleType(type: $0[0]?.string ?? "", unit: $0[1]?.string ?? "") }
        #expect(decoded.profiles.map(\.type) == types)
        #expect(decoded.periodType.type == summary["periodType"]?[0]?.string)
        #expect(decoded.period == summary["period"].proto64)
        #expect(decoded.defaultSampleType == summary["defaultSampleType"].text)
        #expect(decoded.profiles.map { $0.profile.values.reduce(0, +) } == summary["totals"].elements.map(\.proto64))
        let last = try #require(decoded.profiles.last).profile
        #expect(last.timestamp == summary["timeNanos"].proto64)
        #expect(last.duration == summary["durationNanos"].proto64)
        var folded: [String: Int64] = [:]
        for (stack, value) in zip(last.stacks, last.values) {
            folded[stack.map { last.frames[Int($0)].function }.joined(separator: ";"), default: 0] += value
        }
        // The summary keeps stacks apart by their labels and shows the largest: ours are their sums at least.
        for pair in summary["folded_rootFirst_lastValue_top40"].elements {
            let text = pair[0]?.string ?? ""
            let name = text.range(of: " {\"").map { String(text[..<$0.lowerBound]) } ?? text
            let value = try #require(pair[1]).proto64
            if value != 0 { #expect(folded[name].map { abs($0) >= abs(value) } ?? false, "\(name)") }
        }
    }

    /// Two sample types; `main` calls `work`, which has `inlined` inlined; one address has no symbol.
    static func profile(_ change: (inout ProtobufWriter) -> Void = { _ in }) -> [UInt8] {
        var writer = ProtobufWriter()
        for (type, unit) in [(1, 2), (3, 4)] as [(Int64, Int64)] {
            writer.message(1) { writer in
                writer.int64(1, type)
                writer.int64(2, unit)
            }
        }
        for (locations, values) in [([2, 1], [1, 10]), ([2, 1], [2, 20]), ([3, 1], [3, 0])] as [([UInt64], [UInt64])] {
            writer.message(2) { writer in
                writer.packedUInt64s(1, locations)
                writer.packedUInt64s(2, values)
            }
        }
        writer.message(3) { writer in
            writer.uint64(1, 1)
            writer.int64(5, 9)
        }
        writer.message(4) { writer in
            writer.uint64(1, 1)
            writer.message(4) { writer in
                writer.uint64(1, 1)
                writer.int64(2, 12)
            }
        }
        writer.message(4) { writer in
            writer.uint64(1, 2)
            for function in [3, 2] as [UInt64] { writer.message(4) { $0.uint64(1, function) } }
        }
        writer.message(4) { writer in
            writer.uint64(1, 3)
            writer.uint64(2, 1)
            writer.uint64(3, 0xabc)
        }
        for (id, name) in [(1, 5), (2, 6), (3, 7)] as [(UInt64, Int64)] {
            writer.message(5) { writer in
                writer.uint64(1, id)
                writer.int64(2, name)
                writer.int64(4, 8)
            }
        }
        for text in ["", "samples", "count", "cpu", "nanoseconds", "main", "work", "inlined", "main.go", "/usr/lib/libc.so"] {
            writer.string(6, text, always: true)
        }
        writer.int64(9, 1_000)
        writer.int64(10, 500)
        change(&writer)
        return writer.bytes
    }

    @Test("stacks are root first with inlined calls, the same stacks are added up, addresses without symbols keep binary and address")
    func stacks() throws {
        for bytes in [Self.profile(), Compression.gzip.compress(Self.profile().span)] {
            let decoded = try Pprof.decode(bytes.span)
            let (samples, cpu) = (decoded.profiles[0].profile, decoded.profiles[1].profile)
            #expect(samples.frames.map(\.function) == ["main", "work", "inlined", "libc.so 0xabc"])
            #expect(samples.frames[0] == Profile.Frame(function: "main", file: "main.go", line: 12))
            #expect(samples.stacks == [[0, 1, 2], [0, 3]])
            #expect(samples.values == [3, 3])
            #expect(cpu.stacks == [[0, 1, 2]])
            #expect(cpu.values == [30])
            #expect(samples.timestamp == 1_000)
            #expect(samples.duration == 500)
        }
    }

    @Test("a profile without a time gets the one given")
    func defaultTime() throws {
        #expect(try Pprof.decode(Self.profile { $0.int64(9, 0, always: true) }.span, defaultTimestamp: 7).profiles[0].profile.timestamp == 7)
    }

    @Test(
        "names what points nowhere",
        arguments: [
            (profile { $0.message(2) { $0.packedUInt64s(2, [1]) } }, "Sample.value"),
            (profile { writer in writer.message(2) { writer in
                writer.packedUInt64s(1, [99])
                writer.packedUInt64s(2, [1, 1])
            } }, "Sample.location_id"),
            (profile { $0.message(1) { $0.int64(1, 99) } }, "Sample.value"), (profile { $0.int64(14, -1) }, "Profile.default_sample_type"), ([], "Profile.sample_type"),
            (Array("<html>".utf8), "number 7"),
        ])
    func errors(bytes: [UInt8], field: String) {
        let error = #expect(throws: FormatError.self) { try Pprof.decode(bytes.span) }
        #expect(error?.field == field)
    }

    @Test("a small message cannot become stacks without end, nor a compressed one bytes")
    func limits() {
        let bytes = Self.profile { writer in
            writer.message(2) { writer in
                writer.packedUInt64s(1, [UInt64](repeating: 1, count: 70_000))
                writer.packedUInt64s(2, [1, 1])
            }
        }
        #expect(throws: FormatError.self) { try Pprof.decode(bytes.span) }
        let bomb = Compression.gzip.compress([UInt8](repeating: 0, count: 1_000_000).span)
        let error = #expect(throws: FormatError.self) { try Pprof.decode(bomb.span, byteCountMax: 1_000) }
        #expect(error?.message == "the content is larger than the limit of 1000 bytes once decompressed")
    }

    @Test("survives every truncation and flipped bit")
    func damage() {
        Damage.both(Self.profile()) { _ = try? Pprof.decode($0.span) }
    }
}

@Suite("Container log lines")
struct ContainerLogLineTests {
    @Test(
        "the lines of a file in either format, put together again, are the container's",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
    func captures() throws {
        var contents: [[String]] = []
        for (name, isDocker) in [("docker-json-file", true), ("cri", false)] {
            var whole: [String] = []
            var part = ""
            for bytes in try SharedCases.bytes("conformance/captures/logs/\(name).log").split(separator: UInt8(ascii: "\n")) {
                let line = try Self.parse(Array(bytes), isDocker: isDocker)
                // 13:20 in UTC; some lines give it with an offset of one hour.
                #expect([1_795_353, 1_795_350].contains(line.timestamp / 1_000_000_000_000))
                part += line.content
                if !line.isPartial {
                    whole.append(part)
                    part = ""
                }
            }
            #expect(part.isEmpty)
            contents.append(whole)
        }
        #expect(contents[0] == contents[1])
        #expect(contents[0].contains { $0.utf8.count > 16_384 })
    }

    static func parse(_ bytes: [UInt8], isDocker: Bool) throws -> ContainerLogLine {
        if isDocker { return try ContainerLogLine.docker(bytes.span) }
        return try ContainerLogLine.cri(bytes.span)
    }

    @Test("reads Docker's lines; one without its line end is a part")
    func docker() throws {
        let line = try ContainerLogLine.docker(Array(#"{"log":"a \"b\"\r\n","stream":"stderr","attrs":{"x":1},"time":"1970-01-01T00:00:00.000000005Z"}"#.utf8).span)
        #expect(line == ContainerLogLine(timestamp: 5, stream: .stderr, content: "a \"b\"\r", isPartial: false))
        let part = try ContainerLogLine.docker(Array(#"{"log":"a","stream":"stdout","time":"1970-01-01T00:00:00Z"}"#.utf8).span)
        #expect(part == ContainerLogLine(timestamp: 0, stream: .stdout, content: "a", isPartial: true))
    }

    @Test(
        "reads CRI's lines",
        arguments: [
            ("1970-01-01T00:00:00.000000005Z stdout F hello world\n", .stdout, "hello world", false), ("1970-01-01T02:00:00.000000005+02:00 stderr P part", .stderr, "part", true),
            ("1970-01-01T00:00:00.000000005Z stdout F ", .stdout, "", false), ("1970-01-01T00:00:00.000000005Z stdout F", .stdout, "", false),
            ("1970-01-01T00:00:00.000000005Z stdout F:x  two", .stdout, " two", false),
        ] as [(String, ContainerLogLine.Stream, String, Bool)])
    func cri(text: String, stream: ContainerLogLine.Stream, content: String, isPartial: Bool) throws {
        #expect(try ContainerLogLine.cri(Array(text.utf8).span) == ContainerLogLine(timestamp: 5, stream: stream, content: content, isPartial: isPartial))
    }

    @Test("refuses other lines", arguments: ["", "hello", "{}", #"{"log":"a"}"#, #"{"log":"a","stream":"x","time":"1970-01-01T00:00:00Z"}"#, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z stdin F x", "1970-01-01T00:00:00Z stdout X x", "x stdout F y"])
    func malformed(text: String) {
        #expect(throws: FormatError.self) { try ContainerLogLine.docker(Array(text.utf8).span) }
        #expect(throws: FormatError.self) { try ContainerLogLine.cri(Array(text.utf8).span) }
    }
}
