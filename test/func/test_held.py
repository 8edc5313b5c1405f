#!/usr/bin/env python3
"""The shortest way through everything: a held request, an operator, a certificate."""
from harness import Server, main


def test_approved():
    "B1.1 a MAC ir is held, shown, approved, collected by the waiting client, confirmed"
    with Server() as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        entry = server.wait_entry(state="pending")
        assert "dev1" in entry["subject"], entry
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        assert "CN = dev1" in server.verify(client.certificate).replace("CN=dev1", "CN = dev1")
        assert server.entries(id=entry["id"], state="confirmed"), server.entries()


def test_denied():
    "B7.1 a denied request ends with the operator's failInfo and text"
    with Server() as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        entry = server.wait_entry(state="pending")
        server.ctl("deny", entry["id"], "--yes", "--reason", "badCertTemplate", "--text", "not in the inventory")
        assert client.wait() != 0
        assert "badCertTemplate" in client.output() and "not in the inventory" in client.output()
        assert not client.certificate.exists()


def test_killed_while_waiting():
    "B8.1 kill -9 while a client waits: the same client process ends with the certificate"
    with Server(endpoint={"check_after": 5}) as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1",
                              more=["-keep_alive", "0"])
        entry = server.wait_entry(state="pending")
        server.wait_log("cmp.polled")
        server.kill()
        server.start()
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        server.verify(client.certificate)


main(globals())
