"""The rules that come with Apus: promtool and Apus take them, and their tests pass in both."""

import subprocess

import pytest

from stack import APUS, ROOT, need

FILES = sorted((ROOT / "deploy/rules").glob("*.yml"))
TESTS = sorted((ROOT / "deploy/rules/tests").glob("*.yml"))


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("verb", ["check", "test"])
def test_promtool_and_apus_agree(verb):
    files = FILES if verb == "check" else TESTS
    assert files
    for tool in (need("promtool"), APUS):
        answer = run(tool, verb, "rules", *files)
        assert answer.returncode == 0, f"{tool} {verb} rules:\n{answer.stdout}{answer.stderr}"
