"""LogQL against a real Loki: the same lines are pushed to both, the same queries asked, as an instant and as a range; the answers must be equal.

Skipped without a Loki (LOKI_BINARY names one). LOKI_DIFFERENTIAL_SEED makes other lines and other random queries,
LOKI_DIFFERENTIAL_QUERIES says how many of those.
"""

import json
import math
import os
import random
import time
import urllib.parse

import pytest

from logql_queries import Queries
from loki import Loki, binary
from stack import Apus, eventually, http

SEED = int(os.environ.get("LOKI_DIFFERENTIAL_SEED", "7"))
QUERIES = int(os.environ.get("LOKI_DIFFERENTIAL_QUERIES", "150"))
LINES = 1500


# Data

def json_line(rng, i):
    line = {
        "level": rng.choice(["info", "warn", "error", "debug"]), "status": rng.choice([200, 200, 200, 404, 500]),
        "ms": round(rng.uniform(0.1, 900), rng.randrange(4)), "took": f"{rng.randrange(1, 5000)}ms", "size": rng.choice(["1KB", "2KiB", "512B", "1.5MB"]),
        "user": {"id": rng.randrange(50), "name": rng.choice(["ann", "bob", "Zoë"])}, "tags": ["a", "b"], "ok": rng.random() < 0.5, "nothing": None,
        "addr": f"10.{rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(256)}", "msg": rng.choice(["hello\nthere", 'a "quote"', "plain", "tab\tbed"]),
        "n": i, "job": "from-line", "with-dash": i % 3, "0digit": 1}
    text = json.dumps(line, ensure_ascii=rng.random() < 0.5)
    return text[: rng.randrange(5, len(text))] if rng.random() < 0.04 else text


def logfmt_line(rng, i):
    parts = [f"level={rng.choice(['info', 'warn', 'ERROR', 'debug'])}", f"status={rng.choice([200, 404, 500])}", f"took={rng.randrange(1, 900)}ms",
             f"size={rng.choice(['1KB', '20kB', '3MiB'])}", f"n={i}", 'msg="some \\"quoted\\" text"', "empty=", "flag", f"latency={rng.uniform(0, 3):.3f}",
             f"host.name=h{i % 4}", "job=from-line"]
    if rng.random() < 0.05:
        parts.insert(rng.randrange(len(parts)), rng.choice(['bad"key=1', "a=b=c", '="x"', 'open="never closed']))
    return " ".join(parts)


def text_line(rng, i):
    return (f'{rng.choice(["192.168.4.%d", "10.0.0.%d", "2001:db8::%d"]) % (i % 250)} - - [{i}] "{rng.choice(["GET", "POST", "PUT"])} /api/'
            f'{rng.choice(["orders", "users", "cart"])}/{i} HTTP/1.1" {rng.choice([200, 301, 404, 500])} {rng.randrange(5000)} {rng.uniform(0, 2):.3f}')


def packed_line(rng, i):
    return json.dumps({"_entry": f"inner line {i} level=error", "pod": f"pod-{i % 3}", "count": i})


def coloured_line(rng, i):
    level, colour = rng.choice([("info", 32), ("warn", 33), ("error", 31)])
    return f"\x1b[{colour}mlevel={level}\x1b[0m n={i} took=\x1b[1m{rng.randrange(1, 3000)}ms\x1b[0m status={rng.choice([200, 500])}"


