#!/usr/bin/env python3
"""Are the C files as .clang-format says? Only version 14 is asked: others answer differently."""
import concurrent.futures
import os
import pathlib
import re
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


def faults_of(program, paths):
    """What one run says about some files: its first line for each of them."""
    done = subprocess.run([program, "--style=file", "--dry-run", *map(str, paths)], capture_output=True, text=True)
    told = set()
    for line in done.stderr.splitlines():
        match = re.match(r"(.*?):(\d+):\d+: (?:warning|error): ", line)
        if match and match.group(1) not in told:
            told.add(match.group(1))
            yield f"{tree.name(pathlib.Path(match.group(1)))}:{match.group(2)}: run {program} -i"
    if done.returncode and not told:
        yield done.stderr.strip()


def faults(program):
    paths, parts = list(tree.files(".c", ".h")), os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(parts) as threads:
        for found in threads.map(lambda i: list(faults_of(program, paths[i::parts])), range(parts)):
            yield from found


tap = tree.Tap()
what = "C files are formatted"
clang_format = find()
if clang_format:
    tap.check(what, faults(clang_format))
else:
    tap.skip(what, f"clang-format {VERSION} is not here")
tap.done()
