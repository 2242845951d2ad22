"""promtool's work on the command line, and Debian's promtool itself against Apus."""

import json
import struct
import subprocess
import time

import pytest

from stack import APUS, ROOT, Apus, http, need
from wire import REMOTE_WRITE_HEADERS, field, remote_write, snappy, varint

SHARED = ROOT.parent / "shared/conformance"


def apus(*arguments, text="", cwd=None):
    return subprocess.run([str(APUS), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120, cwd=cwd)


def promtool(*arguments, text=None, cwd=None):
    return subprocess.run([need("promtool"), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60, cwd=cwd)


METRICS = """# TYPE a_total gauge
a_total 1
# HELP b_ms foo
# TYPE b_ms counter
b_ms 3
http_latency_gauge_x{leX="1"} 2
camelCase_kilobytes 1
foo:bar 1
# HELP h x
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 1
h_sum 1
h_count 1
"""

RULES = """groups:
  - name: g
    rules:
      - {record: 'job:up:sum', expr: 'sum by (job) (up)'}
      - {alert: Down, expr: up == 0, for: 2m, annotations: {summary: '{{ $labels.instance }} is down'}}
"""

TESTS = """rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series: [{series: 'up{job="a", instance="x"}', values: '1 0x5'}]
    promql_expr_test: [{expr: 'job:up:sum', eval_time: 0, exp_samples: [{labels: 'job:up:sum{job="a"}', value: %s}]}]
    alert_rule_test: [{eval_time: 4m, alertname: Down, exp_alerts: [{exp_labels: {job: a, instance: x}, exp_annotations: {summary: x is down}}]}]
"""


@pytest.mark.parametrize("text", [METRICS, "# HELP a_total x\n# TYPE a_total counter\na_total 1\n", "a 1\nb{ 2\n"])
def test_check_metrics_says_what_promtool_says(text):
    ours, theirs = apus("check", "metrics", text=text), promtool("check", "metrics", text=text)
    assert ours.returncode == theirs.returncode
    if theirs.returncode != 1:
        assert ours.stderr == theirs.stderr
    else:
        assert ours.stderr.startswith("error while linting:")


@pytest.mark.parametrize("rules", [RULES, RULES.replace("sum by (job) (up)", "sum by (job) (up"), RULES + RULES.split("rules:\n")[1].splitlines()[0] + "\n"])
def test_check_rules_exits_as_promtool_does(rules, tmp_path):
    (tmp_path / "rules.yml").write_text(rules)
    for extra in ([], ["--lint-fatal"]):
        ours = apus("check", "rules", *extra, "rules.yml", cwd=tmp_path)
        theirs = promtool("check", "rules", *extra, "rules.yml", cwd=tmp_path)
        assert ours.returncode == theirs.returncode, ours.stdout + ours.stderr
        assert ours.stdout == theirs.stdout
    if rules != RULES and "duplicate" not in ours.stderr:
        assert "rules.yml:4:" in ours.stderr


@pytest.mark.parametrize("value", [1, 2])
def test_test_rules_says_what_promtool_says(value, tmp_path):
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS % value)
    ours, theirs = apus("test", "rules", "tests.yml", cwd=tmp_path), promtool("test", "rules", "tests.yml", cwd=tmp_path)
    assert ours.returncode == theirs.returncode == value - 1
    assert (ours.stdout + ours.stderr).split() == (theirs.stdout + theirs.stderr).split()


def test_test_promql_prints_what_failed_and_a_closing_line(tmp_path):
    (tmp_path / "a.test").write_text("load 1m\n  m 1 2 3\n\neval instant at 1m m\n  m 2\n\neval instant at 1m m\n  m 5\n")
    answer = apus("test", "promql", "a.test", cwd=tmp_path)
    assert answer.returncode == 1
    lines = answer.stdout.splitlines()
    assert lines[-1] == "1 passed, 1 failed"
    assert lines[0].startswith("a.test:7:") and "expected 5" in lines[0] and "got 2" in lines[0]


@pytest.mark.skipif(not SHARED.exists(), reason="reads ../shared, which this checkout does not have")
def test_prometheus_scripts_pass():
    answer = apus("test", "promql", *sorted((SHARED / "promql/scripts").glob("*.test")))
    assert answer.stdout.splitlines()[-1] == "1276 passed, 0 failed", answer.stdout[-2000:]


@pytest.mark.parametrize(("language", "good", "bad"), [
    ("promql", "sum by (a) (rate(x[5m]))", "sum(("), ("logql", '{a="b"} |= "x" | json', "{"), ("traceql", '{ .a = "b" } | count() > 1', "{ .a = }")])
def test_check_query_answers_line_by_line(language, good, bad):
    answer = apus("check", "query", language, text=f"{json.dumps(good)}\n{json.dumps(bad)}\nnonsense\n{json.dumps(good)}\n")
    assert answer.returncode == 1
    lines = answer.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["ok", "error", "error", "ok"]


# Against a server

@pytest.fixture(scope="module")
def server(tmp_path_factory):
    instance = Apus(tmp_path_factory.mktemp("promtool"))
    instance.start()
    now = int(time.time()) * 1000
    series = [({"__name__": "requests_total", "job": "api", "status": status}, [(now - 600_000 + 15_000 * i, float(i * factor)) for i in range(41)])
              for status, factor in (("200", 10), ("500", 1))]
    assert instance.post("/api/v1/write", remote_write(series), REMOTE_WRITE_HEADERS).status == 204
    instance.now = now // 1000
    yield instance
    assert instance.stop() == 0


def test_promtool_checks_the_server(server):
    for what in ("healthy", "ready"):
        answer = promtool("check", what, f"--url={server.base}")
        if "expected command but got" in answer.stderr:
            pytest.skip("this promtool has no `check healthy` yet (2.44 brought it)")
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_promtool_queries_the_server(server):
    instant = promtool("query", "instant", "-o", "json", server.base, "sum by (job) (increase(requests_total[5m]))")
    assert json.loads(instant.stdout)[0]["metric"] == {"job": "api"}
    over = promtool("query", "range", "-o", "json", "--start", server.now - 300, "--end", server.now, "--step", "60s", server.base, "requests_total")
    assert [len(one["values"]) for one in json.loads(over.stdout)] == [6, 6]
    assert promtool("query", "labels", server.base, "status").stdout.split() == ["200", "500"]
    assert promtool("query", "series", "--match", "requests_total", server.base).stdout.count("requests_total") == 2


def test_promtool_lints_what_the_server_exposes(server):
    answer = promtool("check", "metrics", text=http("GET", f"{server.base}/metrics").text)
    assert answer.returncode == 0, answer.stderr


def test_federation_gives_the_last_samples(server):
    answer = server.get("/federate", **{"match[]": 'requests_total{status="500"}'})
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.text == f'# TYPE requests_total untyped\nrequests_total{{job="api",status="500",instance=""}} 40 {server.now * 1000}\n'


def test_remote_read_gives_stored_samples(server):
    matcher = field(2, b"__name__") + field(3, b"requests_total")
    query = b"\x08" + varint((server.now - 30) * 1000) + b"\x10" + varint(server.now * 1000) + field(3, matcher)
    answer = http("POST", f"{server.base}/api/v1/read", snappy(field(1, query)),
                  {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Read-Version": "0.1.0"})
    assert answer.status == 200 and answer.headers["Content-Encoding"] == "snappy"
    assert answer.headers["Content-Type"] == "application/x-protobuf"
    assert len(answer.body) > 40


def test_explain_shows_the_plan(server):
    plan = server.get("/api/v1/explain", query="sum by (job) (rate(requests_total[5m]))", time=server.now).json()["data"]["plan"]
    assert plan["operator"] == "sum" and plan["series"] == 1 and plan["samples"] > 20 and plan["milliseconds"] > 0


def test_experimental_parts_wait_for_their_flag(server, tmp_path):
    refused = server.get("/api/v1/query", query="mad_over_time(requests_total[5m])")
    assert refused.status == 400 and 'function \\"mad_over_time\\" is not enabled' in refused.text
    other = Apus(tmp_path, arguments=["--enable-feature=promql-experimental-functions,promql-duration-expr"])
    other.start()
    try:
        assert other.get("/api/v1/query", query="mad_over_time(x[5m + 1m])").status == 200
        assert other.get("/api/v1/query", query="x anchored").status == 400
        assert "promql-duration-expr" in other.get("/api/v1/status/flags").json()["data"]["enable-feature"]
    finally:
        other.stop()
