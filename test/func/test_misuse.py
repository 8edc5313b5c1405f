#!/usr/bin/env python3
"""What a device that is known tries beyond what it may."""
from harness import OPENSSL, Server, main, run
from messages import ECDSA, PBM, bits, der, integer, message, name, pbm, sequence, signature, tlv

GRANT = [{"plugin": "allow", "subject": "*"}]


def first(data):
    """The first element of some DER, and what follows it."""
    size, head = data[1], 2
    if size & 0x80:
        head += size & 0x7f
        size = int.from_bytes(data[2:head], "big")
    return data[:head + size], data[head + size:], data[head:head + size]


def request(folder, subject):
    """An ir for a new key."""
    key, public = folder / "new.key", folder / "new.pub"
    run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    run(OPENSSL, "pkey", "-in", key, "-pubout", "-out", public)
    spki = first(der(public))[2]
    asked = sequence(integer(0), sequence(tlv(0xa5, name(subject.removeprefix("/CN="))), tlv(0xa6, spki)))
    return tlv(0xa0, sequence(sequence(asked, tlv(0xa1, ECDSA, bits(signature(key, folder)(asked))))))


def rev_details(certificate, reason):
    """RevDetails for a certificate."""
    tbs = first(first(certificate)[2])[2]
    _, tbs, _ = first(tbs)
    _, tbs, serial = first(tbs)
    _, tbs, _ = first(tbs)
    issuer, _, _ = first(tbs)
    extension = sequence(tlv(6, b"\x55\x1d\x15"), tlv(4, tlv(10, bytes([reason]))))
    return sequence(sequence(tlv(0x81, serial), tlv(0xa3, issuer)), sequence(extension))


def test_held_without_end():
    "P9 B3.19 one secret, and all together, can have only so many requests held"
    with Server(top={"limits": {"open_per_secret": 2, "pending": 3}}) as server:
        one, other = server.secret("one"), server.secret("other")

        def ask(ref, secret):
            return server.post(message([], PBM, pbm(secret), kid=ref.encode(),
                                       body=request(server.folder, "/CN=" + ref)))[2]

        for _ in range(2):
            assert b"waiting for approval" in ask("one", one)
        assert b"too many transactions of this secret" in ask("one", one)
        assert b"waiting for approval" in ask("other", other)
        assert b"too many requests wait" in ask("other", other)
        assert len(server.entries(state="pending")) == 3
        server.ctl("deny", server.entries(state="pending")[0]["id"], "--yes")
        assert b"waiting for approval" in ask("other", other)
        assert b"failInfo=systemUnavail" in server.log().encode()


def test_held_without_end_by_one_certificate():
    "P9 B3.19 one certificate has so many requests open and no more, across a restart; others and itself later go on"
    limits = {"limits": {"open_per_certificate": 2}}
    with Server(policy=[{"plugin": "allow", "subject": "/CN=dev*"}], top=limits) as server:
        devices = []
        for ref in ("dev1", "dev2"):
            client = server.enrol("ir", ref=ref, secret=server.secret(ref), subject="/CN=" + ref)
            assert client.wait() == 0, client.output()
            devices.append(client)

        def ask(client, ref):
            return server.post(message([der(client.certificate)], ECDSA, signature(client.key, server.folder),
                                       sender=ref, body=request(server.folder, "/CN=held")))[2]

        for _ in range(2):
            assert b"waiting for approval" in ask(devices[0], "dev1")
        assert b"too many transactions of this certificate are open" in ask(devices[0], "dev1")
        assert b"waiting for approval" in ask(devices[1], "dev2")
        server.kill()
        server.start()
        server.kill()
        server.start()
        assert b"too many transactions of this certificate are open" in ask(devices[0], "dev1")
        assert len(server.entries(state="pending")) == 3
        server.ctl("deny", server.entries(state="pending")[0]["id"], "--yes")
        assert b"too many transactions" in ask(devices[0], "dev1"), "it ends when the device was told"


def test_no_core():
    "B4.10 a crash leaves no file with keys and secrets"
    with Server() as server:
        limits = open(f"/proc/{server.pid}/limits").read().splitlines()
        assert [line.split()[4] for line in limits if line.startswith("Max core file size")] == ["0"], limits


def test_revoked_and_held_at_once():
    "B6.1 a certificate named twice in one rr: the first counts, the second is rejected"
    with Server(policy=GRANT, endpoint={"max_requests": 4}) as server:
        client = server.enrol("ir", ref="dev1", secret=server.secret("dev1"), subject="/CN=dev1")
        assert client.wait() == 0, client.output()
        certificate = der(client.certificate)
        body = tlv(0xab, sequence(rev_details(certificate, 1), rev_details(certificate, 6)))
        status, _, answer = server.post(message([certificate], ECDSA, signature(client.key, server.folder),
                                                sender="dev1", body=body))
        assert status == 200 and b"named twice in one message" in answer, (status, answer)
        assert [c["status"] for c in server.json("cert", "list")] == ["revoked"], server.json("cert", "list")


main(globals())
