#!/usr/bin/env python3
"""conformance.py [--write]: does doc/conformance name, for each behaviour of test/lint/behaviours, the tests that show it?

A test shows a behaviour by an id in its label: the first line of a scenario, the doc string of a functional test, the name of a
cmocka test (there B3_1 is B3.1) or the comment right above it. An id without a test needs a reason ("open:"), one with a test
must have none. --write writes the page."""
import re
import sys
import textwrap
import tree

PAGE = tree.ROOT / "doc/conformance"
ID = re.compile(r"\bB(\d+)\.(\d+)\b")
NAME_ID = re.compile(r"(?<![A-Za-z])[Bb](\d+)_(\d+)(?![0-9])")
HEAD = """\
What is shown to work, and by what
==================================

Written by test/lint/conformance.py --write; do not edit. A line of test/lint/behaviours is a behaviour;
below it stand the tests that show it, or why there is none.

"""


def behaviours():
    """{id: (title, reason or None)} in the order of the file."""
    rows = {}
    for line in tree.text(tree.ROOT / "test/lint/behaviours").splitlines():
        if line.startswith("    open: "):
            last = list(rows)[-1]
            rows[last] = (rows[last][0], line[len("    open: "):])
        elif line and not line.startswith("#"):
            number, title = line.split(None, 1)
            assert number not in rows, f"{number} is there twice"
            rows[number] = (title, None)
    return rows


def ids(text, pattern=ID):
    return [f"B{group}.{number}" for group, number in pattern.findall(text)]


def labels():
    """(where, label) of all tests."""
    for path in tree.files(".cmp", under="test/scenarios"):
        yield f"scenario {path.stem}", ids(tree.text(path).split("\n", 1)[0])
    for path in tree.files(".py", under="test"):
        for name, doc in re.findall(r"^def (test_\w+)\(.*\):\n    [rf]?\"+([^\"\n]+)", tree.text(path), re.M):
            yield f"{path.parent.name}/{path.stem} {name}", ids(doc)
    for path in tree.files(".c", under="test"):
        text, where = tree.text(path), f"{path.parent.name}/{path.stem}"
        names = set(re.findall(r"^(\w+)\(void \*\*", text, re.M))
        for name in sorted(names):
            yield f"{where} {name}", ids(name, NAME_ID)
        for label, name in re.findall(r"{\s*\"(B[^\"]+)\",\s*(\w+)", text):
            yield f"{where} {name}", ids(label)
        for comment, name in re.findall(r"/\* (B\d[^/]*)\*/\n(?:static )?\w+\n(\w+)\(", text):
            if name in names:
                yield f"{where} {name}", ids(comment)


def shown():
    tests = {}
    for where, numbers in labels():
        for number in numbers:
            tests.setdefault(number, set()).add(where)
    return {number: sorted(found) for number, found in tests.items()}


def page(rows, tests):
    with_test = sum(1 for number in rows if number in tests)
    out = [HEAD, f"{len(rows)} behaviours, {with_test} shown by tests, {len(rows) - with_test} open.\n"]
    group = ""
    for number, (title, reason) in rows.items():
        if number.split(".")[0] != group:
            group = number.split(".")[0]
            out.append("\n")
        out.append(textwrap.fill(title, 100, initial_indent=f"{number:7}", subsequent_indent=" " * 7) + "\n")
        found = "; ".join(tests[number]) if number in tests else f"open: {reason}"
        out.append(textwrap.fill(found, 100, initial_indent=" " * 11, subsequent_indent=" " * 11,
                                 break_on_hyphens=False, break_long_words=False) + "\n")
    return "".join(out)


rows, tests = behaviours(), shown()
wanted = page(rows, tests)
if "--write" in sys.argv:
    PAGE.write_text(wanted, encoding="utf-8")
tap = tree.Tap()
tap.check("each behaviour has a test or a reason",
          [f"{n}: neither a test nor a reason" for n, (_, reason) in rows.items() if n not in tests and not reason])
tap.check("no behaviour has both", [f"{n}: shown by {', '.join(tests[n])}, yet \"open: {reason}\""
                                    for n, (_, reason) in rows.items() if n in tests and reason])
groups = {n.split(".")[0] for n in rows}
tap.check("labels name behaviours that there are", sorted(f"{n}: in {', '.join(found)}" for n, found in tests.items()
                                                          if n.split(".")[0] in groups and n not in rows))
tap.check("doc/conformance is up to date", [] if PAGE.exists() and tree.text(PAGE) == wanted
          else ["run test/lint/conformance.py --write"])
tap.done()
