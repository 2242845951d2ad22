"""What Apus was sent goes on to others: Debian's Prometheus and another Apus as receivers, which are down for a while, with kill -9 in
between. Nothing acknowledged is missing, and every series arrives in order."""

import json
import time
import urllib.parse

from stack import Apus, Process, eventually, free_port, http as call, need
from wire import REMOTE_WRITE_HEADERS, remote_write

SERIES = 8
REMOTE = """
global: {{scrape_interval: 1s, external_labels: {{replica: a}}}}
scrape_configs: [{scrapes}]
remote_write:
  - url: {url}/api/v1/write
    name: next
    send_exemplars: true
    send_native_histograms: true
    protobuf_message: {message}
    queue_config: {{batch_send_deadline: 200ms, min_backoff: 50ms, max_backoff: 500ms, min_shards: 3, max_samples_per_send: 20}}
"""


class Receiver:
    """Debian's Prometheus, taking remote writes."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        folder.mkdir()
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        self.start()

    def start(self):
        self.process = Process("prometheus", [
            need("prometheus"), f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver", "--enable-feature=native-histograms"], self.folder)
        eventually(lambda: call("GET", self.base + "/-/ready").status == 200, what="Prometheus is ready")

    def stop(self):
        self.process.stop()


def sender(folder, url, message="prometheus.WriteRequest", scrapes=""):
    apus = Apus(folder, config="prometheus: prometheus.yml\n")
    (folder / "prometheus.yml").write_text(REMOTE.format(url=url, message=message, scrapes=scrapes))
    apus.start()
    return apus


def push(apus, start, step):
    series = [({"__name__": "walk", "i": str(i)}, [(start + step * 1000, float(step * 10 + i))]) for i in range(SERIES)]
    assert apus.post("/api/v1/write", remote_write(series), REMOTE_WRITE_HEADERS).status == 204


def matrix(base, query, at):
    answer = call("GET", f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": at})).json()
    assert answer["status"] == "success", answer
    return {row["metric"].get("i"): row for row in answer["data"]["result"]}


def arrived(base, start, steps):
    """Whether all samples of those steps are there: each once, in order, with their values."""
    rows = matrix(base, "walk[1h]", start // 1000 + 3000)
    assert len(rows) == SERIES, sorted(rows)
    for i in range(SERIES):
        row = rows[str(i)]
        assert row["metric"]["replica"] == "a"
        expected = [[start / 1000 + step, str(step * 10 + i)] for step in steps]
        assert row["values"] == expected, (i, len(row["values"]), len(expected))
    return True


def run_through(apus, start, stop_receiver, start_receiver):
    """Sixty steps: the receiver goes at 15 and comes back at 45, Apus is killed at 30."""
    for step in range(60):
        if step == 15:
            stop_receiver()
        if step == 30:
            apus.kill()
            apus.start()
        if step == 45:
            start_receiver()
        push(apus, start, step)
        time.sleep(0.02)


def test_prometheus_gets_everything_though_it_was_down_and_apus_killed(tmp_path):
    receiver = Receiver(tmp_path / "receiver")
    apus = sender(tmp_path / "apus", receiver.base)
    start = (int(time.time()) - 600) * 1000
    run_through(apus, start, receiver.stop, receiver.start)
    eventually(lambda: arrived(receiver.base, start, range(60)), 60, what="all samples are at Prometheus")
    metrics = apus.get("/metrics").text
    assert f'prometheus_remote_storage_samples_pending{{remote_name="next",url="{receiver.base}/api/v1/write"}} 0' in metrics
    assert "prometheus_remote_storage_samples_retried_total" in metrics
    assert 'prometheus_remote_storage_samples_failed_total{remote_name="next"' in metrics
    # A stop in the middle and another start send nothing twice that Prometheus would refuse, and leave nothing out.
    assert apus.stop() == 0
    apus.start()
    push(apus, start, 60)
    eventually(lambda: arrived(receiver.base, start, range(61)), 30, what="the sample after the restart is at Prometheus")
    assert apus.stop() == 0
    receiver.stop()


def test_another_apus_gets_everything_by_remote_write_2(tmp_path):
    receiver = Apus(tmp_path / "receiver")
    receiver.start()
    target = free_port()
    apus = sender(tmp_path / "apus", receiver.base, "io.prometheus.write.v2.Request",
                  f"{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{receiver.port}', '127.0.0.1:{target}']}}]}}")
    start = (int(time.time()) - 600) * 1000
    run_through(apus, start, receiver.kill, receiver.start)
    eventually(lambda: arrived(receiver.base, start, range(60)), 60, what="all samples are at the other Apus")

    # Histograms, exemplars and metadata go along, and so does what was scraped.
    now = time.time_ns()
    point = {"startTimeUnixNano": str(now - 10**9), "timeUnixNano": str(now), "count": "3", "sum": 4, "scale": 1,
             "positive": {"offset": 0, "bucketCounts": ["1", "2"]},
             "exemplars": [{"timeUnixNano": str(now), "asDouble": 1, "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7"}]}
    metric = {"name": "wait", "unit": "s", "description": "How long.", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    body = {"resourceMetrics": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                 "scopeMetrics": [{"metrics": [metric]}]}]}
    assert apus.post("/v1/metrics", json.dumps(body).encode(), {"Content-Type": "application/json"}).status == 200
    eventually(lambda: receiver.value('histogram_count(wait_seconds{job="shop",replica="a"})') == 3, what="a native histogram")
    found = eventually(lambda: receiver.get("/api/v1/query_exemplars", query="wait_seconds", start=now / 1e9 - 60, end=now / 1e9 + 60).json()["data"], what="an exemplar")
    assert found[0]["exemplars"][0]["labels"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    # The only sample of its family, sent once: what is known of it stood beside it.
    eventually(lambda: receiver.get("/api/v1/metadata").json()["data"].get("wait_seconds")
               == [{"type": "histogram", "help": "How long.", "unit": "seconds"}], what="metadata")
    eventually(lambda: receiver.value(f'up{{instance="127.0.0.1:{receiver.port}",replica="a"}}') == 1, what="a scraped sample")
    eventually(lambda: receiver.value(f'up{{instance="127.0.0.1:{target}",replica="a"}}') == 0, what="the sample of a failed scrape")
    assert 'prometheus_remote_storage_samples_failed_total{remote_name="next",url="' + receiver.base + '/api/v1/write"} 0' in apus.get("/metrics").text
    assert apus.stop() == 0
    assert receiver.stop() == 0


def test_a_sender_of_remote_write_2_hears_how_much_was_written(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    headers = {**REMOTE_WRITE_HEADERS, "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
    answer = apus.post("/api/v1/write", b"\x00", headers)
    assert answer.status == 204 and answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "0"
    assert apus.post("/api/v1/write", b"\x00", {**headers, "Content-Type": "application/x-protobuf;proto=other"}).status == 415
    assert apus.stop() == 0
