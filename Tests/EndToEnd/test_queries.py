"""Errors of queries are the peers' own; promtool asks Apus as it asks Prometheus."""

import json
import subprocess
import time

import pytest

from stack import Apus, eventually, http, need, nanoseconds
from wire import REMOTE_WRITE_HEADERS, remote_write


@pytest.fixture(scope="module")
def apus(tmp_path_factory):
    instance = Apus(tmp_path_factory.mktemp("queries"))
    instance.start()
    now = int(time.time()) * 1000
    series = [({"__name__": "requests_total", "job": "api", "status": status}, [(now - 600_000 + 15_000 * i, float(i * factor)) for i in range(41)])
              for status, factor in (("200", 10), ("500", 1))]
    assert instance.post("/api/v1/write", remote_write(series), REMOTE_WRITE_HEADERS).status == 204
    lines = [[str(nanoseconds() - 10**9 * (60 - i)), json.dumps({"level": "info" if i % 5 else "error", "status": 200 if i % 5 else 500, "n": i})]
             for i in range(50)]
    push = {"streams": [{"stream": {"job": "app", "env": "test"}, "values": lines}]}
    assert instance.post("/loki/api/v1/push", json.dumps(push).encode(), {"Content-Type": "application/json"}).status == 204
    instance.now = now / 1000
    yield instance
    assert instance.stop() == 0


def test_promtool_queries(apus):
    promtool = need("promtool")
    instant = subprocess.run([promtool, "query", "instant", "-o", "json", apus.base, "sum by (job) (rate(requests_total[5m]))"],
                             capture_output=True, text=True, check=True)
    (sample,) = json.loads(instant.stdout)
    assert sample["metric"] == {"job": "api"}
    assert float(sample["value"][1]) == pytest.approx(11 / 15)
    over = subprocess.run([promtool, "query", "range", "-o", "json", "--start", str(int(apus.now) - 300), "--end", str(int(apus.now)), "--step", "60s",
                           apus.base, 'requests_total{status="200"}'], capture_output=True, text=True, check=True)
    assert len(json.loads(over.stdout)[0]["values"]) == 6
    labels = subprocess.run([promtool, "query", "labels", apus.base, "status"], capture_output=True, text=True, check=True)
    assert labels.stdout.split() == ["200", "500"]
    series = subprocess.run([promtool, "query", "series", "--match", "requests_total", apus.base], capture_output=True, text=True, check=True)
    assert series.stdout.count("requests_total") == 2


def test_prometheus_json_to_the_letter(apus):
    answer = apus.get("/api/v1/query", query='requests_total{status="500"}', time=apus.now)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"__name__": "requests_total", "job": "api", "status": "500"}, "value": [apus.now, "40"]}]}}
    assert apus.get("/api/v1/query", query="1/0", time=4).json() == {
        "status": "success", "data": {"resultType": "scalar", "result": [4, "+Inf"]}}
    assert apus.get("/api/v1/labels", start=apus.now - 900).json() == {"status": "success", "data": ["__name__", "job", "status"]}
    posted = apus.post("/api/v1/query", b"query=vector(1)&time=4", {"Content-Type": "application/x-www-form-urlencoded"})
    assert posted.json()["data"]["result"] == [{"metric": {}, "value": [4, "1"]}]
    assert "features" not in apus.get("/api/v1/status/buildinfo").json()["data"]


@pytest.mark.parametrize(("path", "parameters", "status", "kind", "words"), [
    ("query", {"query": "sum(("}, 400, "bad_data", "parse error"),
    ("query", {"query": "rate(requests_total)"}, 400, "bad_data", "range vector"),
    ("query", {"query": "up", "time": "yesterday"}, 400, "bad_data", "time"),
    ("query_range", {"query": "up", "start": 0, "end": 100000, "step": 1}, 400, "bad_data", "11,000"),
    ("query_range", {"query": "up", "start": 10, "end": 1, "step": 1}, 400, "bad_data", "end"),
    ("query", {"query": 'label_replace(requests_total, "a", "b", "c", "(")'}, 422, "execution", ""),
    ("series", {}, 400, "bad_data", "match"),
])
def test_errors_are_prometheus_errors(apus, path, parameters, status, kind, words):
    answer = apus.get(f"/api/v1/{path}", **parameters)
    assert answer.status == status, answer.text
    body = answer.json()
    assert body["status"] == "error" and body["errorType"] == kind and words in body["error"]