def make_streams(rng, end):
    makers = {"json": json_line, "logfmt": logfmt_line, "text": text_line, "packed": packed_line, "coloured": coloured_line}
    streams = {}
    counter = 0
    for i in range(LINES):
        kind = rng.choice(list(makers))
        labels = {"job": kind, "env": rng.choice(["dev", "prod"]), "instance": f"i{rng.randrange(3)}"}
        # Distinct times off the full second: order and edges are then nobody's choice.
        timestamp = (end - 1800) * 10**9 + i * (1800 * 10**9 // LINES) + rng.randrange(1, 10**8) + 137
        entry = [str(timestamp), makers[kind](rng, i)]
        if rng.random() < 0.3:
            entry.append({"trace": f"t{i % 17}", "shard": str(i % 4), "status": str(i % 2)} if rng.random() < 0.5 else {"trace": f"t{i % 17}"})
        streams.setdefault(json.dumps(labels, sort_keys=True), []).append(entry)
    # A counter with resets.
    value = 0
    for i in range(120):
        value = 3 if i % 37 == 36 else value + rng.randrange(1, 9)
        streams.setdefault(json.dumps({"job": "counter", "env": "dev", "instance": "c"}, sort_keys=True), []).append(
            [str((end - 1800) * 10**9 + i * 15 * 10**9 + 250_000_137), f"value={value}"])
    return [{"stream": json.loads(labels), "values": sorted(values, key=lambda v: int(v[0]))} for labels, values in streams.items()]


# Queries

J, L, T, P, C = ('{job="json"}', '{job="logfmt"}', '{job="text"}', '{job="packed"}', '{job="counter"}')
LINE_QUERIES = [
    J, L, T, P, '{job=~"json|text"}', '{job=~".+", env!="dev"}', '{job!="json", env="prod"}', '{instance!~"i[01]"} |= "level"',
    T + ' |= "GET"', T + ' != "GET"', T + ' |~ "orders|cart"', T + ' !~ "HTTP/1.1\\" (200|301)"', T + ' |~ "(?i)get /API"',
    T + ' |= "GET" or "PUT"', T + ' != "GET" or "PUT"', T + ' |~ "orders" or "users/1.*"', T + ' |> "<_> - - [<_>] \\"GET <_>"', T + ' !> "<_>GET<_>"',
    T + ' |= ip("192.168.4.0/24")', T + ' |= ip("192.168.4.5-192.168.4.40")', T + ' != ip("10.0.0.0/8")', T + ' |= ip("2001:db8::/32")', T + ' |= `"GET`',
    J + " | json", J + ' | json | status >= 500', J + ' | json | status = 200 and ms > 100', J + ' | json | took > 2s', J + ' | json | size >= 1KB',
    J + ' | json | level = "error" or status = 404', J + ' | json | user_name = "Zoë"', J + ' | json | addr = ip("10.1.0.0/16")', J + ' | json | addr != ip("10.1.0.0/16")',
    J + ' | json | __error__ = ""', J + ' | json | __error__ != ""', J + ' | json | __error__ =~ "JSON.*"', J + ' | json | msg > 5', J + ' | json | msg > 5 | __error__ = ""',
    J + ' | json id="user.id", name="user[\\"name\\"]"', J + ' | json first="tags[0]", all="tags", u="user"', J + ' | json status, missing="nope"',
    J + ' | json | ms > 10.5, level =~ "info|warn"', J + ' | json | level != "info" status != 200', J + ' | json | (status = 200 or status = 404) and ok = "true"',
    J + ' | json | job_extracted = "from-line"', J + ' | json | with_dash = 1', J + ' | json | status_extracted = 500', J + ' | json | status = "1"',
    J + ' | json | line_format "{{.level}} {{.status}} {{.user_name}}"', J + ' | json | line_format "{{ .msg | upper }} {{ __line__ | len }}"',
    J + ' | json | line_format "{{ printf \\"%05.1f\\" (float64 .ms) }} {{ .took | duration }} {{ .size | bytes }}"',
    J + ' | json | label_format lvl=level, both="{{.level}}-{{.status}}"', J + ' | json | label_format status=ms', J + ' | json | drop level, status', J + ' | json | keep level, status',
    J + ' | json | drop level="info"', J + ' | json | keep level=~"warn|error", job', J + ' | drop env, trace', J + ' | json | drop __error__, __error_details__',
    L + " | logfmt", L + " | logfmt --strict", L + " | logfmt --keep-empty", L + " | logfmt --strict --keep-empty", L + ' | logfmt | latency > 1.5', L + ' | logfmt | took >= 450ms',
    L + ' | logfmt lvl="level", s="status"', L + ' | logfmt msg, host="host.name"', L + ' | logfmt | host_name = "h1"', L + ' | logfmt | msg =~ ".*quoted.*"', L + ' | logfmt | empty = ""',
    L + ' | logfmt --strict | __error__ != ""', L + ' | logfmt | level = "ERROR" | line_format "{{.msg}}"', L + ' | logfmt | size > 10KB', L + ' | logfmt | flag = ""', L + ' | json | logfmt | status = 500',
    L + ' | logfmt | json | status = 404', L + ' | logfmt | size = 20kB', L + ' | logfmt | status != 200', L + ' |= "quoted" | logfmt | n < 300',
    T + ' | pattern "<ip> - - [<n>] \\"<method> <path> <_>\\" <status> <bytes> <took>"', T + ' | pattern "<ip> <_> \\"<method> <_>" | method = "POST"', T + ' | pattern "nothing <like> this"',
    T + ' | regexp "(?P<method>GET|POST|PUT) (?P<path>[^ ]+)"', T + ' | regexp "(?P<method>[A-Z]{3,}) .* (?P<code>[0-9]{3}) " | code >= 400', T + ' | regexp "nothing (?P<x>here)"',
    P + " | unpack", P + ' | unpack | pod = "pod-1"', P + ' | unpack | logfmt | level = "error"', J + " | unpack", '{job=~"json|packed"} | unpack | json',
    '{job=~".+"} | trace = "t3"', '{job=~".+"} | shard > 1', '{job="json"} | detected_level = "error"', L + ' | detected_level = "warn"', T + ' | detected_level = "unknown"',
    '{service_name="json"}', '{job="json"} | json | service_name = "json"', '{job="json"} | decolorize', '{job="nothing"}', J + ' | json | label_format n="{{ add .n 1 }}"',
    J + ' | json | line_format "{{ if eq .level \\"error\\" }}E{{ else }}-{{ end }}{{ .n }}"', J + ' | json | line_format `{{ regexReplaceAll "a(.)" .msg "<$1>" }}`',
    J + ' | json | line_format "{{ .missing }}|{{ .nothing }}"', J + ' | json | line_format "{{ .ms | int }} {{ div (int .n) 7 }} {{ .level | title | trunc 2 }}"',
    J + ' | json | line_format "{{ .status | ToUpper }}{{ .user | default \\"none\\" }}"',
]
W = "[5m]"
METRIC_QUERIES = [
    f"count_over_time({J}{W})", f"rate({L}{W})", f"bytes_over_time({T}{W})", f"bytes_rate({J}{W})", f"sum(count_over_time({J}{W}))", f"sum by (env) (rate({J}{W}))",
    f'sum by (job, env) (count_over_time({{job=~".+"}}{W}))', f'sum without (instance) (count_over_time({{job=~".+"}}{W}))', f"avg by (env) (rate({T}{W}))",
    f"max by (job) (rate({T}{W}))", f"min(rate({T}{W}))", f"count by (env) (rate({T}{W}))", f"stddev(count_over_time({T}{W}))", f"stdvar(count_over_time({T}{W}))",
    f"topk(2, count_over_time({T}{W}))", f"bottomk(2, count_over_time({T}{W}))", f"topk by (env) (1, count_over_time({T}{W}))", f"sort(count_over_time({T}{W}))", f"sort_desc(count_over_time({T}{W}))",
    f"count_over_time({J} | json | __error__ = `` {W})", f"sum by (level) (count_over_time({J} | json | __error__ = `` {W}))", f"sum by (status) (rate({L} | logfmt {W}))",
    f"sum(count_over_time({J} | json | status >= 500 | __error__ = `` {W}))", f"sum by (method) (count_over_time({T} | pattern `<_> \"<method> <_>` {W}))",
    f"sum by (detected_level) (count_over_time({{job=~`.+`}}{W}))", f"sum by (level, detected_level) (count_over_time({J} | drop __error__ {W}))", f"sum(count_over_time({J} |= `error` {W}))",
    f"sum by (trace) (count_over_time({{job=~`.+`}} | trace != `` {W}))", f"sum by (user_name) (count_over_time({J} | json | __error__=`` {W}))",
    *[f"{op}_over_time({J} | json | __error__ = `` | unwrap ms {W}){by}" for op in ("sum", "avg", "max", "min", "stddev", "stdvar", "first", "last")
      for by in ("", " by (env)") if not (op == "sum" and by)],
    f"sum_over_time({J} | json | unwrap ms | __error__ = `` {W})", f"sum by (env) (sum_over_time({J} | json | unwrap duration(took) | __error__ = `` {W}))",
    f"sum by (env) (sum_over_time({J} | json | unwrap duration_seconds(took) | __error__ = `` {W}))", f"max_over_time({J} | json | unwrap bytes(size) | __error__ = `` {W}) by (size)",
    f"quantile_over_time(0.5, {J} | json | unwrap ms | __error__ = `` {W}) by (env)", f"quantile_over_time(0.99, {J} | json | unwrap ms | __error__ = `` {W}) by (env)",
    f"quantile_over_time(0, {L} | logfmt | unwrap latency {W}) by (env)", f"quantile_over_time(1, {L} | logfmt | unwrap latency {W}) by (env)",
    f"rate({J} | json | unwrap ms | __error__ = `` {W})", f"rate_counter({C} | logfmt | unwrap value {W})", f"sum(rate_counter({C} | logfmt | unwrap value [2m]))",
    f"avg_over_time({L} | logfmt | unwrap latency {W}) without (n, instance)", f"max_over_time({J} | json | unwrap n | status >= 500 | __error__ = `` {W}) by (env)",
    f"sum_over_time({J} | json | unwrap user_id | __error__ = `` {W})", f"sum by (env) (sum_over_time({J} | json | unwrap msg | __error__ = `` {W}))",
    f"absent_over_time({{job=`nothing`}}{W})", f"absent_over_time({J}{W})", f"absent_over_time({{job=`nothing`, env=~`.+`, x=`y`}} |= `z` {W})",
    f"count_over_time({J}{W} offset 5m)", f"sum(rate({J}{W} offset 10m))", f"sum(rate({J}{W} offset -2m))", f"sum(count_over_time({J}[1m]))", f"sum(count_over_time({J}[90s]))", f"sum(rate({J}[1h]))",
    f"sum(rate({J}{W})) + 1", f"1 - sum(rate({J}{W}))", f"sum(rate({J}{W})) * 60 / 2", f"sum(count_over_time({J}{W})) % 7", f"sum(count_over_time({J}{W})) ^ 2", f"sum(count_over_time({J}{W})) / 0",
    f"sum by (env) (rate({J}{W})) / sum by (env) (rate({L}{W}))", f"sum by (env) (rate({J}{W})) > 0.05", f"sum by (env) (rate({J}{W})) > bool 0.05", f"count_over_time({J}{W}) == 4",
    f"count_over_time({J}{W}) != bool 4", f"2 > bool 1", "1 + 2 * 3", "-2 ^ 2", "vector(3)", "vector(1) + vector(1)", f"sum(rate({{job=`nothing`}}{W})) or vector(0)", f"10 >= sum(rate({J}{W}))",
    f"sum by (env) (rate({J}{W})) and sum by (env) (rate({L} |= `status=500` {W}))", f"sum by (env) (rate({J}{W})) or sum by (job) (rate({L}{W}))", f"sum by (env) (rate({J}{W})) unless sum by (env) (rate({L} | env = `dev` {W}))",
    f"sum by (env, instance) (count_over_time({J}{W})) / on (env) group_left sum by (env) (count_over_time({L}{W}))", f"sum by (env) (count_over_time({L}{W})) * on (env) group_right sum by (env, instance) (count_over_time({J}{W}))",
    f"sum by (env, instance) (count_over_time({J}{W})) / ignoring (instance) group_left sum by (env) (count_over_time({L}{W}))", f"sum by (env, instance) (count_over_time({J}{W})) + on (env, instance) sum by (env, instance) (count_over_time({L}{W}))",
    f"sum by (env) (count_over_time({J}{W})) + on (env) group_left (job) sum by (env, job) (count_over_time({L}{W}))", f"count_over_time({J}{W}) and on (env) count_over_time({L}{W})",
    f'label_replace(sum by (env) (rate({J}{W})), "e", "$1-x", "env", "(.).*")', f'label_replace(sum by (env) (rate({J}{W})), "e", "static", "nope", "")', f'label_replace(rate({J}{W}), "env", "", "env", "dev")',
    f"sum(sum by (env) (rate({J}{W})) > 0.01)", f"max(sum by (env) (count_over_time({J}{W}))) - min(sum by (env) (count_over_time({J}{W})))", f"avg(sum by (env) (bytes_rate({T}{W})))",
    f"sum by (lvl) (count_over_time({J} | json | label_format lvl=level | __error__=`` {W}))", f"sum by (u) (count_over_time({J} | json u=`user.name` | __error__=`` {W}))", f"count(sum by (n) (count_over_time({L} | logfmt {W})))",
    f"sum(count_over_time({J} | line_format `x` {W}))", f"sum(bytes_over_time({J} | line_format `abc` {W}))", f"sum by (env) (count_over_time({J} | json | msg > 5 | __error__ = `` {W}))",
    # Errors.
    f"sum(count_over_time({J} | json | msg > 5 {W}))", f"sum_over_time({J} | json | unwrap msg {W})", f"rate({J} | json | unwrap level {W})", f"sum by (env) (rate({J}{W})) + on (env) sum by (env, instance) (rate({J}{W}))",
    f"sum by (env, instance) (rate({J}{W})) + ignoring (instance) sum by (env) (rate({J}{W}))", f"sum(rate({J}", "{}", '{job=~".*"}', f"rate({J})", f"sum_over_time({J}{W})", f"count_over_time({J} | unwrap x {W})",
    f"quantile_over_time({J} | unwrap x {W})", f"topk({J})", f"{J} | json |", f"{J} | regexp `x`", f"{J} | pattern `x`", f'{J} |~ "("', f"sum by (x) ({J})", f"rate({J}[5x])",
]


def ask(base, path, parameters):
    answer = http("GET", f"{base}{path}?{urllib.parse.urlencode(parameters)}", headers={"X-Scope-OrgID": "fake"}, timeout=60)
    return answer.status, answer.json() if answer.status == 200 else answer.text


def is_close(a, b):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y))


