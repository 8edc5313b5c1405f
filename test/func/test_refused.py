#!/usr/bin/env python3
"""What is refused, held or lives at another path: the client must be able to read why."""
import time

from harness import OPENSSL, PATH, Ca, Server, main, run

GRANT = [{"plugin": "allow", "subject": "*"}, {"plugin": "allow", "subject": "*", "san": "*"}]


def refused(server, fail_info, *words, command="ir", **options):
    """The client fails and can read that failInfo and those words."""
    client = server.enrol(command, **{"subject": "/CN=dev1", **options})
    assert client.wait() != 0, client.output()
    for word in (fail_info, *words):
        assert word in client.output(), (word, client.output())
    assert not client.certificate.exists()
    return client


def accepted(server, command="ir", **options):
    client = server.enrol(command, **options)
    assert client.wait() == 0, client.output()
    return client


def test_secrets():
    "B1.12 B4.10 wrong secret, unknown reference, used up, expired, removed, at another endpoint: each says so"
    with Server(policy=GRANT) as server:
        secret = server.secret("dev1")
        refused(server, "badMessageCheck", "unknown reference or wrong secret", ref="dev1", secret="not this one")
        assert "claimsRef=dev1" in server.wait_log("cmp.fault.*").group(0)
        refused(server, "badMessageCheck", "unknown reference or wrong secret", ref="dev2", secret=secret)
        once = server.secret("once", "--uses", "1")
        accepted(server, ref="once", secret=once, subject="/CN=once")
        refused(server, "notAuthorized", "used up", ref="once", secret=once)
        assert 'requester="mac ref=once"' in server.wait_log("cmp.fault.*used up.*").group(0)
        short = server.secret("short", "--ttl", "1h")
        server.pass_time(3601)  # the client has its own clock: the window must allow for that
        refused(server, "badTime", "messageTime", ref="short", secret=short)
        endpoint = server.config["endpoints"][0]
        endpoint["message_time_window"] = "2h"
        server.config["endpoints"].append({**endpoint, "path": f"{PATH}/p/other"})
        server.write()
        server.ctl("reload")
        refused(server, "notAuthorized", "expired", ref="short", secret=short)
        time.sleep(1.5)  # the sweep has passed
        refused(server, "notAuthorized", "expired", ref="short", secret=short)
        again = server.secret("short")
        accepted(server, ref="short", secret=again, subject="/CN=again")
        server.ctl("secret", "remove", "dev1")
        refused(server, "badMessageCheck", "unknown reference", ref="dev1", secret=secret)
        elsewhere = server.secret("elsewhere", "--endpoint", f"{PATH}/p/other")
        refused(server, "badMessageCheck", "unknown reference", ref="elsewhere", secret=elsewhere)
        assert {e["subject"] for e in server.entries()} == {"/CN=once", "/CN=again"}, server.entries()
        for value in (secret, once, short, elsewhere):
            assert value not in server.log()


def test_keys():
    "B1.12 B4.13 a weak key, and a kind of key that the profile does not allow"
    with Server(policy=GRANT, profile={"allowed_keys": ["ec:P-256", "rsa:2048"]}) as server:
        secret = server.secret("dev1")
        weak, other = server.folder / "weak.key", server.folder / "other.key"
        run(OPENSSL, "genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024", "-out", weak)
        run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", other)
        for key, words in ((weak, "1024"), (other, "P-384")):
            refused(server, "badCertTemplate", words, ref="dev1", secret=secret, newkey=False,
                    more=["-newkey", key])
        assert server.entries() == [], server.entries()


def test_signers():
    "B1.12 B1.3 a signer under a foreign root, expired, without digitalSignature, and one of ours that was revoked"
    with Server(policy=GRANT) as server:
        vendor, foreign = Ca(server.folder / "v", "vendor"), Ca(server.folder / "f", "foreign")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        server.write()
        server.ctl("reload")
        for (certificate, key), words in ((foreign.issue("/CN=a"), "not trusted"),
                                          (vendor.issue("/CN=a", days=0), "expired"),
                                          (vendor.issue("/CN=a", usage="keyEncipherment"), "digitalSignature")):
            refused(server, "signerNotTrusted", words, cert=certificate, key=key, untrusted=certificate,
                    subject="/CN=a", more=["-ignore_keyusage"])
        ours = accepted(server, ref="dev1", secret=server.secret("dev1"), subject="/CN=dev1")
        accepted(server, "cr", cert=ours.certificate, key=ours.key, subject="/CN=dev1")
        serial = run(OPENSSL, "x509", "-in", ours.certificate, "-noout", "-serial").stdout.split("=")[1].strip()
        server.ctl("cert", "revoke", serial.lower(), "--reason", "superseded", "--yes")
        refused(server, "certRevoked", "revoked", command="kur", cert=ours.certificate, key=ours.key,
                subject=None)
        refused(server, "signerNotTrusted", "revoked", command="cr", cert=ours.certificate, key=ours.key)


def test_names():
    "B4.10 names beyond those of the secret or the signer are held for an operator, whatever policy grants"
    with Server(policy=GRANT) as server:
        vendor = Ca(server.folder / "v", "vendor")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        server.write()
        server.ctl("reload")
        certificate, key = vendor.issue("/O=vendor/CN=a", extensions="subjectAltName=DNS:a.example")
        bound = server.secret("bound", "--subject", "/O=x/CN=dev1")
        accepted(server, ref="bound", secret=bound, subject="/O=x/CN=dev1")
        signed = {"cert": certificate, "key": key, "untrusted": certificate}
        accepted(server, "cr", **signed, subject="/O=vendor/CN=a", more=["-sans", "a.example"])
        held = [({"ref": "bound", "secret": bound, "subject": "/O=x/CN=dev2"}, "subject is not"),
                ({**signed, "subject": "/O=vendor/CN=b"}, "subject is not"),
                ({**signed, "subject": "/O=vendor/CN=a", "more": ["-sans", "b.example"]}, "b.example is not")]
        for options, words in held:
            server.enrol("cr", **options)
            entry = server.wait_entry(state="pending")
            assert words in server.json("show", entry["id"])["reason"], entry
            server.ctl("deny", entry["id"], "--yes")
        client = server.enrol("cr", **signed, subject="/O=vendor/CN=c")
        server.ctl("approve", server.wait_entry(state="pending")["id"], "--yes")
        assert client.wait() == 0, client.output()


