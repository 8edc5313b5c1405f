#!/usr/bin/env python3
"""CRLs: there from the beginning, made anew by every way to revoke, fetched by HTTP, checked by the stock tool."""
import concurrent.futures
import email.utils
import re
import shutil
import time

from harness import OPENSSL, Ca, Server, main, run, wait_until


def openssl(*args, code=0):
    return run(OPENSSL, *args, code=code)


def fetch(server, path="/crl/main.crl"):
    """What GET gives, in a file; its text as openssl shows it."""
    status, headers, body = server.get(path)
    assert status == 200, status
    assert headers["Content-Type"] == "application/pkix-crl", headers
    file = server.folder / "fetched.crl"
    file.write_bytes(body)
    return file, openssl("crl", "-inform", "DER", "-in", file, "-noout", "-text").stdout


def number(text):
    return int(re.search(r"X509v3 CRL Number:\s*(\d+)", text).group(1))


def serials(text):
    return {s.lower() for s in re.findall(r"Serial Number: ([0-9A-F]+)", text)}


def serial_of(certificate):
    return openssl("x509", "-in", certificate, "-noout", "-serial").stdout.strip().split("=")[1].lower()


def signed_by(file, ca):
    shown = openssl("crl", "-inform", "DER", "-in", file, "-noout", "-CAfile", ca)
    assert "verify OK" in shown.stderr + shown.stdout, shown


def check(server, certificate, file, ca=None):
    """The exit status of openssl verify -crl_check, and what it says."""
    pem = server.folder / "fetched.pem"
    openssl("crl", "-inform", "DER", "-in", file, "-out", pem)
    done = run(OPENSSL, "verify", "-crl_check", "-CAfile", ca or server.ca.certificate, "-CRLfile", pem,
               certificate, code=None)
    return done.returncode, done.stdout + done.stderr


def granted(server, name, **more):
    """An enrolled device: (certificate, key)."""
    client = server.enrol("ir", ref=name, secret=server.secret(name), subject=f"/CN={name}", implicit=True, **more)
    assert client.wait() == 0, client.output()
    return client.certificate, client.key


GRANT = [{"plugin": "allow", "subject": "/CN=*"}]


def revoked_by_itself(server, certificate, key, reason, code=0):
    client = server.enrol("rr", cert=certificate, key=key, newkey=False,
                          more=["-oldcert", str(certificate), "-revreason", str(reason)])
    assert (client.wait() == 0) == (code == 0), client.output()


def test_empty_first():
    "B4.12 an empty CRL exists before the first certificate, and is published with its CA"
    with Server() as server:
        file, text = fetch(server)
        signed_by(file, server.ca.certificate)
        assert "Version 2" in text and number(text) == 1 and "No Revoked Certificates" in text, text
        assert "Authority Key Identifier" in text, text
        status, headers, body = server.get("/ca/main.cer")
        assert status == 200 and headers["Content-Type"] == "application/pkix-cert"
        shown = server.folder / "ca.cer"
        shown.write_bytes(body)
        want = openssl("x509", "-in", server.ca.certificate, "-outform", "PEM").stdout
        assert openssl("x509", "-inform", "DER", "-in", shown).stdout == want


def test_rr_shows_within_two_seconds():
    "B4.5 rr by the stock client: the CRL that GET shows has it within 2 s, through restarts the number goes on"
    with Server(policy=GRANT, endpoint={"rr_again_warning": False}) as server:
        certificate, key = granted(server, "dev1")
        other, _ = granted(server, "dev2")
        revoked_by_itself(server, certificate, key, 1)
        begun = time.monotonic()
        wait_until("the CRL has it", lambda: serial_of(certificate) in serials(fetch(server)[1]), 2)
        assert time.monotonic() - begun < 2
        file, text = fetch(server)
        signed_by(file, server.ca.certificate)
        assert "Key Compromise" in text and serials(text) == {serial_of(certificate)}, text
        code, words = check(server, certificate, file)
        assert code != 0 and "revoked" in words, words
        code, words = check(server, other, file)
        assert code == 0, words
        before = number(text)
        server.kill()
        server.start()
        file, text = fetch(server)
        assert number(text) == before and serials(text) == {serial_of(certificate)}, text
        server.ctl("cert", "revoke", serial_of(other), "--reason", "superseded", "--yes")
        wait_until("both are in", lambda: len(serials(fetch(server)[1])) == 2, 2)
        assert number(fetch(server)[1]) == before + 1


