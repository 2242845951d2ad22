#!/usr/bin/env bash
# Kills the release binary so often (default 50) while it follows files that are written, rotated, truncated and deleted, and compares
# every line.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
scripts/swift-build.sh --product apus
.run/venv/bin/python Tests/EndToEnd/tailing.py "${1:-50}" "${@:2}"