def shown(labels):
    """The labels of a line. What a template fails with has Go's words for the place in it, which are not ours."""
    if labels.get("__error__") == "TemplateFormatErr":
        labels = {name: value for name, value in labels.items() if name != "__error_details__"}
    return json.dumps(labels, sort_keys=True)


def normal(data):
    """Label sets and what they hold, in an order of our own."""
    if data["resultType"] == "streams":
        found = {}
        for stream in data["result"]:
            found.setdefault(shown(stream["stream"]), []).extend(stream["values"])
        return {labels: sorted(values) for labels, values in found.items()}
    if data["resultType"] == "scalar":
        # Loki has milliseconds where seconds belong.
        time, value = data["result"]
        return {"": [[time / 1000 if time > 10**11 else time, value]]}
    # A label without a value is none, to us.
    return {
        json.dumps({name: value for name, value in s["metric"].items() if value}, sort_keys=True): s.get("values") or [s["value"]] for s in data["result"]}


def by_time(found):
    """The values at each time, whosever they are."""
    values = {}
    for samples in found.values():
        for time, value in samples:
            values.setdefault(float(time), []).append(float(value))
    return {time: sorted(values) for time, values in values.items()}


def difference(theirs, ours, query=""):
    """What differs; None where nothing does."""
    (their_status, their_body), (our_status, our_body) = theirs, ours
    # Loki calls a fault of the question one of its own (500) where sides do not match.
    if their_status == 500 and our_status == 400 and kind(their_body) in ("many-to-many", "multiple matches"):
        their_status = 400
    if their_status != our_status:
        return f"status {their_status} and {our_status}: {str(their_body)[:300]!r} and {str(our_body)[:300]!r}"
    if their_status != 200:
        # The words may differ where the parsers do; the kind of error and its place must not.
        return None if kind(their_body) == kind(our_body) else f"{their_body[:300]!r} and {our_body[:300]!r}"
    a, b = their_body["data"], our_body["data"]
    if a["resultType"] != b["resultType"]:
        return f"{a['resultType']} and {b['resultType']}"
    x, y = normal(a), normal(b)
    if "topk" in query or "bottomk" in query:
        # Which of equal ones is taken is left to chance, there.
        p, q = by_time(x), by_time(y)
        is_same = p.keys() == q.keys() and all(len(p[time]) == len(q[time]) and all(map(is_close, p[time], q[time])) for time in p)
        return None if is_same else f"values {sorted(p.items())[:3]} and {sorted(q.items())[:3]}"
    if x.keys() != y.keys():
        return f"only Loki: {sorted(x.keys() - y.keys())[:2]}; only Apus: {sorted(y.keys() - x.keys())[:2]}"
    for key in x:
        if a["resultType"] == "streams":
            if x[key] != y[key]:
                return f"{key}: {[v for v in x[key] if v not in y[key]][:2]} and {[v for v in y[key] if v not in x[key]][:2]}"
            continue
        if [float(t) for t, _ in x[key]] != [float(t) for t, _ in y[key]]:
            return f"{key}: at {[t for t, _ in x[key]][:6]}… and {[t for t, _ in y[key]][:6]}…"
        for (t, v), (_, w) in zip(x[key], y[key]):
            if not is_close(v, w):
                return f"{key} at {t}: {v} and {w}"
    return None


