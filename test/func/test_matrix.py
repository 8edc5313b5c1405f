#!/usr/bin/env python3
"""Every kind of enrolment of the stock client, granted at once; and every way to be refused.

CMPD_OPENSSL2 names the root folder of another system (one made by debootstrap): its openssl goes the same ways."""
import collections
import re

from harness import OPENSSL, PATH, Ca, Server, main, run, second_openssl

GRANT = [{"plugin": "allow", "subject": "*"}, {"plugin": "allow", "subject": "*", "san": "*"}]
KEYS = {"P-256": ("ec", "ec_paramgen_curve:P-256", "ec:P-256"),
        "P-384": ("ec", "ec_paramgen_curve:P-384", "ec:P-384"),
        "RSA-2048": ("rsa", "rsa_keygen_bits:2048", "rsa:2048")}
WIDTH = 4  # clients at once


def generate(kind, file):
    algorithm, option, _ = KEYS[kind] if kind in KEYS else ("rsa", f"rsa_keygen_bits:{kind}", "")
    run(OPENSSL, "genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", file)
    return file


class Way:
    """One transaction: what is asked for, how it is protected, how it is confirmed."""

    def __init__(self, command, protection, confirm, kind):
        self.command, self.protection, self.confirm, self.kind = command, protection, confirm, kind

    def __str__(self):
        return f"{self.command} {self.protection} {self.confirm} {self.kind}"

    @property
    def path(self):
        return f"{PATH}/p/explicit" if self.confirm in ("explicit", "not granted", "disabled") else PATH

    @property
    def options(self):
        return {"explicit": [], "granted": ["-implicit_confirm"], "not granted": ["-implicit_confirm"],
                "disabled": ["-disable_confirm"]}[self.confirm]


WAYS = [Way(command, protection, confirm, kind)
        for kind in KEYS for command in ("ir", "cr", "p10cr", "kur") for protection in ("MAC", "signature")
        for confirm in ("explicit", "granted", "not granted", "disabled")
        if (command, protection) != ("kur", "MAC")]


class Matrix:
    """A server that grants everything, vendors' certificates and keys of each kind."""

    def __init__(self):
        self.server = Server(policy=GRANT, start=False)
        folder = self.server.folder
        self.vendor = Ca(folder / "vendor", "vendor")
        endpoint = self.server.config["endpoints"][0]
        endpoint["trust"] = [str(self.vendor.certificate)]
        explicit = {**endpoint, "path": f"{PATH}/p/explicit", "confirm": "explicit"}
        self.server.config["endpoints"].append(explicit)
        self.server.write()
        self.devices = {kind: self.vendor.issue(f"/O=vendor/CN=device {kind}", key=names[2])
                        for kind, names in KEYS.items()}
        self.keys = {kind: generate(kind, folder / f"new-{kind}.key") for kind in KEYS}
        self.csrs = {}
        for kind, key in self.keys.items():
            self.csrs[kind] = folder / f"{kind}.csr"
            run(OPENSSL, "req", "-new", "-key", key, "-subj", f"/O=vendor/CN=device {kind}", "-out", self.csrs[kind])
        self.old = {}  # certificates by cmpd, for kur

    def start(self, way, secret, openssl):
        certificate, key = self.devices[way.kind]
        options = list(way.options)
        credential = {"ref": "dev", "secret": secret}
        if way.protection == "signature":
            credential = {"cert": certificate, "key": key, "untrusted": certificate}
        if way.command == "kur":
            credential = {"cert": self.old[way.kind, way.confirm], "key": self.keys[way.kind]}
        if way.command == "p10cr":
            options += ["-csr", self.csrs[way.kind]]
        else:
            options += ["-newkey", self.keys[way.kind]]
        subject = f"/O=vendor/CN=device {way.kind}" if way.command in ("ir", "cr") else None
        return self.server.enrol(way.command, **credential, subject=subject, path=way.path, newkey=False,
                                 more=options, openssl=openssl)

    def update_signers(self, secret):
        """A certificate issued by cmpd for each kur: it signs that one and cannot be updated again."""
        for way in WAYS:
            if way.command == "kur":
                client = self.start(Way("ir", "MAC", "explicit", way.kind), secret, None)
                assert client.wait() == 0, client.output()
                self.old[way.kind, way.confirm] = client.certificate

    def go(self, openssl=None):
        with self.server as server:
            server.start()
            secret = server.secret("dev")
            self.update_signers(secret)
            running, done = collections.deque(), []
            for way in WAYS:
                running.append((way, self.start(way, secret, openssl)))
                while len(running) >= WIDTH:
                    done.append(running.popleft())
                    done[-1][1].wait()
            done += running
            failed = [(str(way), client.output()) for way, client in done if client.wait() != 0]
            assert not failed, failed
            run(OPENSSL, "verify", "-CAfile", server.ca.certificate, *[c.certificate for _, c in done])
            for way, client in done:
                self.look(way, client)
            states = collections.Counter(e["state"] for e in server.entries())
            disabled = sum(way.confirm == "disabled" for way in WAYS)
            assert states == {"confirmed": len(WAYS) - disabled + len(self.old), "issued": disabled}, states
            assert len({e["txn"] for e in server.entries()}) == len(WAYS) + len(self.old)
            certs = server.json("cert", "list")
            assert len({c["serial"] for c in certs}) == len(WAYS) + len(self.old)
            assert sum(not c["confirmed"] for c in certs) == disabled

    def look(self, way, client):
        """The client went the way it was meant to: a certConf only where one was due."""
        sent = re.findall(r"sending (\w+)", client.output())
        confirmed = way.confirm in ("explicit", "not granted")
        assert sent == [way.command.upper()] + confirmed * ["CERTCONF"], (str(way), client.output())


def test_matrix():
    "B1.2 B1.3 B1.4 ir cr p10cr kur x MAC signature x each confirmation x P-256 P-384 RSA-2048"
    Matrix().go()


def test_matrix_second_openssl():
    "B1.2 B1.3 B1.4 the same ways with the openssl of CMPD_OPENSSL2"
    matrix = Matrix()
    program = second_openssl(matrix.server.folder)
    version = run(program, "version").stdout
    print(f"# {version.strip()}")
    matrix.go(program)


main(globals())