def test_update_keeps_names():
    "B1.5 a kur carries the subject and the names of the old certificate"
    with Server(policy=GRANT) as server:
        old = accepted(server, ref="dev1", secret=server.secret("dev1"), subject="/O=x/CN=dev1",
                       more=["-sans", "dev1.example"])
        for more in ([], ["-san_nodefault"]):
            new = accepted(server, "kur", cert=old.certificate, key=old.key, more=more)
            text = server.verify(new.certificate)
            assert "DNS:dev1.example" in text and "O = x, CN = dev1" in text.replace("=", " = ").replace("  ", " "), text
            old = new


def test_paths():
    "B1.1 B5.2 the path chooses profile and CA, an operation in it the body; unknown paths are 404, GET is 405"
    with Server(policy=GRANT, start=False) as server:
        rsa = Ca(server.folder / "rsa", "other", "/O=cmpd test/CN=Other CA")
        signer = rsa.issue("/O=cmpd test/CN=RSA signer", key="rsa:2048",
                           extensions="extendedKeyUsage=1.3.6.1.5.5.7.3.28")
        config = server.config
        config["cas"].append({"name": "other", "certificate": str(rsa.certificate), "key": str(rsa.key)})
        config["profiles"].append({**config["profiles"][0], "name": "server", "ca": "other", "validity": "10d",
                                   "extended_key_usage": ["serverAuth"]})
        for path in (f"{PATH}/p/web", "/legacy/pki"):
            config["endpoints"].append({**config["endpoints"][0], "path": path, "profile": "server",
                                        "signer": {"certificate": str(signer[0]), "key": str(signer[1])}})
        server.write()
        server.start()
        secret = server.secret("dev1")
        options = {"ref": "dev1", "secret": secret, "subject": "/CN=dev1"}
        for path, ca, use in ((PATH, server.ca, "Client Authentication"),
                              (f"{PATH}/initialization", server.ca, "Client Authentication"),
                              (f"{PATH}/p/web", rsa, "Server Authentication"),
                              (f"{PATH}/p/web/initialization", rsa, "Server Authentication"),
                              ("/legacy/pki", rsa, "Server Authentication")):
            recipient = ["-recipient", ca.subject]
            client = accepted(server, **options, path=path, trusted=ca.certificate, more=recipient)
            run(OPENSSL, "verify", "-CAfile", ca.certificate, client.certificate)
            assert use in run(OPENSSL, "x509", "-in", client.certificate, "-noout", "-text").stdout, path
        refused(server, "badRequest", "operation in the path", **options, path=f"{PATH}/keyupdate")
        assert {e["endpoint"] for e in server.entries()} == {PATH, f"{PATH}/p/web", "/legacy/pki"}
        for path in (f"{PATH}/p/nobody", f"{PATH}/nothing", f"{PATH}/p/web/nothing", "/", "/legacy", f"{PATH}//",
                     f"{PATH}/p/../p/web", f"{PATH}/%70/web"):
            status, _, body = server.post(b"0\0", path)
            assert status == 404 and body.count(b"\n") == 1, (path, status, body)
        status, headers, _ = server.get(PATH)
        assert status == 405 and headers["Allow"] == "POST", headers


def test_certificates_arrive():
    "B1.4 B1.13 the chain of an intermediate CA and of its signer comes in extraCerts, the root of a MAC ir in caPubs"
    with Server(policy=GRANT, start=False) as server:
        middle = server.ca.issue("/O=cmpd test/CN=Issuing CA", usage="keyCertSign,cRLSign",
                                 extensions="basicConstraints=critical,CA:true")
        below = Ca(server.folder / "below", "below")
        below.certificate, below.key = middle
        signer = below.issue("/O=cmpd test/CN=Signer below")
        server.config["cas"][0].update(certificate=str(middle[0]), key=str(middle[1]),
                                       chain=str(server.ca.certificate))
        server.config["endpoints"][0]["signer"] = {"certificate": str(signer[0]), "key": str(signer[1])}
        server.write()
        server.start()
        extra, capubs = server.folder / "extra.pem", server.folder / "capubs.pem"
        device = accepted(server, ref="dev1", secret=server.secret("dev1"), subject="/CN=dev1",
                          more=["-extracertsout", extra, "-cacertsout", capubs])
        run(OPENSSL, "verify", "-CAfile", server.ca.certificate, "-untrusted", extra, device.certificate)
        # Signed now: the client knows the root only, and finds our chain in extraCerts.
        update = accepted(server, "kur", cert=device.certificate, key=device.key, untrusted=middle[0],
                          more=["-extracertsout", extra])
        run(OPENSSL, "verify", "-CAfile", server.ca.certificate, "-untrusted", extra, update.certificate)
        assert "Signer below" in "".join(
            run(OPENSSL, "crl2pkcs7", "-nocrl", "-certfile", extra).stdout and
            run(OPENSSL, "storeutl", "-certs", "-text", "-noout", extra).stdout)


main(globals())
