#!/usr/bin/env python3
"""Are the C files as .clang-format says? Only version 14 is asked: others answer differently."""
import shutil
import subprocess
import tree

VERSION = "14"


def find():
    for program in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(program):
            said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            if f"version {VERSION}." in said:
                return program
    return None


def faults(program):
    for path in tree.files(".c", ".h"):
        done = subprocess.run([program, "--style=file", str(path)], capture_output=True, text=True)
        want, have = done.stdout.splitlines(), tree.text(path).splitlines()
        if done.returncode:
            yield f"{tree.name(path)}: {done.stderr.strip()}"
        elif want != have:
            line = next((i for i, (a, b) in enumerate(zip(want, have), 1) if a != b),
                        min(len(want), len(have)))
            yield f"{tree.name(path)}:{line}: run {program} -i"


tap = tree.Tap()
what = "C files are formatted"
clang_format = find()
if clang_format:
    tap.check(what, faults(clang_format))
else:
    tap.skip(what, f"clang-format {VERSION} is not here")
tap.done()
