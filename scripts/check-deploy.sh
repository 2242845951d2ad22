#!/usr/bin/env bash
# Checks what cannot be run without a Docker engine: shell scripts, Dockerfiles, the compose file, the systemd unit;
# and the shop's scrape configuration and rules, with Prometheus' own tool.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${APUS_VENV:-.run/venv}/bin

"$bin/shellcheck" --severity=warning scripts/*.sh .ci/run
"$bin/check-jsonschema" --builtin-schema vendor.compose-spec compose.yaml
find deploy examples -name '*Dockerfile' -print0 | xargs -0 -r "$bin/hadolint" --ignore DL3008
# The schema lets a service depend on one that does not exist; Compose does not.
python3 - <<'PY'
import re, sys
text = open("compose.yaml").read()
services = re.search(r"^services:\n(.*?)(?=^\S|\Z)", text, re.M | re.S).group(1)
names = set(re.findall(r"^  ([\w-]+):", services, re.M))
wanted = set(re.findall(r"^      ([\w-]+):\s*(?:\{ *condition|\n\s+condition)", services, re.M))
missing = wanted - names
sys.exit(f"compose.yaml: depends_on names {sorted(missing)}, which is no service" if missing else 0)
PY
if command -v systemd-analyze >/dev/null; then
    # The binary is not installed here, so only complaints about the unit itself count.
    complaints=$(systemd-analyze verify deploy/apus.service 2>&1 | grep -E 'apus\.service:[0-9]+:' || true)
    [ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
fi
promtool check config examples/shop/prometheus.yml >/dev/null
promtool test rules examples/shop/rules_test.yml >/dev/null
echo "scripts, Dockerfiles, compose file, unit and rules are in order"
