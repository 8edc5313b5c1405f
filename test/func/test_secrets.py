#!/usr/bin/env python3
"""Shared secrets as an operator gives them out, and as somebody tries them who should not."""
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from harness import OPENSSL, Server, main, run
from messages import PBM, bits, der, integer, message, name, pbm, sequence, signature, tlv, ECDSA

GRANT = [{"plugin": "allow", "subject": "*"}]


def listed(server, ref):
    return [s for s in server.json("secret", "list") if s["ref"] == ref]


@cache
def request(folder, subject):
    """An ir for a new key, with its proof."""
    key, public = folder / "some.key", folder / "some.pub"
    if not key.exists():
        run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        run(OPENSSL, "pkey", "-in", key, "-pubout", "-out", public)
    spki = der(public)
    inner = spki[2:] if spki[1] < 0x80 else spki[3:]
    asked = sequence(integer(0), sequence(tlv(0xa5, name(subject)), tlv(0xa6, inner)))
    return tlv(0xa0, sequence(sequence(asked, tlv(0xa1, ECDSA, bits(signature(key, folder)(asked))))))


def ask(server, ref, secret, peer=None):
    headers = {"X-Forwarded-For": peer} if peer else None
    body = message([], PBM, pbm(secret), kid=ref.encode(), body=request(server.folder, ref))
    return server.post(body, headers=headers)[2]


def test_uses_in_parallel():
    "B4.10 one secret for many devices: of twelve at once exactly so many get a certificate as it has uses"
    with Server(policy=GRANT) as server:
        secret = server.secret("line", "--uses", "5")
        clients = [server.enrol("ir", ref="line", secret=secret, subject=f"/CN=dev{i}") for i in range(12)]
        served = sum(client.wait() == 0 for client in clients)
        assert served == 5, [c.output() for c in clients]
        assert len(server.json("cert", "list")) == 5
        assert [(s["uses_left"], s["state"], s["open"]) for s in listed(server, "line")] == [(0, "used up", 0)]
        assert any("used up" in c.output() for c in clients)


def test_bulk():
    "B4.10 a bulk secret with 1000 uses: they are counted, across a kill, and no more than so many are open"
    with Server(top={"limits": {"open_per_secret": 60}}) as server:
        secret = server.secret("bulk", "--uses", "1000", "--ttl", "1d")
        answers = [ask(server, "bulk", secret)]
        with ThreadPoolExecutor(8) as pool:
            answers += pool.map(lambda _: ask(server, "bulk", secret), range(49))
        assert all(b"waiting for approval" in a for a in answers)
        server.kill()
        server.start()
        row, = listed(server, "bulk")
        assert (row["uses_left"], row["open"], row["state"]) == (950, 50, "good"), row
        assert row["expires"] and row["until_confirmed"] is False
        for _ in range(10):
            assert b"waiting for approval" in ask(server, "bulk", secret)
        assert b"too many transactions of this secret are open" in ask(server, "bulk", secret)
        assert listed(server, "bulk")[0]["uses_left"] == 940


def test_rotation():
    "B4.10 rotation: devices with the old and the new secret are served while they overlap, by OpenSSL's client"
    with Server(policy=GRANT) as server:
        (server.folder / "old").write_text("correct horse battery staple\n")
        server.ctl("secret", "add", "dev1", "--secret-file", server.folder / "old", "--subject", "/CN=dev1")
        server.ctl("secret", "rotate", "dev1", "--secret-file", server.folder / "old", code=2)
        new = server.ctl("secret", "rotate", "dev1", "--overlap", "2h").stdout.strip()
        assert len(new) == 26
        for secret in ("correct horse battery staple", new):
            client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
            assert client.wait() == 0, client.output()
        old, current = listed(server, "dev1")
        assert (old["state"], old["subject"]) == ("retiring", "/CN=dev1") and old["expires"]
        assert (current["state"], current["subject"], current["expires"]) == ("good", "/CN=dev1", None)
        table = server.ctl("secret", "list").stdout
        assert "STATE" in table and "retiring" in table and new not in table
        # the operator is sure that all devices have the new one
        server.ctl("secret", "remove", "dev1", "--retiring")
        server.ctl("secret", "remove", "dev1", "--retiring", code=3)
        client = server.enrol("ir", ref="dev1", secret="correct horse battery staple", subject="/CN=dev1")
        assert client.wait() != 0 and "unknown reference or wrong secret" in client.output(), client.output()
        client = server.enrol("ir", ref="dev1", secret=new, subject="/CN=dev1")
        assert client.wait() == 0, client.output()
        # removing the reference removes what retires, too
        newest = server.ctl("secret", "rotate", "dev1").stdout.strip()
        server.ctl("secret", "remove", "dev1")
        assert listed(server, "dev1") == []
        for secret in (new, newest):
            assert b"unknown reference" in ask(server, "dev1", secret)
        assert new not in server.log() and newest not in server.log()


def test_until_confirmed():
    "B4.10 a secret is removed when its certificate is confirmed, not before"
    with Server(policy=GRANT) as server:
        secret = server.secret("dev1", "--until-confirmed")
        assert listed(server, "dev1")[0]["until_confirmed"] is True
        assert "when confirmed" in server.ctl("secret", "list").stdout
        ask(server, "dev1", secret)
        assert len(server.entries(state="issued")) == 1
        assert listed(server, "dev1")[0]["state"] == "good", "sent, but not confirmed"
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        assert client.wait() == 0, client.output()
        assert [s["state"] for s in listed(server, "dev1")] == ["removed"], "the first one is still open"
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        assert client.wait() != 0, client.output()


def test_guessing():
    "B4.10 B3.19 who guesses a secret is held up, by reference and address; the device elsewhere is not"
    with Server(top={"proxies": ["127.0.0.1"]}) as server:
        secret = server.secret("dev1")
        guesser, network, device = "198.51.100.7", "2001:db8:1:2::%x", "192.0.2.9"
        answers = [ask(server, "dev1", f"guess {i}", guesser) for i in range(14)]
        assert all(b"unknown reference or wrong secret" in a for a in answers[:10]), answers
        assert all(b"too many wrong MACs for this reference" in a for a in answers[11:]), answers
        assert b"too many wrong MACs" in ask(server, "dev1", secret, guesser), "even when he guesses right"
        answers = [ask(server, "dev1", f"guess {i}", network % i) for i in range(14)]
        assert b"too many wrong MACs for this reference" in answers[-1], answers[-1]
        assert b"waiting for approval" in ask(server, "dev1", secret, device)
        # what there is not looks the same
        answers = [ask(server, "nobody", f"guess {i}", guesser) for i in range(14)]
        assert b"unknown reference or wrong secret" in answers[0]
        assert b"too many wrong MACs for this reference" in answers[-1]
        server.pass_time(70)
        assert b"waiting for approval" in ask(server, "dev1", secret, guesser)


main(globals())
