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
shape() { # clip: width and height as shown, in square pixels
    ffmpeg -v info -i "$1" -frames:v 1 -vf showinfo -f null - 2>&1 |
        sed -n 's,.* sar:\([0-9]*\)/\([0-9]*\) s:\([0-9]*\)x\([0-9]*\) .*,\1 \2 \3 \4,p' |
        awk 'NR == 1 { print $3 * ($1 && $2 ? $1 / $2 : 1), $4 }'
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
    # At the clip's own rate first: time stamps that are rounded to milliseconds shift the choice.
    shown=$(ffprobe -v error -select_streams v:0 -show_entries stream=avg_frame_rate -of csv=p=0 "$clip" | head -1 | tr -d ,)
    case $shown in 0/*|*/0|'') shown=30 ;; esac
    seconds=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$clip")
    for target in "h263 176 144 10 100000 3gp" "h264 320 240 15 300000 mp4"; do
        read -r codec w h fps bytes ext <<<"$target"
        # No larger than the clip itself.
        [ $codec = h263 ] || read -r w h <<<"$(shape "$clip" | awk -v w=$w -v h=$h '{
            s = w / $1 < h / $2 ? w / $1 : h / $2; s = s > 1 ? 1 : s
            print int($1 * s / 2 + 0.5) * 2, int($2 * s / 2 + 0.5) * 2 }')"
        # No more than is of use for so short a clip.
        most=$([ $codec = h263 ] && echo 64000 || echo 250000)
        bytes=$(awk -v b=$bytes -v s="$seconds" -v m=$most 'BEGIN { n = m * s / 8; print int(b < n ? b : n) }')
        # The picture where we place it: square pixels, even sides, the whole frame where the
        # shapes nearly agree.
        filter=$(shape "$clip" | awk -v w=$w -v h=$h -v r="$shown" '{
            s = w / $1 < h / $2 ? w / $1 : h / $2; iw = $1 * s; ih = $2 * s
            iw = w - iw < 4 ? w : int(iw / 2 + 0.5) * 2; ih = h - ih < 4 ? h : int(ih / 2 + 0.5) * 2
            printf "fps=%s,scale=%d:%d:flags=bicubic,pad=%d:%d:%d:%d,setsar=1", r, iw, ih, w, h,
                int((w - iw) / 4) * 2, int((h - ih) / 4) * 2 }')
        mine=$(cpu "$ours" "$clip" "$work/ours.$ext" $codec $w $h $fps "$bytes")
        got=$(stat -c %s "$work/ours.$ext")
        encoder=$([ $codec = h263 ] && echo h263 || echo libx264)
        # ffmpeg gets the bytes that we took: a first run, which does not count, tells its rate.
        rate=$(awk -v b="$got" -v s="$seconds" -v f=$fps 'BEGIN { print int((b - 700 - 12 * s * f) * 8 / s) }')
        two_passes "$clip" "$work/theirs.$ext" $encoder $w $h $fps "$rate" 2>"$work/err" ||
            { echo "$(basename "$clip") $codec: ffmpeg fails: $(head -1 "$work/err")"; continue; }
        rate=$(awk -v r="$rate" -v b="$got" -v n="$(stat -c %s "$work/theirs.$ext")" 'BEGIN { print int(r * b / n) }')
        theirs=$(cpu two_passes "$clip" "$work/theirs.$ext" $encoder $w $h $fps "$rate") ||
            { echo "$(basename "$clip") $codec: ffmpeg fails"; continue; }
        other=$(stat -c %s "$work/theirs.$ext")
        a=$(ssim "$clip" "$work/ours.$ext" $fps); b=$(ssim "$clip" "$work/theirs.$ext" $fps)
        ratio=$(awk -v a="$mine" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')
        printf '%-28.28s %-6s %8s %8s %8s %8s %8s %8s %6s\n' "$(basename "$clip")" $codec "$bytes" "$got" \
            "$other" "$a" "$b" "$mine/$theirs" "$ratio"
        echo "$codec $got $other $a $b $ratio" >>"$work/rows"
    done
done
# What all of it comes to, by codec: medians of the ratios, and of the differences of SSIM in
# decibels over clips for which both took the same bytes within 3 %.
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) printf "%.2f", v[int((NR + 1) / 2)] }'; }
for codec in h263 h264; do
    ratio=$(awk -v c=$codec '$1 == c { print $6 }' "$work/rows" | median)
    gain=$(awk -v c=$codec '$1 == c && $3 / $2 > 0.97 && $3 / $2 < 1.03 {
        print 10 * log((1 - $5) / (1 - $4)) / log(10) }' "$work/rows" | median)
    echo "$codec: $(grep -c "^$codec" "$work/rows") clips, CPU $ratio of ffmpeg; SSIM ${gain:+$gain dB more} at the same bytes"
done
