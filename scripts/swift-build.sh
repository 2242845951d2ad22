#!/usr/bin/env bash
# `swift build -c release ARGS` with progress that is worth reading: a line every few seconds instead of one per file.
# One configuration for the binary and the tests, so that the dependencies are compiled once.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -d .build ] || echo "▸ first build: the dependencies take about ten minutes on two cores"
mkdir -p .run
log=.run/build.log
started=$SECONDS
swift build -c release "$@" 2>&1 | tee "$log" | awk -v quiet="${CI:+10}" '
    BEGIN { every = quiet ? quiet : 5; last = 0 }
    /error:|warning: var|warning: unused|Build complete/ { print; fflush(); next }
    /^\[[0-9]+\/[0-9]+\]/ { now = systime(); if (now - last >= every) { last = now; print "  " substr($0, 1, 110); fflush() } }
' || true

if ! grep -q 'Build complete' "$log"; then
    echo "build failed after $((SECONDS - started)) s; the whole log is in $log:" >&2
    grep -E -A6 'error:' "$log" | head -60 >&2 || tail -30 "$log" >&2
    exit 1
fi

