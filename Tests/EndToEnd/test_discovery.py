"""Targets that Apus finds by itself: over HTTP and a Docker socket, behind mutual TLS and OAuth 2; failures and reloads."""

import http.server
import json
import socketserver
import ssl
import subprocess
import threading

import pytest

from stack import Apus, eventually

DOCKER = {
    "/containers/json": [{
        "Id": "c1", "Names": ["/shop"], "Image": "shop:1", "Labels": {"com.docker.compose.service": "shop"},
        "Ports": [{"PrivatePort": 0, "Type": "tcp"}], "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "n1", "IPAddress": "127.0.0.1"}}}}],
    "/networks": [{"Id": "n1", "Name": "bridge", "Scope": "local", "Internal": False, "Ingress": False, "Labels": {}}],
}


class Server:
    """Answers each request with what `answer(handler)` returns: status, content type, body."""

    def __init__(self, answer, tls=None, path=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                status, kind, body = answer(self)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def address_string(self):
                return "peer"

            def log_message(self, *_):
                pass

        if path:
            class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
                daemon_threads = True
            self.server = Unix(str(path), Handler)
        else:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            if tls:
                self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a server's certificate for shop.test and a client's."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3", "-subj", "/CN=authority")
    for name, extension in (("server", "subjectAltName=DNS:shop.test"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension)
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return folder


def metrics(handler):
    return 200, "text/plain; version=0.0.4", b"shop_up 1\n"


def up(apus, job):
    return {entry["metric"]["instance"]: entry["value"][1] for entry in apus.prom(f'up{{job="{job}"}}')}


def test_discovered_targets(tmp_path, certificates):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    tls.load_verify_locations(certificates / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    tokens = []

    def token(handler):
        tokens.append(handler.body.decode())
        return 200, "application/json", json.dumps({"access_token": "t1", "token_type": "Bearer", "expires_in": 3600}).encode()

    def guarded(handler):
        return metrics(handler) if handler.headers.get("Authorization") == "Bearer t1" else (401, "text/plain", b"")

    secure, tokens_server, plain = Server(guarded, tls), Server(token), Server(metrics)
    listed = {"status": 200, "targets": [f"127.0.0.1:{secure.port}"]}

    def discovery(handler):
        body = json.dumps([{"targets": listed["targets"], "labels": {"team": "shop"}}]).encode()
        return listed["status"], "application/json", body

    sd, docker_socket = Server(discovery), tmp_path / "docker.sock"
    DOCKER["/containers/json"][0]["Ports"][0]["PrivatePort"] = plain.port
    docker = lambda handler: (200, "application/json", json.dumps(DOCKER[handler.path.split("?")[0]]).encode())
    Server(docker, path=docker_socket)

    apus = Apus(tmp_path / "apus", config="prometheus: prometheus.yml\n")
    text = f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
  - job_name: secure
    scheme: https
    oauth2: {{client_id: apus, client_secret: s, token_url: 'http://127.0.0.1:{tokens_server.port}/token', scopes: [read]}}
    tls_config: {{ca_file: {certificates}/ca.pem, cert_file: {certificates}/client.pem, key_file: {certificates}/client.key, server_name: shop.test}}
    http_sd_configs: [{{url: 'http://127.0.0.1:{sd.port}/sd', refresh_interval: 300ms}}]
  - job_name: docker
    docker_sd_configs: [{{host: 'unix://{docker_socket}', refresh_interval: 500ms}}]
    relabel_configs: [{{source_labels: [__meta_docker_container_label_com_docker_compose_service], target_label: service}}]
"""
    (apus.folder / "prometheus.yml").write_text(text)
    apus.start()
    secure_target, plain_target = f"127.0.0.1:{secure.port}", f"127.0.0.1:{plain.port}"
    eventually(lambda: up(apus, "secure") == {secure_target: "1"}, what="the guarded target is scraped")
    eventually(lambda: up(apus, "docker") == {plain_target: "1"}, what="the container is scraped")
    assert tokens == ["grant_type=client_credentials&scope=read"]
    assert apus.prom("shop_up{job='docker'}")[0]["metric"]["service"] == "shop"
    assert apus.prom("up{job='secure'}")[0]["metric"]["team"] == "shop"

    # A discovery that fails keeps its targets, and says so.
    listed["status"] = 500
    failing = 'prometheus_sd_failed_configs{name="http"} 1'
    eventually(lambda: failing in apus.get("/metrics").text, what="the failure is counted")
    assert 'prometheus_sd_discovered_targets{name="docker",config="docker"} 1' in apus.get("/metrics").text
    assert up(apus, "secure") == {secure_target: "1"}
    assert "Targets could not be looked up" in apus.process.log.read_text()

    # It recovers with other targets: the one that is gone gets a staleness marker.
    listed.update(status=200, targets=[])
    eventually(lambda: up(apus, "secure") == {}, what="the target that is gone ends")
    eventually(lambda: failing not in apus.get("/metrics").text, what="the recovery is seen")

    # A mistake changes nothing, and is answered with its place.
    (apus.folder / "prometheus.yml").write_text(text.replace("scopes: [read]", "scope: [read]"))
    answer = apus.post("/-/reload")
    assert answer.status >= 400 and 'unknown key in scrape_configs[0].oauth2: "scope"; did you mean "scopes"?' in answer.text
    assert up(apus, "docker") == {plain_target: "1"}
    apus.stop()
