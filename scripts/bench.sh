#!/usr/bin/env bash
# Measures the kernels of Benchmarks/.
#   scripts/bench.sh [PART-OF-NAME] [RUNS]    a table of times, best of RUNS (5)
#   scripts/bench.sh --callgrind              instructions an item against Benchmarks/budgets.tsv: fails above +10 %
#   scripts/bench.sh --callgrind --record     writes the counts into Benchmarks/budgets.tsv
# BENCHMARKS names a binary that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
    printf 'bench: %s\n' "$1" >&2
    exit 1
}

binary=${BENCHMARKS:-}
if [ -z "$binary" ]; then
    scripts/swift-build.sh --product benchmarks
    binary=.build/release/benchmarks
fi
[ -x "$binary" ] || stop "there is no $binary: build it with 'swift build -c release --product benchmarks'"

if [ "${1:-}" != --callgrind ]; then
    exec "$binary" "$@"
fi

command -v valgrind >/dev/null || stop "no valgrind on PATH: apt-get install valgrind"
budgets=Benchmarks/budgets.tsv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Valgrind reads all debug information before it starts, which takes minutes.
strip --strip-debug -o "$scratch/benchmarks" "$binary"

mapfile -t names < <(grep -v '^#' "$budgets" | cut -f1)
[ ${#names[@]} -gt 0 ] || stop "$budgets names no benchmark"
failed=0
: >"$scratch/budgets"
for name in "${names[@]}"; do
    # Only what the measured body does is counted, not how its data are made.
    valgrind --tool=callgrind --toggle-collect='*measuredBody*' --callgrind-out-file="$scratch/out" \
        "$scratch/benchmarks" --once "$name" >"$scratch/ran" 2>"$scratch/log" || stop "valgrind failed: $(tail -3 "$scratch/log")"
    line=$(cat "$scratch/ran")
    [ "${line%%$'\t'*}" = "$name" ] || stop "no benchmark is called $name"
    items=$(cut -f2 <<<"$line")
    unit=$(cut -f3 <<<"$line")
    total=$(sed -n 's/^summary: //p' "$scratch/out")
    [ "${total:-0}" -gt 0 ] || stop "callgrind counted nothing for $name"
    counted=$(awk -v total="$total" -v items="$items" 'BEGIN { printf "%.1f", total / items }')
    budget=$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$budgets")
    verdict=$(awk -v counted="$counted" -v budget="${budget:-0}" \
        'BEGIN { if (budget == 0) print "new"; else if (counted > budget * 1.1) print "ABOVE"; else if (counted < budget * 0.9) print "below"; else print "ok" }')
    printf '%-44s %8s instructions/%s, budget %s: %s\n' "$name" "$counted" "$unit" "${budget:-none}" "$verdict"
    [ "$verdict" = ABOVE ] && failed=1
    printf '%s\t%s\n' "$name" "$counted" >>"$scratch/budgets"
done
if [ "${2:-}" = --record ]; then
    { grep '^#' "$budgets"; cat "$scratch/budgets"; } >"$scratch/new"
    mv "$scratch/new" "$budgets"
elif [ $failed -ne 0 ]; then
    stop "some kernels take over 10 % more instructions than their budget: mend them, or record new budgets and say why"
fi
