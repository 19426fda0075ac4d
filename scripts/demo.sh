#!/bin/sh
# The demonstration: builds, makes sample messages, starts the service, sends it the messages over
# gRPC as an MMSC would for an old and a new handset, prints the figures, writes an HTML page, stops
# the service.
#
#   scripts/demo.sh [PHOTO]
#
# PHOTO: a photo of yours to send beside the samples.
set -eu
photo=${1:-}
case $photo in '' | /*) ;; *) photo=$PWD/$photo ;; esac
cd "$(dirname "$0")/.."
. scripts/lib.sh
[ -z "$photo" ] || [ -r "$photo" ] || die "cannot read $photo"

start=$(now)
scripts/setup.sh build
say "building"
cargo build --release --locked --bin mmsfit --bin mmsfit-worker --example mmsc_demo
mmsfit=${CARGO_TARGET_DIR:-target}/release/mmsfit
mmsc=${CARGO_TARGET_DIR:-target}/release/examples/mmsc_demo

work=target/demo
rm -rf "$work"
mkdir -p "$work/samples"

service=
stop_service() {
    [ -n "$service" ] || return 0
    kill -TERM "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
    service=
}
trap stop_service EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "making sample messages in $work/samples"
"$mmsfit" demo-samples "$work/samples"
[ -z "$photo" ] || cp "$photo" "$work/samples/"

say "starting the service"
# Port 0: the system picks a free one; the service writes it, whole, once it is bound.
"$mmsfit" serve --listen 127.0.0.1:0 --port-file "$work/address" >"$work/serve.log" 2>&1 &
service=$!
wait_for_file "$work/address" "$service" "$work/serve.log"
address=$(cat "$work/address")
note "listening on $address"

say "sending the samples over gRPC for an old and a new handset"
fitted=0
"$mmsc" --old nokia-6600 --new samsung-galaxy-s24 --endpoint "http://$address" --html "$work/report.html" --out "$work/adapted" "$work/samples" || fitted=$?

stop_service
say "done in $(($(now) - start)) s; the page: $work/report.html"
[ $fitted -eq 0 ] || die "not every message came back fitted: see the table above"
