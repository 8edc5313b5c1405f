#!/usr/bin/env python3
"""Measures cmpd beside the cryptography it cannot do without and beside OpenSSL's mock server.

    run.sh [--short] [--rounds N] [--count N] [--memory N] [--only WORD]

The three take turns (bound, cmpd with 1 worker, cmpd with 2, mock, bound ...), so that a noisy machine is equally
noisy to all; ratios are those of one round, tables show medians over the rounds. What counts is CPU time per
transaction of the server process. Prints Markdown. Environment as for test/func/harness.py, and BENCH_BOUND, BENCH_LOAD: the programs.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "func"))
from harness import OPENSSL, Ca, Server, Skip, free_port, run, wait_until  # noqa: E402

US = "\u00b5s"
BOUND, LOAD = os.environ["BENCH_BOUND"], os.environ["BENCH_LOAD"]
PATH = "/.well-known/cmp"
HELD = PATH + "/p/held"

# name, kind of `bound`, keys, MAC or signature, implicit confirmation, transactions relative to --count
KINDS = [
    ("ir PBM, implicit", "pbm-implicit", "ec", "mac", True, 1.0),
    ("ir PBM, certConf", "pbm-explicit", "ec", "mac", False, 0.8),
    ("ir signature P-256, implicit", "sig-implicit", "ec", "signature", True, 1.0),
    ("ir signature P-256, certConf", "sig-explicit", "ec", "signature", False, 0.8),
    ("ir signature RSA-2048, implicit", "rsa-implicit", "rsa", "signature", True, 0.6),
    ("ir signature RSA-2048, certConf", "rsa-explicit", "rsa", "signature", False, 0.5),
]
CONNECTIONS = 64


class Place(Server):
    """A cmpd that grants everything on its first endpoint and holds everything on its second."""

    def __init__(self, keys, workers, vendor, **more):
        super().__init__(
            start=False, policy=[{"plugin": "allow", "subject": "*"}], trust=[vendor.certificate],
            profile={"names": "any"}, top={"workers": workers, "log_level": "info", "store": {"map_size": 1 << 36},
                                           "limits": {"pending": 10000000, "open_per_secret": 10000000,
                                                      "open_per_certificate": 10000000}},
            **more)
        if keys == "rsa":
            self.use_rsa()
        grant = self.config["endpoints"][0]
        held = {**grant, "path": HELD, "message_time_window": "1d"}
        del held["policy"]
        self.config["endpoints"].append(held)
        self.write()
        self.start()
        self.secrets = {path: self.json("secret", "add", "bench", "--endpoint", path)["secret"] for path in (PATH, HELD)}

    def use_rsa(self):
        folder = self.folder / "rsa"
        ca = rsa_ca(folder)
        signer = ca.issue("/O=cmpd test/CN=CMP signer", key="rsa:2048")
        self.config["cas"][0].update(certificate=str(ca.certificate), key=str(ca.key))
        self.config["endpoints"][0]["signer"] = {"certificate": str(signer[0]), "key": str(signer[1])}


def rsa_ca(folder):
    ca = Ca(folder, "ca", "/O=cmpd test/CN=RSA CA")
    run(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca.key, "-out", ca.certificate,
        "-subj", ca.subject, "-days", "30", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return ca


def load(*argv, prefix=()):
    """Runs the load generator; what it prints, as a dict."""
    argv = [*prefix, LOAD, *argv]
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: {done.stderr}")
    return json.loads(done.stdout)


def credential(kind, secret, signer):
    if kind[3] == "mac":
        return ["-r", "bench", "-s", secret]
    return ["-c", signer[0], "-y", signer[1]]


def load_options(kind, count):
    return [*(["-i"] if kind[4] else []), *(["-a", "rsa"] if kind[2] == "rsa" else []),
            "-n", count, "-w", max(CONNECTIONS, count // 10)]


def measure_bound(kind, seconds):
    return json.loads(run(BOUND, seconds, kind[1]).stdout)


def measure_cmpd(place, kind, signer, count):
    return load("-p", place.port, "-P", place.pid, "-k", CONNECTIONS, *load_options(kind, count),
                *credential(kind, place.secrets[PATH], signer))


# -- OpenSSL's mock server: listens on all addresses, so it gets a network of its own

def namespace():
    """What begins a command that runs in a network of its own; None if that cannot be had here."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return None
    for how in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if subprocess.run([*how, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0:
            return how
    return None


class Mock:
    """`openssl cmp -port`. It answers one connection at a time and closes it after each transaction."""

    def __init__(self, how, folder, kind, place, signer):
        port = free_port()
        server = place.config["endpoints"][0]["signer"]
        if kind[3] == "mac":
            options = ["-srv_ref", "bench", "-srv_secret", "pass:" + place.secrets[PATH]]
        else:
            options = ["-srv_cert", server["certificate"], "-srv_key", server["key"], "-srv_trusted", signer[2]]
        argv = [OPENSSL, "cmp", "-config", "", "-port", port, "-verbosity", "3", "-rsp_cert", signer[0], *options,
                *(["-grant_implicitconf"] if kind[4] else [])]
        self.log = folder / "mock.log"
        self.port = port
        # The shell brings up the loopback and becomes the server, so its pid is the server's.
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*how, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *map(str, argv)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until("the mock server listens", self.listening)
        except AssertionError:
            self.close()
            raise

    def listening(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the mock server ended: {self.log.read_text()}")
        return "ACCEPT" in self.log.read_text()

    def load(self, *argv):
        return load(*argv, "-p", self.port, "-P", self.process.pid, "-u", "/pkix/", "-k", "1", "-o",
                    prefix=["nsenter", "--preserve-credentials", *self.enter(), "-t", self.process.pid, "-n"])

    @staticmethod
    def enter():
        return [] if os.geteuid() == 0 else ["-U"]

    def close(self):
        self.process.kill()
        self.process.wait()


def measure_mock(how, folder, kind, place, signer, count):
    mock = Mock(how, folder, kind, place, signer)
    try:
        return mock.load(*load_options(kind, count), *credential(kind, place.secrets[PATH], signer))
    finally:
        mock.close()


# -- rates

def prepare(options):
    places, signers = {}, {}
    folder = None
    for keys in sorted({kind[2] for kind in options.kinds}):
        first = Server(start=False)
        folder = folder or first.folder
        vendor = Ca(first.folder / "vendor", "vendor") if keys == "ec" else rsa_ca(first.folder / "vendor")
        pair = vendor.issue("/O=bench/CN=device", key="ec" if keys == "ec" else "rsa:2048")
        signers[keys] = (*pair, vendor.certificate)
        for workers in (1, 2):
            places[keys, workers] = Place(keys, workers, vendor)
    return folder, places, signers


def one_round(options, folder, places, signers, how):
    row = {}
    for kind in options.kinds:
        count, keys = max(20, int(options.count * kind[5])), kind[2]
        row[kind[0]] = {
            "bound": measure_bound(kind, options.bound),
            "one": measure_cmpd(places[keys, 1], kind, signers[keys], count),
            "two": measure_cmpd(places[keys, 2], kind, signers[keys], count),
        }
        if how:
            row[kind[0]]["mock"] = measure_mock(how, folder, kind, places[keys, 1], signers[keys], count // 2)
    return row


def median(rounds, name, function):
    return statistics.median(function(r[name]) for r in rounds)


def print_rates(rounds, names, with_mock):
    print("| transaction | B0 | cmpd, 1 worker | 2 workers | mock | cmpd/B0 | cmpd/mock | 2 workers/1 | per s, 2 workers | p50 / p99 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in names:
        us = {who: median(rounds, name, lambda r, w=who: r[w]["cpu_us"]) for who in rounds[0][name]}
        ratio = {(a, b): median(rounds, name, lambda r, a=a, b=b: r[a]["cpu_us"] / max(r[b]["cpu_us"], 1))
                 for a, b in (("one", "bound"), ("two", "one"), *((("one", "mock"),) if with_mock else ()))}
        rate = median(rounds, name, lambda r: r["two"]["transactions"] / r["two"]["seconds"])
        p50, p99 = (median(rounds, name, lambda r, p=p: r["two"][p]) for p in ("p50_ms", "p99_ms"))
        mock = f"{us['mock']:.0f}" if with_mock else "-"
        over_mock = f"{ratio['one', 'mock']:.2f}" if with_mock else "-"
        print(f"| {name} | {us['bound']:.0f} | {us['one']:.0f} | {us['two']:.0f} | {mock} | {ratio['one', 'bound']:.2f} | "
              f"{over_mock} | {ratio['two', 'one']:.2f} | {rate:.0f} | {p50:.1f} / {p99:.1f} ms |")


# -- memory

def memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.search(rf"{name}:\s*(\d+)", status).group(1)) / 1024 for name in ("VmRSS", "RssAnon", "RssFile")}


def disk_bytes(folder):
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def start_ms(place):
    """From the start of the process to a connection that is taken."""
    began = time.monotonic()
    place.start(wait=False)
    while True:
        if not place.running():
            raise AssertionError(place.log())
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", place.port)) == 0:
                return 1000 * (time.monotonic() - began)
        time.sleep(0.001)


def measure_memory(entries):
    vendor = Server(start=False).ca
    place = Place("ec", 2, vendor)
    state = place.folder / "state"
    rows = [("empty", memory(place.pid))]
    before = disk_bytes(state)
    made = load("-p", place.port, "-P", place.pid, "-u", HELD, "-r", "bench", "-s", place.secrets[HELD], "-H",
                "-k", 64, "-n", entries)
    rows.append((f"{entries} pending", memory(place.pid)))
    size = (disk_bytes(state) - before) / entries
    place.stop()
    listening = start_ms(place)
    wait_until("cmpd is ready", place.ready)
    rows.append(("the same, started again", memory(place.pid)))
    began = time.monotonic()
    listed = len(place.json("list", "-n", "1000"))
    first_list = 1000 * (time.monotonic() - began)
    rows.append(("after a list of 1000", memory(place.pid)))
    assert listed == min(entries, 1000), listed
    print("| cmpd, 2 workers | VmRSS | RssAnon | RssFile |")
    print("|---|---|---|---|")
    for name, m in rows:
        print(f"| {name} | {m['VmRSS']:.1f} MiB | {m['RssAnon']:.1f} MiB | {m['RssFile']:.1f} MiB |")
    print()
    print(f"Disk per pending entry: {size:.0f} bytes. Made at {made['transactions'] / made['seconds']:.0f} per second by 64 "
          f"connections, {made['cpu_us']:.0f} {US} CPU each (p50 {made['p50_ms']:.1f} ms, p99 {made['p99_ms']:.1f} ms).")
    print(f"Start to listening with them: {listening:.0f} ms. First `cmpd-ctl list -n 1000`: {first_list:.0f} ms, "
          "the start of cmpd-ctl included.")
    place.stop()


def parse():
    parser = argparse.ArgumentParser(description="CPU time of cmpd per transaction, and its memory.")
    parser.add_argument("--short", action="store_true", help="a few seconds: proves that the benchmark runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=4000, help="transactions of a measurement")
    parser.add_argument("--memory", type=int, default=100000, help="pending entries; 0: not measured")
    parser.add_argument("--only", default="", help="kinds of transactions with this in their names")
    options = parser.parse_args()
    options.bound = 0.5
    if options.short:
        options.rounds, options.count, options.memory, options.bound = 1, 100, 1000, 0.05
    options.kinds = [kind for kind in KINDS if options.only in kind[0] and not (options.short and kind[2] == "rsa")]
    return options


def main():
    options = parse()
    print(run(OPENSSL, "version").stdout.strip() + f", {os.cpu_count()} cores. CPU time in {US} per transaction.\n", flush=True)
    if options.kinds and options.rounds:
        how = namespace()
        folder, places, signers = prepare(options)
        rounds = [one_round(options, folder, places, signers, how) for _ in range(options.rounds)]
        for place in places.values():
            place.stop()
        print_rates(rounds, [kind[0] for kind in options.kinds], bool(how))
        if not how:
            print("\nThe mock server is left out: no network namespace can be made here.")
        print(flush=True)
    if options.memory:
        measure_memory(options.memory)


if __name__ == "__main__":
    try:
        main()
    except Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
