#!/usr/bin/env python3
"""Policy plugins in the running daemon: verdicts of programs, slow and late ones, and plugins that are broken."""
import os
import threading
import time

from harness import CMPD, PATH, SANITIZE, Server, Skip, main, run, wait_until

BAD = os.environ.get("CMPD_TEST_PLUGINS", "")  # the broken ones of the policy room's tests
OURS = os.environ.get("CMPD_FUNC_PLUGINS", "")


def broken(name, folder=None):
    file = os.path.join(folder or BAD, f"{name}.so")
    if not os.path.exists(file):
        raise Skip(f"{name}.so was not built")
    return file


def ask(server, script, **more):
    """The endpoint asks this program from now on."""
    program = server.folder / f"ask{time.monotonic_ns()}"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    server.config["endpoints"][0]["policy"] = [{"plugin": "exec", "command": str(program), **more}]
    server.write()
    server.ctl("reload")


def result(server, secret, subject="/CN=dev1", wait=True):
    client = server.enrol("ir", ref="dev1", secret=secret, subject=subject, implicit=True)
    if wait:
        client.wait()
    return client


def test_exec_verdicts():
    "exec: grant, grant with other names, deny with failInfo and text, hold, pass, failure; the request is JSON on its input"
    with Server() as server:
        secret = server.secret("dev1")
        seen = server.folder / "seen.json"
        ask(server, f"cat > {seen}; exit 0\n")
        client = result(server, secret, "/O=x/CN=dev1")
        assert client.wait() == 0, client.output()
        text = seen.read_text()
        assert text.count("\n") == 1 and '"/O=x/CN=dev1"' in text and '"mac"' in text and secret not in text, text
        ask(server, 'cat >/dev/null; echo \'{"answer":"grant","subject":"/O=y/CN=other","sans":["DNS:a.example"],"validity":"1d"}\'\n')
        client = result(server, secret, "/CN=dev2")
        assert client.wait() == 0 and "granted with modifications" in client.output(), client.output()
        shown = server.verify(client.certificate).replace(" = ", "=")
        assert "O=y, CN=other" in shown and "DNS:a.example" in shown, shown
        ask(server, 'cat >/dev/null; echo \'{"failInfo":"unacceptedPolicy","text":"not in the inventory"}\'; exit 1\n')
        client = result(server, secret, "/CN=dev3")
        assert client.wait() != 0, client.output()
        assert "unacceptedPolicy" in client.output() and "not in the inventory" in client.output(), client.output()
        scripts = ("exit 3", "exit 2", "exit 77", "kill -SEGV $$", "echo '{{{'", "exec sleep 9", "head -c 3000000 /dev/zero")
        cases = "".join(f"*/CN=held{number}*) {script};; " for number, script in enumerate(scripts))
        ask(server, f"read line; case $line in {cases} esac\n", deadline="500ms")
        clients = [result(server, secret, f"/CN=held{number}", wait=False) for number in range(len(scripts))]
        wait_until("all are held", lambda: len(server.entries(state="pending")) == len(scripts))
        server.ctl("approve", *[e["id"] for e in server.entries(state="pending")], "--yes")
        assert [c.wait() for c in clients] == [0] * len(scripts), [c.output() for c in clients]
        for entry in server.entries():
            assert entry["state"] in ("confirmed", "denied"), entry


def test_exec_late():
    "exec: a program slower than decide_wait: others are served meanwhile, then held, then its verdict stands"
    with Server(endpoint={"decide_wait": "300ms"}, top={"workers": 1}) as server:
        secret = server.secret("dev1")
        quick = {**server.config["endpoints"][0], "path": f"{PATH}/p/quick", "policy": [{"plugin": "allow", "subject": "*"}]}
        server.config["endpoints"].append(quick)
        ask(server, "read line; sleep 2; case $line in *CN=dev1*) exit 0;; *) exit 1;; esac\n")
        clients = [result(server, secret, f"/CN=dev{n}", wait=False) for n in (1, 2, 1)]
        wait_until("three are held", lambda: len(server.entries(state="pending")) == 3)
        begin = time.monotonic()
        for _ in range(5):
            client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=q", implicit=True, path=quick["path"])
            assert client.wait() == 0, client.output()
        assert time.monotonic() - begin < 4, "a waiting program holds up others"
        assert [c.wait() == 0 for c in clients] == [True, False, True], [c.output() for c in clients]
        for entry in server.entries(endpoint=PATH):
            assert server.json("show", entry["id"])["decided_by"] == "plugin:exec", entry


