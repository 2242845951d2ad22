"""A promtail.yaml as its users have it, run by the server and by an agent: zap's lines through Docker's records and back by LogQL."""

import json
import signal
import subprocess
import time

import pytest

from stack import APUS, Apus, Process, eventually, free_port, http

# Ten minutes ago, to the second: well inside retention, and not in the future.
BEGIN = int(time.time()) - 600
SECOND = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGIN))

STAGES = """
    pipeline_stages:
      - docker: {}
      - json: {expressions: {level: , ts: , user: }}
      - timestamp: {source: ts, format: RFC3339Nano}
      - labels: {level: }
      - match: {selector: '{level="debug"}', action: drop, drop_counter_reason: debug}
      - metrics:
          lines_total: {type: Counter, description: lines by level, config: {match_all: true, action: inc}}
"""

JOBS = """
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: [localhost]
        labels: {{job: shop, __path__: '{logs}/*.log'}}
""" + STAGES.replace("{", "{{").replace("}", "}}")


def write(folder, count, start=0):
    """Appends Docker records of zap lines; returns the lines that must come out."""
    kept = []
    with open(folder / "shop.log", "a") as file:
        for number in range(start, start + count):
            level = ["info", "warn", "debug"][number % 3]
            line = json.dumps({"level": level, "ts": f"{SECOND}.{number:09d}Z", "msg": f"request {number}", "user": "bob@example.com"})
            file.write(json.dumps({"log": line + "\n", "stream": "stdout", "time": f"{SECOND}Z"}) + "\n")
            if level != "debug":
                kept.append(line)
    return kept


def lines(apus, query='{job="shop"}'):
    answer = apus.get("/loki/api/v1/query_range", query=query, start=BEGIN - 60, end=BEGIN + 60, limit=5000, direction="forward")
    assert answer.status == 200, answer.text
    return sorted(((int(at), line, stream["stream"]) for stream in answer.json()["data"]["result"] for at, line, *_ in stream["values"]), key=lambda row: row[0])


