"""Tokens with scopes, the browser's cookie, security headers, and paths that lead nowhere."""

import json
import time

import pytest

from stack import Apus, http
from wire import REMOTE_WRITE_HEADERS, remote_write

CONFIG = """
tokens:
  - {name: sender, token: ingest-0123456789abcdef, scopes: [ingest]}
  - {name: reader, token: query-0123456789abcdef, scopes: [query]}
  - {name: boss, token: admin-0123456789abcdef, scopes: [ingest, query, admin]}
"""


@pytest.fixture(scope="module")
def apus(tmp_path_factory):
    instance = Apus(tmp_path_factory.mktemp("access"), config=CONFIG)
    instance.start()
    yield instance
    assert instance.stop() == 0


def bearer(token):
    return {"Authorization": f"Bearer {token}-0123456789abcdef"}


@pytest.mark.parametrize(("token", "write", "query", "reload"), [
    ("ingest", 204, 403, 403), ("query", 403, 200, 403), ("admin", 204, 200, 200), ("wrong", 401, 401, 401), (None, 401, 401, 401)])
def test_scopes(apus, token, write, query, reload):
    headers = bearer(token) if token else {}
    body = remote_write([({"__name__": "up", "job": "x"}, [(int(time.time() * 1000), 1.0)])])
    assert apus.post("/api/v1/write", body, {**REMOTE_WRITE_HEADERS, **headers}).status == write
    assert apus.get("/api/v1/query", headers=headers, query="1").status == query
    assert apus.post("/-/reload", headers=headers).status in ((200, 204) if reload == 200 else (reload,))


def test_health_needs_no_token(apus):
    assert apus.get("/-/healthy").status == 200
    assert apus.get("/-/ready").status == 200


def test_the_web_app_trades_a_token_for_a_cookie(apus):
    refused = apus.post("/api/apus/session", json.dumps({"token": "nonsense"}).encode(), {"Content-Type": "application/json"})
    assert refused.status == 401
    answer = apus.post("/api/apus/session", json.dumps({"token": "query-0123456789abcdef"}).encode(), {"Content-Type": "application/json"})
    assert answer.status in (200, 204)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "query-0123456789abcdef" not in cookie
    assert apus.get("/api/v1/query", headers={"Cookie": cookie.split(";")[0]}, query="1").status == 200
    assert apus.get("/api/v1/query", headers={"Cookie": cookie.split("=")[0] + "=" + "0" * 64}, query="1").status == 401


def test_security_headers_and_no_inline_script(apus):
    answer = apus.get("/")
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe-inline" not in scripts and "unsafe-eval" not in scripts and "'sha256-" in scripts
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/app/..%5c..%5cetc/passwd"])
def test_no_way_out_of_the_web_folder(apus, path):
    answer = http("GET", apus.base + path)
    assert b"root:" not in answer.body
