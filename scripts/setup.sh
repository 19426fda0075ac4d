#!/bin/sh
# Installs what is missing, through apt: Debian 12, Debian 13, Ubuntu 24.04.
#
#   scripts/setup.sh [build|test]
#
# build (the default): what compiling and `make demo` need; missing it is an error.
# test: that, and the independent tools that tests compare with; each is optional: where one
#       cannot be had, the tests that need it print "skipped".
#
# Asks for what is there, not for packages: where nothing is missing it does nothing, takes a
# fraction of a second, and works on any system.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

# --- what is needed: check, package -----------------------------------------------------------
# The linker and the C library's start files; build scripts of crates run natively.
has_linker() { have cc && cc -print-file-name=crt1.o 2>/dev/null | grep -q /; }
# The registry is reached over TLS.
has_roots() { [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s "${SSL_CERT_FILE:-/nonexistent}" ] ||
    [ -s /etc/pki/tls/certs/ca-bundle.crt ] || [ -s /etc/ssl/cert.pem ]; }
# A Python that can make virtual environments, for the stock gRPC client of tests/python.
has_python() { have python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }
# Reads the manifests of deploy/ for a test.
has_yaml() { have python3 && python3 -c 'import yaml' 2>/dev/null; }
# It lies where only root's path leads.
has_clamd() { have clamd || [ -x /usr/sbin/clamd ]; }
# What tests/python/webp_frames.py calls.
has_demux() { python3 -c 'import ctypes; ctypes.CDLL("libwebpdemux.so.2")' 2>/dev/null; }

# The codec libraries that `mmsfit-worker` links, and what makes bindings for them.
has_libs() { have pkg-config && pkg-config --exists "$@"; }
has_header() { for dir in /usr/include /usr/local/include; do [ -e "$dir/$1" ] && return 0; done
    have cc && [ -e "/usr/include/$(cc -print-multiarch 2>/dev/null)/$1" ]; }
# An encoder that only the fuller build of libavcodec has.
has_encoders() { [ -e "$(ldconfig_of libopencore-amrnb.so.0)" ] && [ -e "$(ldconfig_of libvo-amrwbenc.so.0)" ] &&
    ldconfig_list | grep -q 'libx264\.so'; }
ldconfig_list() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null; }
ldconfig_of() { ldconfig_list | awk -v name="$1" '$1 == name { print $NF; exit }'; }
# libclang-cpp, which other packages bring, is another library.
has_libclang() { ldconfig_list | grep -q 'libclang\(-[0-9]\|\.so\)' ||
    ls /usr/lib/llvm-*/lib/ 2>/dev/null | grep -q '^libclang\(-[0-9]\|\.so\)'; }

missing_build() {
    has_linker || echo gcc libc6-dev
    have pkg-config || echo pkg-config
    has_libclang || echo libclang-dev
    has_libs libavcodec libavformat libavutil libswscale libswresample ||
        echo libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libswresample-dev
    has_encoders || echo libavcodec-extra
    has_libs libheif || has_header libheif/heif.h || echo libheif-dev
    has_roots || echo ca-certificates
}
missing_test() {
    has_python || echo python3 python3-venv
    has_yaml || echo python3-yaml
    have ffprobe || echo ffmpeg                  # decodes JPEG, PNG, GIF, audio, video
    have djpeg || echo libjpeg-turbo-progs       # the reference JPEG decoder, with its warnings
    have wbmptopbm || echo netpbm                # decodes WBMP
    has_demux || echo libwebpdemux2              # composes animated WebP
    have tshark || echo tshark                   # dissects MMS PDUs
    have promtool || echo prometheus             # checks metrics and rules, and scrapes the service
    have nats-server || echo nats-server         # the queue of batches over many machines
    have xz || echo xz-utils                     # unpacks the archive of device documents
    has_clamd || echo clamav-daemon              # scans parts; started by the test alone, with one signature
}

# --- apt --------------------------------------------------------------------------------------
as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}
may_install() {
    have apt-get || { why="this system has no apt-get"; return 1; }
    [ "$(id -u)" = 0 ] && return 0
    have sudo || { why="not root, and there is no sudo"; return 1; }
    sudo -n true 2>/dev/null && return 0
    # A person at a terminal may type a password; anything else must not wait for one.
    [ -t 0 ] && sudo -v && return 0
    why="not root, and sudo wants a password"
    return 1
}
updated=no
refresh() {
    [ $updated = yes ] && return 0
    as_root apt-get -q=2 -o APT::Update::Error-Mode=any update >&2 ||
        note "apt-get update failed; going on with the package lists that are there"
    updated=yes
}
# Recommended packages are left out: ffmpeg and tshark would bring a desktop.
# apt's hundreds of lines go to a file, and to the screen only when it fails.
log=target/setup.log
install() {
    mkdir -p target
    as_root apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@" </dev/null >"$log" 2>&1 && return 0
    tail -20 "$log" >&2
    return 1
}

# Ubuntu keeps most of these tools in `universe`, which a minimal system may not have enabled.
available() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

# --- the two sets -----------------------------------------------------------------------------
set_up_build() {
    have cargo && have rustc || die "no Rust toolchain on PATH: cargo and rustc are needed, see https://rustup.rs"
    packages=$(missing_build)
    [ -z "$packages" ] && return 0
    packages=$(echo $packages)
    may_install || die "missing: $packages ($why). Install them, as root: apt-get install $packages"
    say "setup: installing $packages"
    refresh
    install $packages || die "apt-get could not install: $packages"
    [ -z "$(missing_build)" ] || die "still missing after the installation: $(echo $(missing_build))"
}

# clamav-daemon brings services that download signatures and stay: a test needs the program alone.
# Masked while the package is installed, none of them is started.
clamd_services() {
    case " $chosen " in *" clamav-daemon "*) ;; *) return 0 ;; esac
    [ -d /run/systemd/system ] || return 0
    for verb in "$@"; do
        as_root systemctl -q "$verb" clamav-daemon.service clamav-daemon.socket clamav-freshclam.service || :
    done
}

set_up_test() {
    packages=$(missing_test)
    if [ -n "$packages" ]; then
        packages=$(echo $packages)
        if may_install; then
            refresh
            chosen=
            for package in $packages; do
                if available "$package"; then chosen="$chosen $package"; else
                    note "$package is not in this system's package lists: its tests will be skipped"
                fi
            done
            if [ -n "$chosen" ]; then
                say "setup: installing$chosen"
                clamd_services mask
                # All at once is quickest; one by one finds the culprit and installs the others.
                install $chosen || for package in $chosen; do
                    install "$package" || note "$package could not be installed: its tests will be skipped"
                done
                clamd_services unmask disable
            fi
        else
            note "not installed: $packages ($why); the tests that need them will be skipped"
        fi
    fi
}

case "${1:-build}" in
build) set_up_build ;;
test) set_up_build && set_up_test ;;
*) die "usage: scripts/setup.sh [build|test]" ;;
esac
