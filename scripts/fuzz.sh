#!/bin/sh
# Fuzzes every target of fuzz/, or the one that is named, for so many seconds each. What is found lies
# in fuzz/artifacts/, what was learnt in fuzz/corpus/. Needs no nightly compiler: the instrumentation
# that libFuzzer wants is a pass of LLVM that stable rustc runs as well. (Bounds and overflows are
# checked; there is no unsafe code in what is fuzzed, so that an address sanitizer has nothing to find.)
set -eu
cd "$(dirname "$0")/.."
target=${1:-}
seconds=${2:-60}
flags='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
host=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, the flags do not reach build scripts and macros.
RUSTFLAGS="$flags" cargo build --release --manifest-path fuzz/Cargo.toml --target "$host"
for file in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$file" .rs)
    if [ -n "$target" ] && [ "$target" != "$name" ]; then
        continue
    fi
    mkdir -p "fuzz/corpus/$name" "fuzz/artifacts/$name"
    echo "==> fuzz: $name, $seconds s"
    "${CARGO_TARGET_DIR:-fuzz/target}/$host/release/$name" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=fuzz/artifacts/$name/" \
        "fuzz/corpus/$name" "fuzz/seeds/$name"
done
