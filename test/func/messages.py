"""CMP messages made by hand, for what no client would send: DER, and both kinds of protection."""
import base64
import hashlib
import hmac
import os
import time

from harness import OPENSSL, run


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


def message(certificates, algorithm, protect, sender="stranger", kid=None, body=tlv(0xa0, sequence())):
    """A PKIMessage; protect makes the protection from the bytes that it is over."""
    now = time.strftime("%Y%m%d%H%M%SZ", time.gmtime()).encode()
    who = tlv(0xa4, name(sender))
    header = sequence(integer(2), who, who, tlv(0xa0, tlv(24, now)), tlv(0xa1, algorithm),
                      tlv(0xa2, tlv(4, kid)) if kid else b"",
                      tlv(0xa4, tlv(4, os.urandom(16))), tlv(0xa5, tlv(4, os.urandom(16))))
    extra = tlv(0xa1, sequence(*certificates)) if certificates else b""
    return sequence(header, body, tlv(0xa0, bits(protect(sequence(header, body)))), extra)


def rsa_key(size, exponent):
    modulus = int.from_bytes(os.urandom(size // 8), "big") | 1 << (size - 1) | 1
    return sequence(sequence(oid("1.2.840.113549.1.1.1"), b"\x05\0"), bits(sequence(integer(modulus), integer(exponent))))


def certificate(key, algorithm, subject="stranger", issuer="stranger"):
    """One with a signature that does not verify."""
    validity = sequence(tlv(24, b"20240101000000Z"), tlv(24, b"20491231000000Z"))
    tbs = sequence(tlv(0xa0, integer(2)), integer(int.from_bytes(os.urandom(8), "big")), algorithm, name(issuer), validity,
                   name(subject), key)
    return sequence(tbs, algorithm, bits(os.urandom(64)))


def noise(size):
    return lambda _: os.urandom(size)


PBM_SALT = b"salt of the test"
PBM = sequence(oid("1.2.840.113533.7.66.13"), sequence(tlv(4, PBM_SALT), sequence(oid("2.16.840.1.101.3.4.2.1")),
                                                       integer(500), sequence(oid("1.2.840.113549.2.9"))))


def signature(key, folder):
    """ECDSA with SHA-256 by a key file."""
    def protect(part):
        (folder / "part").write_bytes(part)
        run(OPENSSL, "dgst", "-sha256", "-sign", key, "-out", folder / "signature", folder / "part")
        return (folder / "signature").read_bytes()
    return protect


def der(file):
    """What is in a PEM file."""
    lines = [line for line in open(file).read().splitlines() if not line.startswith("-")]
    return base64.b64decode("".join(lines))


def pbm(secret):
    """Password-based MAC with SHA-256 and 500 iterations."""
    def protect(part):
        key = secret.encode() + PBM_SALT
        for _ in range(500):
            key = hashlib.sha256(key).digest()
        return hmac.digest(key, part, "sha256")
    return protect
