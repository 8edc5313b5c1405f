#!/usr/bin/env python3
"""What strangers can make cmpd compute: never more than about what it does for those it knows."""
import hashlib
import hmac
import os
import time

from harness import OPENSSL, Ca, Server, main, run

ROUNDS = 40


def tlv(tag, *parts):
    content = b"".join(parts)
    n = len(content)
    length = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytes([40 * first + second])
    for n in rest:
        groups = [n & 127]
        while n := n >> 7:
            groups.insert(0, 128 | n & 127)
        out += bytes(groups)
    return tlv(6, out)


def bits(value):
    return tlv(3, b"\0", value)


def name(common_name):
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(12, common_name.encode()))))


ECDSA = sequence(oid("1.2.840.10045.4.3.2"))
RSA = sequence(oid("1.2.840.113549.1.1.11"), b"\x05\0")


def rsa_key(size, exponent):
    modulus = int.from_bytes(os.urandom(size // 8), "big") | 1 << (size - 1) | 1
    return sequence(sequence(oid("1.2.840.113549.1.1.1"), b"\x05\0"), bits(sequence(integer(modulus), integer(exponent))))


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


def certificate(key, algorithm, subject="stranger", issuer="stranger"):
    validity = sequence(tlv(24, b"20240101000000Z"), tlv(24, b"20491231000000Z"))
    tbs = sequence(tlv(0xa0, integer(2)), integer(int.from_bytes(os.urandom(8), "big")), algorithm, name(issuer), validity,
                   name(subject), key)
    return sequence(tbs, algorithm, bits(os.urandom(64)))


def message(certificates, algorithm, protect, sender="stranger", kid=None, body=tlv(0xa0, sequence())):
    """A PKIMessage; protect makes the protection from the bytes that it is over."""
    now = time.strftime("%Y%m%d%H%M%SZ", time.gmtime()).encode()
    who = tlv(0xa4, name(sender))
    header = sequence(integer(2), who, who, tlv(0xa0, tlv(24, now)), tlv(0xa1, algorithm),
                      tlv(0xa2, tlv(4, kid)) if kid else b"",
                      tlv(0xa4, tlv(4, os.urandom(16))), tlv(0xa5, tlv(4, os.urandom(16))))
    extra = tlv(0xa1, sequence(*certificates)) if certificates else b""
    return sequence(header, body, tlv(0xa0, bits(protect(sequence(header, body)))), extra)


def noise(size):
    return lambda _: os.urandom(size)


PBM_SALT = b"salt of the test"
PBM = sequence(oid("1.2.840.113533.7.66.13"), sequence(tlv(4, PBM_SALT), sequence(oid("2.16.840.1.101.3.4.2.1")),
                                                       integer(500), sequence(oid("1.2.840.113549.2.9"))))


def pbm(secret):
    """Password-based MAC with SHA-256 and 500 iterations."""
    def protect(part):
        key = secret.encode() + PBM_SALT
        for _ in range(500):
            key = hashlib.sha256(key).digest()
        return hmac.digest(key, part, "sha256")
    return protect


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
        run(OPENSSL, "x509", "-in", mine, "-outform", "DER", "-out", f"{mine}.der")
        signer = open(f"{mine}.der", "rb").read()
        part, signature = server.folder / "part", server.folder / "signature"

        def protect(data):
            part.write_bytes(data)
            run(OPENSSL, "dgst", "-sha256", "-sign", key, "-out", signature, part)
            return signature.read_bytes()

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
