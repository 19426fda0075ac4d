#!/bin/bash
# Proves `make demo` and `make test` on a fresh machine: a minimal chroot that has a Rust toolchain,
# make, and nothing else.
#
#   scripts/fresh-machine.sh [bookworm|trixie|noble]...      (root; default: bookworm)
#
# What the chroot gets from this machine: the Rust toolchain in use, mounted read-only; the way out
# (apt's sources of the same distribution, proxy settings, certificates, name servers, cargo's and
# pip's registry settings). What it does not get: the work tree (it gets the committed HEAD), the
# cargo cache, the environment, any other program.
#
# FRESH_DIR   where chroots are built and removed again (default: /var/tmp)
# FRESH_STEPS what to run inside (default: "demo test")
# FRESH_KEEP  if set, the chroot stays, unmounted, for a look
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

[ "$(id -u)" = 0 ] || die "debootstrap and chroot need root: sudo make fresh-machine"
have debootstrap || die "debootstrap is missing: apt-get install debootstrap"
have git || die "git is missing: apt-get install git"
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
    note "the work tree has changes that are not committed: the committed HEAD is what is tried"

work=$(mktemp -d "${FRESH_DIR:-/var/tmp}/mmsfit-fresh.XXXXXX")
mounts=()

unmount_all() {
    local i failed=0
    for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do
        umount "${mounts[i]}" 2>/dev/null || umount --lazy "${mounts[i]}" || failed=1
    done
    mounts=()
    return $failed
}
clean_up() {
    local status=$?
    trap - EXIT
    # Never remove through a mount: if one is left, so is the tree. --one-file-system besides.
    if unmount_all && ! grep -qF " $work/" /proc/self/mounts; then
        [ -n "${FRESH_KEEP:-}" ] && note "kept: $work" || rm -rf --one-file-system "$work"
    else
        note "something is still mounted under $work: not removed"
    fi
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mount_into() { # OPTIONS... TARGET
    local target=${!#}
    mkdir -p "$target"
    mount "$@"
    mounts+=("$target")
}

# The mirror that this machine uses for a distribution, else the distribution's own.
mirror_of() { # debian|ubuntu
    local found
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
        grep -v '^#' | grep -oE "https?://[^ ]+/$1/?( |\$)" | tr -d ' ' | sed 's|/$||' | head -1 || true)
    case ${found:-$1} in
    debian) echo http://deb.debian.org/debian ;;
    ubuntu) echo http://archive.ubuntu.com/ubuntu ;;
    *) echo "$found" ;;
    esac
}
security_mirror_of() { # debian|ubuntu
    case $1 in
    debian) mirror_of debian | sed 's|/debian$|/debian-security|' ;;
    ubuntu) mirror_of ubuntu ;;
    esac
}

# The keyring that signs a distribution: this machine's, else (Debian does not carry Ubuntu's) the
# package with the keys 790B..1F32 (2012) and F6EC..C93C (2018), known by its hash.
keyring_of() { # debian|ubuntu
    local ring=/usr/share/keyrings/$1-archive-keyring.gpg
    if [ ! -f "$ring" ] && [ "$1" = ubuntu ]; then
        mkdir -p "$work/keyring"
        /usr/lib/apt/apt-helper -q=2 download-file \
            "$(mirror_of ubuntu)/pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb" "$work/keyring/ring.deb" \
            SHA256:36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8 >&2 &&
            dpkg-deb -x "$work/keyring/ring.deb" "$work/keyring" || return 1
        ring=$work/keyring$ring
    fi
    [ -f "$ring" ] && echo "$ring"
}