def kind(message):
    for part in ("parse error at line", "parse error :", "pipeline error", "many-to-many", "multiple matches", "require at least one", "query_range"):
        if part in message:
            return part
    return ""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    binary("LOKI_BINARY", "Loki")
    folder = tmp_path_factory.mktemp("loki")
    loki, apus = Loki(folder / "loki"), Apus(folder / "apus")
    apus.start()
    loki.start()
    try:
        end = int(time.time()) // 60 * 60
        streams = make_streams(random.Random(SEED), end)
        for base in (loki.base, apus.base):
            answer = http("POST", base + "/loki/api/v1/push", json.dumps({"streams": streams}).encode(), {"Content-Type": "application/json"}, timeout=60)
            assert answer.status == 204, (base, answer.text)
        yield loki.base, apus.base, end
    finally:
        apus.stop()
        loki.stop()


def compare(both, queries, requests):
    theirs, ours, _ = both
    failures, with_data = [], 0
    for query in queries:
        for path, parameters in requests:
            expected = ask(theirs, path, {"query": query, **parameters})
            problem = difference(expected, ask(ours, path, {"query": query, **parameters}), query)
            if problem:
                failures.append(f"{query}\n    {path.rsplit('/', 1)[1]}: {problem}")
                break
            with_data += bool(expected[0] == 200 and expected[1]["data"]["result"])
    print(f"loki differential: seed {SEED}: {len(queries)} queries, {with_data} answers with data, {len(failures)} queries differ")
    assert not failures, f"seed {SEED}: {len(failures)} of {len(queries)} differ:\n" + "\n".join(failures)


