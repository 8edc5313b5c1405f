#!/usr/bin/env python3
"""Registration authorities: the stock client speaks for devices. Revoking by issuer and serial number needs a client from OpenSSL 3.2 on: the
machine's own, or that of the root folder CMPD_OPENSSL2."""
import contextlib

from harness import OPENSSL, PATH, Ca, Server, Skip, main, run, second_openssl

GRANT = [{"plugin": "allow", "subject": "*"}, {"plugin": "allow", "subject": "*", "san": "*"}]
CMC_RA = "extendedKeyUsage=cmcRA"
RA_VERIFIED = ["-popo", "0"]


class Ra:
    """A certificate that signs for others, and what a client does with it."""

    def __init__(self, server, files):
        self.server, (self.certificate, self.key) = server, files

    def ask(self, command, *more, **options):
        """Starts a client that signs with it."""
        return self.server.enrol(command, cert=self.certificate, key=self.key, untrusted=self.certificate,
                                 more=more, **options)

    def done(self, command, *more, **options):
        client = self.ask(command, *more, **options)
        assert client.wait() == 0, client.output()
        return client

    def refused(self, fail_info, command, *more, **options):
        client = self.ask(command, *more, **options)
        assert client.wait() != 0 and fail_info in client.output(), (fail_info, client.output())
        return client


@contextlib.contextmanager
def with_ra(granted=True):
    """cmpd with an RA that is configured by its certificate, and the CA above that one."""
    with Server(policy=GRANT if granted else None, start=False) as server:
        ca = Ca(server.folder / "ra", "ra-ca")
        ra = Ra(server, ca.issue("/O=plant/CN=ra-7", extensions=CMC_RA))
        server.config["endpoints"][0]["ras"] = [{"name": "plant-7", "certificate": str(ra.certificate)}]
        server.write()
        server.start()
        yield server, ca, ra


def subject(certificate):
    return run(OPENSSL, "x509", "-in", certificate, "-noout", "-subject", "-ext", "subjectAltName").stdout


def serial(certificate):
    return run(OPENSSL, "x509", "-in", certificate, "-noout", "-serial").stdout.split("=")[1].strip()


def status(server, certificate):
    return server.json("cert", "show", serial(certificate).lower())["status"]


def restart(server):
    server.kill()
    server.start()


def test_for_others():
    "B4.8 an RA enrols a device with raVerified, updates its certificate by oldCertID and revokes it; a restart after each"
    with with_ra() as (server, _, ra):
        device = ra.done("ir", *RA_VERIFIED, "-sans", "dev1.example", subject="/O=plant/CN=dev1")
        server.verify(device.certificate)
        entry = server.entries(subject="/O=plant/CN=dev1")[0]
        shown = server.json("show", entry["id"])
        assert shown["pop"] == "raVerified" and "ra=plant-7" in shown["requester"], shown
        restart(server)
        update = ra.done("kur", "-oldcert", device.certificate)
        assert "dev1" in subject(update.certificate) and "dev1.example" in subject(update.certificate)
        restart(server)
        ra.refused("badCertId", "kur", "-oldcert", device.certificate)
        own = ra.done("cr", subject="/O=plant/CN=dev2")
        ra.done("rr", "-oldcert", update.certificate, "-revreason", "4")
        assert status(server, update.certificate) == "revoked"
        restart(server)
        ra.refused("certRevoked", "rr", "-oldcert", update.certificate)
        assert status(server, own.certificate) == "valid"
        assert "ra=plant-7" in server.wait_log("cmp.revoked.*").group(0)


def test_held():
    "B4.8 an RA waits for the operator like everybody, across a restart"
    with with_ra(granted=False) as (server, _, ra):
        client = ra.ask("ir", *RA_VERIFIED, subject="/O=plant/CN=dev1")
        entry = server.wait_entry(state="pending")
        assert "raVerified" in server.ctl("show", entry["id"]).stdout
        restart(server)
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()
        server.wait_entry(state="confirmed", id=entry["id"])


def test_by_serial():
    "B4.8 an RA revokes by issuer and serial number alone"
    with with_ra() as (server, _, ra):
        help_text = run(OPENSSL, "cmp", "-help", code=None)
        program = OPENSSL if "-serial " in help_text.stdout + help_text.stderr else second_openssl(server.folder)
        device = ra.done("ir", *RA_VERIFIED, subject="/O=plant/CN=dev1")
        issuer = "/O=cmpd test/CN=Test CA"
        ra.refused("badCertId", "rr", "-issuer", issuer, "-serial", "0x5107", openssl=program)
        ra.done("rr", "-issuer", issuer, "-serial", f"0x{serial(device.certificate)}", "-revreason", "1", openssl=program)
        assert status(server, device.certificate) == "revoked"


def test_no_ra():
    "B3.26 B4.8 B3.11 without the usage, without the anchor, at another endpoint: no rights of an RA"
    with with_ra() as (server, ca, ra):
        vendor = Ca(server.folder / "v", "vendor")
        first = server.config["endpoints"][0]
        first.update({"trust": [str(vendor.certificate)], "ra_trust": [str(ca.certificate)]})
        other = {key: value for key, value in first.items() if key not in ("ras", "ra_trust")}
        server.config["endpoints"].append({**other, "path": f"{PATH}/p/other"})
        server.write()
        server.ctl("reload")
        device = ra.done("ir", *RA_VERIFIED, subject="/O=plant/CN=dev1")
        anchorless = Ra(server, vendor.issue("/O=plant/CN=ra-8", extensions=CMC_RA))
        anchorless.refused("notAuthorized", "ir", *RA_VERIFIED, subject="/O=plant/CN=ra-8")
        anchorless.refused("notAuthorized", "rr", "-oldcert", device.certificate)
        Ra(server, ca.issue("/O=plant/CN=ra-9")).refused("notAuthorized", "ir", *RA_VERIFIED, subject="/O=plant/CN=x")
        ra.refused("signerNotTrusted", "ir", *RA_VERIFIED, subject="/O=plant/CN=x", path=f"{PATH}/p/other")
        renewed = Ra(server, ca.issue("/O=plant/CN=ra-7", extensions=CMC_RA))
        renewed.done("ir", *RA_VERIFIED, subject="/O=plant/CN=dev2")
        assert "ra=plant-7" in server.json("show", server.entries(subject="/O=plant/CN=dev2")[0]["id"])["requester"]
        assert status(server, device.certificate) == "valid"


def test_configuration():
    "B3.26 a configured certificate without cmcRA stops the start, with its name in the message"
    with with_ra() as (server, ca, _):
        certificate, _ = ca.issue("/O=plant/CN=plain")
        server.config["endpoints"][0]["ras"] = [{"name": "plain", "certificate": str(certificate)}]
        server.write()
        failed = server.ctl("reload", code=None)
        assert failed.returncode != 0 and "cmcRA" in failed.stdout + failed.stderr, failed
        assert str(certificate) in failed.stdout + failed.stderr, failed


main(globals())
