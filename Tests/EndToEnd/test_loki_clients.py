"""What people who look at logs use: logcli (where LOGCLI_BINARY names one), `apus query logql`, curl and agents that speak Elasticsearch."""

import base64
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

from loki import binary
from stack import APUS, Apus, eventually

COUNT = 12_000


@pytest.fixture(scope="module")
def apus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    server = Apus(folder, arguments=["--enable-admin-api"])
    server.start()
    now = time.time_ns()
    values = [[str(now - (COUNT - i) * 10**8), json.dumps({"level": "error" if i % 10 == 0 else "info", "n": i, "took": f"{i % 900}ms"})] for i in range(COUNT)]
    for first in range(0, COUNT, 3000):
        push(server, {"app": "shop", "env": "test"}, values[first : first + 3000])
    yield server
    server.stop()


def push(server, stream, values):
    body = json.dumps({"streams": [{"stream": stream, "values": values}]}).encode()
    answer = server.post("/loki/api/v1/push", body, {"Content-Type": "application/json"})
    assert answer.status == 204, answer.text


def command(*arguments, check=True):
    result = subprocess.run([str(APUS), "query", "logql", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert not check or result.returncode == 0, result.stderr
    return result


def test_the_terminal_shows_lines_and_numbers(apus):
    url = ("--url", apus.base)
    lines = command('{app="shop"} | json | n < 5', "--limit", 10, *url)
    assert "Common labels:" in lines.stderr
    assert [json.loads(line[line.index('{"level"'):])["n"] for line in lines.stdout.splitlines()] == [0, 1, 2, 3, 4]
    raw = command('{app="shop"}', "--limit", 0, "-o", "raw", *url)
    assert [json.loads(line)["n"] for line in raw.stdout.splitlines()] == list(range(COUNT)), "all of them, in order: there is no wall"
    newest = command('{app="shop"}', "--limit", 7000, "-o", "jsonl", *url)
    assert [json.loads(json.loads(line)["line"])["n"] for line in newest.stdout.splitlines()] == list(range(COUNT - 7000, COUNT))
    assert command('sum(count_over_time({app="shop"}[1h]))', "-o", "raw", *url).stdout.strip() == str(COUNT)
    assert '{level="error"}' in command('sum by (level) (count_over_time({app="shop"} | json [1h]))', *url).stdout
    bad = command('{app="shop"', *url, check=False)
    assert bad.returncode == 1 and "parse error at line 1" in bad.stderr


def test_the_terminal_follows(apus):
    child = subprocess.Popen([str(APUS), "query", "logql", '{app="follow"} |= "x"', "--tail", "-o", "raw", "--url", apus.base], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1.5)
        push(apus, {"app": "follow"}, [[str(time.time_ns()), "x one"], [str(time.time_ns() + 1), "y"], [str(time.time_ns() + 2), "x two"]])
        got = []
        reader = threading.Thread(target=lambda: got.extend([child.stdout.readline(), child.stdout.readline()]), daemon=True)
        reader.start()
        reader.join(15)
        assert got == ["x one\n", "x two\n"]
    finally:
        child.kill()
        child.wait()


class WebSocket:
    """The least of a client."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"HTTP/1.1 101")
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def message(self):
        while True:
            first, second = self.file.read(2)
            length = second & 0x7F
            if length == 126:
                length = int.from_bytes(self.file.read(2))
            elif length == 127:
                length = int.from_bytes(self.file.read(8))
            payload = self.file.read(length)
            if first & 0x0F == 1:
                return json.loads(payload)

    def close(self):
        # A masked close frame, normal closure.
        self.socket.sendall(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
        assert self.file.read(2)[0] & 0x0F == 8, "the close is answered"
        self.socket.close()


def test_a_tail_gets_lines_within_a_second_and_nothing_is_lost_or_doubled(apus):
    tail = WebSocket(apus.port, "/loki/api/v1/tail?query=%7Bapp%3D%22live%22%7D&limit=5")
    got, delays = [], []
    for i in range(50):
        sent = time.time_ns()
        push(apus, {"app": "live"}, [[str(sent), f"line {i}"]])
        for stream in tail.message()["streams"]:
            got += [line for _, line in stream["values"]]
        delays.append((time.time_ns() - sent) / 1e9)
    assert got == [f"line {i}" for i in range(50)]
    assert max(delays) < 1, f"slowest {max(delays):.3f} s"
    tail.close()


def test_a_client_that_does_not_read_is_told_what_it_missed(apus):
    tail = WebSocket(apus.port, "/loki/api/v1/tail?query=%7Bapp%3D%22flood%22%7D&limit=1")
    line = "x" * 4000
    for round in range(40):
        now = time.time_ns()
        push(apus, {"app": "flood"}, [[str(now + i), f"{round} {i} {line}"] for i in range(500)])
    lines = dropped = 0
    while lines + dropped < 20_000:
        message = tail.message()
        lines += sum(len(stream["values"]) for stream in message["streams"])
        dropped += len(message.get("dropped_entries", []))
        if dropped >= 1000:
            break
    assert lines > 0


def test_a_page_after_the_other_and_the_export_hold_every_line(apus):
    seen, cursor = [], ""
    while cursor is not None:
        page = apus.get("/api/apus/logs", query='{app="shop"}', limit=1700, cursor=cursor).json()
        seen += [json.loads(line["line"])["n"] for line in page["lines"]]
        cursor = page["cursor"]
    assert seen == list(reversed(range(COUNT)))
    export = apus.get("/api/apus/logs/export", query='{app="shop"} | json | level="error"')
    assert export.headers["Content-Type"] == "application/x-ndjson"
    assert len(export.text.splitlines()) == COUNT // 10


# logcli

def logcli(server, *arguments):
    result = subprocess.run([binary("LOGCLI_BINARY", "logcli"), f"--addr={server.base}", "--quiet", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, f"{arguments}: {result.stderr}"
    return result.stdout


def test_logcli_asks_everything_it_knows(apus):
    binary("LOGCLI_BINARY", "logcli")
    lines = logcli(apus, "query", '{app="shop"}', "--limit=6000", "--batch=1000", "--output=raw").splitlines()
    assert len(lines) == 6000
    assert '"value"' in logcli(apus, "instant-query", 'sum(count_over_time({app="shop"}[1h]))')
    assert "app" in logcli(apus, "labels").split()
    assert logcli(apus, "labels", "env").split() == ["test"]
    assert 'app="shop"' in logcli(apus, "series", '{app="shop"}')
    stats = logcli(apus, "stats", '{app="shop"}')
    assert str(COUNT) in stats.replace(",", "") or "entries" in stats
    assert "shop" in logcli(apus, "volume", '{app="shop"}')
    assert "shop" in logcli(apus, "volume_range", '{app="shop"}', "--step=60s")
    assert "took" in logcli(apus, "detected-fields", '{app="shop"}')
    formatted = subprocess.run([binary("LOGCLI_BINARY", "logcli"), "fmt"], input='{app="shop"}|="x"', capture_output=True, text=True, timeout=20)
    assert formatted.stdout.strip() == '{app="shop"} |= "x"'


def test_logcli_tails(apus):
    child = subprocess.Popen([binary("LOGCLI_BINARY", "logcli"), f"--addr={apus.base}", "--quiet", "query", '{app="logcli"}', "--tail", "--output=raw"], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(2)
        push(apus, {"app": "logcli"}, [[str(time.time_ns()), "seen"]])
        got = []
        reader = threading.Thread(target=lambda: got.append(child.stdout.readline()), daemon=True)
        reader.start()
        reader.join(15)
        assert got == ["seen\n"]
    finally:
        child.kill()
        child.wait()


def test_logcli_deletes(apus):
    push(apus, {"app": "gone"}, [[str(time.time_ns() - 10**10), "secret"]])
    eventually(lambda: apus.get("/loki/api/v1/series", **{"match[]": '{app="gone"}'}).json()["data"], what="it is there")
    logcli(apus, "delete", "create", '{app="gone"}', "--from=2020-01-01T00:00:00Z")
    assert "gone" in logcli(apus, "delete", "list")
    assert apus.get("/loki/api/v1/query_range", query='{app="gone"}').json()["data"]["result"] == []


def test_lines_are_deleted_by_what_they_hold(apus):
    now = time.time_ns() - 10**10
    push(apus, {"app": "parts"}, [[str(now + i), f"{'secret' if i % 4 else 'fine'} {i}"] for i in range(20)])
    query = {"query": '{app="parts"} |= "secret"', "start": str(now // 10**9 - 10)}
    assert apus.post("/loki/api/v1/delete?" + urllib.parse.urlencode(query)).status == 204
    left = apus.get("/loki/api/v1/query_range", query='{app="parts"}').json()["data"]["result"]
    assert sorted(line for stream in left for _, line in stream["values"]) == ["fine 0", "fine 12", "fine 16", "fine 4", "fine 8"]
    answer = apus.post("/loki/api/v1/delete?" + urllib.parse.urlencode({**query, "query": '{app="parts"} | json'}))
    assert answer.status == 400 and "line filters alone" in answer.text


def test_rules_over_logs_record_and_fire(tmp_path):
    (tmp_path / "logs.yml").write_text("""
groups:
  - name: logs
    interval: 1s
    rules:
      - record: app:errors:count
        expr: sum by (app) (count_over_time({app="r"} |= "error" [5m]))
      - alert: LogErrors
        expr: sum by (app) (count_over_time({app="r"} |= "error" [5m])) > 2
        labels: {severity: page}
""")
    server = Apus(tmp_path / "apus", config=f"log_rules: [{tmp_path}/logs.yml]\n")
    server.start()
    try:
        push(server, {"app": "r"}, [[str(time.time_ns() + i), f"an error {i}"] for i in range(3)])
        eventually(lambda: server.get("/api/v1/query", query="app:errors:count").json()["data"]["result"][0]["value"][1] == "3", what="the series is recorded")
        alerts = eventually(lambda: server.get("/prometheus/api/v1/alerts").json()["data"]["alerts"], what="the alert fires")
        assert alerts[0]["labels"] == {"alertname": "LogErrors", "app": "r", "severity": "page"}
        assert "logs.yml:\n" in server.get("/loki/api/v1/rules").text.replace('"', "")
    finally:
        server.stop()