def test_lines_are_those_of_loki(both):
    end = both[2]
    window = {"start": (end - 1800) * 10**9, "end": end * 10**9, "limit": 2000}
    compare(both, LINE_QUERIES, [
        ("/loki/api/v1/query_range", {**window, "direction": "forward"}), ("/loki/api/v1/query_range", {**window, "limit": 20}),
        ("/loki/api/v1/query_range", {**window, "interval": "30s", "direction": "forward"})])


def test_numbers_are_those_of_loki(both):
    end = both[2]
    compare(both, METRIC_QUERIES, [
        ("/loki/api/v1/query", {"time": end * 10**9}), ("/loki/api/v1/query", {"time": (end - 700) * 10**9}),
        ("/loki/api/v1/query_range", {"start": (end - 1500) * 10**9, "end": end * 10**9, "step": "60s"}),
        ("/loki/api/v1/query_range", {"start": (end - 1490) * 10**9, "end": (end - 7) * 10**9, "step": "37s"})])


def test_random_lines_are_those_of_loki(both):
    end, queries = both[2], Queries(random.Random(SEED))
    window = {"start": (end - 1800) * 10**9, "end": end * 10**9, "limit": 2000}
    compare(both, [queries.logs()[1] for _ in range(QUERIES)], [("/loki/api/v1/query_range", {**window, "direction": "forward"})])