def test_hold_and_revive():
    "B4.5 one on hold stands in the CRL as such, and is gone after its revival"
    with Server(policy=GRANT) as server:
        certificate, key = granted(server, "dev1")
        revoked_by_itself(server, certificate, key, 6)
        wait_until("it is on hold", lambda: "Certificate Hold" in fetch(server)[1], 2)
        file, _ = fetch(server)
        assert check(server, certificate, file)[0] != 0
        revoked_by_itself(server, certificate, key, 8)
        wait_until("it is gone", lambda: not serials(fetch(server)[1]), 3)
        file, text = fetch(server)
        assert number(text) == 3
        code, words = check(server, certificate, file)
        assert code == 0, words


def test_unspecified_has_no_reason():
    "B4.5 a revocation without a reason has no reasonCode in the CRL"
    with Server(policy=GRANT) as server:
        certificate, _ = granted(server, "dev1")
        server.ctl("cert", "revoke", serial_of(certificate), "--yes")
        wait_until("it is in", lambda: serials(fetch(server)[1]), 2)
        assert "Reason Code" not in fetch(server)[1]


def test_on_schedule():
    "B4.5 a CRL is made anew after crl_renew, and what has expired leaves after one more"
    def numbered(server, n):
        wait_until(f"number {n}", lambda: number(fetch(server)[1]) == n, 5)
        return fetch(server)[1]

    cas = {"crl_validity": "4d", "crl_renew": "2d"}
    with Server(policy=GRANT, profile={"validity": "3d"}, start=False) as server:
        server.config["cas"][0].update(cas)
        server.write()
        server.start()
        certificate, key = granted(server, "dev1")
        revoked_by_itself(server, certificate, key, 4)
        text = numbered(server, 2)
        assert serials(text) == {serial_of(certificate)}
        server.pass_time(2 * 86400 + 1)
        assert serials(numbered(server, 3)) == {serial_of(certificate)}
        server.pass_time(2 * 86400 + 1)  # it has expired, and stands in one more
        assert serials(numbered(server, 4)) == {serial_of(certificate)}
        server.pass_time(2 * 86400 + 1)
        assert not serials(numbered(server, 5))


def test_reload_changes_settings():
    "a changed validity makes a new CRL at once; publish = false takes all of it away"
    with Server() as server:
        server.config["cas"][0].update({"crl_validity": "30d"})
        server.write()
        server.reload()
        wait_until("number 2", lambda: number(fetch(server)[1]) == 2, 5)
        server.config["cas"][0]["publish"] = False
        server.write()
        server.reload()
        wait_until("404", lambda: server.get("/crl/main.crl")[0] == 404, 5)
        assert server.get("/ca/main.cer")[0] == 404


def test_caching():
    "B4.12 ETag, Last-Modified, max-age; 304 for what is known; GET and HEAD only"
    with Server() as server:
        status, headers, body = server.get("/crl/main.crl")
        age = int(re.fullmatch(r"public, max-age=(\d+)", headers["Cache-Control"]).group(1))
        assert 0 < age <= 3600, age
        assert email.utils.parsedate_to_datetime(headers["Last-Modified"])

        def ask(method, known=None, path="/crl/main.crl", data=None):
            return server.request(method, path, server.port, data, known or {})

        status, again, content = ask("GET", {"If-None-Match": headers["ETag"]})
        assert status == 304 and not content and again["ETag"] == headers["ETag"] and "Content-Type" not in again
        assert ask("GET", {"If-None-Match": f'"x", W/{headers["ETag"]}'})[0] == 304
        assert ask("GET", {"If-None-Match": '"x"'})[0] == 200
        assert ask("GET", {"If-Modified-Since": headers["Last-Modified"]})[0] == 304
        assert ask("GET", {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"})[0] == 200
        assert ask("GET", {"If-None-Match": '"x"', "If-Modified-Since": headers["Last-Modified"]})[0] == 200
        status, head, content = ask("HEAD")
        assert status == 200 and not content and int(head["Content-Length"]) == len(body)
        status, answer, _ = ask("POST", data=b"x")
        assert status == 405 and answer["Allow"] == "GET, HEAD"
        for path in ("/crl/main", "/crl/other.crl", "/crl/", "/ca/main.crl", "/crl/main.crl/", "/crl//main.crl"):
            assert server.get(path)[0] == 404, path
        # Kept connections go on after each of these.
        out = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code} ", f"http://127.0.0.1:{server.port}/crl/main.crl",
                  "-o", "/dev/null", f"http://127.0.0.1:{server.port}/ca/main.cer", code=None) \
            if shutil.which("curl") else None
        assert out is None or out.stdout.split() == ["200", "200"], out.stdout


