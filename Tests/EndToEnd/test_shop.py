"""A Go backend observed end to end: what a newcomer expects to find after `make up`."""

import json
import time

import pytest

from stack import eventually, http, nanoseconds


@pytest.fixture
def apus(shop):
    return shop.apus


def recent(seconds=900):
    return {"start": nanoseconds() - seconds * 10**9, "end": nanoseconds() + 5 * 10**9}


@pytest.mark.parametrize("query", [
    'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service="orders"}[1m])))',
    'sum by (status) (rate(http_requests_total{service="orders"}[1m]))',
    'histogram_quantile(0.95, sum by (le, operation) (rate(db_query_duration_seconds_bucket{service="orders"}[1m])))',
    'go_goroutines{service="orders"}',
    'go_memstats_heap_inuse_bytes{service="orders"}',
    'process_resident_memory_bytes{service="recommendations"}',
    'node_memory_MemAvailable_bytes{job="node"} > 0',
    'sum(rate(node_cpu_seconds_total[1m]))',
    'apus_build_info',
    'service:http_requests:rate1m{service="orders"} > 0',
])
def test_metrics(apus, query):
    eventually(lambda: apus.prom(query), 40, what=query)


def test_errors_happen_and_are_counted(apus):
    eventually(lambda: apus.prom('sum(http_requests_total{service="orders",status=~"5.."}) > 0'), 60, what="failing requests")


def test_scrape_health(apus):
    assert apus.value('up{job="node"}') == 1
    assert apus.value('up{job="nobody"}') == 0
    assert apus.value('scrape_samples_scraped{job="node"}') > 100
    targets = apus.get("/api/v1/targets").json()["data"]["activeTargets"]
    down = next(target for target in targets if target["labels"]["job"] == "nobody")
    assert down["health"] == "down" and "refused" in down["lastError"].lower()
    assert next(target for target in targets if target["labels"]["job"] == "node")["health"] == "up"


def test_remote_write_from_prometheus_gives_its_answers(shop):
    eventually(lambda: shop.apus.prom('prometheus_build_info{sender="prometheus"}'), 40, what="remote write")
    at = time.time() - 5
    for query in ("prometheus_tsdb_head_series", "sum(prometheus_http_requests_total)", "count({__name__=~'go_.*'})",
                  "rate(process_cpu_seconds_total[15s])", "histogram_quantile(0.9, sum by (le) (prometheus_http_request_duration_seconds_bucket))"):
        theirs = http("GET", f"{shop.prometheus}/api/v1/query?time={at}&query=" + __import__("urllib.parse").parse.quote(query)).json()["data"]["result"]
        ours = shop.apus.prom(query.replace("{__name__=~'go_.*'}", "{__name__=~'go_.*',sender='prometheus'}") if "__name__" in query else
                              query.replace("[15s]", "{sender='prometheus'}[15s]").replace("process_cpu_seconds_total{", "process_cpu_seconds_total{"), time=at)
        strip = lambda result: sorted((tuple(sorted((k, v) for k, v in one["metric"].items() if k != "sender")), one["value"][1]) for one in result)
        assert strip(ours) == strip(theirs), query


def test_logs_of_both_services_with_their_fields(apus):
    for service in ("orders", "recommendations"):
        entries = eventually(lambda: apus.logs(f'{{job="shop"}} | json | service="{service}"', limit=5, **recent()), 40, what=f"logs of {service}")
        line = json.loads(entries[0][2])
        assert {"level", "ts", "service", "msg"} <= line.keys()
    entries = eventually(lambda: apus.logs('{job="shop"} | json | service="orders" | request_id != "" | trace_id != ""', limit=5, **recent()), 40)
    assert entries
    answer = apus.get("/loki/api/v1/query", query='sum by (level) (count_over_time({job="shop"} | json [5m]))', time=nanoseconds())
    assert {result["metric"].get("level") for result in answer.json()["data"]["result"]} >= {"info"}


def test_one_trace_spans_go_postgres_and_swift(apus):
    def found():
        now = int(time.time())
        for summary in apus.traces(q='{ resource.service.name = "recommendations" && kind = server }', start=now - 600, end=now + 5, limit=20):
            spans = apus.spans(summary["traceID"])
            services = {resource["service.name"] for resource, _ in spans}
            databases = [span for _, span in spans if any(a["key"] == "db.system" for a in span.get("attributes", []))]
            # Each service exports by itself, so a parent may come after its children.
            ids = {span["spanId"] for _, span in spans}
            inner = [span for resource, span in spans if resource["service.name"] == "recommendations"]
            hangs = all(span.get("parentSpanId") in ids for span in inner)
            if {"orders", "recommendations"} <= services and databases and hangs:
                return spans
        return None

    assert eventually(found, 60, what="a trace through Go, PostgreSQL and Swift, the Swift spans below the Go ones")


