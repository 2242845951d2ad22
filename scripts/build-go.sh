#!/usr/bin/env bash
# Builds the shop's Go programs into .run/bin, from Debian's Go packages: no module proxy is asked. The sources are this
# checkout's, seen through a GOPATH of symbolic links.
#   scripts/build-go.sh [build|test]
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
    printf 'build-go: %s\n' "$1" >&2
    exit 1
}

command -v go >/dev/null || stop "no go on PATH; scripts/setup.sh demo installs it"
for package in go.uber.org/zap go.opentelemetry.io/otel/sdk/trace github.com/prometheus/client_golang/prometheus github.com/lib/pq; do
    [ -d "/usr/share/gocode/src/$package" ] || stop "Debian's Go package of $package is missing; scripts/setup.sh demo installs it"
done

gopath=$PWD/.run/gopath
mkdir -p "$gopath/src/apus/shop" .run/bin
ln -sfn "$PWD/kits/go" "$gopath/src/apus/observe"
ln -sfn "$PWD/examples/shop/orders" "$gopath/src/apus/shop/orders"
ln -sfn "$PWD/examples/shop/traffic" "$gopath/src/apus/shop/traffic"

export GO111MODULE=off GOPATH="$gopath:/usr/share/gocode" GOFLAGS=-tags=otlpjson CGO_ENABLED=0
packages=(apus/observe apus/shop/orders apus/shop/traffic)

case ${1:-build} in
build)
    for program in orders traffic; do
        go build -o ".run/bin/$program" "apus/shop/$program"
    done
    ;;
test)
    unformatted=$(gofmt -l kits/go examples/shop/orders examples/shop/traffic)
    [ -z "$unformatted" ] || stop "gofmt would change: $unformatted"
    go vet "${packages[@]}"
    go test "${packages[@]}"
    ;;
*) stop "usage: $0 [build|test]" ;;
esac
