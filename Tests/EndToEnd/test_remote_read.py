"""Debian's Prometheus reads samples from Apus; native histograms, which its version leaves out of what it reads, come in the answer's bytes."""

import json
import struct
import time
import urllib.parse

from stack import Apus, Process, eventually, free_port, http as call, need
from wire import REMOTE_WRITE_HEADERS, fields, remote_read, remote_write, unsnappy


def test_prometheus_reads_what_apus_has(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    start = (int(time.time()) - 3000) * 1000
    values = [(step * 7 % 13) / 8 if step % 50 else float("nan") for step in range(1000)]
    for series in range(3):
        samples = [(start + step * 2000, value) for step, value in enumerate(values)]
        assert apus.post("/api/v1/write", remote_write([({"__name__": "walk", "i": str(series)}, samples)]), REMOTE_WRITE_HEADERS).status == 204
    point = {"timeUnixNano": str(start * 10**6), "count": "3", "sum": 4, "scale": 1, "positive": {"offset": 0, "bucketCounts": ["1", "2"]}}
    metric = {"name": "wait", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    assert apus.post("/v1/metrics", json.dumps(body).encode(), {"Content-Type": "application/json"}).status == 200

    port = free_port()
    (tmp_path / "reader.yml").write_text(f"remote_read: [{{url: '{apus.base}/api/v1/read', read_recent: true}}]\n")
    reader = Process("prometheus", [
        need("prometheus"), f"--config.file={tmp_path}/reader.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=native-histograms"], tmp_path)
    eventually(lambda: call("GET", f"http://127.0.0.1:{port}/-/ready").status == 200, what="Prometheus is ready")

    def ask(query, at=start / 1000 + 2500):
        answer = call("GET", f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": at})).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    rows = ask("walk[2h]")
    assert [row["metric"]["i"] for row in rows] == ["0", "1", "2"]
    for row in rows:
        assert [float(value[0]) for value in row["values"]] == [start / 1000 + step * 2 for step in range(1000)]
        assert [value[1] for value in row["values"]] == ["NaN" if value != value else f"{value:g}" for value in values]
    # Prometheus reads native histograms since 2.44.0 (its CHANGELOG); Debian 12 has 2.42.
    answer = apus.post("/api/v1/read", remote_read("wait", start - 1000, start + 1000), REMOTE_WRITE_HEADERS)
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "snappy"), answer.text
    series = fields(fields(fields(unsnappy(answer.body))[1][0])[1][0])
    assert 2 not in series, "no samples"
    [histogram] = [fields(content) for content in series[4]]
    number = lambda value: struct.unpack("<d", value.to_bytes(8, "little"))[0]
    assert (number(histogram[2][0]), number(histogram[3][0]), histogram[15]) == (3, 4, [start])
    assert 'route="/api/v1/read"' in apus.get("/metrics").text
    reader.stop()
    assert apus.stop() == 0
