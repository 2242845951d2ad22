import Settings
import Telemetry
import Testing

@testable import Collectors

@Suite("Redaction")
struct RedactorTests {
    static func redactor(_ yaml: String) throws -> Redactor {
        Redactor(try RedactionRule.read(try ConfigurationNode.parse(yaml, file: "apus.yaml")))
    }

    @Test("a named pattern finds what it is named for, and nothing else", arguments: [
        ("email", "mail bob.b+x@example.co.uk now", "mail <redacted:email> now"), ("email", "user@localhost a@b", "user@localhost a@b"),
        ("card_number", "card 4111 1111 1111 1111 ok", "card <redacted:card_number> ok"), ("card_number", "id 4111111111111112", "id 4111111111111112"),
        ("card_number", "ts 1795353599502805712", "ts 1795353599502805712"), ("card_number", "amex=378282246310005.", "amex=<redacted:card_number>."),
        ("bearer_token", "Authorization: Bearer abc.def-123_456==", "Authorization: Bearer <redacted:bearer_token>"), ("bearer_token", "bearer of news", "bearer of news"),
        ("basic_auth", "authorization: basic dXNlcjpwYXNz", "authorization: basic <redacted:basic_auth>"),
        ("url_password", "postgres://bob:hunter2@db:5432/x", "postgres://bob:<redacted:url_password>@db:5432/x"),
        ("jwt", "t=eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJ end", "t=<redacted:jwt> end"), ("aws_access_key", "k AKIAIOSFODNN7EXAMPLE", "k <redacted:aws_access_key>"),
        ("ip", "from 10.1.2.3:80 to 2001:db8::1 at 13:20:00", "from <redacted:ipv4>:80 to <redacted:ipv6> at 13:20:00"), ("ip", "v1.2.3 999.1.1.1", "v1.2.3 999.1.1.1"),
        ("ipv4", "::1 and 1.1.1.1", "::1 and <redacted:ipv4>"),
    ])
    func named(name: String, text: String, expected: String) throws {
        #expect(try Self.redactor("[\(name)]").redact(text) == expected)
    }

    @Test("own expressions replace with groups, one after the other")
    func own() throws {
        let redactor = try Self.redactor(#"[{name: session, regex: '(session=)\w+', replace: '${1}***'}, {name: pin, regex: 'pin \d+'}, email]"#)
        #expect(redactor.redact("session=abc pin 123 a@b.de") == "session=*** <redacted:pin> <redacted:email>")
        #expect(redactor.replacementCounts.isEmpty)
    }

    @Test("lines and structured metadata of a batch are redacted, all else stays, and it is counted")
    func batch() throws {
        let redactor = try Self.redactor("[email]")
        var batch = LogBatch()
        let trace = try #require(TraceID(hex: "0102030405060708090a0b0c0d0e0f10"))
        let entries = [
            LogEntry(timestamp: 1, line: "nothing"), LogEntry(timestamp: 2, line: "a@b.de c@d.de", metadata: Labels(["user": "x@y.de", "k": "v"]), traceID: trace),
            LogEntry(timestamp: 3, line: "żółć"),
        ]
        batch.streams = [LogBatch.Stream(labels: Labels(["a": "b"]), entries: entries), LogBatch.Stream(labels: .empty, entries: [entries[0]])]
        let result = redactor.redact(batch)
        let rows = Array(result.streams[0].entries)
        #expect(rows.map(\.line) == ["nothing", "<redacted:email> <redacted:email>", "żółć"])
        #expect(rows[1].metadata == Labels(["user": "<redacted:email>", "k": "v"]) && rows[1].traceID == trace && rows[2].timestamp == 3)
        #expect(redactor.replacementCounts.map(\.count) == [3])
    }

    @Test("what is no rule is refused with its place", arguments: [
        ("[mail]", "did you mean \"email\"?"), ("[{name: a}]", "regex is missing"), ("[{name: a, regex: '('}]", "could not compile"),
        ("[{name: a, regex: 'x*'}]", "matches an empty text"),
    ])
    func refused(yaml: String, message: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try Self.redactor(yaml) }
        #expect(error?.description.contains(message) == true)
    }
}
