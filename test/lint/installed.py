#!/usr/bin/env python3
"""installed.py BUILD_FOLDER: does README's list of installed files tell the truth?"""
import fnmatch
import json
import pathlib
import re
import sys
import tree

plan = json.loads(pathlib.Path(sys.argv[1], "meson-info/intro-install_plan.json").read_text())
installed = set()
for group in plan.values():
    for file in group.values():
        path = file["destination"]
        for name, folder in (("{sbindir}", "sbin"), ("{bindir}", "bin"), ("{includedir}", "include"),
                             ("{mandir}", "share/man"), ("{datadir}", "share"), ("{prefix}/", ""),
                             ("{libdir_shared}", "lib/ARCH"), ("{libdir_static}", "lib/ARCH"),
                             ("{moduledir_shared}", "lib/ARCH"), ("{libdir}", "lib/ARCH")):
            path = path.replace(name, folder)
        installed.add(re.sub(r"^lib/[^/]*-linux-[^/]*/", "lib/ARCH/", path))

section = tree.text(tree.ROOT / "README").split("\nWhat is installed\n")[1].split("\n\n\n")[0]
named = [line.split()[0].replace("<arch>", "ARCH") for line in section.splitlines() if line.startswith("    ")]
# What is not built where its tool or library is missing.
optional = {"share/man/man?/*", "lib/systemd/system/cmpd.service"}

tap = tree.Tap()
tap.check("README names every installed file",
          sorted(f for f in installed if not any(fnmatch.fnmatchcase(f, n) for n in named)))
tap.check("every file that README names is installed",
          [n for n in named if n not in optional and not fnmatch.filter(installed, n)])
tap.done()
