#!/usr/bin/env python3
"""Nothing is lost: kill -9 between any two messages, lost answers, copies, every message over another connection."""
import re
import threading
import time

from harness import OPENSSL, Nginx, Relay, Server, main, run, wait_until

GRANT = [{"plugin": "allow", "subject": "*"}]


class Enrolments:
    """One client of each kind, all at once: MAC ir; cr, p10cr and kur signed by what cmpd issued."""

    def __init__(self, server):
        self.server, self.secret = server, server.secret("dev")
        self.up = threading.Lock()  # held while cmpd is to be there, or is away
        first = server.enrol("ir", ref="dev", secret=self.secret, subject="/CN=dev")
        self.approve_all(1)
        assert first.wait() == 0, first.output()
        self.signed = {"cert": first.certificate, "key": first.key}
        self.csr = server.folder / "dev.csr"
        run(OPENSSL, "req", "-new", "-key", first.key, "-subj", "/CN=dev", "-out", self.csr)

    def start(self, kinds=("ir", "cr", "p10cr", "kur"), **options):
        more = ["-keep_alive", "0", *options.pop("more", [])]
        clients = []
        for kind in kinds:
            credential = {"ref": "dev", "secret": self.secret} if kind == "ir" else self.signed
            subject = "/CN=dev" if kind in ("ir", "cr") else None
            extra = ["-csr", self.csr] if kind == "p10cr" else []
            clients.append(self.server.enrol(kind, **credential, subject=subject, more=more + extra, **options))
        return clients

    def approve_all(self, number):
        if self.server.config["endpoints"][0].get("policy"):
            return
        wait_until(f"{number} approved", lambda: self.approve(number))

    def approve(self, number):
        """Approves all that wait if they are so many."""
        with self.up:
            pending = self.server.entries(state="pending")
            if len(pending) == number:
                self.server.ctl("approve", *[e["id"] for e in pending], "--yes")
        return len(pending) == number

    def finish(self, clients):
        for client in clients:
            assert client.wait() == 0, client.output()
        run(OPENSSL, "verify", "-CAfile", self.server.ca.certificate, *[c.certificate for c in clients])
        assert len(self.server.json("cert", "list")) == 1 + len(clients)
        assert len(self.server.entries(state="confirmed")) == len(self.server.entries()) == 1 + len(clients)


def test_must_show():
    "B8.1 ir cr p10cr kur wait, kill -9, start, approve: the same client processes end with the certificate"
    with Server(endpoint={"check_after": 3, "confirm": "explicit"}) as server:
        enrolments = Enrolments(server)
        clients = enrolments.start()
        # The first poll follows at once; a client whose connection breaks under it gives up.
        wait_until("four have polled", lambda: len(set(re.findall(r"cmp\.polled .*(txn=\w+)", server.log()))) == 5)
        time.sleep(0.3)
        server.kill()
        time.sleep(0.5)
        server.start()
        enrolments.approve_all(4)
        server.kill()  # what the operator was told is true
        server.start()
        assert len(server.entries(state="approved")) >= 1, server.entries()
        enrolments.finish(clients)


def twice(server, path, body, port=None):
    """Sends, forgets the answer, kills cmpd, sends again: the same bytes."""
    status, _, first = server.post(body, path, port)
    assert status == 200, (status, first)
    server.kill()
    server.start()
    status, _, second = server.post(body, path, port)
    assert status == 200 and first == second, (status, len(first), len(second))
    return second


def each_message_twice(server, proxy=None, kinds=("ir", "cr", "p10cr", "kur")):
    enrolments = Enrolments(server)
    messages = []

    def pass_on(path, body):
        with enrolments.up:
            messages.append(body)
            return twice(server, path, body, proxy.port if proxy else None)

    with Relay(server, pass_on) as relay:
        for kind in kinds:  # one after the other: the answer to each would be lost for all
            before = len(messages)
            clients = enrolments.start([kind], port=relay.port)
            enrolments.approve_all(1)
            assert clients[0].wait() == 0, clients[0].output()
            assert len(messages) - before >= 2, "request, pollReqs, certConf"
    assert len(server.json("cert", "list")) == 1 + len(kinds)


def test_killed_at_every_message():
    "B2.10 B3.25 B8.1 held: cmpd dies after each answer, which is lost; the same message gets the same bytes"
    with Server(endpoint={"confirm": "explicit"}) as server:
        each_message_twice(server)


def test_killed_at_every_message_granted():
    "B2.10 B3.25 B8.1 granted: cmpd dies after each answer, which is lost; the same message gets the same bytes"
    with Server(endpoint={"confirm": "explicit"}, policy=GRANT) as server:
        each_message_twice(server)


def behind_nginx(server, keepalive):
    with Nginx(server, keepalive) as proxy:
        enrolments = Enrolments(server)
        clients = enrolments.start(port=proxy.port)
        enrolments.approve_all(4)
        enrolments.finish(clients)
        assert len(proxy.requests()) >= 4 * 3, proxy.requests()
        assert all(" 200 " in line for line in proxy.requests()), proxy.requests()


def test_nginx_tcp():
    "B5.4 behind nginx, TCP, a new upstream connection for each message"
    with Server(endpoint={"confirm": "explicit"}) as server:
        behind_nginx(server, keepalive=False)


def test_nginx_unix():
    "B5.4 behind nginx, unix socket, a new upstream connection for each message"
    with Server(endpoint={"confirm": "explicit"}, unix=True) as server:
        behind_nginx(server, keepalive=False)


def test_nginx_kept():
    "B5.4 behind nginx, unix socket, kept upstream connections that clients share"
    with Server(endpoint={"confirm": "explicit"}, unix=True) as server:
        behind_nginx(server, keepalive=True)


def test_nginx_killed():
    "B5.4 B8.1 behind nginx, cmpd killed at every message"
    with Server(endpoint={"confirm": "explicit"}, unix=True) as server, Nginx(server) as proxy:
        each_message_twice(server, proxy, ["ir", "kur"])


def copies(server, kinds, number):
    """Every message of these clients is sent so many times at once, each on a connection of its own."""
    enrolments = Enrolments(server)

    def pass_on(path, body):
        answers, barrier = [], threading.Barrier(number)

        def send():
            barrier.wait()
            answers.append(server.post(body, path))

        threads = [threading.Thread(target=send) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == number and {a[0] for a in answers} == {200}, answers
        assert len({a[2] for a in answers}) == 1, "not the same bytes for all copies"
        return answers[0][2]

    with Relay(server, pass_on) as relay:
        clients = enrolments.start(kinds, port=relay.port)
        enrolments.approve_all(len(kinds))
        enrolments.finish(clients)


def test_copies_held():
    "B8.1 simultaneous copies of each message: one entry, one certificate, the same answer to all"
    with Server(endpoint={"confirm": "explicit"}) as server:
        copies(server, ["ir", "cr", "p10cr", "kur"], 2)


def test_copies_granted():
    "B8.1 five simultaneous copies of a request that is granted at once: one certificate, the same answer to all"
    with Server(endpoint={"confirm": "explicit"}, policy=GRANT) as server:
        copies(server, ["ir", "cr", "p10cr"] * 2 + ["kur"], 5)


main(globals())
