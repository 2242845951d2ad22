"""Probes beside what Prometheus' users have: a blackbox.yml, a scrape job with __param_target, and Apus' own targets."""

import http.server
import ssl
import subprocess
import threading
import urllib.parse

import pytest

from stack import Apus, eventually, http as call
from test_host_metrics import parse

BLACKBOX = """
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {folder}/ca.pem}}, fail_if_body_not_matches_regexp: [well]}}
  tcp_connect: {{prober: tcp, tcp: {{preferred_ip_protocol: ip4}}}}
  icmp: {{prober: icmp, icmp: {{preferred_ip_protocol: ip4}}}}
"""

CONFIG = """
prometheus: prometheus.yml
blackbox: blackbox.yml
probes:
  interval: 1s
  targets:
    - {{module: http_2xx, targets: ['{web}', 'http://127.0.0.1:1/'], labels: {{team: shop}}}}
    - {{module: tcp_connect, target: '{tcp}'}}
"""

PROMETHEUS = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: web
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs: [{{targets: ['{host}']}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target, replacement: 'https://$1/'}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: '127.0.0.1:{port}'}}
"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"all is well"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def certificate(folder):
    """An authority and a certificate for localhost, made by openssl."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", 365, "-subj", "/CN=Test CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "request.pem", "-subj", "/CN=localhost")
    (folder / "ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-days", 30, "-extfile", folder / "ext",
            "-out", folder / "cert.pem")


@pytest.fixture(scope="module")
def probed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probes")
    certificate(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    web, tcp = f"https://localhost:{port}/", f"127.0.0.1:{port}"
    apus = Apus(folder / "apus", config=CONFIG.format(web=web, tcp=tcp))
    (apus.folder / "blackbox.yml").write_text(BLACKBOX.format(folder=folder))
    (apus.folder / "prometheus.yml").write_text(PROMETHEUS.format(host=f"localhost:{port}", port=apus.port))
    apus.start()
    yield apus, web, tcp
    apus.stop()
    server.shutdown()


def test_the_endpoint_answers_like_blackbox_exporter(probed):
    apus, web, tcp = probed
    answer = apus.get("/probe", target=web, module="http_2xx")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families, samples = parse(answer.text)
    assert samples["probe_success", frozenset()] == 1, answer.text
    assert samples["probe_http_status_code", frozenset()] == 200
    assert samples["probe_http_ssl", frozenset()] == 1
    phases = {dict(labels)["phase"]: value for (name, labels), value in samples.items() if name == "probe_http_duration_seconds"}
    assert set(phases) == {"resolve", "connect", "tls", "processing", "transfer"} and phases["tls"] > 0
    assert samples["probe_ssl_earliest_cert_expiry", frozenset()] > 0
    assert families["probe_success"] == ("gauge", "Displays whether or not the probe was a success")
    _, samples = parse(apus.get("/probe", target=tcp, module="tcp_connect").text)
    assert samples["probe_success", frozenset()] == 1
    assert "err=" in apus.get("/probe", target="http://127.0.0.1:1/", module="http_2xx", debug="true").text
    assert apus.get("/probe", target=web, module="nope").status == 400
    assert apus.get("/probe", module="http_2xx").status == 400
    slow = call("GET", f"{apus.base}/probe?" + urllib.parse.urlencode({"target": web}), headers={"X-Prometheus-Scrape-Timeout-Seconds": "3"})
    assert parse(slow.text)[1]["probe_timeout_seconds", frozenset()] == 2.5


def test_a_scrape_job_with_param_target_points_at_apus_itself(probed):
    apus, web, _ = probed
    eventually(lambda: apus.prom(f'probe_success{{job="web",instance="{web}"}} == 1'), what="the scrape job probes")
    assert apus.prom(f'probe_http_duration_seconds{{job="web",phase="tls",instance="{web}"}} > 0')


def test_targets_of_apus_yaml_are_probed_without_a_scrape_job(probed):
    apus, web, tcp = probed
    eventually(lambda: apus.prom(f'probe_success{{job="blackbox",module="http_2xx",team="shop",instance="{web}"}} == 1'), what="the page is probed")
    eventually(lambda: apus.prom('probe_success{job="blackbox",instance="http://127.0.0.1:1/"} == 0'), what="a closed port fails")
    eventually(lambda: apus.prom(f'probe_success{{job="blackbox",module="tcp_connect",instance="{tcp}"}} == 1'), what="the port is probed")
    assert apus.value('up{job="blackbox",instance="http://127.0.0.1:1/"}') == 1, "the probe ran, whatever it found"
    pools = {target["scrapePool"] for target in apus.get("/api/v1/targets").json()["data"]["activeTargets"]}
    assert pools == {"web", "blackbox"}
