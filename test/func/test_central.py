#!/usr/bin/env python3
"""Keys made by cmpd for clients that have none, by the stock client that can ask for one (OpenSSL 3.5, -centralkeygen): the
machine's own, or that of the root folder CMPD_OPENSSL2. It asks for a key of the kind it signs with."""
import base64

from harness import CMPD, OPENSSL, Ca, Relay, Server, main, run, second_openssl, wait_until

GRANT = [{"plugin": "allow", "subject": "*"}]
KINDS = ["ec:P-256", "ec:P-384", "rsa:2048"]


class Place:
    """A server that makes keys, and clients of each kind: by secret, RSA and EC certificate of their maker."""

    def __init__(self, policy=None, on=True, **endpoint):
        self.server = server = Server(policy=policy, trust=[], start=False, profile={"names": "any"}, endpoint=endpoint)
        vendor = Ca(server.folder / "vendor", "vendor")
        kga = server.ca.issue("/O=cmpd test/CN=KGA", extensions="extendedKeyUsage=1.3.6.1.5.5.7.3.32")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        if on:
            # What stands where AsymmetricKeyPackage should be is the only thing that this client reads.
            server.config["endpoints"][0].update(central_key=KINDS, kga={
                "certificate": str(kga[0]), "key": str(kga[1]), "bare_key": True})
        server.write()
        server.start()
        self.openssl = self.find_openssl()
        self.secret = server.secret("dev")
        self.vendor = vendor
        self.who = {
            "pwri": {"ref": "dev", "secret": self.secret},
            "ktri": self.signer("/CN=rsa", "rsa:2048", "digitalSignature,keyEncipherment"),
            "kari": self.signer("/CN=ec", "ec:P-384", "digitalSignature,keyAgreement"),
        }

    def find_openssl(self):
        if "centralkeygen" in run(OPENSSL, "cmp", "-help", code=None).stderr:
            return OPENSSL
        return second_openssl(self.server.folder)

    def signer(self, subject, key, usage):
        certificate, key = self.vendor.issue(subject, key=key, usage=usage)
        return {"cert": certificate, "key": key, "untrusted": self.vendor.certificate}

    def ask(self, who, command="ir", more=(), **options):
        """A client that wants a key; key is where it will be."""
        new = self.server.folder / f"made{self.server.count}.key"
        client = self.server.enrol(command, subject="/CN=made", newkey=False, openssl=self.openssl,
                                   more=["-centralkeygen", "-newkeyout", new, *more], **self.who[who], **options)
        client.key = new
        return client

    def got(self, client):
        """The client ended well: its key is that of its certificate, and is nowhere in the folder of the state."""
        assert client.wait() == 0, client.output()
        text = self.server.verify(client.certificate)
        assert "Subject Key Identifier" in text
        public = run(OPENSSL, "x509", "-in", client.certificate, "-noout", "-pubkey").stdout
        assert run(OPENSSL, "pkey", "-in", client.key, "-pubout").stdout == public
        self.search(client)
        return text

    def search(self, client):
        """Neither the numbers that make the key private nor all of it, in any file of the state or in the log."""
        der = base64.b64decode("".join(client.key.read_text().split("\n")[1:-2]))
        private = self.private_parts(client.key)
        places = [p for p in (self.server.folder / "state").rglob("*") if p.is_file()] + [self.server.log_file]
        for place in places:
            content = place.read_bytes()
            for part in [der, *private]:
                assert part not in content, f"a private key is in {place}"
        # Looking like this does find what is there.
        certificate = run(OPENSSL, "x509", "-in", client.certificate, "-outform", "DER", "-out",
                          client.certificate.with_suffix(".der")) and client.certificate.with_suffix(".der").read_bytes()
        assert certificate in (self.server.folder / "state" / "data.mdb").read_bytes()

    @staticmethod
    def private_parts(key):
        """The secret numbers as `openssl pkey` shows them, each as bytes."""
        parts, name = {}, None
        for line in run(OPENSSL, "pkey", "-in", key, "-noout", "-text").stdout.splitlines():
            if line.startswith("    ") and name:
                parts[name] += line.strip()
            else:
                name = line.split(":")[0]
                parts[name] = ""
        wanted = {"priv", "privateExponent", "prime1", "prime2", "coefficient"} & set(parts)
        assert wanted, parts
        return [bytes.fromhex(parts[n].replace(":", "")).lstrip(b"\0") for n in wanted]

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *what):
        return self.server.__exit__(*what)


def patiently(server, path, body):
    """What a proxy does that tries again while cmpd is away."""
    def answer():
        try:
            return server.post(body, path)
        except OSError:
            return None
    return wait_until("an answer", answer)[2]


