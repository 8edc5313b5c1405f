#!/usr/bin/env python3
"""ctl_manual.py CMPD-CTL: does doc/cmpd-ctl.1.scd have a heading for every command the tool knows, and no other, each as
the tool says it is used? And does each command have its own help?"""
import re
import subprocess
import sys
import tree


def say(*args):
    return subprocess.run([sys.argv[1], *args], capture_output=True, text=True, check=True).stdout


def help_faults(usages):
    for usage in usages:
        name = re.match(r"[a-z]+(?: [a-z]+)?(?= |$)", usage).group(0)
        lines = say("help", *name.split()).splitlines()
        if lines[0] != "usage: cmpd-ctl " + usage or len(lines) < 2:
            yield f"help {name}: {lines[0]}"


table = {line.strip() for line in say("help").splitlines() if line.startswith("  ")}
page = tree.text(tree.ROOT / "doc/cmpd-ctl.1.scd").replace("\\", "")
headings = set(re.findall(r"^## (.*)$", page, re.M))
tap = tree.Tap()
tap.check("every command has its paragraph in cmpd-ctl(1)", sorted(table - headings))
tap.check("cmpd-ctl(1) has no paragraph about a command that is not there", sorted(headings - table))
tap.check("every command has its own help", help_faults(sorted(table)))
tap.done()
