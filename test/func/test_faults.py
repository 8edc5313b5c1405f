#!/usr/bin/env python3
"""Faults around the daemon: broken files, no room, crowds, bad configurations in quick succession."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from harness import CMPD, Server, Skip, free_port, main, run, wait_until

GRANT = [{"plugin": "allow", "subject": "*"}]


def cmpd(*args, code=0, seconds=60):
    """Runs cmpd to its end: (standard output, standard error)."""
    done = subprocess.run([CMPD, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds)
    assert done.returncode == code, (args, done)
    return done.stdout, done.stderr


def enrol(server, number=1, **options):
    client = server.enrol("ir", ref="dev1", secret=options.pop("secret"), subject=f"/CN=dev{number}", **options)
    assert client.wait() == 0, client.output()
    return client


def one_sentence(error, *words):
    lines = error.splitlines()
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0], (word, lines)


def test_reload():
    "B8.5 SIGHUP: a good configuration counts at once, a broken one is told and the old one stays"
    with Server() as server:
        secret = server.secret("dev1")
        waiting = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=waits")
        entry = server.wait_entry(state="pending")
        server.config["endpoints"][0]["policy"] = GRANT
        server.write()
        server.reload()
        server.wait_log(r"daemon\.reloaded")
        enrol(server, secret=secret)
        good = server.conf.read_text()
        faults = {"unknown key": good.replace("check_after", "chek_after"),
                  "syntax": good.replace("= (", "= (((", 1),
                  "restart needed": good.replace("workers = 2", "workers = 3"),
                  "no key": re.sub(r'(\bkey = )"[^"]*"', r'\1"gone.key"', good, count=1),
                  "no plugin": good.replace('"allow"', '"disallow"'),
                  "empty": ""}
        for what, text in faults.items():
            assert text != good, what
            server.conf.write_text(text)
            failures = server.log().count("daemon.reload_failed")
            server.reload()
            wait_until(what, lambda: server.log().count("daemon.reload_failed") == failures + 1)
            words = server.ctl("reload", code=1).stderr
            assert any(w in words for w in ("cmpd.conf:", "gone.key", "disallow", "needs a restart")), (what, words)
            enrol(server, secret=secret)
        server.conf.write_text(good)
        server.ctl("reload")
        server.ctl("approve", entry["id"], "--yes")  # it has waited through all of that
        assert waiting.wait() == 0, waiting.output()


def test_reload_under_load():
    "B8.5 SIGHUP in quick succession while clients enrol: none notices"
    with Server(policy=GRANT) as server:
        secret, over = server.secret("dev1"), threading.Event()

        def hang_up():
            while not over.wait(0.05):
                server.reload()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            for _ in range(4):
                clients = [server.enrol("ir", ref="dev1", secret=secret, subject="/CN=a") for _ in range(4)]
                assert [c.wait() for c in clients] == [0] * 4, [c.output() for c in clients]
        finally:
            over.set()
            thread.join()
        assert server.log().count("daemon.reloaded") > 5


def test_interrupted_start():
    "B8.1 kill -9 during the start, again and again: the store is whole"
    with Server(policy=GRANT) as server:
        secret = server.secret("dev1")
        for round_ in range(10):
            enrol(server, round_, secret=secret, implicit=True)
            server.kill()
            for step in range(2):
                server.start(wait=False)
                time.sleep(0.004 * (2 * round_ + step))
                server.kill()
            server.start()
        assert len(server.entries(state="confirmed")) == len(server.json("cert", "list")) == 10


def refused_start(server, *words):
    begin = time.monotonic()
    for option in ((), ("-t",)):
        _, error = cmpd(*option, "-c", server.conf, code=1)
        one_sentence(error, *words)
    assert time.monotonic() - begin < 10


def test_store_files():
    "B8.3 a changed, truncated or foreign store file is refused at the start in one sentence; whole again it goes on"
    with Server(policy=GRANT) as server, Server(start=False) as other:
        secret = server.secret("dev1")
        for number in range(5):
            enrol(server, number, secret=secret, implicit=True)
        server.stop()
        state, safe = server.folder / "state", server.folder / "safe"
        shutil.copytree(state, safe)
        data = state / "data.mdb"
        size = data.stat().st_size

        def restore():
            shutil.rmtree(state)
            shutil.copytree(safe, state)

        for what, change in {
                "truncated": lambda: os.truncate(data, size // 2),
                "cut to a page": lambda: os.truncate(data, 4096),
                "short": lambda: os.truncate(data, 100),
                "text": lambda: data.write_text("not a store\n" * 1000),
                "meta pages": lambda: overwrite(data, 0, os.urandom(8192)),
                "other key": lambda: shutil.copy(other.folder / "state" / "store.key", state / "store.key"),
                "short key": lambda: (state / "store.key").write_bytes(b"1234"),
                "no key": lambda: (state / "store.key").unlink(),
                "open key": lambda: (state / "store.key").chmod(0o644)}.items():
            change()
            print(f"# {what}")
            refused_start(server, "data.mdb" if "key" not in what else "key")
            restore()
        server.start()
        assert len(server.json("cert", "list")) == 5
        enrol(server, 6, secret=secret)


def overwrite(file, offset, data):
    with open(file, "r+b") as stream:
        stream.seek(offset)
        stream.write(data)


def test_second_cmpd():
    "B8.3 a second cmpd on the same state_dir ends with one sentence, the first goes on"
    with Server(policy=GRANT) as server:
        text = server.conf.read_text().replace(str(server.port), str(free_port()))
        text = text.replace(str(server.health_port), str(free_port())).replace("ctl.sock", "ctl2.sock")
        second = server.folder / "second.conf"
        second.write_text(text)
        one_sentence(cmpd("-c", second, code=1)[1], "state")
        enrol(server, secret=server.secret("dev1"))
        # Another folder, but the same address.
        (server.folder / "state2").mkdir()
        shutil.copy(server.folder / "state" / "store.key", server.folder / "state2" / "store.key")
        second.write_text(server.conf.read_text().replace('"state"', '"state2"').replace("ctl.sock", "ctl2.sock"))
        one_sentence([line for line in cmpd("-c", second, code=1)[1].splitlines() if " info " not in line][0],
                     str(server.port))


def test_disk_full():
    "B8.2 disk full: clients read systemUnavail, nothing is lost, it goes on by itself when there is room again"
    if os.geteuid() != 0:
        raise Skip("needs root for a small tmpfs")
    with Server(policy=GRANT, start=False) as server:
        state = server.folder / "state"
        key = (state / "store.key").read_bytes()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(state)], capture_output=True).returncode:
            raise Skip("tmpfs cannot be mounted")
        try:
            (state / "store.key").touch(mode=0o600)
            (state / "store.key").write_bytes(key)
            server.start()
            secret = server.secret("dev1")
            before = enrol(server, secret=secret)
            filler = state / "filler"
            try:
                with open(filler, "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            except OSError:
                pass
            refused = 0
            for number in range(40):
                client = server.enrol("ir", ref="dev1", secret=secret, subject=f"/CN=full{number}", implicit=True)
                if client.wait() != 0:
                    assert "systemUnavail" in client.output(), client.output()
                    refused += 1
                    if refused == 3:
                        break
            assert refused == 3, "the disk is not full"
            assert server.running() and server.json("list"), "operators may still look"
            server.ctl("secret", "add", "x" * 100, code=1)
            held = {c["serial"] for c in server.json("cert", "list")}
            filler.unlink()
            enrol(server, 2, secret=secret)
            assert held < {c["serial"] for c in server.json("cert", "list")}
            server.verify(before.certificate)
            server.kill()
            server.start()
            enrol(server, 3, secret=secret)
            server.stop()
        finally:
            if server.running():
                server.kill()
            run("umount", state)


def test_map_full():
    "B8.2 the map of the store is full: clients read systemUnavail, operators can look, cmpd stays and starts again"
    with Server(policy=GRANT, top={"store": {"map_size": 1 << 20}}) as server:
        secret = server.secret("dev1")
        client = None
        for number in range(400):
            clients = [server.enrol("ir", ref="dev1", secret=secret, subject=f"/CN=full{number}", implicit=True,
                                    newkey=False, more=["-newkey", server.signer.parent / "ca" / "ca.key"])
                       for _ in range(8)]
            failed = [c for c in clients if c.wait() != 0]
            if failed:
                client = failed[0]
                break
        assert client and "systemUnavail" in client.output(), client and client.output()
        count = len(server.json("cert", "list"))
        assert count > 20 and server.json("status")
        server.kill()
        server.start()
        assert len(server.json("cert", "list")) == count
        server.stop()
        server.config["store"]["map_size"] = 4 << 20
        server.write()
        server.start()
        enrol(server, secret=secret)


def test_log_lines():
    "B1.12 each line about a message has req= and txn=, hostile text is escaped, secrets are never in the log"
    with Server() as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=a\"b\x1b[0m req=77")
        entry = server.wait_entry(state="pending")
        server.ctl("deny", entry["id"], "--yes", "--text", "no\nreq=78 info x")
        client.wait()
        client = server.enrol("ir", ref="dev1", secret="wrong secret", subject="/CN=b")
        client.wait()
        server.post(b"\x30\x03\x02\x01\x00")
        server.post(bytes(70000))
        log = server.log()
        about = [line for line in log.splitlines() if re.match(r"^\S+ \w+ cmp\.", line)]
        assert len(about) >= 4, log
        for line in about:
            assert re.search(r" req=\d+", line), line
            assert re.search(r" txn=[0-9a-f]{32}", line) or "badDataFormat" in line, line
        assert secret not in log and "wrong secret" not in log.replace("or wrong secret", "")
        assert not re.search(r"^.*\breq=7[78] ", re.sub(r'"(\\.|[^"\\])*"', '""', log), re.M), log
        assert all(line.isprintable() for line in log.splitlines()), log


def test_systemd_unit():
    "the unit file is as tight as it says: systemd-analyze security"
    unit = os.environ.get("CMPD_UNIT")
    if not shutil.which("systemd-analyze") or not unit:
        raise Skip("no systemd-analyze")
    run("systemd-analyze", "security", "--offline=yes", "--threshold=15", unit)


def test_idle_connections():
    "B8.6 500 idle connections and slow senders: answers stay prompt, memory bounded, slow ones are cut off"
    with Server(policy=GRANT, top={"limits": {"request_deadline": "2s", "idle_timeout": "30s"}}) as server:
        secret = server.secret("dev1")
        enrol(server, 0, secret=secret)
        memory, cpu = server.rss_bytes(), server.cpu_seconds()
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(500)]
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
        for connection in slow:
            connection.sendall(b"POST /.well-known/cmp HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n0")
        begin = time.monotonic()
        while time.monotonic() - begin < 2:
            sent = time.monotonic()
            assert server.post(b"0\0")[0] in (200, 400)
            assert time.monotonic() - sent < 0.5, "the answer was late"
            time.sleep(0.1)
            for connection in slow:
                try:
                    connection.send(b"0")
                except OSError:
                    pass
        enrol(server, 1, secret=secret)
        for connection in slow:
            connection.settimeout(3)
            try:
                while connection.recv(4096):
                    pass
            except ConnectionError:
                pass
        assert server.rss_bytes() - memory < 12 << 20, (memory, server.rss_bytes())
        assert server.cpu_seconds() - cpu < 1.5, server.cpu_seconds() - cpu
        still = 0
        for connection in idle:
            connection.setblocking(False)
            try:
                still += connection.recv(1) != b""
            except BlockingIOError:
                still += 1
            connection.close()
        assert still == 500, f"{500 - still} idle connections were closed"
        for connection in slow:
            connection.close()
        enrol(server, 2, secret=secret)


main(globals())
