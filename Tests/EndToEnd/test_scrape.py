"""Scraping: every format by negotiation, a node exporter, budgets, targets that do not behave, relabelling shown step by step."""

import json
import os
import shutil
import time

import pytest

from stack import ROOT, Apus, Process, eventually, free_port, http, need
from targets import Target

JOBS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - {{job_name: native, scrape_native_histograms: true, always_scrape_classic_histograms: true, static_configs: [{{targets: ['{protobuf}']}}]}}
  - {{job_name: classic, scrape_protocols: [PrometheusProto], static_configs: [{{targets: ['{protobuf}']}}]}}
  - {{job_name: openmetrics, static_configs: [{{targets: ['{openmetrics}']}}]}}
  - {{job_name: nhcb, convert_classic_histograms_to_nhcb: true, static_configs: [{{targets: ['{openmetrics}']}}]}}
  - {{job_name: text, extra_scrape_metrics: true, static_configs: [{{targets: ['{text}']}}]}}
  - {{job_name: legacy, metric_name_validation_scheme: legacy, static_configs: [{{targets: ['{text}']}}]}}
  - {{job_name: blank, static_configs: [{{targets: ['{blank}']}}]}}
  - {{job_name: fallback, fallback_scrape_protocol: PrometheusText0.0.4, static_configs: [{{targets: ['{blank}']}}]}}
  - job_name: node
    keep_dropped_targets: 2
    static_configs: [{{targets: ['{node}', 'a:1', 'b:1', 'c:1']}}]
    relabel_configs:
      - {{source_labels: [__address__], regex: '127.*', action: keep}}
      - {{source_labels: [__address__], regex: '(.*):.*', target_label: host}}
