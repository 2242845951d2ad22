"""The whole demonstration as one fixture: PostgreSQL, the Go shop, its Swift neighbour, traffic, a node exporter, Debian's
Prometheus as a remote-write sender, a webhook, and Apus watching all of them."""

import http.server
import json
import os
import subprocess
import threading

import pytest

from stack import APUS, ROOT, Apus, Process, eventually, free_port, http as call, need

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: orders
    static_configs: [{{targets: ['127.0.0.1:{orders}'], labels: {{service: orders}}}}]
  - job_name: recommendations
    static_configs: [{{targets: ['127.0.0.1:{recommendations}'], labels: {{service: recommendations}}}}]
  - job_name: node
    static_configs: [{{targets: ['127.0.0.1:{node}']}}]
  - job_name: apus
    static_configs: [{{targets: ['127.0.0.1:{apus}']}}]
  - job_name: nobody
    static_configs: [{{targets: ['127.0.0.1:{nobody}']}}]
rule_files: [rules.yml]
"""

RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - record: service:http_requests:rate1m
        expr: sum by (service) (rate(http_request_duration_seconds_count[1m]))
      - alert: TargetDown
        expr: up == 0
        for: 2s
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} at {{ $labels.instance }} does not answer"}
"""

CONFIG = """
prometheus: prometheus.yml
logs:
  - {{files: [{logs}/orders.log], labels: {{job: shop, service: orders}}}}
  - {{files: [{logs}/recommendations.log], labels: {{job: shop, service: recommendations}}}}
profiles:
  - {{service: orders, url: 'http://127.0.0.1:{orders}', interval: 5s, seconds: 2}}
alerting:
  webhook: {{url: 'http://127.0.0.1:{webhook}/alerts'}}
"""


class Webhook:
    """Collects what Apus posts to it."""

    def __init__(self):
        self.messages = messages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Shop:
    def __init__(self, apus, webhook, prometheus):
        self.apus, self.webhook, self.prometheus = apus, webhook, prometheus


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    assert APUS.exists(), "build first: scripts/swift-build.sh --build-tests"
    subprocess.run([ROOT / "scripts/build-go.sh", "build"], check=True)
    folder = tmp_path_factory.mktemp("shop")
    for parent in (folder, *folder.parents):  # PostgreSQL's user must be able to walk down to its folder
        if str(parent).startswith("/tmp/"):
            os.chmod(parent, 0o755)
    logs = folder / "logs"
    logs.mkdir()
    ports = {name: free_port() for name in ("orders", "recommendations", "node", "nobody", "postgres", "prometheus")}
    webhook = Webhook()
    apus = Apus(folder / "apus", config=CONFIG.format(logs=logs, webhook=webhook.port, **ports))
    (apus.folder / "prometheus.yml").write_text(PROMETHEUS.format(apus=apus.port, **ports))
    (apus.folder / "rules.yml").write_text(RULES)
    postgres = [ROOT / "scripts/postgres.sh", "start", folder / "postgres", str(ports["postgres"])]
    subprocess.run(postgres, check=True)
    processes = []
    try:
        apus.start()
        otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{apus.otlp}"}
        processes.append(Process("recommendations", [ROOT / ".build/release/recommendations"], folder,
                                 {**otlp, "PORT": str(ports["recommendations"]), "LOG_FILE": str(logs / "recommendations.log")}))
        processes.append(Process("orders", [ROOT / ".run/bin/orders"], folder, {
            **otlp, "PORT": str(ports["orders"]), "LOG_FILE": str(logs / "orders.log"), "SLOW_RATIO": "0.05", "FAIL_RATIO": "0.1",
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{ports['postgres']}/shop?sslmode=disable",
            "RECOMMENDATIONS_URL": f"http://127.0.0.1:{ports['recommendations']}"}))
        processes.append(Process("node-exporter", [need("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{ports['node']}"], folder))
        eventually(lambda: call("GET", f"http://127.0.0.1:{ports['orders']}/healthz").status == 200, what="the shop answers")
        processes.append(Process("traffic", [ROOT / ".run/bin/traffic", "-url", f"http://127.0.0.1:{ports['orders']}", "-rate", "15"], folder, otlp))
        (folder / "sender.yml").write_text(
            "global: {scrape_interval: 1s, external_labels: {sender: prometheus}}\n"
            f"scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{ports['prometheus']}']}}]}}]\n"
            f"remote_write: [{{url: '{apus.base}/api/v1/write'}}]\n")
        processes.append(Process("prometheus", [
            need("prometheus"), f"--config.file={folder}/sender.yml", f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}"], folder))
        yield Shop(apus, webhook, f"http://127.0.0.1:{ports['prometheus']}")
        for process in processes:
            assert process.alive(), f"{process.name} stopped by itself:\n{process.tail()}"
    finally:
        for process in reversed(processes):
            process.stop()
        if apus.process and apus.process.alive():
            apus.stop()
        subprocess.run([ROOT / "scripts/postgres.sh", "stop", folder / "postgres", str(ports["postgres"])], check=False)


@pytest.fixture(scope="session")
def apus_url(shop):
    """Apus with enough of the shop in it to look at: for the browser."""
    eventually(lambda: shop.apus.prom('sum(rate(http_request_duration_seconds_count{service="orders"}[1m])) > 0'), 60, what="traffic")
    eventually(lambda: shop.apus.get("/api/apus/profiles/types").json()["types"], 60, what="a profile")
    return shop.apus.base
