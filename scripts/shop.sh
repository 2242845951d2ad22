#!/usr/bin/env bash
# Builds and runs the example shop: orders (Go), recommendations (Swift) and its traffic, each with its pid file and log
# under the run folder. PostgreSQL and Apus are others' work: scripts/postgres.sh, scripts/demo.sh.
#   scripts/shop.sh start|stop|status
# Environment, all with defaults: RUN (.run), ORDERS_PORT (8080), RECOMMENDATIONS_PORT (8081), POSTGRES_PORT (5433),
# OTEL_EXPORTER_OTLP_ENDPOINT (http://127.0.0.1:4318), TRAFFIC_RATE (8 visits a second; 0: no traffic), SEED (1),
# SLOW_RATIO, FAIL_RATIO.
set -euo pipefail
cd "$(dirname "$0")/.."

run=${RUN:-$PWD/.run}
mkdir -p "$run/log" "$run/pid"
run=$(cd "$run" && pwd)
orders_port=${ORDERS_PORT:-8080}
recommendations_port=${RECOMMENDATIONS_PORT:-8081}
export OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}
export OTEL_RESOURCE_ATTRIBUTES=${OTEL_RESOURCE_ATTRIBUTES:-deployment.environment.name=demo}
export SEED=${SEED:-1}

stop_with() {
    printf 'shop: %s\n' "$1" >&2
    exit 1
}

. scripts/processes.sh

# wait_for NAME PORT: until /healthz answers, or until the process is gone.
wait_for() {
    for _ in $(seq 300); do
        if curl -fsS -o /dev/null --max-time 1 "http://127.0.0.1:$2/healthz" 2>/dev/null; then
            echo "  $1 answers at http://127.0.0.1:$2"
            return
        fi
        alive "$1" || { tail -5 "$run/log/$1.out" "$run/log/$1.log" >&2 2>/dev/null || true; stop_with "$1 did not start; its output is above"; }
        sleep 0.1
    done
    stop_with "$1 does not answer at port $2 after 30 s; its logs: $run/log/$1.out, $run/log/$1.log"
}

start() {
    command -v curl >/dev/null || stop_with "curl is missing; scripts/setup.sh demo installs it"
    scripts/build-go.sh
    local recommendations=.build/release/recommendations
    [ -x "$recommendations" ] || scripts/swift-build.sh --product recommendations

    launch recommendations LOG_FILE="$run/log/recommendations.log" PORT="$recommendations_port" "$recommendations"
    launch orders LOG_FILE="$run/log/orders.log" PORT="$orders_port" \
        DATABASE_URL="postgres://postgres@127.0.0.1:${POSTGRES_PORT:-5433}/shop?sslmode=disable" \
        RECOMMENDATIONS_URL="http://127.0.0.1:$recommendations_port" .run/bin/orders
    wait_for recommendations "$recommendations_port"
    wait_for orders "$orders_port"
    if [ "${TRAFFIC_RATE:-8}" != 0 ]; then
        launch traffic .run/bin/traffic -url "http://127.0.0.1:$orders_port" -rate "${TRAFFIC_RATE:-8}" -seed "$SEED"
        echo "  traffic: ${TRAFFIC_RATE:-8} visits a second"
    fi
}

case ${1:-} in
start) start ;;
stop) for name in traffic orders recommendations; do halt "$name"; done ;;
status) for name in orders recommendations traffic; do if alive "$name"; then echo "$name: running"; else echo "$name: stopped"; fi; done ;;
*) stop_with "usage: $0 start|stop|status" ;;
esac
