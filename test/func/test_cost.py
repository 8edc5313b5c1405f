#!/usr/bin/env python3
"""What strangers can make cmpd compute: never more than about what it does for those it knows."""
import os

from harness import Ca, Server, main
from messages import ECDSA, PBM, RSA, bits, certificate, der, integer, message, name, noise, oid, pbm, rsa_key, sequence, signature, tlv

ROUNDS = 40


def explicit_ec_key():
    """A curve of its own over a prime that square roots are slow in, and a compressed point."""
    p = (141 << 640) + 1
    size = (p.bit_length() + 7) // 8
    x = int.from_bytes(os.urandom(size - 1), "big")
    y = int.from_bytes(os.urandom(size - 1), "big")
    b = (y * y - x ** 3 - x) % p
    point = bytes([2 + (y & 1)]) + x.to_bytes(size, "big")
    curve = sequence(tlv(4, (1).to_bytes(size, "big")), tlv(4, b.to_bytes(size, "big")))
    parameters = sequence(integer(1), sequence(oid("1.2.840.10045.1.1"), integer(p)), curve, tlv(4, point),
                          integer(p - 2), integer(1))
    return sequence(sequence(oid("1.2.840.10045.2.1"), parameters), bits(point))


def request(key):
    """An ir for that key, with a signature that does not verify."""
    template = sequence(tlv(0xa5, name("dev1")), tlv(0xa6, key[4 if key[1] == 0x82 else 3 if key[1] == 0x81 else 2:]))
    return tlv(0xa0, sequence(sequence(sequence(integer(0), template), tlv(0xa1, ECDSA, bits(os.urandom(70))))))


def cost(server, make):
    """Milliseconds of processor time for one message that is refused."""
    messages = [make() for _ in range(ROUNDS)]
    before = server.cpu_seconds()
    for body in messages:
        status, _, answer = server.post(body)
        assert status == 200 and answer, status
    return 1000 * (server.cpu_seconds() - before) / ROUNDS


def usual(server):
    return cost(server, lambda: message([certificate(rsa_key(2048, 65537), RSA)], RSA, noise(256)))


def bounded(server, what, make, limit):
    spent = cost(server, make)
    print(f"# {what}: {spent:.2f} ms, at most {limit:.2f} ms")
    assert spent < limit, (what, spent, limit)


def test_keys_of_strangers():
    "P9 no key that a stranger sends makes verifying his message dear"
    with Server() as server:
        usual(server)
        limit = 2 * usual(server) + 1
        bounded(server, "rsa:16384", lambda: message(
            [certificate(rsa_key(16384, 65537), RSA)], RSA, noise(2048)), limit)
        bounded(server, "rsa:8192, large exponent", lambda: message(
            [certificate(rsa_key(8192, 2 ** 64 - 1), RSA)], RSA, noise(1024)), limit)
        bounded(server, "rsa:3072, exponent as long", lambda: message(
            [certificate(rsa_key(3072, 2 ** 3071 - 1), RSA)], RSA, noise(384)), limit)
        bounded(server, "a curve of his own", lambda: message(
            [certificate(explicit_ec_key(), ECDSA)], ECDSA, noise(70)), limit)


def test_certificates_of_strangers():
    "P9 certificates with odd keys beside a signature that verifies are not decoded"
    with Server() as server:
        limit = 2 * usual(server) + 2
        mine, key = Ca(server.folder / "s", "stranger").issue("/CN=stranger")
        signer, protect = der(mine), signature(key, server.folder)
        odd = [certificate(explicit_ec_key(), ECDSA) for _ in range(9)]
        bounded(server, "nine curves of his own", lambda: message([signer, *odd], ECDSA, protect), limit)
        assert "signerNotTrusted" in server.log()


def test_keys_of_devices():
    "P9 a device with a secret cannot make us decode odd keys either"
    with Server() as server:
        limit = 2 * usual(server) + 1
        secret = server.secret("dev1")
        bounded(server, "ir for a curve of its own", lambda: message(
            [], PBM, pbm(secret), kid=b"dev1", body=request(explicit_ec_key())), limit)
        assert "badAlg" in server.log()


main(globals())
