"""Random LogQL queries over the lines of test_loki_differential.py: one seed, the same queries."""

JSON, LOGFMT, TEXT, PACKED, COLOURED = "json", "logfmt", "text", "packed", "coloured"
PATTERN = '| pattern "<ip> - - [<n>] \\"<method> <path> <_>\\" <status> <bytes> <took>"'
REGEXP = '| regexp "(?P<method>[A-Z]{3,}) (?P<path>/api/(?P<kind>[a-z]+)/[0-9]+) HTTP.* (?P<status>[0-9]{3}) (?P<bytes>[0-9]+)"'
# By kind of line: what its parser finds, by what may be asked of it.
FIELDS = {
    JSON: {"text": ["level", "user_name", "msg", "ok"], "number": ["status", "ms", "n", "user_id", "with_dash"], "duration": ["took"], "bytes": ["size"], "ip": ["addr"]},
    LOGFMT: {"text": ["level", "msg", "host_name"], "number": ["status", "n", "latency"], "duration": ["took"], "bytes": ["size"], "ip": []},
    TEXT: {"text": ["method", "path"], "number": ["status", "bytes"], "duration": [], "bytes": ["bytes"], "ip": ["ip"]},
    PACKED: {"text": ["pod"], "number": [], "duration": [], "bytes": [], "ip": []},
    COLOURED: {"text": ["level"], "number": ["status", "n"], "duration": ["took"], "bytes": [], "ip": []},
}
NEEDLES = {
    JSON: ["error", "plain", "Zo", "200", "10.1.", "level", "tags"], LOGFMT: ["level=", "ERROR", "quoted", "took=1", "h1"],
    TEXT: ["GET", "orders", "192.168", "HTTP", "cart/1"], PACKED: ["inner", "pod-1", "error"], COLOURED: ["warn", "\\u001b[31m", "took"],
}
STREAM_FILTERS = ["", ', env="dev"', ', env!="dev"', ', instance=~"i[01]"', ', instance!~"i0|i1"']
VALUES = {"level": ["info", "warn", "error", "ERROR"], "user_name": ["ann", "Zoë"], "msg": ["plain"], "ok": ["true"], "host_name": ["h1", "h3"],
          "method": ["GET", "PUT"], "path": ["/api/orders/7"], "pod": ["pod-1"]}
NUMBERS = {"status": [200, 301, 404, 500], "ms": [10, 99.5, 450], "n": [7, 300, 900], "user_id": [3, 25], "with_dash": [0, 1], "latency": [0.5, 1.75], "bytes": [0, 999, 2500]}


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"'