def test_random_numbers_are_those_of_loki(both):
    end, queries = both[2], Queries(random.Random(SEED))
    compare(both, [queries.metric() for _ in range(QUERIES)], [
        ("/loki/api/v1/query", {"time": (end - 60) * 10**9}), ("/loki/api/v1/query_range", {"start": (end - 1490) * 10**9, "end": (end - 7) * 10**9, "step": "47s"})])


def test_queries_are_laid_out_as_loki_does(both):
    failures = []
    queries = Queries(random.Random(SEED))
    for query in LINE_QUERIES + METRIC_QUERIES + [queries.logs()[1] for _ in range(QUERIES)] + [queries.metric() for _ in range(QUERIES)]:
        answers = [http("GET", f"{base}/loki/api/v1/format_query?{urllib.parse.urlencode({'query': query})}") for base in both[:2]]
        assert answers[0].status == answers[1].status, query
        # Loki rounds sizes, to another query.
        if answers[0].status == 200 and "KiB" not in query and answers[0].json()["data"] != answers[1].json()["data"]:
            failures.append(f"{query}\n    {answers[0].json()['data']!r}\n    {answers[1].json()['data']!r}")
    assert not failures, "\n".join(failures)


def test_metadata_is_that_of_loki(both):
    end = both[2]
    window = {"start": (end - 1800) * 10**9, "end": end * 10**9}
    for path, parameters in [
        ("labels", {}), ("labels", {"query": '{job="json"}'}), ("label/env/values", {}), ("label/instance/values", {"query": '{job="text"}'}), ("series", {"match[]": '{job="json"}'}),
        ("series", {"match[]": "{}"})]:
        theirs, ours = (ask(base, f"/loki/api/v1/{path}", {**window, **parameters}) for base in both[:2])
        key = lambda value: sorted(json.dumps(one, sort_keys=True) for one in value[1].get("data", []))
        assert (theirs[0], key(theirs)) == (ours[0], key(ours)), path
    for query in ('{job="json"}', '{job="logfmt"}', '{job="text"}', '{job="json"} | json'):
        theirs, ours = (ask(base, "/loki/api/v1/detected_fields", {**window, "query": query, "line_limit": 2000})[1] for base in both[:2])
        shape = lambda answer: {f["label"]: (f["type"] if f["label"] != "msg" else "", f.get("parsers"), f.get("jsonPath")) for f in answer.get("fields", [])}
        assert shape(theirs) == shape(ours), query
