#!/bin/sh
# Sets up and runs every test, then prints a summary. Arguments go to `cargo test`.
#
# The whole output, that of passing tests included, goes to target/test.log.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

start=$(now)
scripts/setup.sh test
mkdir -p target
log=target/test.log

# The screen gets everything but what passing tests print.
quiet() {
    awk '
        /^successes:$/ { hidden = 1 }
        /^(failures:|test result:)/ { hidden = 0 }
        !hidden { print; fflush() }'
}
# POSIX sh has no `pipefail`: the status travels through a file. Benches only have to compile.
run() {
    {
        result=0
        {
            # The worker lies beside the tests, as it lies beside the command.
            cargo build --locked --bin mmsfit-worker &&
                cargo test --locked --workspace --lib --bins --tests --examples "$@" -- --show-output &&
                cargo test --locked --workspace --doc "$@" -- --show-output &&
                cargo test --locked --workspace --benches --no-run "$@"
        } 2>&1 || result=$?
        echo "$result" >"$log.status"
    } | tee "$log" | quiet
}
run "$@"
status=$(cat "$log.status")
rm -f "$log.status"

# A test that lacks a tool or a file says "skipped: ..." and passes.
awk -v seconds=$(($(now) - start)) '
    /^test result:/ { passed += $4; failed += $6; ignored += $8; suites += 1 }
    /^skipped/ { skipped[$0] += 1 }
    END {
        for (line in skipped) printf "    %s%s\n", line, (skipped[line] > 1 ? " (" skipped[line] " times)" : "")
        printf "==> tests: %d passed, %d failed, %d ignored in %d suites, %d s\n", passed, failed, ignored, suites, seconds
    }' "$log"
exit "$status"
