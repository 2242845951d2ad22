#!/usr/bin/env bash
# Starts and stops what `make up` shows: PostgreSQL, Apus, the shop, its traffic and a node exporter, all on loopback,
# each with its pid file and log under .run/.
#   scripts/demo.sh start|stop|status
set -euo pipefail
cd "$(dirname "$0")/.."

run=$PWD/.run
mkdir -p "$run/log" "$run/pid"
say() { printf '\033[1m▸ %s\033[0m\n' "$*"; }

. scripts/processes.sh

# wait_for NAME URL: until it answers, or until the process is gone.
wait_for() {
    for _ in $(seq 200); do
        curl -fsS -o /dev/null --max-time 1 "$2" 2>/dev/null && return
        alive "$1" || { echo "$1 did not start:" >&2; tail -5 "$run/log/$1.out" >&2; exit 1; }
        sleep 0.1
    done
    echo "$1 does not answer at $2; its log: $run/log/$1.out" >&2
    exit 1
}

start() {
    say "starting PostgreSQL"
    scripts/postgres.sh start "$run/postgres" 5433
    say "starting Apus"
    launch apus .build/release/apus serve --data-dir "$run/data" --config examples/shop/apus.yaml
    wait_for apus http://127.0.0.1:2787/-/ready
    say "starting the node exporter"
    launch node-exporter prometheus-node-exporter --web.listen-address=127.0.0.1:9100
    say "building and starting the shop with its traffic"
    scripts/shop.sh start
    cat <<TEXT

  Apus is up: a Go backend over PostgreSQL, observed end to end.

    services     http://127.0.0.1:2787/
    the backend  http://127.0.0.1:2787/service/orders
    logs         http://127.0.0.1:2787/logs
    traces       http://127.0.0.1:2787/traces
    profiles     http://127.0.0.1:2787/profiles   (the first CPU profile comes after some 15 s)
    alerts       http://127.0.0.1:2787/alerts     (one fires after about a minute)

  Point your own at it: OTLP at 127.0.0.1:4317 (gRPC) and :4318 (HTTP), Loki push, remote write and
  every query API at 127.0.0.1:2787. \`make down\` stops all this; logs lie in .run/log.

TEXT
}

stop() {
    scripts/shop.sh stop || true
    halt node-exporter
    halt apus
    [ ! -d "$run/postgres" ] || scripts/postgres.sh stop "$run/postgres" 5433 || true
}

case ${1:-} in
start) start ;;
stop) stop ;;
status) for name in apus node-exporter; do alive "$name" && echo "$name: running" || echo "$name: stopped"; done ;;
*) echo "usage: $0 start|stop|status" >&2; exit 2 ;;
esac
