"""What a real Helm makes of a chart, as JSON: the documents in the order in which it gives them.

    chart.py lint CHART
    chart.py template CHART [options of helm template]
"""

import json
import pathlib
import subprocess
import sys

import yaml


def main() -> int:
    helm = pathlib.Path(sys.executable).parent / "helm"
    what, chart, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    words = ["lint", "--strict", chart] if what == "lint" else ["template", "mmsfit", chart, *options]
    done = subprocess.run([helm, *words], capture_output=True, text=True)
    if done.returncode:
        print(done.stderr or done.stdout, file=sys.stderr)
        return 1
    if what == "template":
        print(json.dumps([document for document in yaml.safe_load_all(done.stdout) if document]))
    return 0


sys.exit(main())
