#!/usr/bin/env python3
"""cmpd under valgrind: what the sanitizers cannot see inside libcrypto."""
from harness import Ca, Server, main


def enrol_signed(server, certificate, key, subject):
    """One ir signed by a vendor's certificate, approved by the operator; the client must get its certificate."""
    client = server.enrol("ir", cert=certificate, key=key, untrusted=certificate, subject=subject,
                          patience=110, more=["-ignore_keyusage"])
    entry = server.wait_entry(state="pending", subject=subject)
    server.ctl("approve", entry["id"], "--yes")
    assert client.wait(120) == 0, client.output()
    server.verify(client.certificate)


def test_two_signers_in_turn():
    "F3 signed clients A, B, A, B: no memory is used after it was freed"
    with Server(valgrind=True, start=False) as server:
        vendor = Ca(server.folder / "vendor", "vendor")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        server.write()
        a, b = vendor.issue("/CN=A"), vendor.issue("/CN=B")
        server.start()
        for turn, (name, (certificate, key)) in enumerate([("A", a), ("B", b), ("A", a), ("B", b)]):
            enrol_signed(server, certificate, key, f"/CN={name}/OU={turn}")


main(globals())