def test_from_a_log_line_to_its_trace_and_back(apus):
    def pair():
        for _, _, line in apus.logs('{job="shop"} | json | service="orders" | trace_id != ""', limit=50, **recent()):
            trace = json.loads(line)["trace_id"]
            if apus.get(f"/api/traces/{trace}").status == 200:
                return trace
        return None

    trace = eventually(pair, 40, what="a log line whose trace is there")
    assert apus.logs(f'{{job="shop"}} |= "{trace}"', **recent())


def test_search_by_duration_and_status(apus):
    now = int(time.time())
    window = {"start": now - 600, "end": now + 5, "limit": 20}
    eventually(lambda: apus.traces(q='{ status = error }', **window), 60, what="failed traces")
    for trace in eventually(lambda: apus.traces(tags="service.name=orders", minDuration="100ms", **window), 60, what="slow traces"):
        assert trace["durationMs"] >= 100 or trace["spanSets"]


def test_a_cpu_flame_graph_names_go_functions(apus):
    def graph():
        types = apus.get("/api/apus/profiles/types").json()["types"]
        chosen = [one for one in types if one["type"].startswith("process_cpu:cpu") and one["service"] == "orders"][0]
        now = int(time.time())
        answer = apus.get("/api/apus/profiles/flamegraph", service="orders", type=chosen["type"], start=now - 600, end=now + 5).json()
        return answer if answer["total"] > 0 else None

    flame = eventually(graph, 90, what="a CPU profile")
    assert any(name.startswith(("main.", "net/http.")) for name in flame["names"])
    assert flame["levels"][0][1] == flame["total"]
    heap = [one for one in apus.get("/api/apus/profiles/types").json()["types"] if one["type"].startswith("memory:inuse_space")]
    assert heap


def test_an_alert_fires_is_shown_and_is_sent(shop):
    apus = shop.apus
    firing = eventually(lambda: [a for a in apus.get("/api/v1/alerts").json()["data"]["alerts"] if a["state"] == "firing"], 40, what="an alert")
    assert {alert["labels"]["alertname"] for alert in firing} == {"TargetDown"}
    assert apus.value('ALERTS{alertname="TargetDown",job="nobody",alertstate="firing"}') == 1
    groups = apus.get("/api/v1/rules").json()["data"]["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert rules["TargetDown"]["state"] == "firing" and rules["service:http_requests:rate1m"]["health"] == "ok"
    message = eventually(lambda: shop.webhook.messages and shop.webhook.messages[0], 40, what="the webhook")
    assert message["version"] == "4" and message["status"] == "firing"
    alert = message["alerts"][0]
    assert alert["labels"]["alertname"] == "TargetDown" and "does not answer" in alert["annotations"]["summary"] and alert["fingerprint"]


def test_services_are_found_by_themselves(apus):
    def services():
        found = {one["name"]: one for one in apus.get("/api/apus/services").json()["services"]}
        return found if {"orders", "recommendations"} <= found.keys() and found["orders"]["spanRate"] > 0 else None

    orders = eventually(services, 40, what="services")["orders"]
    assert 0 < orders["p50"] <= orders["p95"] <= orders["p99"]
    assert set(orders["signals"]) >= {"metrics", "logs", "spans"}


def test_a_kill_in_the_middle_loses_nothing_seen(shop):
    apus = shop.apus
    eventually(lambda: apus.value('sum(count_over_time(node_cpu_seconds_total[5m]))', time=time.time() - 5), 40, what="some history")
    now = int(time.time())
    before = {
        "samples": apus.value('sum(count_over_time(node_cpu_seconds_total[5m]))', time=now - 3),
        "lines": len(apus.logs('{job="shop"}', limit=50_000, start=(now - 600) * 10**9, end=(now - 3) * 10**9)),
        "traces": {trace["traceID"] for trace in apus.traces(q='{ resource.service.name = "orders" }', start=now - 600, end=now - 3, limit=10_000)},
    }
    apus.kill()
    apus.start()
    assert apus.value('sum(count_over_time(node_cpu_seconds_total[5m]))', time=now - 3) == before["samples"]
    assert len(apus.logs('{job="shop"}', limit=50_000, start=(now - 600) * 10**9, end=(now - 3) * 10**9)) >= before["lines"]
    after = {trace["traceID"] for trace in apus.traces(q='{ resource.service.name = "orders" }', start=now - 600, end=now - 3, limit=10_000)}
    assert before["traces"] <= after
    # Tailing goes on where it stood: nothing twice.
    lines = apus.logs('{job="shop"} | json | service="orders" | request_id != ""', limit=50_000, start=(now - 600) * 10**9, end=(now + 60) * 10**9)
    assert len(lines) == len({(t, line) for _, t, line in lines})
