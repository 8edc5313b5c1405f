#!/usr/bin/env python3
"""Many transactions of several certificates at once, two operators who approve and deny at random, cmpd killed at random: each
client ends with exactly the certificates that were approved, each once, and nothing else was issued.

50 transactions at once by default; CMPD_SEVERAL=200 (or the argument "full") takes so many, each of 1 to 8 certReqIds.
CMPD_SEVERAL_SEED repeats the choices of a run, though not its moments. The clients are test/player."""
import collections
import json
import os
import random
import subprocess
import sys
import threading
import time

from harness import CTL, PATIENCE, SANITIZE, Ca, Server, main, run
from killer import Killer

FULL = "full" in sys.argv[1:]
sys.argv = [a for a in sys.argv if a != "full"]
TRANSACTIONS = int(os.environ.get("CMPD_SEVERAL", "200" if FULL else "50" if SANITIZE == "none" else "20"))
SEED = int(os.environ.get("CMPD_SEVERAL_SEED", random.randrange(1 << 30)))
PLAYER, CHAIN = os.environ.get("CMPD_PLAYER", "player"), os.environ.get("CMPD_CHAIN", "chain")
KINDS = {"ir": "ip", "cr": "cp"}


class Device(threading.Thread):
    """One transaction: a story for the player, and what came of each certReqId."""

    def __init__(self, server, number, choose, credential):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.ids = choose.sample((0, 1, 2, 3, 7, 12, 99, 4000, 70000, 2147483647), choose.randint(1, 8))
        self.given, self.refused, self.output = {}, {}, None
        self.secret = server.secret(f"t{number}") if credential is None else None
        client = f"ref=t{number} secret={self.secret}" if self.secret else "cert=device"
        subjects = " ".join(f"subject:{i}={self.subject(i)}" for i in self.ids)
        self.story = "\n".join([
            f"CONNECT 127.0.0.1:{server.port} ca={server.ca.certificate} retry={int(2 * PATIENCE)}s",
            *([f"LOAD device cert={credential[0]} key={credential[1]}"] if credential else []),
            f"CLIENT a {client}",
            f"SEND a {choose.choice(list(KINDS))} ids={','.join(map(str, self.ids))} {subjects} {choose.choice(('', 'implicit'))}",
            f"FINISH a mixed within={int(8 * PATIENCE)}s", ""])

    def subject(self, cert_req_id):
        return f"/CN=t{self.number}-{cert_req_id}"

    def run(self):
        done = subprocess.run([PLAYER, "-", CTL, "-"], input=self.story, text=True, capture_output=True, check=False)
        self.output = done.stdout + done.stderr
        for line in done.stdout.splitlines():
            words = line.split(None, 5)
            if len(words) < 4 or words[:2] != ["#", "a"] or words[3] == "waiting":
                continue
            ends = self.refused if words[3] == "rejection" else self.given
            assert int(words[2]) not in ends, f"told twice of {words[2]}"
            ends[int(words[2])] = words[4] if ends is self.given else words[4:]
        if done.returncode != 0:
            self.output += "\nthe player failed"