def test_logql(apus):
    window = {"start": nanoseconds() - 600 * 10**9, "end": nanoseconds()}
    assert len(apus.logs('{job="app"}', **window)) == 50
    assert len(apus.logs('{job="app"} |= "error"', **window)) == 10
    assert len(apus.logs('{job="app"} | json | status >= 500', **window)) == 10
    newest = apus.logs('{job="app"}', limit=3, **window)
    assert [json.loads(line)["n"] for _, _, line in newest] == [49, 48, 47]
    answer = apus.get("/loki/api/v1/query", query='sum by (level) (count_over_time({job="app"} | json [10m]))', time=nanoseconds())
    assert {r["metric"]["level"]: r["value"][1] for r in answer.json()["data"]["result"]} == {"info": "40", "error": "10"}
    assert apus.get("/loki/api/v1/labels", **window).json()["data"] == ["env", "job", "service_name"]
    assert apus.get("/loki/api/v1/label/job/values", **window).json()["data"] == ["app"]
    bad = apus.get("/loki/api/v1/query_range", query='{job="app"', **window)
    assert bad.status == 400 and "parse error" in bad.text


def test_a_bad_push_stores_nothing(apus):
    assert apus.post("/loki/api/v1/push", b'{"streams": [{"stream": {"job": "bad"}, "values": [["x", "y"]]}]}', {"Content-Type": "application/json"}).status == 400
    assert apus.post("/api/v1/write", b"\xff\xff\xff", REMOTE_WRITE_HEADERS).status == 400
    assert not apus.logs('{job="bad"}', start=nanoseconds() - 10**12)


def test_evaluated_queries_are_logged_and_rules_come_by_pages(tmp_path):
    apus = Apus(tmp_path / "logged", config="prometheus: prometheus.yml\n")
    groups = [{"name": f"g{i}", "interval": "1s", "rules": [{"record": f"r{i}", "expr": f"vector({i})", "labels": {"team": f"t{i % 2}"}}]} for i in range(3)]
    (apus.folder / "rules.yml").write_text(json.dumps({"groups": groups}))
    (apus.folder / "prometheus.yml").write_text("global: {query_log_file: queries.log}\nrule_files: [rules.yml]\n")
    apus.start()
    assert apus.get("/api/v1/query", query="1 + 1", time=4).status == 200
    assert apus.get("/api/v1/query_range", query="time()", start=0, end=60, step=30).status == 200
    log = lambda: [json.loads(line) for line in (apus.folder / "queries.log").read_text().splitlines()]
    instant, over = [entry for entry in log() if "httpRequest" in entry]
    assert instant["params"] == {"query": "1 + 1", "start": "1970-01-01T00:00:04.000Z", "end": "1970-01-01T00:00:04.000Z", "step": 0}
    assert instant["httpRequest"] == {"method": "GET", "path": "/api/v1/query"}
    assert (over["params"]["query"], over["params"]["step"]) == ("time()", 30)
    assert eventually(lambda: [entry for entry in log() if entry.get("ruleGroup", {}).get("name") == "g2"])[0]["params"]["query"] == "vector(2)"

    pages, token = [], {}
    while token is not None:
        page = apus.get("/api/v1/rules", group_limit=2, **token).json()["data"]
        pages.append([group["name"] for group in page["groups"]])
        token = {"group_next_token": page["groupNextToken"]} if "groupNextToken" in page else None
    assert pages == [["g0", "g1"], ["g2"]]
    found = apus.get("/api/v1/rules", **{"match[]": '{team="t1"}'}).json()["data"]["groups"]
    assert [group["rules"][0]["name"] for group in found] == ["r1"]
    assert apus.stop() == 0
