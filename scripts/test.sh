#!/usr/bin/env bash
# Every test of Apus, cheapest first; installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
step() { printf '\n\033[1m== %s  (%d s)\033[0m\n' "$1" $((SECONDS - started)); }

step "set-up"
scripts/setup.sh test
[ -d ../shared/conformance ] || echo "no ../shared beside this checkout: the conformance cases of other projects are skipped"

step "scripts, compose file, web app"
scripts/check-deploy.sh
scripts/check-web.sh

step "Go kit and shop"
scripts/build-go.sh test

step "build"
scripts/swift-build.sh --build-tests

step "Swift tests"
# What passed is in the log; what is shown is the rest, and the closing line. One test after the other: those that scrape and
# tail live by the clock, and 400 at once leave them no processor.
swift test -c release --skip-build --disable-xctest --no-parallel 2>&1 | tee .run/swift-test.log | awk '/Test run with/ || !/^(◇|✔|↳)/' || true
grep -qE 'Test run with [1-9][0-9]* tests? .*passed' .run/swift-test.log || {
    echo "Swift tests failed; the whole log is in .run/swift-test.log" >&2
    grep -E '^✘|Fatal error|Crash' .run/swift-test.log | head -60 >&2
    exit 1
}

step "end to end"
.run/venv/bin/python -m pytest -q -rs Tests/EndToEnd

step "all passed"
