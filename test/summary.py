#!/usr/bin/env python3
"""summary.py FOLDER: adds up the results of several runs of `meson test`.

FOLDER holds one copy of testlog.json for each run, named after it. A test that
speaks TAP counts as many times as it has points. Names what was skipped and
what failed; the last line is "N passed, N failed".
"""
import json
import pathlib
import re
import sys

POINT = re.compile(r"^\s*(not )?ok\b[ \t]*(\d+)?[ \t]*-?[ \t]*([^#\n]*)(#\s*(skip|todo)\b.*)?",
                   re.IGNORECASE)
GOOD = ("OK", "EXPECTEDFAIL")


def points(record):
    """Yields (name, 'passed' | 'failed' | 'skipped', why) for each point of a test."""
    name, result = record["name"], record["result"]
    found = []
    for line in record.get("stdout", "").splitlines():
        match = POINT.match(line)
        if not match:
            continue
        bad, _, what, note, kind = match.groups()
        state = "skipped" if kind and kind.lower() == "skip" else "failed" if bad and not kind else "passed"
        found.append((f"{name}: {what.strip()}", state, re.sub(r"^#\s*\w+\s*", "", note or "")))
    if result == "OK" and found:
        return found
    if result in GOOD:
        return [(name, "passed", "")]
    if result == "SKIP":
        return [f for f in found if f[1] == "skipped"] or [(name, "skipped", reason(record))]
    if not any(state == "failed" for _, state, _ in found):
        found.append((name, "failed", result.lower()))
    return found


def reason(record):
    match = re.search(r"^1\.\.0\s*#\s*(?:skip\w*)?\s*(.*)$", record.get("stdout", ""), re.M | re.I)
    lines = record.get("stdout", "").strip().splitlines()
    return match.group(1) if match else lines[-1] if lines else ""


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for name, state, why in points(json.loads(line)):
                total[state] += 1
                if state != "passed":
                    print(f"{state} ({path.stem}): {name}{': ' + why if why else ''}")
    if total["skipped"]:
        print(f"{total['skipped']} skipped")
    print(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] or not total["passed"] else 0


sys.exit(main())
