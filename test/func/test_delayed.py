#!/usr/bin/env python3
"""Revocations and general messages that wait for an operator, with the stock client.

From OpenSSL 3.5 on (the machine's own, or that of the root folder CMPD_OPENSSL2) it polls for every kind of request."""
from harness import OPENSSL, Server, main, modern_openssl, run

GRANT = [{"plugin": "allow", "type": "ir", "subject": "*"}]


def place(**endpoint):
    return Server(policy=GRANT, profile={"names": "any"}, endpoint={"hold": ["rr", "genm"], "check_after": 1, **endpoint})


def certificate(server, name):
    """A client that has got a certificate from cmpd."""
    client = server.enrol("ir", ref="dev", secret=server.secrets, subject=f"/CN={name}", implicit=True)
    assert client.wait() == 0, client.output()
    return client


def revoke(server, owner, openssl):
    key = owner.certificate.with_suffix(".key")
    return server.enrol("rr", cert=owner.certificate, key=key, openssl=openssl,
                        more=["-oldcert", owner.certificate, "-revreason", 1, "-keep_alive", "0"])


def status(server, owner):
    serial = run(OPENSSL, "x509", "-in", owner.certificate, "-noout", "-serial").stdout.strip().split("=")[1]
    return server.json("cert", "show", serial.lower())["status"]


def test_revocation_approved():
    "B2.13 B4.5 a stock client of 3.5 revokes with approval; cmpd is killed while it waits"
    with place() as server:
        openssl = modern_openssl(server.folder)
        server.secrets = server.secret("dev")
        owner = certificate(server, "dev1")
        client = revoke(server, owner, openssl)
        entry = server.wait_entry(type="rr", state="pending")
        assert "keyCompromise" in entry["wants"], entry
        assert entry["cert_req_id"] == -1 and entry["subject"] == "/CN=dev1", entry
        server.kill()
        server.start()
        assert status(server, owner) == "valid" and client.running()
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        assert status(server, owner) == "revoked"
        assert server.entries(id=entry["id"], state="done"), server.entries()


def test_revocation_denied():
    "B2.13 B7.1 a denied revocation: the client gets the operator's reason in an rp, the certificate stays valid"
    with place() as server:
        openssl = modern_openssl(server.folder)
        server.secrets = server.secret("dev")
        owner = certificate(server, "dev1")
        client = revoke(server, owner, openssl)
        entry = server.wait_entry(type="rr", state="pending")
        server.ctl("deny", entry["id"], "--yes", "--reason", "notAuthorized", "--text", "ask the depot")
        assert client.wait() != 0
        assert "ask the depot" in client.output() and "notAuthorized" in client.output(), client.output()
        assert status(server, owner) == "valid"


def test_old_client():
    "B2.13 a stock client of 3.0 does not poll for an rr: it is told that it has to wait, and nothing is revoked"
    with place() as server:
        server.secrets = server.secret("dev")
        owner = certificate(server, "dev1")
        client = revoke(server, owner, None)
        if not server.wait_entry(type="rr", state="pending"):
            raise AssertionError(server.entries())
        if "polling" in client.output().lower() or client.running():
            client.kill()  # a newer one does
            return
        assert client.wait() != 0
        assert "waiting" in client.output(), client.output()
        assert status(server, owner) == "valid"


def test_question_approved():
    "B2.13 B4.6 a stock client of 3.5 asks for caCerts, waits for the operator and gets them"
    with place() as server:
        openssl = modern_openssl(server.folder)
        secret = server.secret("dev")
        got = server.folder / "cacerts.pem"
        client = server.enrol("genm", ref="dev", secret=secret, openssl=openssl,
                              more=["-infotype", "caCerts", "-cacertsout", got])
        entry = server.wait_entry(type="genm", state="pending")
        assert entry["wants"] == "caCerts", entry
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        assert "BEGIN CERTIFICATE" in got.read_text()


main(globals())
