"""The command line as a user meets it: one sentence and an exit code of its own for each thing that can be wrong."""

import json
import subprocess

import pytest

from stack import APUS, Apus, free_port


def run(*arguments, cwd, timeout=20):
    return subprocess.run([str(APUS), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, cwd=cwd)


def addresses():
    return ["--otlp-grpc-listen", f"127.0.0.1:{free_port()}", "--otlp-http-listen", f"127.0.0.1:{free_port()}"]


@pytest.fixture
def apus(tmp_path):
    instance = Apus(tmp_path / "apus")
    instance.start()
    yield instance
    instance.process.stop()


def test_a_port_in_use_is_one_sentence_and_its_own_code(apus, tmp_path):
    answer = run("serve", "--data-dir", tmp_path / "other", "--listen", f"127.0.0.1:{apus.port}", *addresses(), cwd=tmp_path)
    assert answer.returncode not in (0, 1)
    assert str(apus.port) in answer.stderr + answer.stdout
    taken = run("serve", "--data-dir", apus.folder / "data", "--listen", f"127.0.0.1:{free_port()}", *addresses(), cwd=tmp_path)
    assert taken.returncode not in (0, 1, answer.returncode)
    assert "use" in taken.stderr + taken.stdout


def test_an_unreadable_data_folder_says_so(tmp_path):
    (tmp_path / "file").write_text("no folder")
    answer = run("serve", "--data-dir", tmp_path / "file", "--listen", f"127.0.0.1:{free_port()}", *addresses(), cwd=tmp_path)
    assert answer.returncode not in (0, 1)
    assert str(tmp_path / "file") in answer.stderr + answer.stdout


def test_an_address_beyond_loopback_needs_tokens_or_the_word(tmp_path):
    answer = run("serve", "--data-dir", tmp_path / "data", "--listen", f"0.0.0.0:{free_port()}", *addresses(), cwd=tmp_path)
    assert answer.returncode not in (0, 1)
    said = answer.stderr + answer.stdout
    assert "token" in said and "--insecure" in said


def test_an_unknown_setting_names_its_place_and_the_nearest_key(tmp_path):
    (tmp_path / "apus.yaml").write_text("prometheus: prometheus.yml\nretentoin:\n  metrics: 15d\n")
    (tmp_path / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    answer = run("serve", "--data-dir", tmp_path / "data", "--config", tmp_path / "apus.yaml", cwd=tmp_path)
    assert answer.returncode not in (0, 1)
    said = answer.stderr + answer.stdout
    assert "apus.yaml:2:1" in said and "retention" in said


def test_json_logs_are_json(tmp_path):
    apus = Apus(tmp_path / "apus", arguments=["--log-format", "json"])
    apus.start()
    assert apus.stop() == 0
    lines = [line for line in apus.process.log.read_text().splitlines() if line]
    assert lines
    for line in lines:
        assert {"level", "msg"} <= json.loads(line).keys()


def test_idle_memory_and_start(apus):
    assert apus.process.memory_mib() < 120
