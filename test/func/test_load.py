#!/usr/bin/env python3
"""Clients under way while cmpd is killed again and again: everything ends, nothing twice, nothing lost.

Short by default. CMPD_LOAD=200 (or the argument "full") takes so many transactions, of 8 clients at once, with
a kill every half second (CMPD_LOAD_PERIOD: another time), and prints figures."""
import collections
import http.client
import os
import random
import sys
import threading
import time

from harness import OPENSSL, PATIENCE, Relay, Server, main, run
from killer import Killer

FULL = "full" in sys.argv[1:]
sys.argv = [a for a in sys.argv if a != "full"]
TRANSACTIONS = int(os.environ.get("CMPD_LOAD", "200" if FULL else "40"))
CLIENTS = 8
PERIOD = float(os.environ.get("CMPD_LOAD_PERIOD", "0.5" if TRANSACTIONS >= 100 else "0.2"))  # seconds between two kills
KINDS = ("ir", "cr", "p10cr")  # a certificate is updated once: kur has tests of its own


class Retrying:
    """Sends the same bytes until an answer comes; whatever was answered before is answered again."""

    def __init__(self, server):
        self.server, self.messages, self.retries, self.unavailable = server, 0, 0, 0

    def __call__(self, path, body):
        self.messages += 1
        end = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < end:
            try:
                status, _, answer = self.server.post(body, path)
                if status == 200:
                    return answer
                assert status == 503, (status, answer)
                self.unavailable += 1
            except (OSError, http.client.HTTPException):
                pass
            self.retries += 1
            time.sleep(0.03)
        raise AssertionError("no answer for a minute")


class Load:
    def __init__(self, server, killer, port):
        self.server, self.killer, self.port = server, killer, port
        self.secret = server.secret("dev")
        self.key, self.csr = server.folder / "dev.key", server.folder / "dev.csr"
        run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        run(OPENSSL, "req", "-new", "-key", self.key, "-subj", "/CN=dev", "-out", self.csr)
        self.lock, self.left, self.held, self.again = threading.Lock(), TRANSACTIONS, [], 0
        self.error = None

    def operate(self):
        """The operator approves what waits."""
        with self.killer.up:
            pending = [e["id"] for e in self.server.json("list", "--state", "pending")]
            if pending:
                self.server.ctl("approve", *pending, "--yes")

    def begin(self, kind, number, certificate):
        credential = {"cert": certificate, "key": self.key}
        if kind == "ir":
            credential = {"ref": "dev", "secret": self.secret}
        extra = ["-csr", self.csr] if kind == "p10cr" else ["-newkey", self.key]
        with self.lock:  # the names of files are counted
            return self.server.enrol(kind, **credential, subject="/CN=dev" if kind in ("ir", "cr") else None,
                                     implicit=number % 8 >= 4, newkey=False, port=self.port,
                                     more=["-keep_alive", "0", *extra])

    def one_after_the_other(self):
        """A device: its first transaction is an ir, then it uses what it has. One that gave up starts anew."""
        certificate, turn = None, 0
        try:
            while True:
                with self.lock:
                    number, self.left = self.left, self.left - 1
                if number <= 0:
                    return
                kind, turn = KINDS[turn % len(KINDS)], turn + 1
                for _ in range(5):
                    client = self.begin(kind, number, certificate)
                    if client.wait(4 * PATIENCE) == 0:
                        break
                    self.again += 1
                    kind = "ir"  # a kur may have been left unconfirmed
                assert client.wait() == 0, client.output()
                if kind in ("ir", "kur"):
                    certificate = client.certificate
                with self.lock:
                    self.held.append(client)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def go(self):
        threads = [threading.Thread(target=self.one_after_the_other) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.operate()
            time.sleep(0.1)
        if self.error:
            raise self.error


def serial(client):
    return run(OPENSSL, "x509", "-in", client.certificate, "-noout", "-serial").stdout.split("=")[1].strip().lower()


def look(load):
    """What clients hold, what cmpd knows, and what was promised agree."""
    server = load.server
    assert len(load.held) == TRANSACTIONS
    serials = [serial(client) for client in load.held]
    assert len(set(serials)) == len(serials), "a certificate was given to two clients"
    certificates = {c["serial"].lower(): c for c in server.json("cert", "list")}
    lost = set(serials) - set(certificates)
    assert not lost, f"clients hold what cmpd does not know: {lost}"
    entries = {e["id"]: e for e in server.entries()}
    per_entry = collections.Counter(c["entry"] for c in certificates.values())
    assert max(per_entry.values()) == 1, "two certificates for one entry"
    assert len({(e["txn"], e["cert_req_id"]) for e in entries.values()}) == len(entries)
    for number in serials:
        certificate = certificates[number]
        assert certificate["status"] == "valid" and certificate["confirmed"], certificate
        assert entries[certificate["entry"]]["state"] == "confirmed", entries[certificate["entry"]]
    # A client that gave up may have left a transaction behind; nothing else has a certificate.
    over = len(certificates) - len(serials)
    assert 0 <= over <= load.again, (over, load.again)
    run(OPENSSL, "verify", "-CAfile", server.ca.certificate, *[c.certificate for c in load.held])


def under_kills(**options):
    with Server(endpoint={"same_key": list(KINDS)}, **options) as server:
        killer, sender = Killer(server, PERIOD), Retrying(server)
        with Relay(server, sender) as relay:
            load = Load(server, killer, relay.port)
            killer.start()
            begin = time.monotonic()
            load.go()
            seconds = time.monotonic() - begin
            killer.stop()
        look(load)
        print(f"# {TRANSACTIONS} transactions of {CLIENTS} clients in {seconds:.1f} s, {killer.kills} kills; "
              f"{sender.messages} messages, {sender.retries} sent again, {sender.unavailable} answered 503, "
              f"{load.again} clients began anew")


def test_held():
    "B8.1 8 clients at once, cmpd killed again and again, an operator approves: all complete, nothing twice, nothing lost"
    under_kills()


def test_granted():
    "B8.1 the same with requests that policy grants at once"
    under_kills(policy=[{"plugin": "allow", "subject": "*"}])


main(globals())
