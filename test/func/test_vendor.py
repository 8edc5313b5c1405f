#!/usr/bin/env python3
"""Devices with a factory certificate, which know no CA of the operator (3GPP TS 33.310).

`openssl cmp` has no word for believing a root that comes in extraCerts; it is told the signer of the answers instead, and what
it knows of the operator's CA afterwards came with the answer. factory.c does it by libcrypto's own option."""
import os
import subprocess

from harness import CTL, OPENSSL, PATH, Ca, Server, Skip, main, run, second_openssl

GRANT = [{"plugin": "allow", "subject": "*", "san": "*"}]


def operator(maker, san=True, policy=GRANT, **more):
    """A server with a root above its CA, which serves devices of that maker."""
    server = Server(start=False, policy=policy)
    root = Ca(server.folder / "root", "root", "/O=Operator/CN=Root")
    sub, key = root.issue("/O=Operator/CN=Issuing", usage="keyCertSign,cRLSign",
                          extensions="basicConstraints=critical,CA:TRUE")
    ca = Ca.__new__(Ca)
    ca.folder, ca.certificate, ca.key, ca.count, ca.subject = server.folder, sub, key, 100, "/O=Operator/CN=Issuing"
    server.root = root
    signer = ca.issue("/O=Operator/CN=CMP", extensions="extendedKeyUsage=1.3.6.1.5.5.7.3.28")
    server.signer = signer[0]
    server.config["cas"] = [{"name": "main", "certificate": str(sub), "key": str(key), "chain": str(root.certificate)}]
    endpoint = server.config["endpoints"][0]
    endpoint.update(extra_root=True, allow_mac=False, signer={"certificate": str(signer[0]), "key": str(signer[1])})
    endpoint["vendor"] = {"trust": [str(maker.certificate)], "subject": "/O=Operator/CN=%{CN}.ran.example", **more}
    if san:
        endpoint["vendor"]["san"] = ["DNS:%{CN}.ran.example"]
    server.write()
    return server.start()


def text(certificate):
    return run(OPENSSL, "x509", "-in", certificate, "-noout", "-text").stdout.replace(" = ", "=")


def contact(server, device, openssl=None, command="ir", more=()):
    """First contact: trusts nothing of the operator but the one who signs answers; gives the roots that came along."""
    extra = server.folder / "extra.pem"
    client = server.enrol(command, cert=device[0], key=device[1], untrusted=device[0], openssl=openssl,
                          trusted=device[0], subject="/CN=whatever",
                          more=["-srvcert", server.signer, "-extracertsout", extra, *more])
    return client, extra


def only_roots(extra, folder):
    """The self-signed ones among the certificates of a file."""
    found = folder / "known.pem"
    blocks = [b + "-----END CERTIFICATE-----\n" for b in extra.read_text().split("-----END CERTIFICATE-----\n") if b.strip()]
    roots = []
    for block in blocks:
        one = folder / "one.pem"
        one.write_text(block)
        names = run(OPENSSL, "x509", "-in", one, "-noout", "-subject", "-issuer").stdout.split("\n")
        if names[0].partition("=")[2] == names[1].partition("=")[2]:
            roots.append(block)
    found.write_text("".join(roots))
    return found


def life(folder, openssl=None):
    """From the factory to the end of service."""
    maker = Ca(folder, "maker")
    with operator(maker) as server:
        device = maker.issue("/O=Maker/CN=unit-7")
        first, extra = contact(server, device, openssl)
        assert first.wait() == 0, first.output()
        root = only_roots(extra, server.folder)
        assert "CN=Root" in text(root), extra.read_text()
        run(OPENSSL, "verify", "-CAfile", root, "-untrusted", extra, first.certificate)
        shown = text(first.certificate)
        assert "CN=unit-7.ran.example" in shown and "DNS:unit-7.ran.example" in shown, shown
        server.kill()
        server.start()
        # Nothing of the factory from here on: its own certificate, and the root that came with it.
        second = server.enrol("kur", cert=first.certificate, key=first.key, untrusted=extra, trusted=root, openssl=openssl)
        assert second.wait() == 0, second.output()
        assert "CN=unit-7.ran.example" in text(second.certificate)
        server.kill()
        server.start()
        end = server.enrol("rr", cert=second.certificate, key=second.key, untrusted=extra, trusted=root, openssl=openssl,
                           more=["-oldcert", second.certificate, "-revreason", "5"])
        assert end.wait() == 0, end.output()
        assert [c["status"] for c in server.json("cert", "list")] == ["valid", "revoked"]
        entry = server.json("show", server.entries(type="ir")[0]["id"])
        assert "factory certificate subject=/O=Maker/CN=unit-7 serial=" in entry["requester"], entry


def test_life():
    "B4.9 first contact with an unknown CA by ir, then kur and rr with the operator's certificate, a kill -9 between all"
    with Server(start=False) as place:
        life(place.folder)


def test_life_second():
    "B4.9 the same with the openssl of CMPD_OPENSSL2"
    with Server(start=False) as place:
        life(place.folder, second_openssl(place.folder))


