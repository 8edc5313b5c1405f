#!/usr/bin/env python3
"""README's "first certificate" works as it is printed: the indented lines are run."""
import os
import pathlib
import signal
import subprocess
import tempfile

from harness import CMPD, CTL, PATIENCE, free_port, main

README = pathlib.Path(__file__).resolve().parents[2] / "README"


# Two seconds are enough for a person; a busy machine gets more. The first nap waits for cmpd, the next for the request.
NAP = """
awaited=version
sleep() {
	until cmpd-ctl -c demo/cmpd.conf status 2>&1 | grep -q "$awaited"; do command sleep 0.2; done
	awaited=pending
}
"""


def commands():
    """The commands of the section, as they would be pasted."""
    section = README.read_text().split("\nThe first certificate\n")[1].split("\n\n\n")[0]
    return [line for line in section.splitlines() if line.startswith("    ")]


def test_first_certificate():
    "the README's first certificate, copied and pasted"
    lines = commands()
    assert len(lines) >= 6, lines
    with tempfile.TemporaryDirectory(prefix="cmpd-readme-") as folder:
        tools = pathlib.Path(folder, "bin")
        tools.mkdir()
        (tools / "cmpd").symlink_to(CMPD)
        (tools / "cmpd-ctl").symlink_to(CTL)
        script = "set -e\n" + NAP + "\n".join(lines) + "\n"
        port = str(free_port())
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        environment["PATH"] = f"{tools}:{environment['PATH']}"
        with open(pathlib.Path(folder, "output"), "w+") as out:  # no pipe: what is left running would keep it
            process = subprocess.Popen(["sh", "-c", script.replace("8080", port)], cwd=folder, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
            try:
                process.wait(3 * PATIENCE)
            finally:
                try:  # the group that was started here, whatever of it is left
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            out.seek(0)
            output = out.read()
        assert process.returncode == 0, output
        assert ": OK" in output, output


main(globals())
