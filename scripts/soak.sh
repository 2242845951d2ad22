#!/usr/bin/env bash
# Runs the storage engine's simulation on new seeds for so many minutes (default 10); with APUS_SIMULATION_SEED=N, that history alone.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh build
scripts/swift-build.sh --build-tests
export APUS_SIMULATION_SECONDS=$((${1:-10} * 60))
swift test -c release --skip-build --disable-xctest --no-parallel --filter 'SimulationTests'
