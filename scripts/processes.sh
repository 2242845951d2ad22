# shellcheck shell=bash
# Processes by pid file, for the scripts that source this. They set `run`, the folder whose pid/ and log/ are used.

alive() { [ -f "${run:?}/pid/$1" ] && kill -0 "$(cat "$run/pid/$1")" 2>/dev/null; }

# launch NAME [VARIABLE=VALUE…] COMMAND…: in the background, in a session of its own.
launch() {
    local name=$1
    shift
    if alive "$name"; then
        echo "  $name runs already (pid $(cat "$run/pid/$name"))"
        return
    fi
    setsid env "$@" >>"$run/log/$name.out" 2>&1 </dev/null &
    echo $! >"$run/pid/$name"
}

# halt NAME: by pid, politely, then not.
halt() {
    if alive "$1"; then
        local pid
        pid=$(cat "$run/pid/$1")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$run/pid/$1"
}
