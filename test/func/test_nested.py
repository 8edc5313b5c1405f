#!/usr/bin/env python3
"""Nested messages: what hostile ones cost, and a batch on a full disk."""
import http.client
import os
import random
import re
import subprocess
import threading
import time

from harness import SANITIZE, Ca, Server, Skip, main, run
from messages import ECDSA, PBM, RSA, bits, certificate, der, integer, message, name, noise, pbm, rsa_key, sequence, signature, tlv

ROUNDS = 20


class Plant:
    """A server that knows one registration authority."""

    def __init__(self, start=True, **more):
        self.server = Server(top={"limits": {"body_size": 1 << 20}}, start=False, **more)
        ca = Ca(self.server.folder / "ra", "raca")
        files = ca.issue("/CN=plant-7", extensions="extendedKeyUsage=cmcRA")
        endpoint = self.server.config["endpoints"][0]
        endpoint["ras"] = [{"name": "plant-7", "certificate": str(files[0])}]
        endpoint["max_nested"] = 1000
        self.server.write()
        if start:
            self.server.start()
        self.certificate, self.sign = der(files[0]), signature(files[1], self.server.folder)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *how):
        return self.server.__exit__(*how)

    def nest(self, *inner):
        """A nested message by the registration authority."""
        return message([self.certificate], ECDSA, self.sign, sender="plant-7", body=tlv(0xb4, sequence(*inner)))


def of_stranger(*inner):
    return message([certificate(rsa_key(2048, 65537), RSA)], RSA, noise(256), body=tlv(0xb4, sequence(*inner)))


def deep(levels):
    """Nested in nested in nested ..."""
    nobody = tlv(0xa4, sequence())
    header = sequence(integer(2), nobody, nobody)
    inside = sequence(header, tlv(0xa0, sequence()))
    for _ in range(levels):
        inside = sequence(header, tlv(0xb4, sequence(inside)))
    return inside


def small(protect=noise(32)):
    return message([], PBM, protect, kid=b"dev1", body=tlv(0xb5, sequence()))


def cost(server, messages):
    """Milliseconds of processor time for each of some messages that are refused."""
    before = server.cpu_seconds()
    for body in messages:
        status, _, answer = server.post(body)
        assert status == 200 and answer, status
    return 1000 * (server.cpu_seconds() - before) / len(messages)


def bounded(server, what, limit, *messages):
    spent = cost(server, messages * ROUNDS)
    print(f"# {what}: {len(messages[0])} bytes, {spent:.2f} ms, at most {limit:.2f} ms")
    assert spent < limit, (what, spent, limit)


def test_nests_of_strangers():
    "B4.7 P9 what a stranger puts into a nested message is not looked at"
    with Plant() as plant:
        server = plant.server
        strange = [message([certificate(rsa_key(2048, 65537), RSA)], RSA, noise(256)) for _ in range(ROUNDS)]
        cost(server, strange)
        limit = 3 * cost(server, strange) + 3
        bounded(server, "deep", limit, of_stranger(deep(2000)))
        bounded(server, "many", limit, of_stranger(*[small()] * 1000))
        bounded(server, "tiny ones", limit, of_stranger(*[b"\x30\0"] * 50000))
        bounded(server, "a bad one", limit, of_stranger(b"\x30\x82\x10\0" + os.urandom(4096)))
        assert "notAuthorized" not in server.log() and "badMessageCheck" in server.log()


def test_nests_of_an_authority():
    "B4.7 P9 a registration authority that sends nonsense is told so in bounded time"
    with Plant() as plant:
        server = plant.server
        secret = server.secret("dev1")
        right, wrong = pbm(secret), noise(32)
        twice = small(right)
        usual = [plant.nest(small(right), small(wrong)) for _ in range(ROUNDS)]
        cost(server, usual)
        limit = 3 * cost(server, usual) + 5
        bounded(server, "deep", limit, plant.nest(deep(2000)))
        bounded(server, "too many", limit, plant.nest(*[b"\x30\0"] * 50000))
        bounded(server, "the first does not decode", limit, plant.nest(b"\x30\x02\x05\0", *[small(wrong)] * 900))
        thousand = [small(wrong) for _ in range(1000)]
        bounded(server, "a thousand, the first one wrong", limit + 100, plant.nest(*thousand))
        bounded(server, "a thousand, the last one twice", limit + 100, plant.nest(*thousand[:998], twice, twice))
        hundred = [small(right) for _ in range(100)]
        bounded(server, "a hundred right MACs and a wrong one", limit + 500, plant.nest(*hundred, small(wrong)))
        for text in ("nested one", "at most 1000", "is not a PKIMessage", "MAC does not verify", "in the batch twice"):
            assert text in server.log(), text


