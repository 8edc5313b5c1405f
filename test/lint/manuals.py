#!/usr/bin/env python3
"""Do the manual pages build, and does mandoc find no fault in them?"""
import shutil
import subprocess
import tree


def roff(page):
    return subprocess.run(["scdoc"], stdin=open(page, "rb"), capture_output=True)


def build_faults(pages):
    for page in pages:
        done = roff(page)
        if done.returncode:
            yield f"{tree.name(page)}: {done.stderr.decode().strip()}"


def mandoc_faults(pages):
    for page in pages:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "error"], input=roff(page).stdout,
                              capture_output=True)
        for line in done.stdout.decode(errors="replace").splitlines():
            yield f"{tree.name(page)}: {line}"


tap = tree.Tap()
pages = sorted((tree.ROOT / "doc").glob("*.scd"))
for tool, what, faults in (("scdoc", "manual pages build", build_faults),
                           ("mandoc", "mandoc finds no fault in them", mandoc_faults)):
    if not pages:
        tap.skip(what, "there is none")
    elif not shutil.which("scdoc") or not shutil.which(tool):
        tap.skip(what, f"{tool} is not here")
    else:
        tap.check(what, faults(pages))
tap.done()
