#!/usr/bin/env python3
"""tool_test.py CMPD-CTL: the tool against a server of this file that answers what a test wants, hostile things too."""
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CTL = os.path.abspath(sys.argv[1])
ENV = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", COLUMNS="80")
HOSTILE = "/CN=\x1b[2J\r\n\x9b31m\u202eevil\u200b"


class Server:
    """answer(command, args) gives data, (code, text) for an error, bytes to send as they are, or None: closes without an answer."""

    def __init__(self, answer):
        self.answer, self.asked, self.connections = answer, [], 0
        self.folder = tempfile.TemporaryDirectory(prefix="ctl-test-")
        self.path = self.folder.name + "/sock"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        stream = peer.makefile("rwb")
        try:
            while len(head := stream.read(4)) == 4:
                request = json.loads(stream.read(struct.unpack(">I", head)[0]))
                self.asked.append((request["command"], request["args"]))
                data = self.answer(request["command"], request["args"])
                if isinstance(data, bytes):
                    stream.write(data)
                    stream.flush()
                if data is None or isinstance(data, bytes):
                    break
                if isinstance(data, tuple):
                    data = {"ok": False, "code": data[0], "error": "e", "text": data[1]}
                else:
                    data = {"ok": True, "data": data}
                text = json.dumps(data).encode()
                stream.write(struct.pack(">I", len(text)) + text)
                stream.flush()
            peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Only a thread that has ended cannot accept for the next one that gets this descriptor.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        self.folder.cleanup()


def run(server, *args, env=ENV, stdin=None):
    done = subprocess.run([CTL, "-s", server.path, *args], capture_output=True, env=env, input=stdin, timeout=60)
    assert done.returncode >= 0 and b"Sanitizer" not in done.stderr, done
    return done


