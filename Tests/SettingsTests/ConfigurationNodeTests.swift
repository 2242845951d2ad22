import Settings
import TestSupport
import Testing

@Suite("ConfigurationNode")
struct ConfigurationNodeTests {
    @Test("an unknown key is an error with its place and the nearest known key")
    func unknownKey() throws {
        let root = try ConfigurationNode.parse("global:\n  scrape_intervall: 15s\n", file: "prometheus.yml")
        let global = try #require(try root.mapping(["global"])["global"])
        let error = try #require(throws: ConfigurationError.self) {
            try global.mapping(["scrape_interval", "scrape_timeout"])
        }
        #expect(
            error.description
                == "prometheus.yml:2:3: unknown key in global: \"scrape_intervall\"; did you mean \"scrape_interval\"?")
    }

    @Test("a key that resembles nothing gets the list of known ones")
    func farKey() throws {
        let root = try ConfigurationNode.parse("zzzzzz: 1\n", file: "a.yml")
        let error = try #require(throws: ConfigurationError.self) { try root.mapping(["global", "rule_files"]) }
        #expect(error.message == "unknown key \"zzzzzz\"; known are global, rule_files")
    }

    @Test("a value of another kind is an error with its place and what was expected")
    func wrongKind() throws {
        let root = try ConfigurationNode.parse("a:\n  b: [1]\n  c: x1\n", file: "a.yml")
        let a = try #require(try root.mapping(["a"])["a"]).mapping(["b", "c"])
        let b = try #require(a["b"])
        #expect(
            throws: ConfigurationError(
                file: "a.yml", line: 2, column: 6, message: "a.b: found a list, expected a string")
        ) {
            try b.string
        }
        let c = try #require(a["c"])
        #expect(
            throws: ConfigurationError(
                file: "a.yml", line: 3, column: 6, message: "a.c: found \"x1\", expected a whole number")
        ) {
            try c.int
        }
    }

    @Test("text that is no YAML names its place")
    func badYAML() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationNode.parse("a: b\n  c: [\n", file: "a.yml")
        }
        #expect(error.line == 2)
        #expect(error.message.hasPrefix("not valid YAML"))
        let twice = try #require(throws: ConfigurationError.self) {
            try ConfigurationNode.parse("a: 1\nb: 2\na: 3\n", file: "a.yml")
        }
        #expect(twice.message == "the key \"a\" stands here more than once")
    }

    @Test("anchors, aliases and merge keys are resolved; the mapping's own keys win")
    func merge() throws {
        let text = "base: &base {x: 1, y: 2}\nuse:\n  <<: *base\n  y: 3\n"
        let use = try #require(try ConfigurationNode.parse(text, file: "a.yml").mapping(["base", "use"])["use"])
        let pairs = try use.stringPairs.map { "\($0.name)=\($0.value)" }
        #expect(Set(pairs) == ["x=1", "y=3"])
    }

    @Test("aliases of aliases end at a limit instead of filling the memory")
    func aliasBomb() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let error = try #require(throws: ConfigurationError.self) { try ConfigurationNode.parse(text, file: "a.yml") }
        #expect(error.message.contains("more than 200000 values"))
    }

    @Test("only the first document counts")
    func documents() throws {
        let document = try ConfigurationNode.parseDocument("a: 1\n---\nb: 2\n", file: "a.yml")
        #expect(document.hasMoreDocuments)
        #expect(try document.root.stringPairs.map(\.name) == ["a"])
    }

    @Test("an empty file is an empty mapping")
    func empty() throws {
        #expect(try ConfigurationNode.parse("", file: "a.yml").mapping(["a"]).pairs.isEmpty)
        #expect(try ConfigurationNode.parse("# only a comment\n", file: "a.yml").mapping(["a"]).pairs.isEmpty)
    }

    @Test("a file that is not there is named with what the system says")
    func missing() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationNode.load(path: "/nonexistent/a.yml")
        }
        #expect(error.description == "/nonexistent/a.yml: cannot open the file: No such file or directory")
    }

    @Test(
        "durations read as in Prometheus",
        arguments: [
            ("0", 0), ("15s", 15_000), ("1h30m", 5_400_000), ("500ms", 500),
            ("1y2w3d", 365 * 86_400_000 + 17 * 86_400_000),
            ("", nil), ("15", nil), ("1m1h", nil), ("1s1s", nil), ("-1s", nil), ("1.5h", nil), ("300y", nil),
            ("99999999999999999999s", nil),
        ] as [(String, Int64?)])
    func durations(text: String, milliseconds: Int64?) {
        #expect(DurationText.parse(text)?.milliseconds == milliseconds)
    }

    @Test(
        "durations are written as in Prometheus",
        arguments: [(0, "0s"), (5_400_000, "1h30m"), (86_400_000, "1d"), (604_800_000, "1w"), (61_500, "1m1s500ms")])
    func format(milliseconds: Int, text: String) {
        #expect(DurationText.format(.milliseconds(milliseconds)) == text)
    }

    @Test(
        "byte counts",
        arguments: [("10MB", 10 << 20), ("512KiB", 512 << 10), ("7", 7), ("1.5K", 1536), ("x", nil), ("9PBB", nil)]
            as [(String, Int?)])
    func byteCounts(text: String, bytes: Int?) {
        #expect(ByteCountText.parse(text) == bytes)
    }
}
