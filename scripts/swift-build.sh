#!/usr/bin/env bash
# `swift build -c release ARGS` with progress that is worth reading: a line every few seconds instead of one per file.
# One configuration for the binary and the tests, so that the dependencies are compiled once.
set -uo pipefail
cd "$(dirname "$0")/.."

[ -d .build ] || echo "▸ first build: the dependencies take about ten minutes on two cores"
mkdir -p .run
log=.run/build.log
started=$SECONDS
swift build -c release "$@" 2>&1 | tee "$log" | awk -v every="${CI:+10}" '
    BEGIN { if (every == "") every = 5 }
    /error:|complete!/ { print; fflush(); next }
    /^\[[0-9]+\/[0-9]+\]/ { now = systime(); if (now - last >= every) { last = now; print "  " substr($0, 1, 110); fflush() } }
'
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] && exit
echo "build failed after $((SECONDS - started)) s; the whole log is in $log" >&2
grep -E -A6 'error:' "$log" | head -60 >&2
exit "$status"
