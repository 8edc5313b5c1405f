#!/usr/bin/env python3
"""Do the manual pages build, and does mandoc find no fault in them?"""
import pathlib
import shutil
import subprocess
import sys
import tree


def roff(page):
    return subprocess.run(["scdoc"], stdin=open(page, "rb"), capture_output=True)


def build_faults(pages):
    for page in pages:
        done = roff(page)
        if done.returncode:
            yield f"{page.name}: {done.stderr.decode().strip()}"


def mandoc_faults(pages):
    for page in pages:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "error"], input=roff(page).stdout,
                              capture_output=True)
        for line in done.stdout.decode(errors="replace").splitlines():
            yield f"{page.name}: {line}"


tap = tree.Tap()
# The pages of the tree, but for those parts that programs make into whole ones: these are given.
pages = [p for p in sorted((tree.ROOT / "doc").glob("*.scd")) if ".head." not in p.name]
pages += [pathlib.Path(p).resolve() for p in sys.argv[1:]]
for tool, what, faults in (("scdoc", "manual pages build", build_faults),
                           ("mandoc", "mandoc finds no fault in them", mandoc_faults)):
    if not pages:
        tap.skip(what, "there is none")
    elif not shutil.which("scdoc") or not shutil.which(tool):
        tap.skip(what, f"{tool} is not here")
    else:
        tap.check(what, faults(pages))
tap.done()
