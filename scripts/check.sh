#!/bin/sh
# All checks that are not tests, each by name:
#
#   scripts/check.sh [fmt|clippy|library|doc|deny|tidy]...
#
# Without arguments: all of them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

check_fmt() { cargo fmt --all --check; }
check_clippy() { cargo clippy --locked --workspace --all-targets -- -D warnings; }
# The library alone, and each shell alone: all else is built with all of them.
check_library() {
    for features in "" server batch parquet; do
        cargo check --locked -p mmsfit --lib --example adapt --no-default-features --features "$features" || return 1
    done
    RUSTDOCFLAGS="-D warnings" cargo doc --locked -p mmsfit --no-default-features --no-deps
}
check_doc() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items; }
# Licences, bans and sources. (Advisories need a database from outside: `cargo deny check`.)
check_deny() {
    deny=$(scripts/cargo-deny.sh) || return 1
    "$deny" --locked check --hide-inclusion-graph licenses bans sources
}
check_tidy() { cargo test --locked --test tidy; }

scripts/setup.sh build
status=0
for check in ${@:-fmt clippy library doc deny tidy}; do
    case $check in
    fmt | clippy | library | doc | deny | tidy) timed "$check" "check_$check" || status=1 ;;
    *) die "unknown check: $check" ;;
    esac
done
exit $status
