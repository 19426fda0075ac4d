"""Parquet as other houses read and write it (DuckDB, Arrow's C++).

    tables.py check REPORT.jsonl REPORT.parquet [times]
    tables.py write arrow|numbers|duckdb LIST.csv LIST.parquet

check: the table has what the JSON lines of the same rows have; without `times` the columns that
are measured, which differ from run to run, are left out. Prints what was counted, as JSON.
write: the list as Parquet: texts (Snappy, dictionaries), sizes as numbers (gzip, pages of version
2), or as DuckDB writes it.
"""

import csv
import json
import sys

import duckdb
import pyarrow
import pyarrow.parquet

MEASURED = {"cpu_ms", "engine_cpu_ms", "wall_ms", "queue_ms", "part_cpu_ms", "message_id", "transaction_id"}
ITEM = {
    "path": "path", "pathHex": "path_hex", "line": "line", "status": "status", "was": "was",
    "reason": "reason", "message": "message", "bytesBefore": "bytes_before",
    "bytesAfter": "bytes_after", "cpuMs": "cpu_ms",
}
REPORT = {
    "outcome": "outcome", "wireBytesBefore": "wire_bytes_before", "wireBytesAfter": "wire_bytes_after",
    "contentClassBefore": "content_class_before", "contentClassAfter": "content_class_after",
}
ACCOUNT = {
    "device": "device", "carrier": "carrier", "messageId": "message_id",
    "transactionId": "transaction_id", "engineVersion": "engine_version",
    "cpuMs": "engine_cpu_ms", "wallMs": "wall_ms", "queueMs": "queue_ms",
}
PART = {
    "partIndex": "part_index", "contentId": "part_content_id", "name": "part_name",
    "action": "part_action", "budgetBytes": "part_budget_bytes", "encodes": "part_encodes",
    "qualityEstimate": "part_quality_estimate", "cpuMs": "part_cpu_ms",
}
MEDIUM = {
    "kind": "kind", "mediaType": "type", "codec": "codec", "bytes": "bytes", "frames": "frames",
    "durationMs": "duration_ms", "bitrate": "bitrate",
}


def named(source, names):
    """Fields of an object under other names; what is empty is not there."""
    return {new: (source or {}).get(old) if (source or {}).get(old) != "" else None for old, new in names.items()}


def medium(info, when):
    """The columns of a medium."""
    row = {f"part_{new}_{when}": value for new, value in named(info, {k: v for k, v in MEDIUM.items()}).items()}
    info = info or {}
    size, video, audio = (info.get(name) or {} for name in ("dimensions", "video", "audio"))
    return row | {
        f"part_width_{when}": size.get("width"), f"part_height_{when}": size.get("height"),
        f"part_video_codec_{when}": video.get("codec") or None,
        f"part_frame_rate_{when}": video.get("frameRate"),
        f"part_audio_codec_{when}": audio.get("codec") or None,
        f"part_sample_rate_{when}": audio.get("sampleRate"),
        f"part_channels_{when}": audio.get("channels"),
    }


def said(entries, word):
    """Codes, and those of them that say something."""
    codes = ", ".join(entry["code"] for entry in entries or []) or None
    words = "; ".join(f"{e['code']}: {e[word]}" for e in entries or [] if e[word]) or None
    return codes, words


def flat(number, item):
    """The rows that a line of JSON should have in the table."""
    row = {"item": number} | named(item, ITEM)
    row["path"] = item["path"]
    for name in ("device", "carrier", "sender", "user_agent", "max_bytes", "max_image"):
        camel = name.split("_")[0] + "".join(word.title() for word in name.split("_")[1:])
        row[f"asked_{name}"] = item.get("asked", {}).get(camel)
    for old, new in (("output", "output"), ("sameAs", "same_as")):
        place = item.get(old) or {}
        row |= {new: place.get("path"), f"{new}_hex": place.get("pathHex")}
    report = item.get("report") or {}
    row |= named(report, REPORT) | named(report.get("account"), ACCOUNT)
    row |= named(report.get("limit"), {"bytes": "limit_bytes", "counting": "limit_counting", "source": "limit_source"})
    row["warnings"], row["warning_messages"] = said(report.get("warnings"), "message")
    parts = report.get("parts") or []
    row["parts"] = len(parts)
    for place, part in enumerate(parts or [{}]):
        reasons, details = said(part.get("reasons"), "detail")
        yield row | named(part, PART) | medium(part.get("before"), "before") | medium(part.get("after"), "after") | {
            "first": place == 0, "part_reasons": reasons, "part_reason_details": details,
        }


def check(lines, table, *times):
    """Row by row with Arrow, in sums with DuckDB."""
    with open(lines, encoding="utf-8") as file:
        items = [json.loads(line) for line in file]
    wanted = [row for number, item in enumerate(items) for row in flat(number, item)]
    found = pyarrow.parquet.read_table(table).to_pylist()
    assert len(found) == len(wanted), (len(found), len(wanted))
    skipped = set() if times else MEASURED
    for want, have in zip(wanted, found):
        assert want.keys() == have.keys(), want.keys() ^ have.keys()
        for name in want.keys() - skipped:
            assert want[name] == have[name], (name, want[name], have[name], have["path"])
    query = """
        select count(*), count(*) filter (first), sum(bytes_before) filter (first),
               sum(bytes_after) filter (first), count(part_index), sum(part_bytes_after),
               count(*) filter (first and status = 'failed'), count(part_quality_estimate)
        from read_parquet(?)"""
    counted = duckdb.execute(query, [table]).fetchone()
    parts = [part for item in items for part in (item.get("report") or {}).get("parts", [])]
    expected = (
        len(wanted), len(items), sum(item["bytesBefore"] for item in items),
        sum(item["bytesAfter"] or 0 for item in items), len(parts),
        sum(part["after"]["bytes"] for part in parts if part.get("after")),
        sum(item["status"] == "failed" for item in items),
        sum(part.get("qualityEstimate") is not None for part in parts),
    )
    assert counted == expected, (counted, expected)
    print(json.dumps({"rows": counted[0], "items": counted[1], "parts": counted[4], "failed": counted[6]}))


def write(how, source, target):
    """A list in another form."""
    if how == "duckdb":
        duckdb.execute(f"copy (select * from read_csv('{source}', all_varchar=true)) to '{target}' (format parquet)")
        return
    with open(source, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] or None for row in rows] for name in rows[0]}
    if how == "arrow":
        pyarrow.parquet.write_table(pyarrow.table(columns), target)
        return
    columns["max_bytes"] = [cell and int(cell) for cell in columns["max_bytes"]]
    pyarrow.parquet.write_table(
        pyarrow.table(columns), target, compression="gzip", data_page_version="2.0", use_dictionary=False,
        row_group_size=3, column_encoding={"path": "DELTA_BYTE_ARRAY", "max_bytes": "DELTA_BINARY_PACKED"},
    )


{"check": check, "write": write}[sys.argv[1]](*sys.argv[2:])