def test_two_generations():
    "B4.12 after a roll-over both generations have CRLs; kur and rr of the older one's certificates work"
    with Server(policy=GRANT, profile={"names": "any"}) as server:
        old_ca = server.ca
        first, first_key = granted(server, "dev1")
        second, second_key = granted(server, "dev2")
        new_ca = Ca(server.folder / "ca2", "ca", "/O=cmpd test/CN=Test CA")
        server.config["cas"] = [{"name": "main", "certificate": str(new_ca.certificate), "key": str(new_ca.key),
                                 "previous": [{"certificate": str(old_ca.certificate), "key": str(old_ca.key)}]}]
        server.write()
        server.reload()
        server.wait_log("daemon.reloaded")
        wait_until("the new CA", lambda: server.get("/ca/main.cer")[2] == new_der(new_ca), 5)
        file, text = fetch(server)
        signed_by(file, new_ca.certificate)
        assert number(text) == 1

        # The signer of answers is still of the old CA: the client trusts both.
        both = server.folder / "both.pem"
        both.write_text(old_ca.certificate.read_text() + new_ca.certificate.read_text())
        revoke = server.enrol("rr", cert=first, key=first_key, newkey=False, trusted=both,
                              more=["-oldcert", str(first), "-revreason", "4"])
        assert revoke.wait() == 0, revoke.output()
        update = server.enrol("kur", cert=second, key=second_key, trusted=both, untrusted=old_ca.certificate,
                              more=["-oldcert", str(second), "-out_trusted", str(both), "-implicit_confirm"])
        assert update.wait() == 0, update.output()
        openssl("verify", "-CAfile", new_ca.certificate, update.certificate)

        paths = {}
        for line in re.findall(r"crl\.made.*", server.log()):
            paths[re.search(r"generation=(\w{8})", line).group(1)] = line
        assert len(paths) == 2, paths
        shown = {name: fetch(server, f"/crl/main-{name}.crl") for name in paths}
        wait_until("the older one has it", lambda: any(
            serial_of(first) in serials(fetch(server, f"/crl/main-{n}.crl")[1]) for n in paths), 2)
        for name in paths:
            file, text = fetch(server, f"/crl/main-{name}.crl")
            if serial_of(first) in serials(text):
                signed_by(file, old_ca.certificate)
                code, words = check(server, first, file, old_ca.certificate)
                assert code != 0 and "revoked" in words, words
                assert check(server, second, file, old_ca.certificate)[0] == 0
            else:
                signed_by(file, new_ca.certificate)
                assert check(server, update.certificate, file, new_ca.certificate)[0] == 0
        assert len(shown) == 2


def test_operator():
    "B4.5 cmpd-ctl crl prints and writes the CRL, and makes one; cert show tells of it"
    with Server(policy=GRANT) as server:
        certificate, _ = granted(server, "dev1")
        server.ctl("cert", "revoke", serial_of(certificate), "--yes")
        wait_until("it is in", lambda: serials(fetch(server)[1]), 2)
        shown = server.json("cert", "show", serial_of(certificate))
        assert shown["crl_number"] == 2 and shown["crl_made"], shown
        assert "in CRL of" in server.ctl("cert", "show", serial_of(certificate)).stdout
        pem, der = server.folder / "out.pem", server.folder / "out.crl"
        pem.write_text(server.ctl("crl").stdout)
        text = openssl("crl", "-in", pem, "-noout", "-text").stdout
        assert number(text) == 2 and serials(text) == {serial_of(certificate)}
        server.ctl("crl", "--ca", "main", "--out", der)
        assert der.read_bytes() == server.get("/crl/main.crl")[2]
        server.ctl("crl", "--now", "--out", pem)
        assert number(openssl("crl", "-in", pem, "-noout", "-text").stdout) == 3
        wait_until("number 3", lambda: number(fetch(server)[1]) == 3, 2)
        about = server.json("crl")
        assert about["number"] == 3 and about["entries"] == 1 and about["pem"].startswith("-----BEGIN X509 CRL")
        generation = f"main-{about['generation'][:8]}"
        assert server.json("crl", "--ca", generation)["number"] == 3
        assert server.get(f"/crl/{generation}.crl")[0] == 200
        server.ctl("crl", "--ca", "nobody", code=3)
        server.ctl("crl", "--ca", "main-00000000", code=3)
        server.ctl("crl", "--out", server.folder / "no" / "such" / "folder", code=1)
        assert not list(server.folder.glob("*.new"))


def new_der(ca):
    file = ca.certificate.with_suffix(".der")
    openssl("x509", "-in", ca.certificate, "-outform", "DER", "-out", file)
    return file.read_bytes()


def test_many_at_once():
    "revocations side by side are few CRLs, and all are in the last one"
    with Server(policy=GRANT) as server:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            devices = list(pool.map(lambda n: granted(server, f"many{n}"), range(8)))
        want = {serial_of(certificate) for certificate, _ in devices}
        for serial in want:
            server.ctl("cert", "revoke", serial, "--yes")
        wait_until("all are in", lambda: serials(fetch(server)[1]) == want, 4)
        assert number(fetch(server)[1]) <= 1 + len(want)


main(globals())