def post_into_the_void(server, body):
    try:
        server.post(body)
    except (OSError, http.client.HTTPException):
        pass


def enrolment(server, secret, number):
    """A right ir for a key of its own."""
    key = server.folder / f"device{number}.key"
    run("openssl", "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", f"{key}.pub")
    spki = der(f"{key}.pub")
    template = sequence(tlv(0xa5, name(f"dev{number}")), tlv(0xa6, spki[2:]))
    request = sequence(integer(0), template)
    proof = tlv(0xa1, ECDSA, bits(signature(key, server.folder)(request)))
    return message([], PBM, pbm(secret), kid=b"dev1", body=tlv(0xa0, sequence(sequence(request, proof))))


def test_killed_in_a_batch():
    "B4.7 B8.1 kill -9 in the midst of a batch: brought again, each request has one certificate, and nobody two"
    with Plant(policy=[{"plugin": "allow", "subject": "*"}]) as plant:
        server = plant.server
        secret = server.secret("dev1")
        total = done = again = 0
        for round in range(6):
            nest = plant.nest(*[enrolment(server, secret, total + n) for n in range(20)])
            total += 20
            thread = threading.Thread(target=post_into_the_void, args=(server, nest))
            thread.start()
            time.sleep(0.004 * round + 0.006 * random.random())
            server.kill()
            thread.join()
            server.start()
            done += len(server.json("cert", "list", "-n", "1000")) - (total - 20)
            before = len(re.findall("cmp.again", server.log()))
            status, _, answer = server.post(nest)
            assert status == 200 and answer
            again += len(re.findall("cmp.again", server.log())) - before
            subjects = [c["subject"] for c in server.json("cert", "list", "-n", "1000")]
            assert len(subjects) == len(set(subjects)) == total, (total, subjects)
        print(f"# of {total} requests {done} were done when cmpd was killed; {again} got the stored answer")
        assert done == again


def test_a_thousand():
    "B4.7 P9 the largest batch: a thousand questions, in bounded memory"
    with Plant() as plant:
        server = plant.server
        right = pbm(server.secret("dev1"))
        before = server.rss_bytes()
        nest = plant.nest(*[small(right) for _ in range(1000)])
        spent, start = server.cpu_seconds(), time.monotonic()
        status, _, answer = server.post(nest)
        print(f"# {len(nest)} bytes, answered by {len(answer)} in {1000 * (time.monotonic() - start):.0f} ms, "
              f"{1000 * (server.cpu_seconds() - spent):.0f} ms of processor time")
        assert status == 200 and len(answer) > 1000 * 300
        assert len(re.findall(r"cmp\.told .*ra=plant-7", server.log())) == 1000
        for _ in range(10):
            assert server.post(nest)[0] == 200
        more = server.rss_bytes() - before
        print(f"# {more >> 20} MiB more memory after eleven of them")
        assert SANITIZE != "none" or more < 96 << 20


def test_disk_full():
    "B4.7 B8.2 a batch on a full disk: each request is told systemUnavail, and the same batch is served when there is room"
    if os.geteuid() != 0:
        raise Skip("needs root for a small tmpfs")
    with Plant(start=False, policy=[{"plugin": "allow", "subject": "*"}]) as plant:
        server = plant.server
        state = server.folder / "state"
        key = (state / "store.key").read_bytes()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(state)], capture_output=True).returncode:
            raise Skip("tmpfs cannot be mounted")
        try:
            (state / "store.key").touch(mode=0o600)
            (state / "store.key").write_bytes(key)
            server.start()
            secret = server.secret("dev1")
            filler = state / "filler"
            try:
                with open(filler, "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            except OSError:
                pass
            refused = None
            for batch in range(10):
                inner = [enrolment(server, secret, 10 * batch + n) for n in range(10)]
                nest = plant.nest(*inner)
                assert server.post(nest)[0] == 200
                refused = len(re.findall(r"cmp\.unavailable .*ra=plant-7", server.log()))
                if refused >= 10:
                    break
            assert refused >= 10, "the disk is not full"
            held = {c["serial"] for c in server.json("cert", "list")}
            filler.unlink()
            status, _, answer = server.post(nest)
            assert status == 200 and answer
            assert len({c["serial"] for c in server.json("cert", "list")} - held) == 10
            server.kill()
            server.start()
            assert server.post(nest)[0] == 200
            assert len({c["serial"] for c in server.json("cert", "list")} - held) == 10
            assert len(re.findall("cmp.again .*ra=plant-7", server.log())) >= 10
            server.stop()
        finally:
            if server.running():
                server.kill()
            run("umount", state)


main(globals())
