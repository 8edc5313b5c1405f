#!/usr/bin/env python3
"""How files look: the top level, lengths, characters, words that must not be there."""
import re
import subprocess
import tree

TOP = {"meson.build", "src", "include", "plugins", "etc", "test", "doc", "README", "COPYING"}
LONGEST = 600
CODE = {".c", ".h", ".py", ".sh", ".build", ".in", ".conf", ".supp"}
BINARY = re.compile(r"^test/.*corpus/|\.(der|pem|bin|cnf\.gz)$")
# Split so that this file does not find itself.
HOST_PATHS = re.compile(r"(?<![\w.$}/])/(?:wo" r"rk|ho" r"me/\w+|ro" r"ot)/\w")
HOSTS = re.compile(r"\b[\w.-]*(?:deb" r"ian\.(?:org|net)|py" r"pi\.org|pro" r"xy\.golang)\b")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def read():
    for path in tree.files():
        if not BINARY.search(tree.name(path)):
            yield path, path.read_bytes()


def top_faults():
    there = {p.name for p in tree.ROOT.iterdir()
             if not p.name.startswith(".") and not (p.is_dir() and p.name.startswith("build"))
             and p.name not in ("__pycache__", "compile_commands.json")}
    yield from (f"{n}: not one of the names of the top level" for n in sorted(there - TOP))
    yield from (f"{n}: missing at the top level" for n in sorted(TOP - there))


def length_faults(all_files):
    for path, data in all_files:
        lines = data.count(b"\n")
        if path.suffix in (".c", ".h") and lines > LONGEST:
            yield f"{tree.name(path)}: {lines} lines; is it really one thing?"


def character_faults(all_files):
    for path, data in all_files:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            yield f"{tree.name(path)}: not UTF-8"
            continue
        code = path.suffix in CODE or data.startswith(b"#!")
        for number, line in enumerate(text.split("\n"), 1):
            odd = [c for c in line if (ord(c) < 32 and c != "\t") or ord(c) == 127
                   or (ord(c) > 126 if code else not c.isprintable() and c != "\t")]
            if odd:
                yield f"{tree.name(path)}:{number}: character U+{ord(odd[0]):04X}"
        if text and not text.endswith("\n"):
            yield f"{tree.name(path)}: no newline at the end"


def word_faults(all_files, pattern):
    for path, data in all_files:
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            match = pattern.search(line)
            if match:
                yield f"{tree.name(path)}:{number}: {match.group(0)}"


def script_faults(all_files):
    for path, data in all_files:
        if path.suffix == ".py":
            try:
                compile(data, tree.name(path), "exec")
            except SyntaxError as error:
                yield f"{tree.name(path)}: {error}"
        elif path.suffix == ".sh" or data.startswith(b"#!/bin/sh"):
            done = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True)
            if done.returncode:
                yield f"{tree.name(path)}: {done.stderr.strip()}"


everything = list(read())
tap = tree.Tap()
tap.check("the top level is what it shall be", top_faults())
tap.check(f"no source file is longer than {LONGEST} lines", length_faults(everything))
tap.check("characters: ASCII in code, printable elsewhere", character_faults(everything))
tap.check("no path of one machine", word_faults(everything, HOST_PATHS))
tap.check("no host of a package mirror", word_faults(everything, HOSTS))
tap.check("nothing is marked as unfinished", word_faults(everything, UNFINISHED))
tap.check("scripts parse", script_faults(everything))
tap.done()