def test_extra_root():
    "B4.9 libcrypto's client that knows no CA at all believes the root in extraCerts of the ip"
    program = os.environ.get("CMPD_FACTORY")
    if not program:
        raise Skip("CMPD_FACTORY is not built")
    with Server(start=False) as place:
        maker = Ca(place.folder, "maker")
        with operator(maker, san=False) as server:
            device = maker.issue("/O=Maker/CN=unit-8")
            key, out, roots = (server.folder / name for name in ("new.key", "new.pem", "roots.pem"))
            run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
            run(program, server.port, PATH, *device, key, out, roots)
            assert "CN=unit-8.ran.example" in text(out)
            assert text(roots) == text(server.root.certificate)
            server.config["endpoints"][0]["extra_root"] = False
            server.write()
            server.reload()
            server.wait_log("daemon.reloaded")
            failed = run(program, server.port, PATH, *device, key, out, roots, code=1)
            assert "ir" in failed.stderr


def test_held():
    "B4.9 a device that is held shows its factory certificate; approved, it gets the operator's names; p10cr too"
    with Server(start=False) as place:
        maker = Ca(place.folder, "maker")
        with operator(maker, policy=None) as server:
            device = maker.issue("/O=Maker/CN=unit-9")
            client, _ = contact(server, device)
            entry = server.wait_entry(state="pending")
            assert entry["subject"] == "/O=Operator/CN=unit-9.ran.example" and entry["sans"] == ["DNS:unit-9.ran.example"], entry
            shown = server.ctl("show", entry["id"]).stdout
            assert "factory certificate subject=/O=Maker/CN=unit-9" in shown and "names=template" in shown, shown
            server.ctl("approve", entry["id"], "--yes")
            assert client.wait() == 0, client.output()
            assert "DNS:unit-9.ran.example" in text(client.certificate)
            csr = server.folder / "p10.csr"
            run(OPENSSL, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                server.folder / "p10.key", "-subj", "/CN=any", "-out", csr)
            client, _ = contact(server, device, command="p10cr", more=["-csr", csr])
            entry = server.wait_entry(state="pending")
            server.ctl("approve", entry["id"], "--yes")
            assert client.wait() == 0, client.output()
            assert "CN=unit-9.ran.example" in text(client.certificate)


def test_inventory():
    "B4.9 the inventory names devices by serial, whatever they ask for; removed is unknown; a load that is killed changes nothing"
    with Server(start=False) as place:
        maker = Ca(place.folder, "maker")
        with operator(maker, inventory=True, unknown="deny") as server:
            known, spare, stranger = (maker.issue(f"/O=Maker/CN=unit-{i}") for i in range(3))
            serial = [run(OPENSSL, "x509", "-in", d[0], "-noout", "-serial").stdout.strip().partition("=")[2]
                      for d in (known, spare)]
            table = server.folder / "devices.csv"
            table.write_text(f'serial,issuer,new_subject,new_san\r\n{serial[0]},/CN=maker,"/O=Operator/CN=mast, north",'
                             f'DNS:mast.example;DNS:m.example\r\n{serial[1].lower()},,,\r\n')
            assert server.json("inventory", "load", table) | {"loaded": ""} == {"rows": 2, "rows_before": 0, "loaded": ""}
            # A load that stops in the middle: the pipe stays open, and cmpd is killed.
            read, write = os.pipe()
            loader = subprocess.Popen([CTL, "-s", server.socket, "inventory", "load", "-"], stdin=read,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.write(write, b"serial,new_subject\n" + b"".join(b"%06x,/CN=x%d\n" % (i, i) for i in range(1, 1200)))
            server.wait_log('command="inventory add".*result=ok(.|\n)*command="inventory add".*result=ok')
            server.kill()
            loader.kill()
            loader.wait()
            os.close(read)
            os.close(write)
            server.start()
            assert [r["serial"] for r in server.json("inventory", "list")] == [s.lower() for s in serial]
            first, _ = contact(server, known)
            assert first.wait() == 0, first.output()
            shown = text(first.certificate)
            assert "mast, north" in shown and "DNS:mast.example, DNS:m.example" in shown, shown
            second, _ = contact(server, spare)
            assert second.wait() == 0, second.output()
            assert "CN=unit-1.ran.example" in text(second.certificate)
            refused, _ = contact(server, stranger)
            assert refused.wait() != 0
            assert "notAuthorized" in refused.output() and "inventory does not know" in refused.output(), refused.output()
            # Reset to the factory: another certificate with the same names. Taken out: none any more.
            again, _ = contact(server, known)
            assert again.wait() == 0, again.output()
            server.ctl("inventory", "remove", serial[0])
            gone, _ = contact(server, known)
            assert gone.wait() != 0 and "inventory does not know" in gone.output(), gone.output()
            server.pass_time(16 * 60)
            table.write_text("subject,new_subject\n/CN=a,/CN=b\n")
            server.ctl("inventory", "load", table)
            assert len(server.json("inventory", "list")) == 1


def test_only_first():
    "B4.9 a factory certificate signs no cr, kur, rr and genm"
    with Server(start=False) as place:
        maker = Ca(place.folder, "maker")
        with operator(maker) as server:
            device = maker.issue("/O=Maker/CN=unit-9")
            for command, more in (("cr", []), ("kur", []), ("rr", ["-oldcert", device[0]]), ("genm", [])):
                client, _ = contact(server, device, command=command, more=more)
                assert client.wait() != 0
                assert "notAuthorized" in client.output(), client.output()


main(globals())
