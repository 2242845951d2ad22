#!/usr/bin/env bash
# A PostgreSQL of one's own in a scratch folder, on loopback: for the demonstration and the tests. Works as root too,
# though PostgreSQL itself refuses to: then it runs as the user postgres. The database `shop` is made if it is missing.
#   scripts/postgres.sh start|stop DIR PORT
set -euo pipefail

stop() {
    printf 'postgres: %s\n' "$1" >&2
    exit 1
}
usage="usage: $0 start|stop DIR PORT"
action=${1:-}
folder=${2:?$usage}
port=${3:?$usage}

# The newest PostgreSQL that Debian installed, else the one on PATH.
programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
if [ -z "$programs" ]; then
    found=$(command -v pg_ctl) || stop "PostgreSQL is missing; scripts/setup.sh demo installs it"
    programs=$(dirname "$found")
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
run_as=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || stop "there is no user 'postgres', and PostgreSQL does not run as root"
    run_as=(runuser -u postgres --)
    # Below a folder that is closed to others, such as /root, that user cannot work: it gets one elsewhere.
    if ! "${run_as[@]}" test -x "$folder"; then
        folder=/var/tmp/apus-postgres-$(printf %s "$folder" | cksum | cut -d' ' -f1)
        mkdir -p "$folder"
    fi
    chown postgres "$folder"
    chmod 700 "$folder"
fi
cd "$folder"
data=$folder/data

running() { "${run_as[@]}" "$programs/pg_ctl" -D "$data" status >/dev/null 2>&1; }

start() {
    if [ ! -f "$data/PG_VERSION" ]; then
        "${run_as[@]}" "$programs/initdb" -D "$data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 ||
            { tail -5 "$folder/initdb.log" >&2; stop "initdb failed in $data"; }
    fi
    if ! running; then
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            stop "port $port is in use by something else; stop that, or choose another port"
        fi
        # No Unix socket: its path may be longer than the system allows. No fsync: nobody's orders are real.
        "${run_as[@]}" "$programs/pg_ctl" -D "$data" -w -t 30 -l "$folder/postgres.log" \
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" start >/dev/null ||
            { tail -5 "$folder/postgres.log" >&2; stop "PostgreSQL did not start; its log: $folder/postgres.log"; }
    fi
    local psql=("${run_as[@]}" "$programs/psql" -h 127.0.0.1 -p "$port" -U postgres -X -q -A -t)
    if [ "$("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'shop'")" != 1 ]; then
        "${psql[@]}" -c "CREATE DATABASE shop"
    fi
    echo "PostgreSQL: postgres://postgres@127.0.0.1:$port/shop"
}

case $action in
start) start ;;
stop) ! running || "${run_as[@]}" "$programs/pg_ctl" -D "$data" -m fast -w -t 30 stop >/dev/null ;;
*) stop "$usage" ;;
esac