# apt inside: all suites of the distribution, by the same mirrors.
write_sources() { # ROOT distribution SUITE
    local root=$1 mirror security components
    mirror=$(mirror_of "$2") security=$(security_mirror_of "$2")
    components=$([ "$2" = ubuntu ] && echo "main universe" || echo main)
    rm -f "$root"/etc/apt/sources.list.d/*
    {
        echo "deb $mirror $3 $components"
        echo "deb $mirror $3-updates $components"
        echo "deb $security $3-security $components"
    } >"$root/etc/apt/sources.list"
}

# The way out of this machine, whatever it is.
copy_way_out() { # ROOT
    local root=$1 file
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp -L /etc/hosts "$root/etc/hosts"
    # apt: proxies, timeouts, checks; not the clean-up rules of this machine's own packages.
    apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|ftp|Retries|Check-)' \
        >"$root/etc/apt/apt.conf.d/99fresh-machine" || true
    # Certificates of this machine's own: read when ca-certificates is installed inside.
    if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
        mkdir -p "$root/usr/local/share/ca-certificates"
        cp -L /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    fi
    # Where the mirror itself is reached over TLS, apt needs the roots before it can install them.
    case $(mirror_of debian)$(mirror_of ubuntu) in *https:*)
        mkdir -p "$root/etc/ssl/certs"
        cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
        ;;
    esac
    # cargo's and pip's registries; never their credentials.
    for file in config.toml config; do
        [ -f "${CARGO_HOME:-$HOME/.cargo}/$file" ] || continue
        mkdir -p "$root/root/.cargo"
        cp "${CARGO_HOME:-$HOME/.cargo}/$file" "$root/root/.cargo/config.toml"
        break
    done
    for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
        [ -f "$file" ] && cp "$file" "$root/etc/pip.conf"
    done
    return 0
}

# Of the environment only what names the way out.
way_out_variables() {
    env | grep -iE '^(https?_proxy|no_proxy|all_proxy|CARGO_HTTP_[A-Z_]+|CARGO_REGISTRIES_[A-Z_]+_INDEX|CARGO_NET_[A-Z_]+|PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT|DEFAULT_TIMEOUT))=' || true
}

try_suite() { # SUITE
    local suite=$1 root=$work/$1 distribution mirror keyring script= step started
    case $suite in
    bookworm | trixie) distribution=debian ;;
    noble) distribution=ubuntu ;;
    *) die "unknown suite: $suite (bookworm, trixie or noble)" ;;
    esac
    mirror=$(mirror_of $distribution)
    keyring=$(keyring_of $distribution) || { note "$suite: NOT TRIED: no keyring for $distribution"; return 2; }
    # An older debootstrap does not know a newer suite by name; all Ubuntus are made alike.
    [ -e "/usr/share/debootstrap/scripts/$suite" ] || script=/usr/share/debootstrap/scripts/$([ $distribution = ubuntu ] && echo gutsy || echo sid)

    started=$(now)
    say "$suite: a minimal system with make"
    if ! debootstrap --variant=minbase --include=make --keyring="$keyring" "$suite" "$root" "$mirror" $script >"$work/$suite.log" 2>&1; then
        tail -5 "$work/$suite.log"
        note "$suite: NOT TRIED: debootstrap from $mirror failed"
        return 2
    fi
    note "$suite: minimal system: $(($(now) - started)) s"
    write_sources "$root" $distribution "$suite"
    copy_way_out "$root"
    mount_into -t proc proc "$root/proc"
    mount_into -t tmpfs tmpfs "$root/dev/shm"   # the other devices are debootstrap's own
    # The toolchain itself, not rustup's proxies: rustc, cargo, rustfmt, clippy.
    mount_into --bind -o ro "$(rustc --print sysroot)" "$root/opt/rust"
    mount -o remount,bind,ro "$root/opt/rust"
    mkdir -p "$root/src/mmsfit"
    git archive --format=tar HEAD | tar -x -C "$root/src/mmsfit"

    local forbidden
    for forbidden in cc gcc git curl wget python3 pkg-config; do
        [ ! -x "$root/usr/bin/$forbidden" ] || note "$suite: not bare: $forbidden is there"
    done
    local -a variables
    mapfile -t variables < <(way_out_variables)
    for step in ${FRESH_STEPS:-demo test}; do
        started=$(now)
        say "$suite: make $step"
        chroot "$root" /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 TERM=dumb \
            PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            ${variables[@]+"${variables[@]}"} \
            /bin/sh -c "cd /src/mmsfit && exec make $step" </dev/null ||
            { note "$suite: make $step: FAILED after $(($(now) - started)) s"; results+=("$suite: make $step FAILED"); return 1; }
        results+=("$suite: make $step: $(($(now) - started)) s")
    done
}

results=()
status=0
for suite in ${@:-bookworm}; do
    result=0
    try_suite "$suite" || result=$?
    case $result in
    0) ;;
    2) results+=("$suite: not reachable from here, not tried") ;;
    *) status=1 ;;
    esac
    unmount_all || die "could not unmount everything under $work/$suite"
    [ -n "${FRESH_KEEP:-}" ] || rm -rf --one-file-system "${work:?}/$suite"
done
say "fresh machine ($(nproc) cores):"
for line in "${results[@]}"; do note "$line"; done
exit $status