def test_granted():
    "keys for a secret, an RSA and an EC certificate, granted at once, confirmed implicitly and explicitly"
    with Place(policy=GRANT) as place:
        for who in place.who:
            for implicit in (True, False):
                client = place.ask(who, implicit=implicit)
                text = place.got(client)
                assert ("CERTCONF" in client.output()) != implicit, client.output()
                assert ("rsaEncryption" in text) == (who == "ktri")
        states = {e["state"] for e in place.server.entries()}
        assert states == {"confirmed"}, states
        client = place.ask("pwri", command="cr")
        place.got(client)
        shown = place.server.json("show", place.server.entries()[-1]["id"])
        assert shown["key_made_here"] and shown["key_type"] == "ec:P-256" and shown["pop"] == "not needed", shown
        assert "key.made" in [line["what"] for line in shown["history"]]


def test_held():
    "held, restarted, approved, restarted: the key is made when it is collected"
    with Place() as place, Relay(place.server, lambda path, body: patiently(place.server, path, body)) as relay:
        server = place.server
        clients = [place.ask(who, more=["-keep_alive", "0"], port=relay.port) for who in place.who]
        while len(server.entries(state="pending")) < len(clients):
            assert all(c.running() for c in clients), [c.output() for c in clients]
        server.kill()
        server.start()
        for entry in server.entries(state="pending"):
            assert entry["spki_sha256"] is None, entry
            assert "(made here)" in server.ctl("show", entry["id"]).stdout
            server.ctl("approve", entry["id"], "--yes")
        server.kill()
        server.start()
        for client in clients:
            place.got(client)
        assert all(e["spki_sha256"] for e in server.entries(state="confirmed"))
        assert len(server.entries(state="confirmed")) == len(clients)
        assert server.log().count("keyMade=") == len(clients)


def test_update():
    "kur with a key made here, signed by a certificate of our own that has keyAgreement"
    with Place(policy=GRANT) as place:
        server = place.server
        server.config["profiles"][0]["key_usage"] = ["digitalSignature", "keyAgreement"]
        server.write()
        server.reload()
        server.wait_log("daemon.reloaded")
        first = place.ask("pwri")
        place.got(first)
        place.who["own"] = {"cert": first.certificate, "key": first.key}
        second = place.ask("own", command="kur")
        place.got(second)
        assert first.key.read_text() != second.key.read_text()


def test_again():
    "B2.10 the same request again, after a restart too, gets the same bytes: no second key, no second certificate"
    with Place(policy=GRANT) as place:
        server, seen = place.server, []

        def twice(path, body):
            status, _, first = server.post(body, path)
            server.kill()
            server.start()
            assert (status, server.post(body, path)[2]) == (200, first)
            seen.append(body)
            return first

        with Relay(server, twice) as relay:
            client = place.ask("kari", port=relay.port)
            place.got(client)
        assert len(seen) == 2, "an ir and a certConf"
        assert len(server.json("cert", "list")) == 1


def test_refused():
    "B3.16 no key is made unless the endpoint says so, nor for who could not receive it"
    with Place(policy=GRANT, on=False) as place:
        for who in place.who:
            client = place.ask(who)
            assert client.wait() != 0
            assert "badCertTemplate" in client.output() and "keys are not made here" in client.output(), client.output()
        assert not place.server.entries()
    with Place(policy=GRANT) as place:
        place.who = {
            "ec": place.signer("/CN=a", "ec:P-256", "digitalSignature"),
            "rsa": place.signer("/CN=b", "rsa:2048", "digitalSignature"),
        }
        for who, usage in (("ec", "keyAgreement"), ("rsa", "keyEncipherment")):
            client = place.ask(who)
            assert client.wait() != 0
            assert "notAuthorized" in client.output() and f"has no {usage}" in client.output(), client.output()
        place.who = {"other": place.signer("/CN=c", "ec:P-521", "digitalSignature,keyAgreement")}
        client = place.ask("other")
        assert client.wait() != 0
        assert "badCertTemplate" in client.output() and "keys of this algorithm" in client.output(), client.output()
        assert not place.server.entries()


def test_authority():
    "B3.26 cmpd does not start with a key generation authority that clients would not believe, or without one"
    with Place(policy=GRANT) as place:
        server = place.server
        server.stop()
        group = server.config["endpoints"][0]
        group["kga"]["certificate"], group["kga"]["key"] = group["signer"]["certificate"], group["signer"]["key"]
        server.write()
        said = run(CMPD, "-t", "-c", server.conf, code=1)
        assert "its extended key usage has no cmKGA" in said.stdout + said.stderr, said
        del group["kga"]
        server.write()
        said = run(CMPD, "-t", "-c", server.conf, code=1)
        assert "central_key: needs kga" in said.stdout + said.stderr, said


main(globals())
