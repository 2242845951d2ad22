#!/usr/bin/env bash
# Kills the release binary so often (default 100) under load, and compares everything that it had acknowledged.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
scripts/swift-build.sh --product apus
.run/venv/bin/python Tests/EndToEnd/kills.py "${1:-100}" "${@:2}"