def run_on_terminal(server, typed, *args):
    """Output and exit code of the tool on a terminal of its own, where somebody types."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(CTL, [CTL, "-s", server.path, *args], ENV)
    output = b""
    while True:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        output += piece
        if b"[y/N]" in output and typed:
            os.write(fd, typed)
            typed = None
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return output.decode(), os.waitstatus_to_exitcode(status)


def entry(number=1, **other):
    received = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 200))
    made = {
        "id": f"{number:016x}", "short": f"{number:016x}"[:6], "state": "pending", "protocol": "cmp", "endpoint": "/e",
        "profile": "device", "type": "ir", "txn": "00", "cert_req_id": 0, "subject": f"/CN=device {number}",
        "sans": ["DNS:a"], "spki_sha256": "ab" * 32, "requester": "mac ref=dev1", "peer": "127.0.0.1", "check_after": 60,
        "version": 3, "received": received, "approvals": [], "approvals_needed": 1}
    made.update(other)
    return made


def harmless(text):
    return all(c == "\n" or c.isprintable() for c in text)


# ---- tests ----

def test_list_is_a_table_with_ages():
    with Server(lambda c, a: {"items": [entry(1), entry(2)], "after": 0}) as server:
        done = run(server, "list", "--state", "pending", "--older-than", "1m")
        lines = done.stdout.decode().splitlines()
        assert done.returncode == 0 and len(lines) == 3, done
        assert lines[0].split()[:3] == ["ID", "STATE", "AGE"], lines
        assert lines[1].split()[:4] == ["000000", "pending", "3m", "ir"], lines
        assert server.asked[0][1]["older_than"] == 60000 and server.asked[0][1]["short"] is True


def test_list_goes_on_page_after_page():
    def answer(_, args):
        after = args["after"]
        return {"items": [entry(after + i + 1) for i in range(args["limit"])] if after != 200 else [],
                "after": after + 100 if after < 900 else 0}

    with Server(answer) as server:
        done = run(server, "list", "--json")
        assert [e["id"] for e in json.loads(done.stdout)][-1] == f"{1000:016x}"
        assert len(done.stdout.splitlines()) == 900 + 2
        done = run(server, "list", "--json", "-n", "150")
        assert len(json.loads(done.stdout)) == 150
        assert server.asked[-1][1]["limit"] == 50
        done = run(server, "list")
        assert len(done.stdout.splitlines()) == 901
        assert done.stdout.decode().count("STATE") == 1


def test_an_empty_list_is_an_empty_array():
    with Server(lambda c, a: {"items": [], "after": 0}) as server:
        assert json.loads(run(server, "list", "--json").stdout) == []
        assert run(server, "list").stdout == b""


def test_a_list_survives_an_idle_close():
    served = []

    def answer(_, args):
        served.append(args)
        if len(served) == 2:
            return None
        return {"items": [entry(args["after"] + 1)], "after": 1 if args["after"] == 0 else 0}

    with Server(answer) as server:
        done = run(server, "list", "--json")
        assert done.returncode == 0 and len(json.loads(done.stdout)) == 2, done
        assert server.connections == 2


def test_B7_5_hostile_names_reach_no_terminal():
    hostile = entry(1, subject=HOSTILE, sans=[HOSTILE], requester=HOSTILE, comments=[HOSTILE], peer=HOSTILE,
                    issue={"subject": HOSTILE, "sans": [HOSTILE]}, requested={"subject": HOSTILE + "x"},
                    history=[{"time": "t", "what": HOSTILE, "actor": HOSTILE, "text": HOSTILE}])

    def answer(command, _):
        return {"items": [hostile], "after": 0} if command.endswith("list") else hostile

    with Server(answer) as server:
        for args in (["list"], ["show", "1"], ["list", "--json"], ["show", "1", "--json"], ["approve", "1", "--yes"]):
            for env in (ENV, dict(ENV, LC_ALL="C")):
                done = run(server, *args, env=env)
                assert done.returncode == 0, done
                assert harmless(done.stdout.decode()), (args, done.stdout)
        text = run(server, "show", "1").stdout.decode()
        assert "\\1B[2J\\0D\\0A\\C2\\9B31m\\E2\\80\\AEevil\\E2\\80\\8B" in text, text
        output, code = run_on_terminal(server, None, "list")
        assert code == 0 and harmless(output.replace("\r\n", "\n")), output


def test_B7_5_hostile_errors_reach_no_terminal():
    with Server(lambda c, a: (-4, HOSTILE)) as server:
        done = run(server, "show", "1")
        assert done.returncode == 3 and harmless(done.stderr.decode()), done


def test_names_of_other_scripts_are_shown():
    with Server(lambda c, a: entry(1, issue={"subject": "/CN=Ger\u00e4t \u6771\u4eac", "sans": []})) as server:
        assert "/CN=Ger\u00e4t \u6771\u4eac" in run(server, "show", "1").stdout.decode()
        assert "/CN=Ger\\C3\\A4t" in run(server, "show", "1", env=dict(ENV, LC_ALL="C")).stdout.decode()


def test_B7_2_exit_codes():
    commands = (["show", "1"], ["approve", "1@3"], ["deny", "1@3"], ["comment", "1", "x"], ["secret", "remove", "x"],
                ["cert", "show", "1"], ["status"], ["reload"], ["backup", "x"], ["list"])
    for code, expected in ((-4, 3), (-6, 4), (-7, 4), (-5, 4), (-11, 1), (-2, 2), (-1, 1)):
        with Server(lambda c, a: (code, "words")) as server:
            for args in commands:
                done = run(server, *args)
                assert done.returncode == expected, (args, done)
                assert done.stderr == b"cmpd-ctl: words\n", done


def test_usage_is_checked_before_anything_is_asked():
    with Server(lambda c, a: {}) as server:
        for args in ([], ["nothing"], ["show"], ["show", "1", "2"], ["list", "--nothing"], ["list", "--pem"],
                     ["list", "-n", "0"], ["list", "-n"], ["list", "--older-than", "x"], ["approve", "1@"],
                     ["approve", "1@x"], ["approve", "1@0"], ["secret"], ["secret", "add", "r", "--uses", "0"],
                     ["list", "--json=1"], ["list", "--json", "--json"], ["-c", "x", "status"], ["help", "nothing"]):
            done = run(server, *args)
            assert done.returncode == 2, (args, done)
            assert harmless(done.stderr.decode())
        assert server.asked == []


def test_a_decision_needs_a_version_a_person_or_yes():
    with Server(lambda c, a: entry(1)) as server:
        for command in ("approve", "deny"):
            done = run(server, command, "1")
            assert done.returncode == 2 and b"--yes" in done.stderr, done
        assert server.asked == []
        assert run(server, "approve", "1", "--yes").returncode == 0
        assert server.asked.pop() == ("approve", {"id": "1"})
        assert run(server, "deny", "1@7", "--reason", "badRequest", "--text", "no").returncode == 0
        assert server.asked.pop() == ("deny", {"id": "1", "version": 7, "reason": "badRequest", "text": "no"})
        done = run(server, "cert", "revoke", "1")
        assert done.returncode == 2 and server.asked == []


def test_B7_2_a_person_decides_what_was_shown():
    with Server(lambda c, a: entry(1)) as server:
        output, code = run_on_terminal(server, b"y\n", "approve", "1")
        assert code == 0 and "Approve this request? [y/N]" in output, output
        assert "abab abab" in output
        assert server.asked[-1] == ("approve", {"id": f"{1:016x}", "version": 3})
        server.asked.clear()
        output, code = run_on_terminal(server, b"n\n", "approve", "1")
        assert code == 1 and all(command == "show" for command, _ in server.asked), output


def test_B7_6_a_set_is_asked_for_once_and_not_decided_when_it_changed():
    def answer(command, args):
        number = int(args["id"], 16)
        return entry(number, version=4 if number == 2 and len(server.asked) > 3 else 3)

    with Server(answer) as server:
        output, code = run_on_terminal(server, b"y\n", "approve", "1", "2", "3")
        assert code == 4 and output.count("[y/N]") == 1, output
        assert "changed since you looked" in output
        assert [command for command, _ in server.asked] == ["show"] * 5


def test_many_decisions_stop_at_the_first_that_fails():
    def answer(_, args):
        return (-6, "changed since you looked") if args["id"] == "2" else entry(int(args["id"]), state="approved")

    with Server(answer) as server:
        done = run(server, "approve", "--json", "1@3", "2@3", "3@3")
        assert done.returncode == 4 and [e["state"] for e in json.loads(done.stdout)] == ["approved"], done
        assert b"1 of 3 decided" in done.stderr
        assert len(server.asked) == 2


def test_a_whole_transaction_is_listed_and_decided():
    """Named by one of its requests, or by the transactionID; a person is shown all that wait of it."""
    txn = "ab" * 16

    def answer(command, args):
        if command == "list":
            return {"items": [entry(n, txn=args.get("txn"), txn_place=n, txn_requests=3) for n in (2, 3)], "after": 0}
        return entry(int(args["id"], 16), txn=txn)

    with Server(answer) as server:
        done = run(server, "list", "--txn", "000002")
        assert done.returncode == 0 and "2/3" in done.stdout.decode() and "3/3" in done.stdout.decode(), done
        assert [(c, a.get("id") or a.get("txn")) for c, a in server.asked] == [("show", "000002"), ("list", txn)]
        server.asked.clear()
        assert run(server, "approve", "--txn", txn, "--yes").returncode == 0
        assert [c for c, _ in server.asked] == ["list", "approve", "approve"], server.asked
        assert server.asked[0][1]["state"] == "pending" and server.asked[0][1]["txn"] == txn
        assert server.asked[1][1] == {"id": f"{2:016x}", "version": 3}
        server.asked.clear()
        done = run(server, "deny", "--txn", txn)
        assert done.returncode == 2 and all(c == "list" for c, _ in server.asked), done
        server.asked.clear()
        output, code = run_on_terminal(server, b"y\n", "deny", "--txn", txn, "--text", "no")
        assert code == 0 and "Deny these 2 requests? [y/N]" in output, output
        assert server.asked[-1] == ("deny", {"id": f"{3:016x}", "version": 3, "text": "no"})
        assert run(server, "approve").returncode == 2
        assert run(server, "approve", "1@3", "--txn", txn).returncode == 2


def test_a_secret_is_alone_on_standard_output():
    with Server(lambda c, a: {"ref": a["ref"], "secret": None if "secret_hex" in a else "s3cret"}) as server:
        done = run(server, "secret", "add", "dev1", "--uses", "2", "--ttl", "1h", "--subject", "/CN=a")
        assert done.stdout == b"s3cret\n"
        assert server.asked.pop() == ("secret add", {"ref": "dev1", "subject": "/CN=a", "ttl": 3600000, "uses": 2})
        assert json.loads(run(server, "--json", "secret", "add", "dev1").stdout)["secret"] == "s3cret"
        assert run(server, "secret", "add", "dev1", "--secret-file", "-", stdin=b"ab\0\n").stdout == b""
        assert server.asked.pop() == ("secret add", {"ref": "dev1", "secret_hex": "616200"})
        for bad in (b"", b"\n", b"x" * 129, b"x" * 130 + b"\n"):
            assert run(server, "secret", "add", "dev1", "--secret-file", "-", stdin=bad).returncode == 1
        assert run(server, "secret", "add", "dev1", "--secret-file", "-", stdin=b"x" * 128 + b"\n").returncode == 0
        assert run(server, "secret", "add", "dev1", "--secret-file", "/nonexistent").returncode == 1


def test_pem_is_printed_line_by_line():
    pem = "-----BEGIN CERTIFICATE-----\n" + "A" * 64 + "\n" + "B" * 8 + "\n-----END CERTIFICATE-----\n"
    with Server(lambda c, a: {"serial": "01", "pem": pem}) as server:
        assert run(server, "cert", "show", "1", "--pem").stdout.decode() == pem


def test_broken_servers_are_errors():
    for broken in (None, b"\0\0\0\x02[]", b"\xff\xff\xff\xff", b"\0\0\0\x05{}", b"\0\0"):
        with Server(lambda c, a: broken) as server:
            done = run(server, "status")
            assert done.returncode == 1 and done.stderr.startswith(b"cmpd-ctl: "), (broken, done)
    with Server(lambda c, a: {}) as server:
        for args in (["list"], ["show", "1"], ["status"], ["approve", "1@1"], ["cert", "list"],
                     ["cert", "show", "1", "--pem"], ["secret", "list"], ["secret", "add", "x"], ["backup", "x"],
                     ["cert", "revoke", "1", "--yes"], ["list", "--json"]):
            assert run(server, *args).returncode in (0, 1), args
    done = subprocess.run([CTL, "-s", "/nonexistent/socket", "status"], capture_output=True)
    assert done.returncode == 1 and b"is cmpd running?" in done.stderr


def test_the_socket_is_found_in_the_configuration():
    with Server(lambda c, a: {"version": "1"}) as server, tempfile.TemporaryDirectory() as folder:
        os.symlink(server.path, folder + "/ctl.sock")
        os.symlink(server.path, folder + "/other.sock")
        for text, code in (('state_dir = ".";', 0), (f'state_dir = "{folder}";', 0), ('state_dir = "nothing";', 1),
                           ('state_dir = "x"; control = { socket = "other.sock"; };', 0), ("cas = ();", 1),
                           ("state_dir = ;", 1), (f'control = {{ socket = "{server.path}"; }};', 0),
                           ('@include "more.conf"', 0)):
            with open(folder + "/cmpd.conf", "w") as conf, open(folder + "/more.conf", "w") as more:
                conf.write(text + "\n")
                more.write('state_dir = ".";\n')
            for where, cwd in ((folder + "/cmpd.conf", "/"), ("cmpd.conf", folder)):
                done = subprocess.run([CTL, "-c", where, "status"], capture_output=True, cwd=cwd)
                assert done.returncode == code, (text, done)


failed = 0
tests = [(n, f) for n, f in list(globals().items()) if n.startswith("test_")]
print(f"1..{len(tests)}")
for i, (name, function) in enumerate(tests, 1):
    try:
        function()
        print(f"ok {i} - {name}", flush=True)
    except Exception as error:  # noqa: BLE001 - reported
        failed += 1
        print(f"not ok {i} - {name}", flush=True)
        print(f"line {error.__traceback__.tb_next.tb_lineno}: {type(error).__name__}: {error}", file=sys.stderr)
sys.exit(failed > 0)
