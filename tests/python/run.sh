#!/bin/sh
# Runs a script of this folder with stock libraries, in an environment of its own under target/.
#   tests/python/run.sh client.py ADDRESS [PHOTO] [options of client.py]
#   tests/python/run.sh schema.py ROOT WRONG_DIR
#   tests/python/run.sh s3.py PORT BUCKET [SHARE]
#   tests/python/run.sh chart.py lint|template CHART [options of helm]
#   tests/python/run.sh tables.py check|write ...
# Exit code 77: the environment cannot be made (no python3, no venv, no package index).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# What one script alone needs, and is much, has an environment of its own.
case "${1:-}" in
    s3.py) needs=requirements-s3 ;;
    chart.py) needs=requirements-helm ;;
    tables.py) needs=requirements-parquet ;;
    *) needs=requirements ;;
esac
venv="${CARGO_TARGET_DIR:-$root/target}/python-venv${needs#requirements}"
python="$venv/bin/python"
mkdir -p "$venv"

# One at a time: tests may run side by side.
exec 9>"$venv/.lock"
if command -v flock >/dev/null; then flock 9; fi
if ! cmp -s "$here/$needs.txt" "$venv/.requirements"; then
    command -v python3 >/dev/null || exit 77
    python3 -m venv "$venv" >&2 || exit 77
    "$python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$here/$needs.txt" >&2 || exit 77
    cp "$here/$needs.txt" "$venv/.requirements"
fi
exec 9>&-

script=$1
shift
[ "$script" = client.py ] && set -- --proto "$root/proto" "$@"
exec "$python" "$here/$script" "$@"
