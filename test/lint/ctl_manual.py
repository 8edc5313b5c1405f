#!/usr/bin/env python3
"""ctl_manual.py CMPD-CTL: does doc/cmpd-ctl.1.scd have a heading for every command the tool knows, and no other, each as
the tool says it is used? And does each command have its own help?"""
import re
import subprocess
import sys
import tree


def say(*args):
    return subprocess.run([sys.argv[1], *args], capture_output=True, text=True, check=True).stdout


def usage(name):
    """What `help NAME` begins with; its text must follow."""
    lines = say("help", *name.split()).splitlines()
    prefix = "usage: cmpd-ctl "
    if not lines[0].startswith(prefix + name) or len(lines) < 2:
        faults.append(f"help {name}: {lines[0]}")
    return lines[0].removeprefix(prefix)


faults = []
overview = [line for line in say("help").splitlines() if line.startswith("  ")]
table = {usage(line[2:18].strip()) for line in overview}
page = tree.text(tree.ROOT / "doc/cmpd-ctl.1.scd").replace("\\", "")
headings = set(re.findall(r"^## (.*)$", page, re.M))
tap = tree.Tap()
tap.check("every command has its paragraph in cmpd-ctl(1)", sorted(table - headings))
tap.check("cmpd-ctl(1) has no paragraph about a command that is not there", sorted(headings - table))
tap.check("every command has its own help", faults)
tap.check("the list of all commands fits a terminal", [line for line in overview if len(line) > 80])
tap.done()
