#!/usr/bin/env python3
"""The operator's side with a real cmpd: decisions bound to versions, limits, other users, reload, backup."""
import json
import os
import shutil
import socket
import struct
import subprocess

from harness import CTL, Server, Skip, main, wait_until


def held(server, name, **more):
    client = server.enrol("ir", ref=name, secret=server.secret(name), subject=f"/CN={name}", **more)
    return client, server.wait_entry(state="pending", subject=f"/CN={name}")


def test_versions():
    "B7.2 what changed since it was looked at is not approved; conflict, not found and done have exit codes"
    with Server() as server:
        client, entry = held(server, "dev1")
        server.ctl("comment", entry["id"], "who is this?")
        refused = server.ctl("approve", f"{entry['id']}@{entry['version']}", code=4)
        assert "changed since you looked" in str(refused.stderr), refused
        server.ctl("approve", "0123456789abcdef@1", code=3)
        shown = server.json("show", entry["id"][:6])
        assert shown["version"] == entry["version"] + 1 and "who is this?" in shown["comments"][0], shown
        server.ctl("approve", f"{entry['id'][:8]}@{shown['version']}")
        assert client.wait() == 0, client.output()
        server.ctl("approve", entry["id"], "--yes", code=4)
        server.ctl("deny", entry["id"], "--yes", code=4)
        history = [line["what"] for line in server.json("show", entry["id"])["history"]]
        assert history[:3] == ["entry.held", "entry.comment", "entry.approved"], history


def test_bulk():
    "B7.6 several requests are decided by one command"
    with Server() as server:
        clients = [held(server, f"dev{i}") for i in range(3)]
        chosen = [f"{entry['id']}@{entry['version']}" for _, entry in clients]
        assert server.ctl("list").stdout.count("pending") == 3
        done = server.json("approve", *chosen)
        assert [entry["state"] for entry in done] == ["approved"] * 3, done
        for client, _ in clients:
            assert client.wait() == 0, client.output()
        serials = [cert["serial"] for cert in server.json("cert", "list")]
        assert len(set(serials)) == 3
        server.ctl("cert", "revoke", serials[0][:12], "--yes", "--reason", "superseded")
        assert server.json("cert", "show", serials[0])["status"] == "revoked"
        server.ctl("cert", "revoke", serials[0], "--yes", code=4)
        assert "BEGIN CERTIFICATE" in server.ctl("cert", "show", serials[1], "--pem").stdout


def test_other_users():
    "B7.4 a user who is no operator gets no answer, and is logged"
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")
    with Server() as server:
        os.chmod(server.folder, 0o755)
        os.chmod(server.socket, 0o666)
        tool = shutil.copy(CTL, server.folder / "tool")
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run([*as_nobody, tool, "-s", server.socket, "list"], capture_output=True, text=True)
        assert done.returncode == 1 and "may not" in done.stderr, done
        server.wait_log("ctl.refused uid=65534")
        # A member of a configured group is one, after a reload.
        server.config["control"]["admin_groups"] = ["daemon"]
        server.write()
        server.ctl("reload")
        gid = subprocess.run(["getent", "group", "daemon"], capture_output=True, text=True).stdout.split(":")[2]
        member = ["setpriv", "--reuid=65534", "--regid=65534", f"--groups={gid}"]
        wait_until("the new group may", lambda: subprocess.run(
            [*member, tool, "-s", server.socket, "status"], capture_output=True).returncode == 0)


def test_two_approvals():
    "B7.4 policy wants two operators: one is not enough, the same one twice is one, for a certificate and for a revocation"
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")
    two = {"plugin": "exec", "command": ["/bin/sh", "-c", "echo '{\"approvals\":2}'; exit 3"]}
    with Server(policy=[two], top={"control": {"socket": "ctl.sock", "admin_users": ["nobody"]}}) as server:
        os.chmod(server.folder, 0o755)
        os.chmod(server.socket, 0o666)
        tool = shutil.copy(CTL, server.folder / "tool")
        other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tool, "-s", server.socket]
        secret = server.secret("dev1")
        client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
        entry = server.wait_entry(type="ir", state="pending")
        server.ctl("approve", entry["id"], "--yes")
        server.ctl("approve", entry["id"], "--yes", code=4)
        shown = server.json("show", entry["id"])
        assert shown["state"] == "pending" and shown["approvals_needed"] == 2 and len(shown["approvals"]) == 1, shown
        assert client.running()
        subprocess.run([*other, "approve", entry["id"], "--yes"], check=True, capture_output=True)
        assert client.wait() == 0, client.output()
        revoke = server.enrol("rr", cert=client.certificate, key=client.certificate.with_suffix(".key"),
                              more=["-oldcert", client.certificate])
        entry = server.wait_entry(type="rr", state="pending")
        server.ctl("approve", entry["id"], "--yes")
        assert server.json("show", entry["id"])["state"] == "pending"
        subprocess.run([*other, "approve", entry["id"], "--yes"], check=True, capture_output=True)
        assert server.json("show", entry["id"])["state"] in ("approved", "done")
        revoke.kill()


def test_hostile_frames():
    "B8.6 garbage on the control socket harms nobody"
    with Server(top={"control": {"socket": "ctl.sock"}, "limits": {"control_connections": 4}}) as server:
        frames = [b"\xff" * 4, b"\0\0\0\2[]", b"\0\0\0\2{}", os.urandom(100), struct.pack(">I", 65536) + b"[" * 65536]
        for frame in frames * 3:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(20)
                peer.connect(str(server.socket))
                peer.sendall(frame)
                head = peer.recv(4)
                if len(head) == 4:
                    assert json.loads(peer.recv(struct.unpack(">I", head)[0]))["ok"] is False
        silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for peer in silent:
            peer.connect(str(server.socket))
        assert server.json("status")["workers"] == 2
        for peer in silent:
            peer.close()


def test_reload_and_backup():
    "B8.5 reload with a broken file says why and changes nothing; a backup is a file in the configured folder only"
    with Server() as server:
        refused = server.ctl("backup", "one.mdb", code=1)
        assert "backup_dir" in str(refused.stderr), refused
        good = server.conf.read_text()
        server.conf.write_text("state_dir = ;\n")
        refused = server.ctl("reload", code=1)
        assert "cmpd.conf:1" in str(refused.stderr), refused
        server.conf.write_text(good)
        folder = server.folder / "backup"
        folder.mkdir()
        server.config["control"]["backup_dir"] = str(folder)
        server.write()
        server.ctl("reload")
        server.secret("dev1")
        done = server.json("backup", "one.mdb")
        assert done["bytes"] > 0 and (folder / "one.mdb").stat().st_size == done["bytes"], done
        assert [path.name for path in folder.iterdir()] == ["one.mdb"]
        server.ctl("backup", "one.mdb", code=4)
        server.ctl("backup", "../two.mdb", code=2)


main(globals())
