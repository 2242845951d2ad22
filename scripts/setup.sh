#!/usr/bin/env bash
# Installs what is missing for `make build`, `make up` or `make test`: Debian packages, a Python environment under
# .run/venv, and the web app's pinned files. Does nothing where all is there.
#   scripts/setup.sh build|demo|test
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-build}
say() { printf '\033[1m▸ %s\033[0m\n' "$*"; }
stop() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

build_packages=(libzstd-dev libsnappy-dev zlib1g-dev libdeflate-dev libbz2-dev libroaring-dev libre2-dev libsqlite3-dev g++)
demo_packages=(golang-go golang-go.uber-zap-dev golang-opentelemetry-otel-dev golang-github-prometheus-client-golang-dev
    golang-github-lib-pq-dev postgresql prometheus-node-exporter curl procps)
test_packages=(prometheus chromium node-typescript openssl)

wanted=("${build_packages[@]}")
[ "$what" = build ] || wanted+=("${demo_packages[@]}")
[ "$what" = test ] && wanted+=("${test_packages[@]}")

# --- Swift -------------------------------------------------------------------------------------------------------
command -v swift >/dev/null || stop "no swift on PATH. Install Swift 6.2 or newer: https://www.swift.org/install/linux/"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -1)
read -r major minor <<<"${version:-0 0}"
if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
    stop "Swift $major.$minor is too old: Apus needs 6.2 or newer (https://www.swift.org/install/linux/)"
fi

# --- Debian packages ---------------------------------------------------------------------------------------------
missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || stop "this is no Debian or Ubuntu; install the counterparts of: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || stop "missing packages; as root, run: apt-get install -y --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq || stop "apt-get update failed: is there a network?"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" |
        grep -E '^(Get:|Setting up|E:)' || true
    for package in "${missing[@]}"; do
        dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
            stop "Debian package $package could not be installed; see the lines above"
    done
fi

# --- Python ------------------------------------------------------------------------------------------------------
venv=.run/venv
requirements=Tests/EndToEnd/requirements.txt
if [ "$what" = test ] && ! cmp -s "$requirements" "$venv/installed.txt"; then
    say "installing Python packages into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary=:all: -r "$requirements" ||
        stop "pip could not install $requirements: is PyPI reachable?"
    cp "$requirements" "$venv/installed.txt"
fi

# --- the web app's files -----------------------------------------------------------------------------------------
scripts/fetch-web.sh
say "set-up for '$what' is complete"
