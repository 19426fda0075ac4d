#!/bin/sh
# The service under load for as long as is wanted: what people send at a steady rate, workers killed on
# the way, then three and ten times what it can serve. Fails if memory, descriptors or processes grow,
# if an answer is wrong, or if something is left over.
#
#   scripts/soak.sh [MINUTES] [RATE]
#
# MINUTES of the steady part, 2 by default; RATE in calls a second, 8 by default.
set -eu
minutes=${1:-2}
rate=${2:-8}
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh build
say "building"
cargo build --release --locked --bin mmsfit --bin mmsfit-worker
mmsfit=${CARGO_TARGET_DIR:-target}/release/mmsfit

work=target/soak
rm -rf "$work"
mkdir -p "$work"

service=
killer=
stop_service() {
    [ -z "$killer" ] || kill "$killer" 2>/dev/null || true
    [ -n "$service" ] || return 0
    kill -TERM "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
    service=
}
trap stop_service EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$mmsfit" serve --listen 127.0.0.1:0 --port-file "$work/address" >"$work/serve.log" 2>&1 &
service=$!
wait_for_file "$work/address" "$service" "$work/serve.log"
target=http://$(cat "$work/address")

# The processes below one, of any depth.
below() {
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        echo "$child"
        below "$child"
    done
}
# Resident KiB of the service, its descriptors, and the processes below it.
state() {
    resident=$(awk '/^VmRSS:/ { print $2 }' "/proc/$service/status")
    descriptors=$(ls "/proc/$service/fd" | wc -l)
    echo "$resident $descriptors $(below "$service" | wc -l)"
}
steady() {
    "$mmsfit" load --target "$target" --mix examples/mixes/everyday.toml --rate "$rate" --seconds "$1" --seed "$2"
}

say "warming up"
steady 10 1 || die "answers are wrong"
sleep 2
set -- $(state)
first_resident=$1 first_descriptors=$2 first_processes=$3
note "resident $1 KiB, $2 descriptors, $3 processes below"

say "steady at $rate calls a second for $minutes minutes, a worker process killed each second"
(
    while sleep 1; do
        # The last is the newest: a job, where there is one.
        victim=$(below "$service" | tail -n 1)
        [ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null || true
    done
) &
killer=$!
steady "$((minutes * 60))" 2 || die "calls failed while workers were killed"
kill "$killer" 2>/dev/null || true
wait "$killer" 2>/dev/null || true
killer=

say "three and ten times what it can serve"
"$mmsfit" load --target "$target" --mix examples/mixes/everyday.toml --overload 3,10 --seconds 15 --arrivals even ||
    die "calls failed in other ways than refusals"

say "the same as at first"
steady 10 3 || die "answers are wrong afterwards"
sleep 2
set -- $(state)
note "resident $1 KiB, $2 descriptors, $3 processes below"
# What the allocator keeps after ten times the load is not a leak: half as much again, and 64 MiB.
[ "$1" -le $((first_resident * 3 / 2 + 65536)) ] || die "memory grew from $first_resident to $1 KiB"
[ "$2" -le $((first_descriptors + 8)) ] || die "descriptors grew from $first_descriptors to $2"
[ "$3" -le $((first_processes + 2)) ] || die "processes grew from $first_processes to $3"

left=$(below "$service")
stop_service
sleep 1
for process in $left; do
    [ ! -d "/proc/$process" ] || die "process $process outlived the service"
done
note "flat, and nothing left over"
