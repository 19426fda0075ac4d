#!/bin/bash
# Our clip encoder beside `ffmpeg` in two passes: the same clip, size, frame rate and bytes, in one
# interleaved run. Prints bytes, SSIM against the same scaled reference, and CPU seconds of both.
#
#   benches/video_vs_ffmpeg.sh [CLIP...]      without clips: some that ffmpeg itself makes
set -euo pipefail
cd "$(dirname "$0")/.."
command -v ffmpeg >/dev/null || { echo "skipped: no ffmpeg"; exit 0; }
profile=${PROFILE:-release}
[ "$profile" = release ] && cargo build -q --release -p mmsfit-worker --example video_transcode
ours=${CARGO_TARGET_DIR:-target}/$profile/examples/video_transcode
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
clips=("$@")
if [ ${#clips[@]} -eq 0 ]; then
    ffmpeg -v error -y -f lavfi -i testsrc2=s=1280x720:r=30:d=6 -c:v libx264 -preset fast "$work/pattern.mp4"
    ffmpeg -v error -y -f lavfi -i mandelbrot=s=640x480:r=30 -t 6 -c:v libx264 -preset fast "$work/zoom.mp4"
    clips=("$work/pattern.mp4" "$work/zoom.mp4")
fi
cpu() { # command...: CPU seconds of it
    local t; t=$( { TIMEFORMAT='%U %S'; time "$@" >"$work/said" 2>"$work/err"; } 2>&1 ) || { cat "$work/err" >&2; return 1; }
    awk '{ print $1 + $2 }' <<<"$t"
}
two_passes() { # clip out codec w h fps kbit
    local encoder=(-c:v "$3"); [ "$3" = libx264 ] && encoder+=(-profile:v baseline -preset medium)
    for pass in 1 2; do
        ffmpeg -v error -y -threads 1 -i "$1" -an -vf "$filter,fps=$6" -vsync passthrough "${encoder[@]}" -threads 1 -b:v "$7" -pass $pass \
            -passlogfile "$work/log" $([ $pass = 1 ] && echo "-f null /dev/null" || echo "$2")
    done
}
ssim() { # clip out fps
    ffmpeg -v info -i "$2" -i "$1" -lavfi "[1:v]$filter,fps=$3[r];[0:v]setsar=1[d];[d][r]ssim" -f null - 2>&1 | sed -n 's/.*All:\([0-9.]*\).*/\1/p'
}
printf '%-28s %-6s %8s %8s %8s %8s %8s %8s %6s\n' clip codec bytes ours ffmpeg SSIM SSIM CPU ratio
for clip in "${clips[@]}"; do
    seconds=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$clip")
    for target in "h263 176 144 10 100000 3gp" "h264 320 240 15 300000 mp4"; do
        read -r codec w h fps bytes ext <<<"$target"
        # No more than is of use for so short a clip.
        most=$([ $codec = h263 ] && echo 64000 || echo 250000)
        bytes=$(awk -v b=$bytes -v s="$seconds" -v m=$most 'BEGIN { n = m * s / 8; print int(b < n ? b : n) }')
        filter="scale=w=$w:h=$h:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic,pad=$w:$h:(ow-iw)/2:(oh-ih)/2,setsar=1"
        mine=$(cpu "$ours" "$clip" "$work/ours.$ext" $codec $w $h $fps "$bytes")
        got=$(stat -c %s "$work/ours.$ext")
        encoder=$([ $codec = h263 ] && echo h263 || echo libx264)
        # ffmpeg gets the bytes that we took.
        rate=$(awk -v b="$got" -v s="$seconds" -v f=$fps 'BEGIN { print int((b - 700 - 12 * s * f) * 8 / s) }')
        theirs=$(cpu two_passes "$clip" "$work/theirs.$ext" $encoder $w $h $fps "$rate")
        printf '%-28.28s %-6s %8s %8s %8s %8s %8s %8s %6s\n' "$(basename "$clip")" $codec "$bytes" "$got" \
            "$(stat -c %s "$work/theirs.$ext")" "$(ssim "$clip" "$work/ours.$ext" $fps)" \
            "$(ssim "$clip" "$work/theirs.$ext" $fps)" "$mine/$theirs" \
            "$(awk -v a="$mine" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')"
    done
done
