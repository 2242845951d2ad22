"""What zap and zerolog really write, through the promtail.yaml that its users have: every line byte for byte, at its own time."""

import datetime
import json
import re

import pytest

from stack import ROOT, Apus, eventually

CAPTURES = ROOT.parent / "shared" / "conformance" / "captures" / "logs"
START, END = 1795350000, 1795360000

JOBS = """
scrape_configs:
  - job_name: zap
    static_configs: [{labels: {job: zap, __path__: '@/zap-production.jsonl'}}]
    pipeline_stages:
      - json: {expressions: {level: , ts: , caller: }}
      - timestamp: {source: ts, format: Unix}
      - labels: {level: }
      - structured_metadata: {caller: }
  - job_name: zap-iso
    static_configs: [{labels: {job: zap-iso, __path__: '@/zap-iso8601-renamed-keys.jsonl'}}]
    pipeline_stages:
      - json: {expressions: {level: severity, timestamp: }}
      - timestamp: {source: timestamp, format: '2006-01-02T15:04:05.000Z'}
      - labels: {level: }
  - job_name: zerolog
    static_configs: [{labels: {job: zerolog, __path__: '@/zerolog-default.jsonl'}}]
    pipeline_stages:
      - json: {expressions: {level: , time: }}
      - timestamp: {source: time, format: RFC3339Nano}
      - labels: {level: }
  - job_name: zerolog-ms
    static_configs: [{labels: {job: zerolog-ms, __path__: '@/zerolog-unixms-renamed-keys.jsonl'}}]
    pipeline_stages:
      - json: {expressions: {level: severity, ts: }}
      - timestamp: {source: ts, format: UnixMs}
      - labels: {level: }
  - job_name: docker
    static_configs: [{labels: {job: docker, __path__: '@/docker-json-file.log'}}]
    pipeline_stages: [{docker: {}}, {json: {expressions: {level: }}}, {labels: {level: }}]
  - job_name: cri
    static_configs: [{labels: {job: cri, __path__: '@/cri.log'}}]
    pipeline_stages: [{cri: {}}, {json: {expressions: {level: }}}, {labels: {level: }}]
"""


def nanoseconds(text):
    """Of RFC 3339 with any number of digits."""
    whole, fraction, zone = re.fullmatch(r"([^.Z]+?)(?:\.([0-9]+))?(Z|[+-][0-9:]{5})", text).groups()
    seconds = datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp()
    return int(seconds) * 10**9 + int(((fraction or "") + "0" * 9)[:9])


def read(name):
    return [json.loads(line) for line in (CAPTURES / name).read_text().splitlines()]


def from_docker():
    """Time, line and level of what Docker wrapped; pieces of a line belong together."""
    pieces = {}
    for record in read("docker-json-file.log"):
        text = pieces.pop(record["stream"], "") + record["log"]
        if not text.endswith("\n"):
            pieces[record["stream"]] = text
        else:
            yield nanoseconds(record["time"]), text.removesuffix("\n"), record["stream"]


def from_cri():
    pieces = {}
    for record in (CAPTURES / "cri.log").read_text().split("\n")[:-1]:
        time, stream, tag, text = (record + " ").split(" ", 3)
        text = pieces.pop(stream, "") + text[:-1]
        if tag == "P":
            pieces[stream] = text
        else:
            yield nanoseconds(time), text, stream


def plain(name, time):
    for line in (CAPTURES / name).read_text().split("\n")[:-1]:
        yield time(json.loads(line)), line, None


def wanted(job):
    """(time, line, stream) of every line."""
    return set({
        "zap": lambda: plain("zap-production.jsonl", lambda line: round(line["ts"] * 1e6) * 1000),
        "zap-iso": lambda: plain("zap-iso8601-renamed-keys.jsonl", lambda line: nanoseconds(line["timestamp"])),
        "zerolog": lambda: plain("zerolog-default.jsonl", lambda line: nanoseconds(line["time"])),
        "zerolog-ms": lambda: plain("zerolog-unixms-renamed-keys.jsonl", lambda line: line["ts"] * 10**6),
        "docker": from_docker, "cri": from_cri}[job]())


@pytest.fixture(scope="module")
def apus(tmp_path_factory):
    if not CAPTURES.exists():
        pytest.skip("there are no captures beside the project")
    server = Apus(tmp_path_factory.mktemp("captured"), config="promtail: promtail.yaml\n")
    (server.folder / "promtail.yaml").write_text(JOBS.replace("@", str(CAPTURES)))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("job", ["zap", "zap-iso", "zerolog", "zerolog-ms", "docker", "cri"])
def test_captured_lines_are_stored_as_they_were_written(apus, job):
    expected = wanted(job)
    rows = eventually(
        lambda: len(found := apus.logs(f'{{job="{job}"}}', limit=5000, start=START, end=END)) >= len(expected) and found, what=f"all lines of {job} are there")
    assert sorted(line for _, _, line in rows) == sorted(line for _, line, _ in expected)
    # A float's last digits are nobody's.
    bound = 1000 if job == "zap" else 0
    for (_, time, line), (other, _, _) in zip(sorted(rows, key=lambda row: (row[2], row[1])), sorted(expected, key=lambda row: (row[1], row[0]))):
        assert abs(time - other) <= bound, (time, other, line)
    for labels, _, line in rows:
        if line.startswith("{"):
            fields = json.loads(line)
            level = fields.get("level", fields.get("severity"))
            assert labels.get("level") == level, (labels, line)
    if job in ("docker", "cri"):
        assert {(line, labels["stream"]) for labels, _, line in rows} == {(line, stream) for _, line, stream in expected}
    # And they are asked by field.
    errors = apus.logs(f'{{job="{job}"}} | json | {"severity" if job in ("zap-iso", "zerolog-ms") else "level"} =~ "(?i)error" | __error__=""', limit=5000, start=START, end=END)
    assert {line for _, _, line in errors} == {line for _, line, _ in expected if line.startswith("{") and json.loads(line).get("level", json.loads(line).get("severity", "")).lower() == "error"}
