#!/usr/bin/env python3
"""conf_manual.py PROGRAM PAGE: does the page name every key that the program prints, and no other?"""
import pathlib
import re
import subprocess
import sys
import tree

printed = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout
keys = {line.rpartition(" ")[2] for line in printed.splitlines()}
page = pathlib.Path(sys.argv[2])
tap = tree.Tap()
if page.exists():
    text = tree.text(page).replace("\\_", "_")
    headings = set(re.findall(r"^\*([a-z][a-z0-9_]*)\* = ", text, re.M))
    tap.check("every key has a paragraph in cmpd.conf(5)", sorted(keys - headings))
    tap.check("cmpd.conf(5) has no paragraph about a key that is not there", sorted(headings - keys))
else:
    tap.skip("cmpd.conf(5) names every key", "the page is not there")
tap.done()
