import Patterns
import Testing

@Suite struct SubstringTests {
    @Test(
        "finds what a naive search finds",
        arguments: [
            ("", "", 0), ("abc", "", 0), ("abc", "abc", 0), ("abc", "abcd", -1), ("aaab", "aab", 1), ("xyz", "z", 2), ("größe", "ß", 4),
        ])
    func exact(text: String, needle: String, offset: Int) {
        #expect(Patterns.Substring(needle).firstOffset(in: Array(text.utf8).span) == (offset < 0 ? nil : offset))
    }

    @Test(
        "ignores the case of ASCII letters only",
        arguments: [
            ("An ERROR here", "error", true), ("an error", "ERROR", true), ("x[", "X{", false), ("ÄB", "äb", false), ("a1B2", "A1b", true),
        ])
    func folded(text: String, needle: String, isFound: Bool) {
        #expect(Patterns.Substring(needle, ignoresASCIICase: true).isContained(in: text) == isFound)
    }

    @Test("starts where it is told and nowhere beyond the end")
    func start() {
        let bytes = Array("abab".utf8)
        #expect(Patterns.Substring("ab").firstOffset(in: bytes.span, from: 1) == 2)
        #expect(Patterns.Substring("ab").firstOffset(in: bytes.span, from: 3) == nil)
        #expect(Patterns.Substring("ab").firstOffset(in: bytes.span, from: 9) == nil)
        #expect(Patterns.Substring("ab").firstOffset(in: bytes.span, from: -1) == nil)
    }
}

@Suite struct RequiredLiteralsTests {
    @Test(
        "holds what every match must hold",
        arguments: [
            ("error", ["error"], true), (#"status=5\d\d dur"#, ["status=5", " dur"], false), ("a|b", [], false), ("(?i)error", [], false),
            ("orders/.*\"status\":404", ["orders/", "\"status\":404"], false), ("ab*c", ["a", "c"], false), ("ab+c", ["ab", "c"], false),
            ("ab{2}c", ["a", "c"], false), (#"a\.b"#, ["a.b"], true), ("(foo|bar)baz", ["baz"], false), ("[abc]d", ["d"], false),
            ("x?", [], false),
            ("^start", ["start"], false), ("", [], false), (#"\x41b"#, [], false), ("((?i)x)y", [], false), (#"\Qa.b\E"#, [], false),
        ] as [(String, [String], Bool)])
    func literals(pattern: String, literals: [String], isExact: Bool) {
        let required = RequiredLiterals(pattern)
        #expect(required.literals == literals)
        #expect(required.isExact == isExact)
    }
}

@Suite struct GlobTests {
    @Test(
        "matches paths as a shell does",
        arguments: [
            ("/var/log/*.log", "/var/log/a.log", true), ("/var/log/*.log", "/var/log/x/a.log", false),
            ("/var/**/*.log", "/var/a.log", true),
            ("/var/**/*.log", "/var/a/b/c.log", true), ("a?c", "abc", true), ("a?c", "a/c", false), ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true), ("*a*b*c", "xxaxxbxxcxxbc", true), ("*.{log,txt}", "a.txt", true), ("*.{log,txt}", "a.md", false),
            (#"\*"#, "*", true),
            (#"\*"#, "a", false), ("**", "a/b/c", true), ("a/**", "a", true), ("", "", true),
        ])
    func matching(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try Glob(pattern).matches(path) == isMatch)
    }

    @Test("refuses what is no pattern", arguments: ["[a", "a\\", "{a,b", "[z-a]"])
    func bad(pattern: String) {
        #expect(throws: Glob.SyntaxError.self) { try Glob(pattern) }
    }

    @Test(
        "knows the folder it lies in",
        arguments: [
            ("/var/log/*.log", "/var/log"), ("/*.log", "/"), ("*.log", ""), ("/var/log/a.log", "/var/log"), ("/a/**/b", "/a"),
        ])
    func folder(pattern: String, folder: String) throws {
        #expect(try Glob(pattern).fixedFolder == folder)
    }

    @Test("takes time in proportion, however many stars")
    func stars() throws {
        #expect(try !Glob(String(repeating: "*a", count: 30)).matches(String(repeating: "a", count: 29) + "b"))
    }
}

@Suite struct PatternTests {
    @Test("finds groups and names them")
    func groups() throws {
        let pattern = try Pattern("(?P<method>\\w+) (/\\w*)")
        #expect(pattern.groupNames == ["method", nil])
        #expect(pattern.firstMatch(in: "GET /a") == [0..<6, 0..<3, 4..<6])
        #expect(pattern.firstMatch(in: "none") == nil)
    }

    @Test("says what is wrong with an expression")
    func error() {
        #expect(throws: Pattern.SyntaxError.self) { try Pattern("(") }
    }

    @Test(
        "a label's expression must match the whole value",
        arguments: [
            ("a|b", "a", true), ("a|b", "ab", false), (".*", "", true), (".+", "", false), ("a.c", "a\nc", true), ("", "", true),
        ])
    func labels(pattern: String, value: String, isMatch: Bool) throws {
        #expect(try LabelPattern(pattern).matches(value) == isMatch)
    }

    @Test(
        "alternations of plain texts are known as such",
        arguments: [
            ("a|b", ["a", "b"]), ("(a|b)", ["a", "b"]), ("(?:a|b)", ["a", "b"]), ("^(a|b)$", ["a", "b"]), ("^a$", ["a"]), ("", [""]),
            (#"10\.0\.0\.1:80|x\-y"#, ["10.0.0.1:80", "x-y"]), ("a||b", ["a", "", "b"]), ("^a|b$", nil), ("(a)|(b)", nil), (#"a\d"#, nil),
            (#"^a\$"#, nil), ("(?i:a)", nil), ("a.b", nil), ("(a|b", nil),
        ] as [(String, [String]?)])
    func literals(pattern: String, literals: [String]?) {
        // Where it is no expression at all, nothing is known of it either.
        #expect((try? LabelPattern(pattern))?.literals == literals)
    }

    @Test(
        "bounds hold everything that matches",
        arguments: [
            "svc-0[1-5]|svc-1.*", "abc.*", "a+b?", "[a-c]x", ".*z", "(?i)abc", "é.*", "x{2,3}y", "a.c|b", "^ab.*$", "(|a)b", "\\x{10FFFF}?a.*",
        ])
    func bounds(pattern: String) throws {
        let pattern = try LabelPattern(pattern)
        let values = [
            "", "a", "ab", "abc", "abcd", "ABC", "aBcd", "b", "bx", "cx", "z", "zzz", "svc-01", "svc-05", "svc-06", "svc-1", "svc-10", "svc-1é", "svc-2",
            "é", "éa", "xxy", "xxxy", "axc", "a\u{10FFFF}c", "\u{10FFFF}az", "\u{10FFFF}", "aab", "a\nc", "abc\u{10FFFF}\u{10FFFF}",
        ]
        for value in values where pattern.matches(value) { #expect(pattern.mayMatch(value), "\(value)") }
    }

    @Test("bounds rule out what lies elsewhere")
    func boundsRuleOut() throws {
        let pattern = try LabelPattern("svc-0[1-5]|svc-1.*")
        #expect(!pattern.mayMatch("svc-2") && !pattern.mayMatch("api") && !pattern.mayMatch("svc-") && pattern.mayMatch("svc-17"))
        #expect(try LabelPattern(".*z").mayMatch("anything"))
    }
}
