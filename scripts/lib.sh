# Shared by the scripts in this directory: sourced, never run. POSIX sh.

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Seconds since the epoch.
now() { date +%s; }

# timed NAME COMMAND...: runs it, prints how long it took, passes its status on.
timed() {
    timed_name=$1
    shift
    timed_start=$(now)
    say "$timed_name"
    timed_status=0
    "$@" || timed_status=$?
    note "$timed_name: $(($(now) - timed_start)) s$([ "$timed_status" = 0 ] || echo ", FAILED ($timed_status)")"
    return "$timed_status"
}

# wait_for_file FILE PROCESS LOG: until the service writes its address, for 10 s at most.
wait_for_file() {
    wait_left=100
    until [ -s "$1" ]; do
        kill -0 "$2" 2>/dev/null || { cat "$3" >&2; die "the service ended before it listened"; }
        [ $wait_left -gt 0 ] || { cat "$3" >&2; die "the service does not listen after 10 s"; }
        sleep 0.1
        wait_left=$((wait_left - 1))
    done
}