def test_exec_operator_first():
    "exec: an operator decides before the late verdict comes: the operator's stands"
    with Server(endpoint={"decide_wait": "200ms"}) as server:
        secret = server.secret("dev1")
        ask(server, "cat >/dev/null; sleep 2; exit 0\n")
        client = result(server, secret, wait=False)
        entry = server.wait_entry(state="pending")
        server.ctl("deny", entry["id"], "--yes", "--text", "no")
        assert client.wait() != 0, client.output()
        server.wait_log(r"enrol\.late .*")
        assert server.entries()[0]["state"] == "denied" and server.json("cert", "list") == []


def test_killed_while_program_runs():
    "B8.1 kill -9 while a program thinks: the client's copy of the request is decided after the start"
    with Server(endpoint={"decide_wait": "5s"}) as server:
        secret = server.secret("dev1")
        ask(server, "cat >/dev/null; sleep 1; exit 0\n")
        request = server.folder / "request.der"
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1", more=["-reqout", request, "-keep_alive", "0"])
        wait_until("the request was sent", lambda: request.exists() and request.stat().st_size > 100)
        time.sleep(0.4)
        server.kill()
        client.kill()
        server.start()
        assert server.entries() == []
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(server.post(request.read_bytes()))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({a[2] for a in answers}) == 1 and answers[0][0] == 200, answers
        assert len(server.entries()) == len(server.json("cert", "list")) == 1


def test_stuck():
    "B8.4 a plugin that never answers, and one that fails: requests are held, others are served, SIGTERM ends cmpd"
    if SANITIZE != "none":
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"  # its thread is never joined
    with Server(endpoint={"decide_wait": "300ms"}, policy=[{"plugin": broken("stuck", OURS)}],
                top={"workers": 1, "plugin_threads": 2}) as server:
        secret = server.secret("dev1")
        quick = {**server.config["endpoints"][0], "path": f"{PATH}/p/quick", "policy": [{"plugin": "allow", "subject": "*"}]}
        fails = {**quick, "path": f"{PATH}/p/fails", "policy": [{"plugin": broken("stuck", OURS), "fail": "yes"}]}
        server.config["endpoints"] += [quick, fails]
        server.write()
        server.ctl("reload")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=f", path=fails["path"])
        entry = server.wait_entry(state="pending", subject="/CN=f")
        server.wait_log("out of order", 5)
        server.ctl("approve", entry["id"], "--yes")
        assert client.wait() == 0 and "out of order" not in client.output(), client.output()
        clients = [result(server, secret, "/CN=stuck", wait=False) for _ in range(6)]
        wait_until("six are held", lambda: len(server.entries(state="pending")) == 6)
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=q", implicit=True, path=quick["path"])
        assert client.wait() == 0, client.output()
        server.ctl("approve", *[e["id"] for e in server.entries(state="pending")], "--yes")
        assert [c.wait() for c in clients] == [0] * 6, [c.output() for c in clients]
        stuck = result(server, secret, "/CN=last", wait=False)
        server.wait_entry(state="pending", subject="/CN=last")
        server.config["endpoints"][0]["policy"] = quick["policy"]  # away with it, while it still thinks
        server.write()
        begin = time.monotonic()
        server.ctl("reload")
        time.sleep(1.5)
        for _ in range(3):
            server.ctl("list")
            server.ctl("status")
        assert time.monotonic() - begin < 4, "operators wait for a plugin"
        stuck.kill()
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 10, "the stuck plugin held up the end"


def test_broken_plugins():
    "B8.4 plugins that crash, hang or exit at load or have another ABI: refused in one sentence, a running cmpd stays"
    with Server(policy=[{"plugin": "allow", "subject": "*"}]) as server:
        secret = server.secret("dev1")
        chains = {}

        def check(name):
            text = good.replace('"allow"', f'"{broken(name)}"')
            file = server.folder / f"{name}.conf"
            file.write_text(text)
            chains[name] = run(CMPD, "-t", "-c", file, code=None)

        good = server.conf.read_text()
        broken("bad-crash")
        names = ["bad-" + n for n in ("crash", "exit", "hang", "unresolved", "nosymbol", "major", "short", "noname",
                                      "nodecide", "flags")]
        threads = [threading.Thread(target=check, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        server.conf.write_text(good.replace('"allow"', f'"{broken("bad-hang")}"'))
        server.reload()
        for name in names[:2] + names[3:]:
            client = result(server, secret)
            assert client.wait() == 0, (name, client.output())
        server.wait_log(r"daemon\.reload_failed .*bad-hang")
        for name in names[:2] + names[3:]:
            server.conf.write_text(good.replace('"allow"', f'"{broken(name)}"'))
            assert name in server.ctl("reload", code=1).stderr
        for thread in threads:
            thread.join()
        for name, done in chains.items():
            assert done.returncode == 1 and name in done.stderr and done.stderr.count("\n") == 1, (name, done)
        server.conf.write_text(good)
        server.ctl("reload")
        client = result(server, secret)
        assert client.wait() == 0, client.output()


main(globals())
