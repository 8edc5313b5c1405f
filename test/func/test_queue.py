#!/usr/bin/env python3
"""The queue as operators see it: list, show, approve, deny, and what clients get of it."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time

from harness import CTL, OPENSSL, Ca, Server, main, run, wait_until

LISTED = {"id", "state", "protocol", "endpoint", "type", "txn", "cert_req_id", "subject", "sans", "spki_sha256",
          "requester", "received", "check_after", "version"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def held(server, command="ir", **options):
    """A client whose request has just come to wait, and its entry."""
    before = {e["id"] for e in server.entries()}
    client = server.enrol(command, **options)
    entry = wait_until("a new entry", lambda: [e for e in server.entries(state="pending") if e["id"] not in before])
    return client, entry[0]


def test_shapes():
    "B7.1 list, show, secret and cert print JSON of a stable shape; times and byte strings are of one form"
    with Server() as server:
        secret = server.json("secret", "add", "dev1")
        assert secret["ref"] == "dev1" and len(secret["secret"]) >= 20, secret
        client, entry = held(server, ref="dev1", secret=secret["secret"], subject="/O=x/CN=dev1",
                             more=["-sans", "dev1.example"])
        assert LISTED <= set(entry), LISTED - set(entry)
        assert entry["state"] == "pending" and entry["protocol"] == "cmp" and entry["type"] == "ir", entry
        assert entry["subject"] == "/O=x/CN=dev1" and entry["sans"] == ["DNS:dev1.example"], entry
        assert entry["requester"] == "mac ref=dev1" and entry["check_after"] == 1 and entry["cert_req_id"] == 0, entry
        assert TIME.match(entry["received"]) and re.match(r"^[0-9a-f]{32}$", entry["txn"]), entry
        assert re.match(r"^[0-9a-f]{64}$", entry["spki_sha256"]) and isinstance(entry["version"], int), entry
        shown = server.json("show", entry["id"][:6])
        assert {k: shown[k] for k in ("id", "txn", "subject")} == {k: entry[k] for k in ("id", "txn", "subject")}
        assert shown["key_type"] == "ec:P-256" and shown["pop"] == "verified", shown
        text = server.ctl("show", entry["id"]).stdout
        assert entry["spki_sha256"] in text.replace(":", "").replace(" ", "") and f"@{entry['version']}" in text, text
        server.ctl("approve", f"{entry['id']}@{entry['version']}")
        assert client.wait() == 0, client.output()
        certificate, = server.json("cert", "list")
        serial = run(OPENSSL, "x509", "-in", client.certificate, "-noout", "-serial").stdout.split("=")[1].strip()
        assert certificate["serial"].lower() == serial.lower() and certificate["status"] == "valid", certificate
        assert certificate["entry"] == entry["id"] and TIME.match(certificate["not_after"]), certificate
        pem = server.folder / "shown.pem"
        pem.write_text(server.ctl("cert", "show", certificate["serial"], "--pem").stdout)
        assert server.verify(pem) == server.verify(client.certificate)
        assert server.json("secret", "list")[0]["ref"] == "dev1"
        assert "secret" not in server.json("secret", "list")[0]


def test_exit_codes():
    "B7.2 stale version 4, decided already 4, unknown 3, wrong usage or nobody to ask 2, daemon away 1"
    with Server() as server:
        client, entry = held(server, ref="dev1", secret=server.secret("dev1"), subject="/CN=dev1")
        stale = f"{entry['id']}@{entry['version']}"
        server.ctl("comment", entry["id"], "called him: it is his")
        assert "changed" in server.ctl("approve", stale, code=4).stderr
        assert server.entries()[0]["state"] == "pending"
        server.ctl("approve", entry["id"], code=2)  # there is no terminal to ask on
        server.ctl("deny", entry["id"], "--yes", "--reason", "noSuchReason", code=2)
        server.ctl("list", "--state", "nowhere", code=2)
        for words in (("approve",), ("nothing",), ("list", "--what"), ("show",), ("list", "-n", "x"), ()):
            server.ctl(*words, code=2)
        absent = f"{int(entry['id'][0], 16) ^ 1:x}" + entry["id"][1:]
        for words in (("show", absent), ("approve", absent, "--yes"), ("cert", "show", "00ff"),
                      ("secret", "remove", "nobody")):
            server.ctl(*words, code=3)
        server.ctl("secret", "add", "dev1", code=4)
        server.ctl("approve", f"{entry['id']}@{server.entries()[0]['version']}")
        assert client.wait() == 0, client.output()
        for command in ("approve", "deny"):
            assert "nothing to decide" in server.ctl(command, entry["id"], "--yes", code=4).stderr
        server.kill()
        server.ctl("list", code=1)
        server.start()


def test_denied():
    "B1.7 B1.12 deny reaches the waiting client with the operator's failInfo and text, for ir cr p10cr kur"
    with Server() as server:
        secret = server.secret("dev1")
        credential = {"ref": "dev1", "secret": secret, "subject": "/CN=dev1"}
        client, entry = held(server, **credential)
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        signed = {"cert": client.certificate, "key": client.key}
        csr = server.folder / "dev.csr"
        run(OPENSSL, "req", "-new", "-key", client.key, "-subj", "/CN=dev1", "-out", csr)
        waiting = [held(server, "ir", **credential), held(server, "cr", **signed, subject="/CN=dev1"),
                   held(server, "p10cr", **signed, more=["-csr", csr]), held(server, "kur", **signed)]
        ids = [entry["id"] for _, entry in waiting]
        server.ctl("deny", *ids, "--yes", "--reason", "badCertTemplate", "--text", "who is \"dev1\"? \u00e4\u20ac")
        for client, _ in waiting:
            assert client.wait() != 0, client.output()
            assert "badCertTemplate" in client.output() and "who is" in client.output(), client.output()
            assert "\u00e4\u20ac" in client.output(), client.output()
        assert len(server.entries(state="denied")) == 4
        client, entry = held(server, **credential)
        server.ctl("deny", entry["id"], "--yes")
        assert client.wait() != 0 and "rejection" in client.output() and "PKIFailureInfo" in client.output()


def test_own_transactions():
    "B1.13 while a request of a client waits, further ones of it are transactions of their own, decided in any order"
    with Server() as server:
        vendor = Ca(server.folder / "v", "vendor")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        server.write()
        server.ctl("reload")
        certificate, key = vendor.issue("/CN=dev1")
        signed = {"cert": certificate, "key": key, "untrusted": certificate, "subject": "/CN=dev1"}
        waiting = [held(server, "cr", **signed) for _ in range(3)]
        assert len({entry["txn"] for _, entry in waiting}) == 3
        for number in (1, 2, 0):
            client, entry = waiting[number]
            assert client.running()
            server.ctl("approve", entry["id"], "--yes")
            assert client.wait() == 0, client.output()
            server.verify(client.certificate)


def test_secret_gone_while_waiting():
    "B1.8 a waiting client gets its certificate although its secret was used up, expired and removed meanwhile"
    with Server(endpoint={"message_time_window": "3h"}) as server:
        secret = server.secret("dev1", "--uses", "1", "--ttl", "1h")
        client, entry = held(server, ref="dev1", secret=secret, subject="/CN=dev1")
        server.pass_time(3700)
        server.ctl("secret", "remove", "dev1")
        server.kill()
        server.start()
        assert server.json("secret", "list")[0]["open"] == 1
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        assert server.json("secret", "list") == []


def test_client_gives_up():
    "B1.6 B1.9 a client that gives up leaves a held entry behind and starts anew at once"
    with Server(endpoint={"check_after": 2}) as server:
        credential = {"ref": "dev1", "secret": server.secret("dev1", "--uses", "2"), "subject": "/CN=dev1"}
        client, first = held(server, **credential, patience=1)
        assert client.wait() != 0, client.output()
        assert server.entries(id=first["id"])[0]["state"] == "pending"
        client, second = held(server, **credential)
        client.kill()
        server.ctl("deny", second["id"], "--yes")
        client = server.enrol("ir", **credential)
        assert client.wait() != 0 and "used up" in client.output(), client.output()
        server.ctl("approve", first["id"], "--yes")  # it may still come for it; nobody does
        assert server.entries(id=first["id"])[0]["state"] == "approved"
        assert server.json("cert", "list") == []


def test_client_refuses():
    "B4.2 a certificate that the client does not take is revoked, told by certConf or by an error message"
    with Server(policy=[{"plugin": "allow", "subject": "*"}]) as server:
        foreign = Ca(server.folder / "f", "foreign")
        secret = server.secret("dev1")
        for number, implicit in enumerate((False, True)):
            client = server.enrol("ir", ref="dev1", secret=secret, subject=f"/CN=dev{number}", implicit=implicit,
                                  more=["-out_trusted", foreign.certificate])
            assert client.wait() != 0, client.output()
        states = {e["subject"]: e["state"] for e in server.entries()}
        # Implicitly confirmed is confirmed: what the client thinks of it later is not heard any more.
        assert states == {"/CN=dev0": "refused", "/CN=dev1": "confirmed"}, states
        assert {c["subject"]: c["status"] for c in server.json("cert", "list")} == {"/CN=dev0": "revoked",
                                                                                    "/CN=dev1": "valid"}


def test_entries_expire():
    "B8.7 an entry that nobody decides expires: the client is told, an operator comes too late"
    with Server(endpoint={"entry_ttl": "1h", "message_time_window": "1d"}) as server:
        secret = server.secret("dev1")
        client, entry = held(server, ref="dev1", secret=secret, subject="/CN=dev1")
        server.pass_time(3590)
        time.sleep(2.2)
        assert client.running() and server.entries(state="pending")
        server.pass_time(20)
        assert client.wait() != 0 and "expired" in client.output(), client.output()
        assert server.entries()[0]["state"] == "expired"
        assert "expired" in server.ctl("approve", entry["id"], "--yes", code=4).stderr


def test_unconfirmed():
    "B2.5 a certificate that is not confirmed within confirm_wait is revoked, and not before; not at once after a start"
    with Server(policy=[{"plugin": "allow", "subject": "*"}],
                endpoint={"confirm_wait": "5m", "message_time_window": "1d", "confirm": "explicit"}) as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1", more=["-disable_confirm"])
        assert client.wait() == 0, client.output()
        server.kill()
        server.pass_time(600)  # it was away for ten minutes: the client could not confirm
        server.start()
        time.sleep(2.2)
        assert server.entries()[0]["state"] == "issued"
        assert server.json("cert", "list")[0]["status"] == "valid"
        server.pass_time(310)
        wait_until("revoked", lambda: server.entries(state="unconfirmed"), 5)
        certificate, = server.json("cert", "list")
        assert certificate["status"] == "revoked" and not certificate["confirmed"], certificate
        refused = server.enrol("cr", cert=client.certificate, key=client.key, subject="/CN=dev1")
        assert refused.wait() != 0 and "revoked" in refused.output(), refused.output()


def harmless(text):
    """Nothing in it that moves a cursor or turns the direction of writing."""
    bad = [c for c in text if c != "\n" and (not c.isprintable() or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069")]
    assert not bad, (bad, text)


def at_terminal(argv, typed=""):
    """Runs a program at a terminal of 100 columns: exit status and what it showed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen([str(a) for a in argv], stdin=slave, stdout=slave, stderr=slave,
                               env={"TERM": "xterm", "LC_ALL": "C.UTF-8"}, start_new_session=True)
    os.close(slave)
    os.write(master, typed.encode())
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:
        pass
    os.close(master)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_hostile_subjects():
    "B7.5 control bytes, direction marks and overlong subjects disturb neither the terminal nor the JSON"
    subjects = ["/CN=a\x1b[2J\x1b[31mroot", "/CN=a\u202egnp.exe\u2066", "/CN=a\rb\nc\td\x7f", "/CN=a\u009b31m\u200b\ufeff",
                "/CN=quo\"te\\\\back'tick<>&", "/CN=a" + "/OU=" + "/OU=".join("x" * 60 for _ in range(14))]
    with Server() as server:
        secret, key, csr = server.secret("dev1"), server.folder / "k.key", server.folder / "k.csr"
        run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        for subject in subjects:
            run(OPENSSL, "req", "-new", "-utf8", "-key", key, "-subj", subject, "-out", csr)
            held(server, "p10cr", ref="dev1", secret=secret, more=["-csr", csr])
        entries = server.entries(state="pending")
        for words in (("list",), ("--json", "list"), ("status",)) + tuple(("show", e["id"]) for e in entries):
            done = run(CTL, "-s", server.socket, *words, env={"COLUMNS": "100", "LC_ALL": "C.UTF-8"})
            harmless(done.stdout)
        code, shown = at_terminal([CTL, "-s", server.socket, "list"])
        lines = shown.splitlines()
        assert code == 0 and len(lines) == len(subjects) + 1 and max(map(len, lines)) <= 100, lines
        harmless(shown)
        assert json.loads(server.ctl("--json", "list").stdout)
        for entry in entries:
            harmless(entry["subject"])
        harmless(server.log())
        code, shown = at_terminal([CTL, "-s", server.socket, "approve", *[e["id"] for e in entries]], "n\n")
        assert code == 1 and shown.count("[y/N]") == 1, shown
        harmless(shown)
        assert len(server.entries(state="pending")) == len(subjects)
        for client in server.clients:
            client.kill()


def test_list():
    "B7.1 list filters by state, subject, age and number, the oldest first"
    with Server(endpoint={"message_time_window": "1d"}) as server:
        secret = server.secret("dev1")
        for name in ("lab-1", "lab-2", "web-1"):
            held(server, ref="dev1", secret=secret, subject=f"/CN={name}")
            server.pass_time(3600)
        entries = server.entries()
        names = [e["subject"] for e in entries]
        assert names == ["/CN=lab-1", "/CN=lab-2", "/CN=web-1"], names
        server.ctl("deny", entries[1]["id"], "--yes")
        assert [e["subject"] for e in server.json("list", "--state", "pending")] == ["/CN=lab-1", "/CN=web-1"]
        assert [e["subject"] for e in server.json("list", "--subject", "/CN=lab-*")] == ["/CN=lab-1", "/CN=lab-2"]
        assert [e["subject"] for e in server.json("list", "-n", "1")] == ["/CN=lab-1"]
        assert [e["subject"] for e in server.json("list", "--older-than", "90m")] == ["/CN=lab-1", "/CN=lab-2"]
        assert server.json("list", "--state", "issued") == []


main(globals())
