#!/bin/sh
# Prints the path of cargo-deny: the one on PATH, else one built into target/tools.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

version=0.20.2
if have cargo-deny; then
    command -v cargo-deny
    exit 0
fi
tool=$PWD/target/tools/bin/cargo-deny
if ! { [ -x "$tool" ] && "$tool" --version 2>/dev/null | grep -qF " $version"; }; then
    say "installing cargo-deny $version into target/tools" >&2
    # Unoptimised: it runs for a second, and compiles in a fraction of the time.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_LTO=off \
        cargo install --quiet --locked --root target/tools "cargo-deny@$version" >&2 </dev/null
fi
echo "$tool"