scrape_config_files: ['more*.yml']
"""


@pytest.fixture(scope="module")
def scraping(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scrape")
    targets = {kind: Target(kind) for kind in ("protobuf", "openmetrics", "text", "blank")}
    node = free_port()
    apus = Apus(folder / "apus", config="prometheus: prometheus.yml\n")
    (apus.folder / "prometheus.yml").write_text(JOBS.format(node=f"127.0.0.1:{node}", **{name: target.address for name, target in targets.items()}))
    (apus.folder / "more1.yml").write_text(f"scrape_configs: [{{job_name: more, static_configs: [{{targets: ['{targets['text'].address}']}}]}}]\n")
    exporter = Process("node-exporter", [need("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{node}"], folder)
    try:
        apus.start()
        eventually(lambda: len(apus.prom("up")) == 10 and apus.value('sum(up)') == 9, 30, what="all targets but one up")
        yield apus, targets
    finally:
        exporter.stop()
        if apus.process.alive():
            apus.stop()
        for target in targets.values():
            target.stop()


def test_each_target_is_asked_as_prometheus_asks(scraping):
    _, targets = scraping
    protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6"
    assert any(accept.startswith(protobuf + ",application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,") for accept in targets["protobuf"].accepts)
    assert protobuf + ",*/*;q=0.5" in targets["protobuf"].accepts
    assert ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2") in targets["text"].accepts
    assert any("escaping=underscores" in accept for accept in targets["text"].accepts)


def test_native_histograms_come_by_protobuf(scraping):
    apus, _ = scraping
    native = apus.prom('fake_latency_seconds{job="native"}')[0]["histogram"][1]
    assert (native["count"], native["sum"]) == ("4", "2.5")
    assert apus.value('histogram_count(fake_float{job="native"})') == 2.5
    assert apus.value('fake_latency_seconds_bucket{job="native",le="1.0"}') == 3
    # Without them the same target has classic buckets alone.
    assert apus.prom('fake_latency_seconds{job="classic"}') == []
    assert apus.value('fake_latency_seconds_count{job="classic"}') == 4
    exemplars = apus.get("/api/v1/query_exemplars", query='fake_requests_total{job="native"}', start=time.time() - 60, end=time.time() + 60).json()["data"]
    assert exemplars[0]["exemplars"][0]["labels"] == {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}


def test_classic_histograms_become_native_ones_with_custom_bounds(scraping):
    apus, _ = scraping
    found = apus.prom('fake_latency_seconds{job="nhcb"}')[0]["histogram"][1]
    assert found["count"] == "4"
    assert [bucket[3] for bucket in found["buckets"]] == ["1", "2", "1"]
    assert apus.prom('fake_latency_seconds_bucket{job="nhcb"}') == []
    assert apus.value('fake_latency_seconds_bucket{job="openmetrics",le="1.0"}') == 3
    # Created lines are series unless the feature is on.
    assert len(apus.prom('fake_requests_created{job="openmetrics"}')) == 1


def test_names_that_are_utf8_come_where_they_are_asked_for(scraping):
    apus, _ = scraping
    assert len(apus.prom('{"fake.requests","http.code"="200",job="text"}')) == 1
    assert apus.prom('{"fake.requests",job="legacy"}') == []
    assert apus.value('fake_requests_total{job="more"}') > 0
    assert apus.value('scrape_timeout_seconds{job="text"}') == 0.9
    assert apus.value('scrape_body_size_bytes{job="text"}') > 50


def test_an_answer_that_does_not_say_what_it_is_needs_a_fallback(scraping):
    apus, _ = scraping
    targets = {target["scrapePool"]: target for target in apus.get("/api/v1/targets").json()["data"]["activeTargets"]}
    assert targets["blank"]["health"] == "down"
    assert targets["blank"]["lastError"].startswith("non-compliant scrape target sending blank Content-Type")
    assert targets["fallback"]["health"] == "up"


def test_the_node_exporter_is_scraped_and_dropped_targets_are_shown(scraping):
    apus, _ = scraping
    assert apus.value('node_memory_MemTotal_bytes{job="node",host="127.0.0.1"}') > 0
    data = apus.get("/api/v1/targets", state="dropped").json()["data"]
    assert data["activeTargets"] == []
    assert data["droppedTargetCounts"]["node"] == 3
    assert [target["discoveredLabels"]["__address__"] for target in data["droppedTargets"]] == ["a:1", "b:1"]
    metadata = apus.get("/api/v1/targets/metadata", match_target='{job="node"}', metric="node_load1").json()["data"]
    assert metadata == [{"target": metadata[0]["target"], "type": "gauge", "help": "1m load average.", "unit": ""}]
    assert apus.get("/api/v1/targets/metadata", match_target='{job="native"}', metric="fake_latency_seconds").json()["data"][0]["unit"] == "seconds"


def test_relabelling_is_shown_step_by_step(scraping):
    apus, _ = scraping
    labels = json.dumps({"__address__": "127.0.0.1:9100", "job": "node"})
    steps = apus.get("/api/v1/targets/relabel_steps", scrapePool="node", labels=labels).json()["data"]["steps"]
    assert steps[0] == {"rule": {"source_labels": ["__address__"], "separator": ";", "regex": "127.*", "replacement": "$1", "action": "keep"},
                        "output": {"__address__": "127.0.0.1:9100", "job": "node"}, "keep": True}
    assert steps[1]["output"]["host"] == "127.0.0.1"
    steps = apus.get("/api/v1/targets/relabel_steps", scrapePool="node", labels='{"__address__": "a:1"}').json()["data"]["steps"]
    assert [(step["keep"], step["output"]) for step in steps] == [(False, {}), (False, {})]
    assert apus.get("/api/v1/targets/relabel_steps", scrapePool="none", labels="{}").status == 400
    yaml = apus.get("/api/v1/scrape_pools/config", scrapePool="node").json()["data"]["yaml"]
    assert "keep_dropped_targets: 2" in yaml


def test_federation_gives_native_histograms_in_protobuf(scraping):
    apus, _ = scraping
    match = {"match[]": '{job="native",__name__=~"fake_.*"}'}
    text = apus.get("/federate", **match)
    assert text.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "fake_requests_total{" in text.text and "fake_latency_seconds{" not in text.text
    accept = {"Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.3"}
    binary = apus.get("/federate", headers=accept, **match)
    assert binary.headers["Content-Type"].startswith("application/vnd.google.protobuf")
    # Read again by the scraper itself.
    relay = Target("body")
    relay.answer_body = lambda request: request.send(apus.get("/federate", headers=accept, **match).body, binary.headers["Content-Type"])
    other = Apus(apus.folder.parent / "federated", config="prometheus: prometheus.yml\n")
    (other.folder / "prometheus.yml").write_text(
        "scrape_configs: [{job_name: f, scrape_interval: 1s, scrape_timeout: 900ms, honor_labels: true, scrape_native_histograms: true, "
        f"static_configs: [{{targets: ['{relay.address}']}}]}}]\n")
    try:
        other.start()
        eventually(lambda: other.value('histogram_count(fake_latency_seconds{job="native"})') == 4, 20, what="a federated histogram")
    finally:
        other.stop()
        relay.stop()


def test_a_target_that_explodes_is_held_to_its_budget(tmp_path):
    exploded = Target("body", "".join(f'users{{user="u{i}",region="r{i % 3}"}} 1\n' for i in range(500)).encode() + b"healthy 1\n")
    many = Target("body", b"".join(b"m%d 1\n" % i for i in range(400)))
    apus = Apus(tmp_path, config="prometheus: prometheus.yml\nscrape_budget: {target_series: 300, metric_series: 100}\n")
    (apus.folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 900ms}\nscrape_configs:\n"
        f"  - {{job_name: exploded, static_configs: [{{targets: ['{exploded.address}']}}]}}\n"
        f"  - {{job_name: many, static_configs: [{{targets: ['{many.address}']}}]}}\n")
    try:
        apus.start()
        eventually(lambda: apus.value('count(users)') == 100 and apus.value('up{job="many"}') == 0, 20, what="budgets")
        assert apus.value("healthy") == 1
        targets = {target["scrapePool"]: target for target in apus.get("/api/v1/targets").json()["data"]["activeTargets"]}
        error = targets["exploded"]["lastError"]
        assert targets["exploded"]["health"] == "up"
        assert f'metric "users" of target http://{exploded.address}/metrics' in error and '"user" has the most values (500)' in error
        assert targets["many"]["health"] == "down" and "more than 300 series (400 in this scrape)" in targets["many"]["lastError"]
        metrics = apus.get("/metrics").text
        assert 'apus_scrape_budget_exceeded_total{scrape_job="many",budget="target"}' in metrics
        assert 'apus_scrape_budget_refused_samples_total{scrape_job="exploded",budget="metric"}' in metrics
        # Without budgets all of it is taken.
        (apus.folder / "apus.yaml").write_text("prometheus: prometheus.yml\nscrape_budget: {target_series: 0, metric_series: 0}\n")
        assert apus.post("/-/reload").status == 200
        eventually(lambda: apus.value("count(users)") == 500 and apus.value('up{job="many"}') == 1, 20, what="no budgets")
    finally:
        apus.stop()
        exploded.stop()
        many.stop()


def test_targets_that_do_not_behave_harm_nobody_else(tmp_path):
    good = [Target("text") for _ in range(5)]
    bad = [Target(kind) for kind in ["drip"] * 5 + ["silence"] * 5 + ["endless"] * 2]
    apus = Apus(tmp_path, config="prometheus: prometheus.yml\nscrape_budget: {body_size: 8MB}\n")
    (apus.folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 900ms}\nscrape_configs:\n"
        f"  - {{job_name: good, static_configs: [{{targets: {json.dumps([target.address for target in good])}}}]}}\n"
        f"  - {{job_name: bad, static_configs: [{{targets: {json.dumps([target.address for target in bad])}}}]}}\n")
    try:
        apus.start()
        eventually(lambda: len(apus.prom('up{job="bad"} == 0')) == 12, 30, what="the bad ones are down")
        time.sleep(5)
        # No scrape of the good ones was missed or failed.
        assert min(float(one["value"][1]) for one in apus.prom('count_over_time(up{job="good"}[5s])')) >= 3
        assert apus.value('min(min_over_time(up{job="good"}[5s]))') == 1
        assert apus.value('max(scrape_duration_seconds{job="good"})') < 0.9
        errors = {target["scrapeUrl"]: target["lastError"] for target in apus.get("/api/v1/targets", scrapePool="bad").json()["data"]["activeTargets"]}
        kinds = {target.kind: errors[f"http://{target.address}/metrics"] for target in bad}
        assert "context deadline exceeded" in kinds["drip"] and "context deadline exceeded" in kinds["silence"]
        assert "body size limit exceeded" in kinds["endless"] or "context deadline exceeded" in kinds["endless"]
        # What is given up is closed: connections do not pile up.
        assert sum(target.open for target in bad) <= 10
        assert apus.process.memory_mib() < 400
    finally:
        apus.stop()
        for target in good + bad:
            target.stop()


def test_a_wrong_file_is_refused_with_its_place(tmp_path):
    apus = Apus(tmp_path, config="prometheus: prometheus.yml\n")
    (apus.folder / "prometheus.yml").write_text("scrape_configs:\n  - job_name: a\n    scrape_protocols: [PrometheusText2]\n")
    apus.process = Process("apus", apus.argv(), apus.folder)
    apus.process.child.wait(20)
    assert apus.process.child.returncode == 78
    assert 'prometheus.yml:3:24: unknown scrape protocol "PrometheusText2"' in apus.process.tail()


def test_the_page_of_targets(scraping):
    playwright = pytest.importorskip("playwright.sync_api")
    apus, _ = scraping
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{apus.base}/targets")
        playwright.expect(page.get_by_test_id("pool-node")).to_contain_text("1 of 1 up, 3 targets dropped by relabelling")
        playwright.expect(page.get_by_test_id("pool-blank")).to_contain_text("blank Content-Type")
        page.get_by_test_id("pool-node").get_by_role("button", name="Details of").click()
        details = page.get_by_test_id("relabel-steps")
        playwright.expect(details.locator("li")).to_have_count(2)
        playwright.expect(details).to_contain_text("host127.0.0.1")
        playwright.expect(details).to_contain_text("keeps the target")
        if os.environ.get("APUS_SCREENSHOTS"):
            page.get_by_label("Search targets").fill("host")
            playwright.expect(page.get_by_test_id("pool-blank")).to_have_count(0)
            page.screenshot(path=ROOT / "docs/images/targets.png")
            page.get_by_label("Search targets").fill("")
        page.get_by_role("tab", name="Dropped").click()
        page.get_by_role("button", name="Details of a:1").click()
        playwright.expect(page.get_by_test_id("relabel-steps")).to_contain_text("drops the target")
        browser.close()
        assert problems == []