class Operator(threading.Thread):
    """Somebody with cmpd-ctl who looks at what waits and decides on some of it, now one by one, now a whole transaction."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.choose, self.over = server, random.Random(seed), threading.Event()
        self.said, self.failed, self.error = collections.defaultdict(list), 0, None

    def ask(self, *words):
        done = run(CTL, "-s", self.server.socket, "--json", *words, code=None)
        self.failed += done.returncode != 0
        return json.loads(done.stdout) if done.stdout.strip() else []

    def decide(self):
        waiting = [e["id"] for e in self.ask("list", "--state", "pending", "-n", "60")]
        if not waiting:
            return
        verb = self.choose.choice((["approve"], ["approve"], ["deny", "--reason", "badCertTemplate", "--text", "not this one"]))
        if self.choose.random() < 0.2:
            chosen = ["--txn", self.choose.choice(waiting)]
        else:
            chosen = self.choose.sample(waiting, min(len(waiting), self.choose.randint(1, 6)))
        for entry in self.ask(*verb, *chosen, "--yes"):
            self.said[entry["id"]].append(entry["state"])

    def run(self):
        try:
            while not self.over.wait(self.choose.uniform(0, 0.2)):
                self.decide()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.over.set()
        self.join()
        if self.error:
            raise self.error


def look(server, devices, operators):
    """What clients hold, what cmpd knows, what operators were told and what the audit log says agree."""
    failed = [device.output for device in devices if not device.output or "the player failed" in device.output]
    assert not failed, (len(failed), failed[0])
    entries = {e["id"]: e for e in server.entries()}
    by_subject = {e["subject"]: e for e in entries.values()}
    assert len(by_subject) == len(entries) == sum(len(d.ids) for d in devices), (len(by_subject), len(entries))
    certificates = {c["serial"].lower(): c for c in server.json("cert", "list", "-n", "10000")}
    held = []
    for device in devices:
        assert sorted([*device.given, *device.refused]) == sorted(device.ids), (device.ids, device.output)
        for number in device.ids:
            entry = by_subject[device.subject(number)]
            assert entry["cert_req_id"] == number
            if entry["state"] == "denied":
                assert device.refused.get(number) == ["badCertTemplate", "not this one"], (device.refused, entry)
                continue
            assert entry["state"] == "confirmed", entry
            certificate = certificates[device.given[number].lower()]
            assert certificate["entry"] == entry["id"] and certificate["subject"] == entry["subject"], (certificate, entry)
            assert certificate["status"] == "valid" and certificate["confirmed"], certificate
            held.append(certificate["serial"])
    assert len(set(held)) == len(held) == len(certificates), (len(held), len(certificates))
    for ident, entry in entries.items():
        said = [state for operator in operators for state in operator.said.get(ident, ())]
        assert len(said) <= 1, f"two operators decided {ident}: {said}"
        assert not said or (said[0] == "denied") == (entry["state"] == "denied"), (said, entry)
    return entries, held


def look_at_audit(server, entries, held):
    """The chain is whole, and each entry was decided once and each certificate issued once."""
    lines = [line.split() for line in run(CHAIN, server.folder / "state").stdout.splitlines()]
    count = collections.Counter((what, thing) for what, thing, _ in lines)
    issued = {thing.lower(): n for (what, thing), n in count.items() if what == "cert.issued"}
    assert issued == {serial.lower(): 1 for serial in held}, (len(issued), len(held))
    for ident, entry in entries.items():
        decided = "entry.denied" if entry["state"] == "denied" else "entry.approved"
        assert count[decided, ident] == 1 and count["entry.denied", ident] + count["entry.approved", ident] == 1, (ident, entry)
    assert not any(what == "cert.revoked" for what, _ in count)


def test_several():
    "B2.8 B7.2 B8.1 transactions of 1 to 8 certReqIds, two operators, kill -9: each client gets exactly what was approved, once"
    print(f"# CMPD_SEVERAL_SEED={SEED}")
    choose = random.Random(SEED)
    with Server(endpoint={"max_requests": 8, "check_after": 1}, profile={"names": "any"}, start=False) as server:
        vendor = Ca(server.folder / "vendor", "vendor")
        server.config["endpoints"][0]["trust"] = [str(vendor.certificate)]
        server.write()
        server.start()
        credential = vendor.issue("/O=vendor/CN=device")
        devices = [Device(server, n, choose, credential if n % 2 else None) for n in range(TRANSACTIONS)]
        operators = [Operator(server, choose.random()) for _ in range(2)]
        killer = Killer(server, 0.3)
        begin = time.monotonic()
        for thread in [killer, *operators, *devices]:
            thread.start()
        for device in devices:
            device.join(20 * PATIENCE)
        seconds = time.monotonic() - begin
        killer.stop()
        for operator in operators:
            operator.stop()
        entries, held = look(server, devices, operators)
        server.stop()
        look_at_audit(server, entries, held)
        print(f"# {TRANSACTIONS} transactions with {len(entries)} requests in {seconds:.1f} s, {killer.kills} kills: {len(held)} "
              f"certificates, {len(entries) - len(held)} denied; {sum(o.failed for o in operators)} commands of operators failed")


main(globals())
