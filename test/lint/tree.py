"""What the lint tests share: the files of the source tree, and reporting as TAP."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def skipped(path):
    """Build folders, version control and caches, as .gitignore names them."""
    first = path.relative_to(ROOT).parts[0]
    return (first.startswith("build") and first != "build.sh" or first == ".git"
            or "__pycache__" in path.parts or ".cache" in path.parts)


def files(*suffixes, under="."):
    """All files below a folder of the tree with one of the suffixes (none given: all), sorted."""
    for path in sorted((ROOT / under).rglob("*")):
        if path.is_file() and not path.is_symlink() and not skipped(path):
            if not suffixes or path.suffix in suffixes:
                yield path


def text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def name(path):
    return str(path.relative_to(ROOT))


class Tap:
    """tap = Tap(); tap.check("what holds", [messages of what does not]); tap.done()"""

    def __init__(self):
        self.count = 0
        self.failed = False

    def check(self, what, faults):
        faults = list(faults)
        self.count += 1
        print(f"{'not ok' if faults else 'ok'} {self.count} - {what}")
        for fault in faults:
            print(fault, file=sys.stderr)
        self.failed = self.failed or bool(faults)

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
