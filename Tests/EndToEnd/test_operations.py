"""What keeps data safe, on the real binary: backups, checks, deletions, budgets, a full disk."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from kills import Lines, Samples, check
from stack import APUS, Apus, eventually, http


def command(*arguments, env=None, check_status=0):
    done = subprocess.run([APUS, *map(str, arguments)], capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})})
    assert done.returncode == check_status, f"apus {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def filled(apus, batches=20):
    writers = [Samples(apus, "a"), Lines(apus, "a")]
    for writer in writers:
        for batch in range(batches):
            assert writer.push(batch).status in (200, 204)
            writer.acknowledged.append(batch)
            writer.pushed += 1
    return writers


TOKENS = "tokens:\n  - {name: operator, token: secret-of-the-operator, scopes: [admin]}\n  - {name: sender, token: sent, scopes: [ingest]}\n"


def test_a_backup_of_a_running_server_is_restored_to_the_last_line(tmp_path):
    apus = Apus(tmp_path / "apus", arguments=["--enable-admin-api"])
    apus.start()
    writers = filled(apus)
    archive = tmp_path / "backup.tar"
    command("backup", "--url", apus.base, "--to", archive)
    assert apus.get("/api/apus/snapshots").json() == {"snapshots": []}, "the snapshot of a backup is removed"
    listing = subprocess.run(["tar", "tf", archive], capture_output=True, text=True, check=True).stdout.split()
    assert listing[0] == "BACKUP" and listing[-1] == "CHECKSUMS" and "catalog.sqlite" in listing
    filled_later = Samples(apus, "later")
    assert filled_later.push(0).status == 204
    assert apus.stop() == 0

    restored = Apus(tmp_path / "restored")
    shutil.rmtree(restored.folder)
    restored.folder.mkdir()
    command("restore", archive, "--data-dir", restored.folder / "data")
    command("restore", archive, "--data-dir", restored.folder / "data", check_status=1)
    command("check", "data", restored.folder / "data")
    restored.start()
    for writer in writers:
        writer.apus = restored
    check(writers, "restored")
    assert restored.prom('count_over_time(durable_total{writer="later"}[3h])') == []
    assert restored.stop() == 0

    # One flipped byte, and nothing is restored.
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    command("restore", archive, "--data-dir", tmp_path / "damaged", check_status=1)
    assert not (tmp_path / "damaged").exists()


def test_backups_need_the_scope_admin(tmp_path):
    apus = Apus(tmp_path / "apus", config=TOKENS)
    apus.start()
    command("backup", "--url", apus.base, "--to", tmp_path / "a.tar", env={"APUS_TOKEN": "sent"}, check_status=1)
    assert not (tmp_path / "a.tar").exists()
    command("backup", "--url", apus.base, "--to", tmp_path / "a.tar", env={"APUS_TOKEN": "secret-of-the-operator"})
    assert apus.stop() == 0


def test_damage_costs_what_it_hit_and_is_named(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    samples, lines = filled(apus)
    assert apus.stop() == 0
    data = apus.folder / "data"
    assert "no damage" in command("check", "data", data)
    part = next((data / "metrics").glob("*/*.part"))
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 1
    part.write_bytes(content)
    output = command("check", "data", data, check_status=1)
    assert str(part) in output and "expected" in output

    apus.start()
    check([lines], "beside damage")
    samples.found()
    damage = apus.get("/api/apus/damage").json()
    assert damage["count"] == 1 and damage["damaged"][0]["path"] == str(part), damage
    total = [line for line in apus.get("/metrics").text.splitlines() if line.startswith("apus_store_quarantined_total") and not line.endswith(" 0")]
    assert len(total) == 1 and 'signal="metrics"' in total[0], total
    assert apus.stop() == 0


def test_deleted_series_stay_deleted(tmp_path):
    apus = Apus(tmp_path / "apus", arguments=["--enable-admin-api"])
    apus.start()
    samples, _ = filled(apus, batches=4)
    path = "/api/v1/admin/tsdb/delete_series"
    answer = http("POST", f"{apus.base}{path}?match[]=durable_total&end={(samples.base + 999) / 1000:.3f}", b"")
    assert answer.status == 204, answer.text
    for _ in range(2):
        assert sorted(samples.found()) == list(range(1000, 2000))
        assert http("PUT", apus.base + "/api/v1/admin/tsdb/clean_tombstones", b"").status == 204
        apus.kill()
        apus.start()
    snapshot = http("POST", apus.base + "/api/v1/admin/tsdb/snapshot", b"").json()["data"]["name"]
    command("check", "data", apus.folder / "data/snapshots" / snapshot)
    assert apus.stop() == 0


def test_the_admin_api_is_off_unless_allowed(tmp_path):
    apus = Apus(tmp_path / "apus")
    apus.start()
    for name in ("delete_series?match[]=up", "clean_tombstones", "snapshot"):
        answer = http("POST", f"{apus.base}/api/v1/admin/tsdb/{name}", b"")
        assert answer.status == 503 and answer.json()["error"] == "admin APIs disabled", answer.text
    assert apus.stop() == 0


def test_a_reload_changes_what_is_kept(tmp_path):
    apus = Apus(tmp_path / "apus", config="retention: {metrics: 30d}\n")
    apus.start()
    old = Samples(apus, "old")
    old.base -= 20 * 86_400_000
    assert old.push(0).status == 204
    assert apus.post("/-/compact").status == 204
    (apus.folder / "apus.yaml").write_text("retention: {metrics: 10d}\n")
    assert apus.post("/-/reload").status == 200
    assert old.push(1).status == 400
    eventually(lambda: not list((apus.folder / "data/metrics").glob("*/*.part")), what="the old day is dropped")
    assert apus.stop() == 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk_refuses_writes_and_recovers_by_itself(small_disk):
    apus = Apus(small_disk / "apus", config="disk_reserve: 8MB\n")
    apus.start()
    samples, lines = Samples(apus, "a"), Lines(apus, "a")
    for writer in (samples, lines):
        assert writer.push(0).status in (200, 204)
        writer.acknowledged.append(0)
        writer.pushed = 1
    filler = small_disk / "filler"
    free = shutil.disk_usage(small_disk).free
    filler.write_bytes(bytes(free - (4 << 20)))
    refused = samples.push(1)
    assert refused.status == 507 and "bytes are free" in refused.text and str(8 << 20) in refused.text, refused.text
    assert refused.headers["Retry-After"] == "60"
    assert lines.push(1).status == 507
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": "1" * 32, "spanId": "1" * 16, "name": "n", "startTimeUnixNano": str(time.time_ns()),
        "endTimeUnixNano": str(time.time_ns())}]}]}]}).encode()
    answer = http("POST", f"http://127.0.0.1:{apus.otlp}/v1/traces", body, {"Content-Type": "application/json"})
    assert answer.status == 503 and answer.headers["Retry-After"] == "60"
    grpc(apus)
    check([samples, lines], "on a full disk")
    # The reserve is for what must go on.
    assert apus.post("/-/compact").status == 204
    filler.unlink()
    for writer in (samples, lines):
        assert writer.push(1).status in (200, 204)
        writer.acknowledged.append(1)
        writer.pushed = 2
    apus.kill()
    apus.start()
    check([samples, lines], "after it was full")
    assert apus.stop() == 0


def grpc(apus):
    """An export over gRPC is told to come again."""
    import grpc as rpc

    channel = rpc.insecure_channel(f"127.0.0.1:{apus.grpc}")
    export = channel.unary_unary(
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export", request_serializer=bytes, response_deserializer=bytes)
    # ExportLogsServiceRequest {1: ResourceLogs {2: ScopeLogs {2: LogRecord {1: time, 5: AnyValue {1: "x"}}}}}
    from wire import field
    record = b"\x09" + time.time_ns().to_bytes(8, "little") + field(5, field(1, b"x"))
    with pytest.raises(rpc.RpcError) as refused:
        export(field(1, field(2, field(2, record))), timeout=10)
    assert refused.value.code() == rpc.StatusCode.UNAVAILABLE and "bytes are free" in refused.value.details()
    details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"google.rpc.RetryInfo" in details
    channel.close()
