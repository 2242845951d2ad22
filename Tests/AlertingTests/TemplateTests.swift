import Telemetry
import Testing

@testable import Alerting

@Suite("Template")
struct TemplateTests {
    static let labels = Labels(["instance": "web-1.example.org:8080", "job": "shop"])

    static func expand(_ text: String, value: TemplateValue = .double(1_234.5)) async throws -> String {
        let context = TemplateContext(externalURL: "http://apus/prefix", now: 1_700_000_000_000) { query in
            query == "none"
                ? [] : [(Labels(["__name__": "up", "job": "b"]), 2), (Labels(["__name__": "up", "job": "a"]), 1)]
        }
        return try await Template(text, name: "t").expand(
            labels: labels, value: value, externalLabels: Labels(["region": "eu"]), context: context)
    }

    @Test(
        "expands what Prometheus expands",
        arguments: [
            ("plain", "plain"),
            ("{{ $labels.job }}/{{ .Labels.job }}/{{$labels.missing}}.", "shop/shop/."),
            ("{{ $value }}", "1234.5"),
            ("{{ $labels }}", "map[instance:web-1.example.org:8080 job:shop]"),
            ("{{ $externalLabels.region }} {{ $externalURL }}", "eu http://apus/prefix"),
            ("{{ printf \"%.2f\" $value }}", "1234.50"),
            ("{{ $value | printf \"%08.1f|%d\" }}", "001234.5|%!d(MISSING)"),
            ("{{ printf \"%-6s|%5d|%q|%x|%+d|%%\" \"ab\" 42 \"c\" 255 7 }}", "ab    |   42|\"c\"|ff|+7|%"),
            ("{{ $value | humanize }} {{ humanize1024 2048.0 }} {{ humanizePercentage 0.1234 }}", "1.234k 2ki 12.34%"),
            (
                "{{ humanizeDuration 93784.5 }} {{ humanizeDuration 0.0012 }} {{ humanizeDuration -61 }}",
                "1d 2h 3m 4s 1.2ms -1m 1s"
            ),
            ("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"),
            ("{{ if gt $value 1000.0 }}high{{ else }}low{{ end }}", "high"),
            ("{{ if eq $labels.job \"x\" \"y\" }}a{{ else if eq $labels.job \"shop\" }}b{{ else }}c{{ end }}", "b"),
            ("{{ with $labels.missing }}{{ . }}{{ else }}none{{ end }}", "none"),
            ("{{ range query \"up\" }}{{ .Labels.job }}={{ .Value }};{{ end }}", "b=2;a=1;"),
            (
                "{{ range $i, $x := query \"up\" | sortByLabel \"job\" }}{{ $i }}{{ $x | label \"job\" }}{{ end }}",
                "0a1b"
            ),
            ("{{ query \"up\" | first | value }}", "2"),
            ("{{ range query \"none\" }}x{{ else }}empty{{ end }}", "empty"),
            ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
            ("a {{- \" b \" -}} c", "a b c"),
            ("{{/* said to nobody */}}x", "x"),
            ("{{ `raw \\n` }}{{ \"q\\t\\u00e9\" }}", "raw \\nq\té"),
            ("{{ define \"t\" }}<{{ .arg0 }}|{{ .arg1 }}>{{ end }}{{ template \"t\" (args 1 \"x\") }}", "<1|x>"),
            ("{{ reReplaceAll \"(.*)-(.*)\" \"$2.$1\" \"a-b\" }} {{ match \"^a\" \"ab\" }}", "b.a true"),
            ("{{ title \"hello world\" }} {{ toUpper \"a\" }} {{ toLower \"B\" }}", "Hello World A b"),
            (
                "{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }} {{ stripPort \"[::1]:80\" }}",
                "web-1.example.org web-1:8080 ::1"
            ),
            ("{{ pathPrefix }} {{ tableLink \"up == 0\" }}", "/prefix /graph?g0.expr=up+%3D%3D+0&g0.tab=1"),
            (
                "{{ len $labels }} {{ index $labels \"job\" }} {{ slice \"abcd\" 1 3 }} {{ print 1 2 \"a\" \"b\" 3 }}",
                "2 shop bc 1 2ab3"
            ),
            ("{{ and 1 0 }} {{ or \"\" \"x\" }} {{ not true }} {{ parseDuration \"1h30m\" }}", "0 x false 5400"),
            ("{{ toTime 1700000000 }} {{ toDuration 90 }}", "2023-11-14 22:13:20 +0000 UTC 1m30s"),
            ("{{ range query \"up\" }}{{ if eq .Value 1.0 }}{{ continue }}{{ end }}{{ .Value }}{{ end }}", "2"),
        ])
    func expands(text: String, expected: String) async throws {
        #expect(try await Self.expand(text) == expected)
    }

    @Test(
        "numbers print as Go prints them",
        arguments: [
            (0.0, "0"), (1, "1"), (-0.5, "-0.5"), (100_000, "100000"), (1_000_000, "1e+06"),
            (123_456_789, "1.23456789e+08"), (0.0001, "0.0001"),
            (0.00001, "1e-05"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1.5e300, "1.5e+300"),
        ])
    func numbers(value: Double, text: String) async throws {
        #expect(try await Self.expand("{{ $value }}", value: .double(value)) == text)
    }

    @Test(
        "a mistake shows when the template is parsed",
        arguments: [
            ("{{ $label.x }}", "undefined variable \"$label\""), ("{{ nope }}", "function \"nope\" not defined"),
            ("{{ if true }}", "unexpected EOF"), ("{{ end }}", "unexpected {{end}}"),
            ("{{ 1 + 2 }}", "bad number syntax"),
            ("{{ $value", "unclosed action"), ("{{ \"a }}", "unterminated quoted string"),
            ("{{ }}", "missing value for command"),
            ("{{ ($value }}", "unexpected end of the action"), ("{{ $x := 1 }}{{ $y }}", "undefined variable \"$y\""),
            ("a\nb{{ $z }}", "template: t:2:"), ("{{ break }}", "{{break}} outside {{range}}"),
            ("{{ $value | 1 }}", "non executable command"),
        ])
    func mistakes(text: String, message: String) throws {
        let error = try #require(throws: TemplateError.self) { try Template(text, name: "t") }
        #expect(error.description.contains(message), "\(error)")
    }

    @Test(
        "a mistake that only shows when expanded is an error, not a crash",
        arguments: [
            "{{ .Nothing }}", "{{ $value.x }}", "{{ query \"none\" | first }}", "{{ humanize \"x\" }}",
            "{{ gt 1 \"a\" }}",
            "{{ index $labels 1 }}", "{{ template \"missing\" }}",
            "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
            "{{ slice \"a\" 2 }}", "{{ match \"(\" \"a\" }}", "{{ range 5.5 }}{{ end }}", "{{ printf 1 }}",
            "{{ toDuration 1e300 }}",
        ])
    func failures(text: String) async throws {
        await #expect(throws: TemplateError.self) { try await Self.expand(text) }
    }

    @Test("every cut of a template is parsed or refused without harm")
    func cuts() {
        let text =
            "{{ define \"t\" }}{{ range $i, $x := query `up` }}{{- if eq $x.Value 1.5e3 }}{{ $i | printf \"%5.2f\" }}{{ else }}{{/* c */}}{{ end -}}{{ end }}{{ end }}"
        for count in 0...text.count { _ = try? Template(String(text.prefix(count)), name: "t") }
    }
}
