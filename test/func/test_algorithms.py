#!/usr/bin/env python3
"""Kinds of keys and signatures, of the CA, of cmpd's answers and of clients; what a newer client asks for by genm.

Needs a client from OpenSSL 3.5 on: the machine's own, or that of the root folder CMPD_OPENSSL2."""
import shutil

from harness import OPENSSL, Server, Skip, main, modern_openssl, openssl_version, run

GRANT = [{"plugin": "allow", "subject": "*"}]
KEYS = {"ed25519": (["-algorithm", "ed25519"], "ed25519"),
        "p521": (["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "ec:P-521"),
        "rsa": (["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa:2048"),
        "ml-dsa-65": (["-algorithm", "ML-DSA-65"], "ml-dsa-65")}


def keyed(kind, **endpoint):
    """A server whose CA and signer have keys of that kind."""
    options, word = KEYS[kind]
    server = Server(policy=GRANT, start=False, endpoint=endpoint,
                    profile={"allowed_keys": [word, "ec:P-256"], "names": "any"})
    folder, signer = server.folder, server.config["endpoints"][0]["signer"]
    for name in ("ca", "signer", "device"):
        run(OPENSSL, "genpkey", *options, "-out", folder / f"{name}-{kind}.key")
    run(OPENSSL, "req", "-x509", "-new", "-key", folder / f"ca-{kind}.key", "-subj", f"/CN=CA {kind}", "-days", "30",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", server.ca.certificate)
    shutil.copy(folder / f"ca-{kind}.key", server.ca.key)
    run(OPENSSL, "req", "-new", "-key", folder / f"signer-{kind}.key", "-subj", "/CN=signer", "-out", folder / "s.csr")
    (folder / "s.ext").write_text("keyUsage=digitalSignature\nsubjectKeyIdentifier=hash\n")
    run(OPENSSL, "x509", "-req", "-in", folder / "s.csr", "-CA", server.ca.certificate, "-CAkey", server.ca.key,
        "-days", "20", "-extfile", folder / "s.ext", "-set_serial", "77", "-out", signer["certificate"])
    shutil.copy(folder / f"signer-{kind}.key", signer["key"])
    server.write()
    server.start()
    return server


def go_round(kind, client, **endpoint):
    """ir by MAC, then cr, kur and rr signed with what came of it; explicit confirmation."""
    with keyed(kind, confirm="explicit", **endpoint) as server:
        program = client(server.folder)
        new = ["-newkey", server.folder / f"device-{kind}.key"]
        mine = {"openssl": program, "newkey": False}
        first = server.enrol("ir", ref="dev", secret=server.secret("dev"), subject="/CN=dev", more=new, **mine)
        assert first.wait() == 0, first.output()
        server.verify(first.certificate)
        signed = {"cert": first.certificate, "key": server.folder / f"device-{kind}.key", **mine}
        for command, more in (("cr", ["-subject", "/CN=dev", *new]), ("kur", new),
                              ("rr", ["-oldcert", first.certificate, "-revreason", "1"])):
            done = server.enrol(command, more=more, **signed)
            assert done.wait() == 0, done.output()
        assert [c["status"] for c in server.json("cert", "list")] == ["revoked", "valid", "valid"]
        assert all(c["confirmed"] for c in server.json("cert", "list"))


def test_p521():
    "B4.11 P-521: certificates, messages and answers, by the machine's own client"
    go_round("p521", lambda folder: OPENSSL)


def test_ed25519():
    "B4.1 B4.11 Ed25519: CA, signer and client, certConf with hashAlg"
    go_round("ed25519", modern_openssl)


def test_rsa_pss():
    "B4.11 RSASSA-PSS: answers are signed with it"
    go_round("rsa", modern_openssl, signer={"pss": True})


def test_ml_dsa():
    "B4.11 ML-DSA where the library has it"
    if openssl_version(OPENSSL) < (3, 5):
        raise Skip("the library here has no ML-DSA")
    go_round("ml-dsa-65", modern_openssl)


def ask(server, program, info, *more, path="/.well-known/cmp"):
    done = server.enrol("genm", ref="dev", secret=server.known, more=["-infotype", info, *more], openssl=program,
                        path=path)
    assert done.wait() == 0, (info, done.output())
    return done.output()


def test_information():
    "B1.11 B4.6 caCerts, rootCaCert, certReqTemplate and crlStatusList are told to a 3.5 client"
    with Server(policy=GRANT, start=False) as server:
        server.config["cas"][0]["root_new_with_new"] = str(server.ca.certificate)
        other = {**server.config["profiles"][0], "name": "other", "allowed_keys": ["ec:P-384", "rsa:3072"]}
        server.config["profiles"].append(other)
        server.config["endpoints"][0]["profiles"] = ["other"]
        server.write()
        server.start()
        server.known = server.secret("dev")
        program = modern_openssl(server.folder)
        out = {name: server.folder / name for name in ("cas.pem", "root.pem", "template.der", "spec.txt", "crl.pem")}
        ask(server, program, "caCerts", "-cacertsout", out["cas.pem"])
        assert out["cas.pem"].read_text().count("BEGIN CERTIFICATE") == 1
        ask(server, program, "rootCaCert", "-newwithnew", out["root.pem"])
        assert out["root.pem"].exists()
        assert "no root CA certificate update" in ask(server, program, "rootCaCert", "-oldwithold", server.ca.certificate,
                                                      "-newwithnew", out["root.pem"])
        ask(server, program, "certReqTemplate", "-profile", "other", "-template", out["template.der"],
            "-keyspec", out["spec.txt"])
        assert "secp384r1" in run(OPENSSL, "asn1parse", "-inform", "DER", "-in", out["spec.txt"]).stdout
        assert "Key Usage" in run(OPENSSL, "asn1parse", "-inform", "DER", "-in", out["template.der"]).stdout
        ask(server, program, "crlStatusList", "-crlcert", server.ca.certificate, "-crlout", out["crl.pem"])
        text = run(OPENSSL, "crl", "-in", out["crl.pem"], "-CAfile", server.ca.certificate, "-noout", "-text").stdout
        assert "No Revoked Certificates" in text, text
        assert "no CRL update" in ask(server, program, "crlStatusList", "-oldcrl", out["crl.pem"],
                                      "-crlout", out["crl.pem"])
        assert "id-it-unsupportedOIDs" in ask(server, program, "revPassphrase")


def test_own_client_asks():
    "B1.11 B4.6 every infoType is answered to the machine's own client, by the operation in the path too"
    with Server(policy=GRANT) as server:
        server.known = server.secret("dev")
        for info in ("signKeyPairTypes", "encKeyPairTypes", "preferredSymmAlg", "currentCRL", "suppLangTags",
                     "caProtEncCert"):
            assert f"id-it-{info}" in ask(server, OPENSSL, info), info
        assert "unsupportedOIDs" in ask(server, OPENSSL, "caKeyUpdateInfo")
        told = server.folder / "cas.pem"
        output = ask(server, OPENSSL, "caCerts", "-cacertsout", told, path="/.well-known/cmp/getcacerts")
        assert told.exists() if openssl_version(OPENSSL) >= (3, 5) else "caCerts" in output, output


main(globals())
