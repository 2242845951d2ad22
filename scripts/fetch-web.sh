#!/usr/bin/env bash
# Fetches the web app's libraries into Sources/Web/vendor: takes them out of two wheels on PyPI (Sources/Web/vendor.txt, pinned
# by hash) and checks every file against Sources/Web/vendor.sha256. Does nothing where all is there and right.
set -euo pipefail
cd "$(dirname "$0")/../Sources/Web"

say() { printf '\033[1m▸ %s\033[0m\n' "$*"; }
stop() {
    printf 'fetch-web: %s\n' "$1" >&2
    exit 1
}

# wrong: prints the vendored files that are missing or differ from their digest.
wrong() {
    while read -r digest name _; do
        if ! printf '%s  vendor/%s\n' "$digest" "$name" | sha256sum --check --status 2>/dev/null; then echo "$name"; fi
    done <vendor.sha256
}

missing=$(wrong)
[ -n "$missing" ] || exit 0
say "fetching the web app's libraries: $(echo "$missing" | tr '\n' ' ')"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The pip of the project's environment, of the machine, or of an environment made for this.
pip=()
for python in "${APUS_VENV:-../../.run/venv}/bin/python" python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
        pip=("$python" -m pip)
        break
    fi
done
if [ ${#pip[@]} -eq 0 ]; then
    command -v python3 >/dev/null || stop "python3 is needed to fetch the web app's libraries (apt-get install python3 python3-venv)"
    python3 -m venv "$scratch/venv" 2>/dev/null || stop "python3 has neither pip nor venv (apt-get install python3-venv)"
    pip=("$scratch/venv/bin/python" -m pip)
fi

number=0
count=$(grep -c . vendor.txt)
while read -r requirement; do
    number=$((number + 1))
    echo "  $number/$count ${requirement%% *} from PyPI"
    echo "$requirement" >"$scratch/requirement.txt"
    "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --requirement "$scratch/requirement.txt" --dest "$scratch/wheels" </dev/null 2>"$scratch/pip.log" || {
        grep -v '^WARNING: Retrying' "$scratch/pip.log" | tail -5 >&2
        stop "pip could not download ${requirement%% *}: is PyPI reachable (proxy, mirror: pip config)? Then run scripts/fetch-web.sh again"
    }
done <vendor.txt

while read -r _ name path; do
    echo "  $name"
    python3 - "$scratch/wheels" "$path" "vendor/$name" <<'PYTHON'
import pathlib, sys, zipfile
wheels, path, target = sys.argv[1:]
for wheel in pathlib.Path(wheels).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        if path in archive.namelist():
            file = pathlib.Path(target)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(path))
            sys.exit()
sys.exit(f"fetch-web: no wheel holds {path}")
PYTHON
done <vendor.sha256

missing=$(wrong)
if [ -n "$missing" ]; then
    echo "$missing" | while read -r name; do rm -f "vendor/$name"; done
    stop "these files do not have the digest that vendor.sha256 names, and were removed: $missing"
fi
say "the web app's libraries are in Sources/Web/vendor ($(du -sh vendor | cut -f1))"