class Queries:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def selector(self, kind):
        return f'{{job="{kind}"{self.rng.choice(STREAM_FILTERS)}}}'

    def line_filter(self, kind):
        needle = self.rng.choice(NEEDLES[kind])
        other = self.rng.choice(NEEDLES[kind])
        choices = [
            f"|= {quoted(needle)}", f"!= {quoted(needle)}", f"|= {quoted(needle)} or {quoted(other)}", f"!= {quoted(needle)} or {quoted(other)}",
            f"|~ {quoted(self.pick('[0-9]{3}', '(?i)ERR', 'e.*o', '^.{1,120}$', 'a|b'))}", f"!~ {quoted(self.pick('50[0-9]', 'debug|warn', '(?i)get'))}",
            f"|> {quoted(self.pick('<_>e<_>', '<_>200<_>', '<_> <_>', 'level=<_> status=<_>'))}", f"!> {quoted(self.pick('<_>500<_>', '<_>error<_>'))}"]
        if kind in (TEXT, JSON):
            choices += [f'{self.pick("|=", "!=")} ip("{self.pick("192.168.4.0/24", "10.0.0.0/8", "10.1.0.0-10.2.255.255", "10.0.0.17", "2001:db8::/32")}")']
        return self.rng.choice(choices)

    def parser(self, kind):
        if kind == JSON:
            return self.rng.choice(["| json"] * 4 + ['| json level, status, ms, took="took", size', '| json user_id="user.id", user_name="user.name", level="level"',
                                                     '| json first="tags[0]", second="tags[1]", status="status"'])
        if kind == LOGFMT:
            return self.rng.choice(["| logfmt"] * 4 + ["| logfmt --strict", "| logfmt --keep-empty", "| logfmt --strict --keep-empty", '| logfmt level, s="status", took'])
        if kind == TEXT:
            return self.rng.choice([PATTERN, PATTERN, REGEXP])
        return "| unpack" if kind == PACKED else self.rng.choice(["| decolorize | logfmt", "| logfmt", "| decolorize"])

    def simple_label_filter(self, kind):
        fields = FIELDS[kind]
        what = self.rng.choice([name for name, labels in fields.items() if labels])
        label = self.rng.choice(fields[what])
        compare = self.pick(">", ">=", "<", "<=", "=", "!=", "==")
        if what == "text":
            value = self.rng.choice(VALUES[label])
            return self.rng.choice([f'{label}="{value}"', f'{label}!="{value}"', f'{label}=~"{value[:2]}.*"', f'{label}!~".*{value[-2:]}"', f'{label}=""', f'{label}!=""'])
        if what == "duration":
            return f"{label} {compare} {self.pick('450ms', '2s', '0.3s', '1m30s')}"
        if what == "bytes" and kind != TEXT:
            return f"{label} {compare} {self.pick('1KB', '2KiB', '20kB', '1MB', '512B')}"
        if what == "ip":
            return f'{label} {self.pick("=", "!=")} ip("{self.pick("10.1.0.0/16", "10.0.0.0-10.0.127.255", "192.168.4.7")}")'
        return f"{label} {compare} {self.rng.choice(NUMBERS.get(label, [1]))}"

    def label_filter(self, kind):
        one, two = self.simple_label_filter(kind), self.simple_label_filter(kind)
        return "| " + self.rng.choice([one, one, one, f"{one} or {two}", f"{one} and {two}", f"{one}, {two}", f"({one} or {two}) and {self.simple_label_filter(kind)}",
                                       '__error__=""', '__error__!=""', 'detected_level=~"info|warn|error"', 'trace!=""', 'shard > 1'])

    def template(self, kind):
        fields = FIELDS[kind]
        text = self.rng.choice(fields["text"])
        number = self.rng.choice(fields["number"] or fields["text"])
        return self.rng.choice([
            "{{.%s}}" % text, "{{.%s}}-{{.%s}}" % (text, number), "{{ .%s | upper | trunc 3 }}" % text, "{{ .%s | replace \\\"r\\\" \\\"R\\\" }}" % text,
            "{{ .%s | default \\\"none\\\" }}" % text, "{{ if .%s }}y{{ else }}n{{ end }}" % text, "{{ if and (ne .%s \\\"\\\") (contains \\\"r\\\" .%s) }}r{{ end }}" % (text, text),
            "{{ __line__ | trunc 20 }}", "{{ __timestamp__ | unixEpoch }} {{ .%s }}" % text, "{{ printf \\\"%%6s|%%-6s\\\" .%s .%s }}" % (text, number),
            "{{ .%s | lower | title }}" % text, "{{ .%s | trimPrefix \\\"e\\\" | trimSuffix \\\"o\\\" }}" % text, "{{ repeat 2 .%s }}" % text, "{{ .%s | len }}" % text,
            "{{ regexReplaceAll \\\"[aeiou]\\\" .%s \\\"_\\\" }}" % text, "{{ regexReplaceAllLiteral \\\"r(.)\\\" .%s \\\"$1\\\" }}" % text, "{{ substr 1 3 .%s }}" % text,
            "{{ .%s | indent 2 }}" % text, "{{ .%s | b64enc }}" % text, "{{ .%s | b64enc | b64dec }}" % text, "{{ .%s | urlencode }}" % text, "{{ count \\\"e\\\" .%s }}" % text,
            "{{ alignLeft 5 .%s }}|{{ alignRight 7 .%s }}" % (text, text), "{{ .%s | int | add 1 }}" % number, "{{ mul (int .%s) 3 }} {{ sub (int .%s) 1 }} {{ mod (int .%s) 7 }}" % (number, number, number),
            "{{ max (int .%s) 250 }} {{ min (int .%s) 250 }}" % (number, number), "{{ round (float64 .%s) 1 }}" % number, "{{ addf (float64 .%s) 0.5 | floor }}" % number,
            "{{ range $i, $x := (fromJson \\\"[1,2]\\\") }}{{ $i }}{{ $x }};{{ end }}", "{{ hasPrefix \\\"e\\\" .%s }}{{ hasSuffix \\\"o\\\" .%s }}" % (text, text),
            "{{ .%s | ToLower }}{{ .%s | ToUpper }}" % (text, text), "{{ Replace .%s \\\"e\\\" \\\"3\\\" 1 }}" % text, "{{ .missing }}{{ .%s }}" % text, "{{ with .%s }}<{{ . }}>{{ end }}" % text])

    def stage(self, kind):
        fields = FIELDS[kind]
        label = self.rng.choice(fields["text"] + fields["number"])
        other = self.rng.choice(fields["text"])
        return self.rng.choice([
            self.label_filter(kind), self.label_filter(kind), self.label_filter(kind), self.line_filter(kind), f'| line_format "{self.template(kind)}"', f'| line_format "{self.template(kind)}"',
            f"| label_format made={label}", f'| label_format made="{self.template(kind)}"', f'| label_format {other}="{self.template(kind)}", second={label}', f"| drop {label}", f'| drop {other}="{VALUES[other][0]}"',
            f"| keep {label}, {other}", f'| keep {other}=~"{VALUES[other][0][:1]}.+"', "| drop __error__, __error_details__", "| decolorize"])

    def logs(self, kind=None, stages=3, parses=0.85):
        kind = kind or self.pick(JSON, JSON, LOGFMT, LOGFMT, TEXT, PACKED, COLOURED)
        parts = [self.selector(kind)]
        while self.rng.random() < 0.3:
            parts.append(self.line_filter(kind))
        if self.rng.random() < parses:
            parts.append(self.parser(kind))
            changed = False
            for _ in range(self.rng.randrange(stages)):
                stage = self.stage(kind)
                # Loki looks at a condition while it parses, whatever made or took away the label between: such queries have no one answer.
                if changed and not stage.startswith(("| line_format", "|=", "!=", "|~", "!~", "|>", "!>")):
                    continue
                changed = changed or stage.startswith(("| keep", "| drop", "| label_format"))
                parts.append(stage)
        return kind, " ".join(parts)

    # Numbers

    def window(self):
        offset = self.pick("", "", "", "", " offset 4m", " offset -1m", " offset 90s")
        return f"[{self.pick('1m', '5m', '5m', '90s', '10m')}]{offset}"

    def grouping(self, kind):
        labels = ["env", "instance", "job", "detected_level", self.rng.choice(FIELDS[kind]["text"])]
        chosen = ", ".join(self.rng.sample(labels, self.rng.randrange(1, 3)))
        return self.pick(f"by ({chosen})", f"by ({chosen})", f"without ({chosen})", "")

    def plain_range(self):
        kind, logs = self.logs(stages=2, parses=0.5)
        return kind, f"{self.pick('count_over_time', 'rate', 'bytes_over_time', 'bytes_rate', 'count_over_time')}({logs} | __error__=`` {self.window()})"

    def unwrapped_range(self):
        kind = self.pick(JSON, JSON, LOGFMT)
        fields = FIELDS[kind]
        label, conversion = self.rng.choice([(name, "{}") for name in fields["number"]] + [("took", "duration({})"), ("took", "duration_seconds({})"), ("size", "bytes({})")])
        filters = self.pick("", "", " " + self.label_filter(kind))
        logs = f"{self.selector(kind)} {self.pick('| json', '| json') if kind == JSON else '| logfmt'}{filters} | unwrap {conversion.format(label)} | __error__=``"
        operation = self.pick("sum", "avg", "max", "min", "stddev", "stdvar", "first", "last", "quantile", "rate", "rate_counter", "avg", "max")
        if operation == "quantile":
            call = f"quantile_over_time({self.pick('0', '0.25', '0.5', '0.9', '0.99', '1')}, {logs} {self.window()})"
        elif operation in ("rate", "rate_counter"):
            call = f"{operation}({logs} {self.window()})"
        else:
            call = f"{operation}_over_time({logs} {self.window()})"
        if operation not in ("sum", "rate", "rate_counter"):
            call += " " + self.pick("", "by (env)", "by (env, instance)", "without (n, instance)", f"by ({self.rng.choice(fields['text'])})")
        return kind, call

    def range(self):
        return self.plain_range() if self.rng.random() < 0.6 else self.unwrapped_range()

    def aggregation(self):
        kind, inner = self.range()
        operation = self.pick("sum", "sum", "sum", "avg", "max", "min", "count", "stddev", "stdvar", "topk", "bottomk", "sort", "sort_desc")
        if operation in ("sort", "sort_desc"):
            return kind, f"{operation}({inner})"
        number = f"{self.pick(1, 2, 3)}, " if operation in ("topk", "bottomk") else ""
        grouping = self.grouping(kind)
        return kind, self.rng.choice([f"{operation} {grouping} ({number}{inner})", f"{operation}({number}{inner}) {grouping}"])

    def counted(self, labels):
        _, logs = self.logs(stages=2, parses=0.3)
        return f"sum by ({labels}) ({self.pick('count_over_time', 'rate')}({logs} | __error__=`` {self.window()}))"

    def binary(self):
        arithmetic = self.pick("+", "-", "*", "/", "%", "^")
        comparison = self.pick("==", "!=", ">", ">=", "<", "<=") + self.pick("", " bool")
        number = self.pick("2", "0.5", "-1", "100")
        return self.rng.choice([
            f"{self.aggregation()[1]} {self.pick(arithmetic, comparison)} {number}", f"{number} {self.pick(arithmetic, comparison)} {self.aggregation()[1]}",
            f"{self.counted('env')} {self.pick(arithmetic, comparison)} {self.counted('env')}", f"{self.counted('env, instance')} {self.pick('and', 'or', 'unless')} {self.counted('env, instance')}",
            f"{self.counted('env, instance')} {arithmetic} on (env) group_left {self.counted('env')}", f"{self.counted('env')} {arithmetic} ignoring (instance) group_right {self.counted('env, instance')}",
            f"{self.counted('env, job')} {self.pick('and', 'unless')} on (env) {self.counted('env, instance')}", f"{self.counted('env, instance')} {arithmetic} on (env, instance) {self.counted('env, instance')}",
            f"({self.counted('env')} {arithmetic} {number}) {self.pick('+', '*')} vector({self.pick(2, 0.5)})"])

    def metric(self):
        draw = self.rng.random()
        if draw < 0.3:
            return self.range()[1]
        if draw < 0.7:
            return self.aggregation()[1]
        if draw < 0.9:
            return self.binary()
        return self.rng.choice([
            f'label_replace({self.aggregation()[1]}, "new", "{self.pick("$1", "x-$1", "")}", "{self.pick("env", "instance", "missing")}", "{self.pick("(.*)", "(d).*", "i([0-9])")}")',
            f"absent_over_time({self.logs(stages=1)[1]} {self.window()})", f"max({self.counted('env')}) - min({self.counted('env')})", f"count(sum by (n) ({self.plain_range()[1]}))"])
