#!/bin/sh
# Sets up and runs every test, then prints a summary. Arguments go to `cargo test`.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

start=$(now)
scripts/setup.sh test
log=target/test.log
mkdir -p target
# No `pipefail` in POSIX sh: the status travels through a file.
{ cargo test --locked --workspace --all-targets "$@" 2>&1 && cargo test --locked --workspace --doc 2>&1; echo $? >"$log.status"; } | tee "$log"
status=$(cat "$log.status")
rm -f "$log.status"

echo
awk -v seconds=$(($(now) - start)) '
    /^test result:/ { passed += $4; failed += $6; ignored += $8; suites += 1 }
    /(^|[^a-z])skipped([^a-z]|$)/ && !/^test result:/ { skipped[$0] = 1 }
    END {
        for (line in skipped) print "    " line
        printf "==> tests: %d passed, %d failed, %d ignored in %d suites, %d s\n", passed, failed, ignored, suites, seconds
    }' "$log"
exit "$status"
