#!/bin/sh
# Sets up and runs every test, then prints the slowest and a summary. Arguments go to `cargo test`:
# `scripts/test.sh --test suite golden::` runs one subject of the acceptance tests.
#
# The whole output, that of passing tests included, goes to target/test.log. A test that lacks a
# tool or a file says "skipped: ..." and passes; with MMSFIT_REQUIRE=worker,corpus,ffmpeg,netpbm,
# tshark,python,promtool,clamd,nats (or `all`) it fails for what is named.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

start=$(now)
scripts/setup.sh test
mkdir -p target
log=target/test.log

# cargo starts test programs through this: the time of each test is told by the standard harness,
# but as one of the options that stable programs must be allowed by a variable.
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${host}_RUNNER=$PWD/scripts/run-timed.sh"

# The screen gets everything but what passing tests print.
quiet() {
    awk '
        /^successes:$/ { hidden = 1 }
        /^(failures:|test result:)/ { hidden = 0 }
        !hidden { print; fflush() }'
}
# The same mutants each time, so that a run that fails fails again; MMSFIT_ALL=1 rolls new ones.
[ -n "${MMSFIT_ALL-}" ] || export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED-20261127}"

# POSIX sh has no `pipefail`: the status travels through a file. All programs are built before the
# first one runs, so that the worker lies beside the tests as it lies beside the command. A program
# that fails does not end the others.
run() {
    {
        result=0 doc=yes
        {
            # All that runs, both commands among it; or what is asked for, and the commands.
            if [ $# -eq 0 ]; then
                set -- --workspace --lib --bins --tests --examples
            else
                doc=no
                cargo build --locked --bins || exit
            fi
            cargo test --locked --no-run "$@" || exit
            say "built: $(($(now) - start)) s"
            cargo test --locked --no-fail-fast "$@" -- --show-output || result=$?
            [ "$doc" = no ] ||
                cargo test --locked --workspace --doc --no-fail-fast -- --show-output || result=$?
        } 2>&1 || result=$?
        echo "$result" >"$log.status"
    } | tee "$log" | quiet
}
run "$@"
status=$(cat "$log.status" 2>/dev/null || echo 1)
rm -f "$log.status"

say "the slowest:"
# Many may run at once: seconds by the wall clock, not of work.
sed -n 's/^test \(.*\) \.\.\. [a-zA-Z]* <\(.*\)s>$/\2 \1/p' "$log" | sort -rn | head -10 |
    awk '{ seconds = $1; sub(/^[^ ]* /, ""); printf "    %7.1f s  %s\n", seconds, $0 }'
awk -v seconds=$(($(now) - start)) '
    /^test result:/ { passed += $4; failed += $6; ignored += $8; suites += 1 }
    /^skipped/ { skipped[$0] += 1 }
    END {
        for (line in skipped) printf "    %s%s\n", line, (skipped[line] > 1 ? " (" skipped[line] " times)" : "")
        printf "==> tests: %d passed, %d failed, %d ignored in %d programs, %d s\n", passed, failed, ignored, suites, seconds
    }' "$log"
exit "$status"
