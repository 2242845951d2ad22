#!/usr/bin/env bash
# `swift build -c release ARGS` with progress that is worth reading: a line every few seconds instead of one per file.
# One configuration for the binary and the tests, so that the dependencies are compiled once.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

[ -d .build ] || echo "▸ first build: the dependencies take about ten minutes on two cores"
mkdir -p .run
log=.run/build.log
started=$SECONDS

# In the shell itself: awk and grep hold back what comes through a pipe.
progress() {
    local line last=-100 every=5
    [ -z "${CI:-}" ] || every=20
    while IFS= read -r line; do
        case $line in
        *error:* | *complete!*) echo "$line" ;;
        \[*/*\]*)
            if [ $((SECONDS - last)) -ge $every ]; then
                last=$SECONDS
                printf '  %4d s  %s\n' $((SECONDS - started)) "${line:0:100}"
            fi
            ;;
        esac
    done
}

swift build -c release "$@" 2>&1 | tee "$log" | progress
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] && exit
echo "build failed after $((SECONDS - started)) s; the whole log is in $log" >&2
grep -E -A6 'error:' "$log" | head -60 >&2
exit "$status"
