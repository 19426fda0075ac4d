"""Carrier files by their published JSON Schema: all that are shipped hold, wrong ones do not.

    schema.py ROOT WRONG_DIR

Prints a line for each file that is judged otherwise; exit code 1 if there is one.
"""

import json
import pathlib
import sys
import tomllib

import jsonschema


def main() -> int:
    root, wrong = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    schema = json.loads((root / "profiles/carrier.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    faults = []
    carriers = sorted((root / "profiles/carriers").glob("*.toml"))
    for path in carriers:
        faults += [f"{path.name}: {e.message}" for e in judge.iter_errors(tomllib.loads(path.read_text()))]
    refused = sorted(wrong.glob("*.toml"))
    for path in refused:
        if judge.is_valid(tomllib.loads(path.read_text())):
            faults.append(f"{path.name}: is taken")
    print("\n".join(faults) or f"{len(carriers)} carriers hold, {len(refused)} wrong files do not")
    return 1 if faults or not carriers or not refused else 0


sys.exit(main())
