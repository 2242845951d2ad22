#!/usr/bin/env bash
# Checks the web app: types (tsc --checkJs), lint (oxlint), syntax, and the unit tests of its pure modules.
# Installs what is missing: tsc from Debian's node-typescript, oxlint from PyPI into $APUS_VENV (default .run/venv).
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${APUS_VENV:-.run/venv}
stop() {
    printf 'check-web: %s\n' "$1" >&2
    exit 1
}

if ! command -v tsc >/dev/null; then
    command -v apt-get >/dev/null || stop "tsc is missing: install TypeScript 4.8 or newer"
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    echo "▸ installing node-typescript"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends node-typescript >/dev/null ||
        stop "Debian's node-typescript could not be installed"
fi
if [ ! -x "$venv/bin/oxlint" ]; then
    echo "▸ installing oxlint into $venv"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || stop "python3 has no venv (apt-get install python3-venv)"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check oxlint==1.89.0 || stop "oxlint could not be installed: is PyPI reachable?"
fi

scripts/fetch-web.sh

echo "▸ types"
tsc -p Sources/Web/tsconfig.json
echo "▸ lint"
"$venv/bin/oxlint" --quiet --deny-warnings Sources/Web/app Tests/WebTests

if command -v node >/dev/null; then
    echo "▸ syntax and unit tests"
    find Sources/Web/app -name '*.js' -print0 | xargs -0 -n1 node --check
    node --test Tests/WebTests >.run-web-tests 2>&1 || {
        cat .run-web-tests >&2
        rm -f .run-web-tests
        stop "unit tests of the web app failed"
    }
    grep -E '^# (tests|pass|fail) ' .run-web-tests
    rm -f .run-web-tests
else
    echo "no node here: syntax check and unit tests of the web app are skipped (apt-get install nodejs)"
fi
