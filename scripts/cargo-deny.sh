#!/bin/sh
# Prints the path of cargo-deny: the one on PATH, else one built once for all checkouts and kept in
# MMSFIT_TOOLS (default: the user's cache folder). No distribution and no registry of binaries has a
# current one.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

version=0.20.2
if have cargo-deny; then
    command -v cargo-deny
    exit 0
fi
tools=${MMSFIT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/mmsfit/tools}
tool=$tools/bin/cargo-deny
if ! { [ -x "$tool" ] && "$tool" --version 2>/dev/null | grep -qF " $version"; }; then
    say "building cargo-deny $version into $tools" >&2
    # Unoptimised: it runs for a second, and compiles in a fraction of the time.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_LTO=off \
        cargo install --quiet --locked --root "$tools" "cargo-deny@$version" >&2 </dev/null
fi
echo "$tool"
