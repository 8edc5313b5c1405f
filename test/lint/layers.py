#!/usr/bin/env python3
"""Who may include whom: src/LAYERS, lowest room first, and what stands in no list.

A room sees itself and the rooms above it in the list. cmpd-ctl, the tool, sees
base and ctl/protocol.h. Plugins see include/cmpd. OpenSSL's CMP and CRMF
stay inside src/cmp.
"""
import re
import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
FOREIGN = re.compile(r"\bOSSL_(?:CMP|CRMF)_\w+|openssl/(?:cmp|crmf)\w*\.h")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)

layers = tree.text(tree.ROOT / "src/LAYERS").split()
tool = "cmpd-ctl"


def includes(path):
    for match in INCLUDE.finditer(tree.text(path)):
        yield match.group(1), match.group(2)


def sources(under):
    return tree.files(".c", ".h", under=under)


def may_include(room, target):
    """May a file of src/ROOM include this path?"""
    other = target.split("/")[0]
    if room == tool:
        return other in (tool, "base") or target == "ctl/protocol.h"
    return other in layers and layers.index(other) <= layers.index(room)


def room_faults():
    for path in sources("src"):
        room = path.relative_to(tree.ROOT / "src").parts[0]
        if room not in layers + [tool]:
            yield f"{tree.name(path)}: {room} is not a room (src/LAYERS)"
            continue
        for mark, target in includes(path):
            if target.startswith("cmpd/") or (mark == "<" and target.split("/")[0] not in layers):
                continue
            if "/" not in target:
                if not (path.parent / target).exists() or mark == "<":
                    yield f"{tree.name(path)}: {target}: write the room too"
            elif target.startswith("../") or not may_include(room, target):
                yield f"{tree.name(path)}: a file of {room}/ must not include {target}"


def folder_faults():
    for path in (tree.ROOT / "src").iterdir():
        if path.is_dir() and path.name not in layers + [tool, "scep"]:
            yield f"src/{path.name} is not in src/LAYERS"
    if (tree.ROOT / "src/scep").exists() and "scep" not in layers:
        yield "src/scep exists, but src/LAYERS does not know it"


def plugin_faults():
    for path in list(sources("plugins")) + list(sources("include")):
        for _, target in includes(path):
            if target.split("/")[0] in layers + [tool, "src"]:
                yield f"{tree.name(path)}: plugins see include/cmpd only, not {target}"


def foreign_faults():
    for under in ("src", "plugins", "include"):
        for path in sources(under):
            if path.is_relative_to(tree.ROOT / "src/cmp"):
                continue
            for word in sorted(set(FOREIGN.findall(COMMENT.sub("", tree.text(path))))):
                yield f"{tree.name(path)}: {word} belongs into src/cmp"


tap = tree.Tap()
tap.check("every folder of src is a room", folder_faults())
tap.check("rooms include only themselves and rooms below", room_faults())
tap.check("plugins and installed headers see include/cmpd only", plugin_faults())
tap.check("OSSL_CMP_ and OSSL_CRMF_ appear in src/cmp only", foreign_faults())
tap.done()
