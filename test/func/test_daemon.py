"""cmpd as a process: options, signals, reload, systemd."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from harness import CMPD, PATH, Server, Skip, main, run, wait_until

GARBAGE = b"\x30\x03\x02\x01\x00"


def cmpd(*args, code=0):
    return run(CMPD, *args, code=code)


def serves(server):
    """An error message in CMP is an answer too."""
    status, headers, _ = server.post(GARBAGE)
    assert status == 200 and headers["Content-Type"] == "application/pkixcmp", (status, headers)


def test_options():
    "options and exit status: -V, -h, -t, -T, called wrongly"
    assert "OpenSSL" in cmpd("-V").stdout
    cmpd("-h")
    for wrong in ((), ("-x",), ("-c",), ("-t",), ("-c", "/dev/null", "more")):
        assert "usage:" in cmpd(*wrong, code=2).stderr, wrong
    with Server() as server:
        cmpd("-t", "-c", server.conf)
        text = cmpd("-T", "-c", server.conf).stdout
        assert "check_after" in text and "/.well-known/cmp" in text, text
        again = server.folder / "again.conf"
        again.write_text(text)
        cmpd("-t", "-c", again)


def test_check_names_the_place():
    "cmpd -t says what is wrong, with file and line, and ends with 1"
    with Server(start=False) as server:
        good = server.conf.read_text()
        for what, old, new in ((r"cmpd\.conf:\d+: .*unheard", "workers = 2", "unheard_of = 2"),
                               (r"cmpd\.conf:\d+: .*workers", "workers = 2", "workers = -3"),
                               (r"cmpd\.conf:\d+: .*nobody\.key", r"ca.key", "nobody.key"),
                               (r"listen|127\.0\.0\.1", '"127.0.0.1:', '"127.0.0.1.5:')):
            server.conf.write_text(good.replace(old, new, 1))
            error = cmpd("-t", "-c", server.conf, code=1).stderr
            assert re.search(what, error), (new, error)
        error = cmpd("-t", "-c", server.folder / "nothing.conf", code=1).stderr
        assert "nothing.conf" in error, error


def test_second_one_is_refused():
    "a second cmpd on the same state_dir does not start and does no harm"
    with Server() as server:
        config = server.folder / "second.conf"
        config.write_text(server.conf.read_text())
        error = cmpd("-c", config, code=1).stderr
        assert "cmpd:" in error, error
        serves(server)
        server.json("list")


def test_broken_reload_keeps_the_old():
    "B8.5 SIGHUP with a broken configuration keeps the old one and says why"
    with Server() as server:
        good = server.conf.read_text()
        server.conf.write_text(good + "\nnonsense = 1;\n")
        server.reload()
        line = server.wait_log(r"daemon\.reload_failed .*").group(0)
        assert "nonsense" in line and "cmpd.conf:" in line, line
        serves(server)
        server.conf.write_text(good.replace("signer.pem", "no-signer.pem", 1))
        server.reload()
        server.wait_log(r"daemon\.reload_failed .*no-signer\.pem.*")
        serves(server)
        server.ctl("reload", code=1)
        server.conf.write_text(good)
        server.ctl("reload")
        serves(server)


def test_reload_takes_effect():
    "SIGHUP: a new endpoint is there, an old one is gone, under way goes on"
    with Server() as server:
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        entry = server.wait_entry(state="pending")
        endpoints = server.config["endpoints"]
        endpoints.append({**endpoints[0], "path": "/.well-known/cmp/p/lab"})
        server.write()
        assert server.post(GARBAGE, path="/.well-known/cmp/p/lab")[0] == 404
        server.reload()
        wait_until("the new endpoint", lambda: server.post(GARBAGE, path="/.well-known/cmp/p/lab")[0] == 200)
        endpoints.pop()
        server.write()
        server.reload()
        wait_until("it is gone", lambda: server.post(GARBAGE, path="/.well-known/cmp/p/lab")[0] == 404)
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0, client.output()


def slow_policy(server, seconds, decide_wait="10s"):
    program = server.folder / "slow.sh"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\nsleep {seconds}\nexit 0\n")
    program.chmod(0o755)
    endpoint = server.config["endpoints"][0]
    endpoint["policy"] = [{"plugin": "exec", "command": str(program)}]
    endpoint["decide_wait"] = decide_wait
    server.write()


def test_terminate_finishes_what_is_under_way():
    "SIGTERM: no new connections, the parked request gets its answer, exit 0"
    with Server(start=False) as server:
        slow_policy(server, 2)
        server.start()
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1", patience=20)
        wait_until("it is parked", lambda: server.json("status")["parked"] == 1)
        os.kill(server.pid, signal.SIGTERM)
        server.wait_log(r"daemon\.stopping")

        def refused():
            try:
                socket.create_connection(("127.0.0.1", server.port), 1).close()
                return False
            except OSError:
                return True
        wait_until("no more connections", refused)
        assert server.running()
        server.wait_log(r"cmp\.(held|granted)")
        server.stop()
        client.kill()


def test_kill_while_parked():
    "kill -9 while a request is parked: nothing was promised, and the client may ask anew"
    with Server(start=False) as server:
        slow_policy(server, 2)
        server.start()
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1", patience=20)
        wait_until("it is parked", lambda: server.json("status")["parked"] == 1)
        server.kill()
        client.wait()
        server.start()
        assert server.entries() == []
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        assert client.wait() == 0, client.output()
        assert len(server.json("cert", "list")) == 1


def test_late_verdict():
    "a plugin slower than decide_wait: the request is held, and its verdict comes like an operator's"
    with Server(start=False) as server:
        slow_policy(server, 2, decide_wait="300ms")
        server.start()
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        server.wait_entry(state="pending")
        assert client.wait() == 0, client.output()
        server.wait_log(r"cmp\.held .*\n(.*\n)*.*enrol\.late .*plugin=exec .*state=approved")


class Notified:
    """The other end of sd_notify."""

    def __init__(self, server):
        self.path = str(server.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)

    def wait(self, what):
        while True:
            text = self.socket.recv(4096).decode()
            if what in text.split("\n"):
                return text


def with_systemd():
    linked = subprocess.run(["ldd", CMPD], capture_output=True, text=True).stdout
    if "libsystemd" not in linked:
        raise Skip("built without libsystemd")


def test_notify():
    "systemd is told: READY, RELOADING with the time, STOPPING, WATCHDOG"
    with_systemd()
    with Server(start=False) as server:
        notified = Notified(server)
        os.environ.update(NOTIFY_SOCKET=notified.path, WATCHDOG_USEC="400000")
        try:
            server.start()
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        notified.wait("READY=1")
        notified.wait("WATCHDOG=1")
        server.reload()
        text = notified.wait("RELOADING=1")
        usec = int(re.search(r"MONOTONIC_USEC=(\d+)", text).group(1))
        assert abs(usec / 1e6 - time.monotonic()) < 20, text
        notified.wait("READY=1")
        os.kill(server.pid, signal.SIGTERM)
        notified.wait("STOPPING=1")
        server.process.wait(30)


def test_socket_activation():
    "a socket from systemd is used, and one that listen names too is not opened twice"
    with_systemd()
    with Server(start=False) as server:
        listening = socket.create_server(("127.0.0.1", server.port), backlog=64)
        os.set_inheritable(listening.fileno(), True)
        script = (f'exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=cmpd '
                  f'exec "$0" -c "$1"')
        with open(server.log_file, "ab") as log:
            server.process = subprocess.Popen(["bash", "-c", script, CMPD, str(server.conf)],
                                              pass_fds=[listening.fileno()], stdout=log, stderr=log)
        listening.close()
        wait_until("cmpd is ready", server.ready)
        serves(server)


def test_unix_socket_after_kill():
    "kill -9 leaves sockets behind; the next start replaces them"
    with Server(unix=True) as server:
        assert server.http_socket.is_socket()
        server.kill()
        assert server.http_socket.is_socket()
        server.start()
        serves(server)
        server.stop()
        assert not pathlib.Path(server.http_socket).exists()


def test_peer_behind_a_proxy():
    "B5.4 X-Forwarded-For is believed from listed proxies only"
    with Server() as server:
        server.post(GARBAGE, headers={"X-Forwarded-For": "192.0.2.7"})
        server.wait_log(r"cmp\.fault .*peer=127\.0\.0\.1$")
        server.config["proxies"] = ["127.0.0.1"]
        server.write()
        server.reload()
        server.wait_log(r"daemon\.reloaded")
        server.post(GARBAGE, headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.7"})
        server.wait_log(r"cmp\.fault .*peer=192\.0\.2\.7$")


def test_crowd():
    "B8.6 a thousand idle connections and garbage: answers stay prompt"
    with Server(top={"limits": {"connections": 600}}) as server:
        crowd = []
        for i in range(1000):
            try:
                crowd.append(socket.create_connection(("127.0.0.1", server.port), 2))
            except OSError:
                break
            if i % 3 == 0:
                crowd[-1].sendall(os.urandom(20))
        begin = time.monotonic()
        serves(server)
        assert time.monotonic() - begin < 10
        before = server.cpu_seconds()
        time.sleep(1)
        assert server.cpu_seconds() - before < 0.5
        assert server.get("/livez", server.health_port)[0] == 200
        for connection in crowd:
            connection.close()
        serves(server)


main(globals())
