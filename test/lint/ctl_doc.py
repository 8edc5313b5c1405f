#!/usr/bin/env python3
"""ctl_doc.py PROGRAM: is the table of commands in doc/control-protocol the one that the program prints?"""
import re
import subprocess
import sys
import tree

printed = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines()
section = tree.text(tree.ROOT / "doc/control-protocol").split("\nCommands\n")[1]
# A row is indented by four; what is indented more goes on with it.
rows = re.sub(r"\n {10,}", " ", section).splitlines()
written = [" ".join(row.split()) for row in rows if row.startswith("    ")]
tap = tree.Tap()
tap.check("doc/control-protocol has the table of src/ctl/commands.c",
          [f"only in the table: {r}" for r in printed if r not in written]
          + [f"only on the page: {r}" for r in written if r not in printed])
tap.done()
