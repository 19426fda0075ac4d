#!/bin/sh
# Checks with Wireshark's dissector that an MMS PDU is well formed.
# Usage: tshark-check.sh FILE.mms...   Exit: 0 sound, 1 malformed, 2 usage or tools missing.
# The PDU is wrapped as an HTTP response over a made-up TCP connection; tshark puts the segments
# together again and dissects MMSE inside. With FIELDS="name name" their values are printed, a line
# for each file that is sound.
set -u
[ $# -ge 1 ] || { echo "usage: $0 FILE.mms..." >&2; exit 2; }
for tool in tshark text2pcap od; do
    command -v "$tool" >/dev/null 2>&1 || { echo "$0: $tool is missing" >&2; exit 2; }
done
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
status=0
for file in "$@"; do
    [ -r "$file" ] || { echo "$0: cannot read $file" >&2; exit 2; }
    size=$(wc -c <"$file")
    {
        printf 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.wap.mms-message\r\n'
        printf 'Content-Length: %d\r\n\r\n' "$size"
        cat "$file"
    } >"$dir/response"
    # One packet for each 32000 bytes: text2pcap starts a new packet at offset 0.
    rm -f "$dir"/piece.*
    split -b 32000 -a 4 "$dir/response" "$dir/piece."
    for piece in "$dir"/piece.*; do
        od -Ax -tx1 -v "$piece"
    done >"$dir/hex"
    text2pcap -q -T 8080,40000 "$dir/hex" "$dir/pcap" >/dev/null 2>"$dir/log" || {
        cat "$dir/log" >&2
        exit 2
    }
    # The encapsulation is judged, not the media in it: their dissectors are off.
    tshark -r "$dir/pcap" -d tcp.port==8080,http --disable-protocol image-gif \
        --disable-protocol image-jfif --disable-protocol png --disable-protocol xml \
        --disable-protocol mp4 -V >"$dir/out" 2>/dev/null
    if ! grep -q 'MMS Message Encapsulation' "$dir/out"; then
        echo "$file: not dissected as MMS" >&2
        status=1
    elif grep -E -i 'malformed|dissector bug|exception occurred' "$dir/out" >&2; then
        echo "$file: malformed" >&2
        status=1
    elif [ -n "${FIELDS:-}" ]; then
        # shellcheck disable=SC2046,SC2086
        tshark -r "$dir/pcap" -d tcp.port==8080,http -Y mmse -T fields \
            $(printf -- '-e %s ' $FIELDS) 2>/dev/null
    fi
done
exit $status