def test_the_server_runs_a_promtail_yaml_and_redacts(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    kept = write(logs, 30)
    apus = Apus(tmp_path / "apus", config="promtail: promtail.yaml\nredact: [email]\n")
    (apus.folder / "promtail.yaml").write_text(JOBS.format(logs=logs))
    apus.start()
    try:
        rows = eventually(lambda: (found := lines(apus)) and len(found) == len(kept) and found, what="all lines are there")
        assert [line for _, line, _ in rows] == [line.replace("bob@example.com", "<redacted:email>") for line in kept]
        stream = rows[0][2]
        assert (stream["job"], stream["level"], stream["stream"], stream["filename"]) == ("shop", "info", "stdout", str(logs / "shop.log"))
        metrics = apus.get("/metrics").text
        assert 'logentry_dropped_lines_total{reason="debug"} 10' in metrics
        assert 'promtail_custom_lines_total{' in metrics and 'apus_redactions_total{rule="email"} 20' in metrics
        # Killed in the middle, nothing is lost or doubled.
        kept += write(logs, 30, start=30)
        apus.kill()
        kept += write(logs, 30, start=60)
        apus.start()
        rows = eventually(lambda: len(found := lines(apus)) == len(kept) and found, what="the lines of both runs are there")
        assert len({line for _, line, _ in rows}) == len(kept)
        # A reload takes other stages; a broken one is refused with its place and changes nothing.
        (apus.folder / "promtail.yaml").write_text(JOBS.format(logs=logs).replace("source: ts, format: RFC3339Nano", "source: ts"))
        answer = apus.post("/-/reload")
        assert answer.status != 200 and "promtail.yaml:11:" in answer.text and "stage 3 (timestamp)" in answer.text
    finally:
        apus.process.stop()


def test_an_agent_ships_to_a_loki_endpoint_and_says_how_it_is(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    apus = Apus(tmp_path / "apus")
    apus.start()
    port = free_port()
    (tmp_path / "promtail.yaml").write_text(
        f"server: {{http_listen_port: {port}, http_listen_address: 127.0.0.1, grpc_listen_port: 0, enable_runtime_reload: true}}\n"
        "positions: {filename: positions.yaml}\n"
        "clients: [{url: '${LOKI:-http://nowhere}/loki/api/v1/push', batchwait: 100ms, external_labels: {cluster: eu}}]\n" + JOBS.format(logs=logs))
    arguments = [APUS, "agent", "--config", tmp_path / "promtail.yaml", "--data-dir", tmp_path / "agent", "--config.expand-env"]
    agent = Process("agent", arguments, tmp_path, {"LOKI": apus.base})
    try:
        eventually(lambda: http("GET", f"http://127.0.0.1:{port}/ready").status == 200, what="the agent is ready")
        kept = write(logs, 30)
        rows = eventually(lambda: len(found := lines(apus)) == len(kept) and found, what="all lines have been sent")
        assert [line for _, line, _ in rows] == kept and rows[0][2]["cluster"] == "eu"
        assert str(logs / "shop.log") in http("GET", f"http://127.0.0.1:{port}/targets").text
        metrics = http("GET", f"http://127.0.0.1:{port}/metrics").text
        assert 'promtail_custom_lines_total{' in metrics and "promtail_sent_entries_total" in metrics
        # The server is away for a while: the spool keeps what it would have lost.
        apus.kill()
        kept += write(logs, 30, start=30)
        apus.start()
        rows = eventually(lambda: len(found := lines(apus)) == len(kept) and found, what="what waited has been sent", timeout=60)
        assert [line for _, line, _ in rows] == kept
        # So it is when the agent itself is killed.
        agent.stop(signal.SIGKILL)
        kept += write(logs, 30, start=60)
        agent = Process("agent", arguments, tmp_path, {"LOKI": apus.base})
        rows = eventually(lambda: len(found := lines(apus)) == len(kept) and found, what="the lines of both agents are there", timeout=60)
        assert [line for _, line, _ in rows] == kept
    finally:
        agent.stop()
        apus.process.stop()


def test_standard_input_shows_what_stages_do(tmp_path):
    (tmp_path / "promtail.yaml").write_text("clients: [{url: 'http://127.0.0.1:1/'}]\n" + JOBS.format(logs=tmp_path))
    record = json.dumps({"log": f'{{"level":"info","ts":"{SECOND}Z"}}\n', "stream": "stderr", "time": f"{SECOND}Z"})
    answer = subprocess.run(
        [str(APUS), "agent", "--config", str(tmp_path / "promtail.yaml"), "--stdin", "--dry-run", "--inspect"], input=record + "\n", text=True,
        capture_output=True, timeout=30, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == f'{SECOND}+0000\t{{job="shop", level="info", stream="stderr"}}\t{{"level":"info","ts":"{SECOND}Z"}}\n'
    assert "[inspect: docker stage]" in answer.stderr and "level=" in answer.stderr


@pytest.mark.parametrize("text, said", [
    ("clients: [{url: 'http://a/'}]\nscrape_configs:\n  - job_name: a\n    pipeline_stages:\n      - docker: {}\n      - regex: {expression: '('}\n",
     "promtail.yaml:6:29: stage 2 (regex): could not compile regular expression"),
    ("positions: {}\nscrape_config: []\n", 'unknown key "scrape_config"; did you mean "scrape_configs"?'),
    ("positions: {}\nclients: []\n", "is valid: a promtail.yaml with 0 jobs"),
])
def test_check_config_reads_a_promtail_yaml(tmp_path, text, said):
    (tmp_path / "promtail.yaml").write_text(text)
    answer = subprocess.run([str(APUS), "check", "config", str(tmp_path / "promtail.yaml")], capture_output=True, text=True, timeout=30)
    assert said in answer.stdout + answer.stderr
    assert answer.returncode == (0 if "valid" in said else 78)
