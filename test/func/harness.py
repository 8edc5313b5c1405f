"""The harness of the functional tests: real cmpd, real `openssl cmp`, real nginx, own folder, own port.

A test script is a file test/func/test_NAME.py (listed in meson.build beside it):

    from harness import Server, main

    def test_held_then_approved():
        "B1.1 an ir is held, approved by the operator, collected and confirmed"
        with Server() as server:                        # cmpd runs and is ready
            secret = server.secret("dev1")
            client = server.enrol("ir", ref="dev1", secret=secret, subject="/CN=dev1")
            entry = server.wait_entry(state="pending")  # as `cmpd-ctl list --json` shows it
            server.kill(); server.start()               # kill -9 and the same command again
            server.ctl("approve", entry["id"], "--yes")
            assert client.wait() == 0, client.output()
            server.verify(client.certificate)

    main(globals())

Every function named test_... becomes one TAP point named by its doc string, in the order of the file; a
failed assertion prints the trace and the end of the logs. Tests of one file run one after the other, the files
run side by side. A test that cannot run here raises Skip("why").

Server(endpoint={...}, profile={...}, top={...}, policy=[...], unix=True, valgrind=True)
    makes a folder with a CA (server.ca), a CMP signer, a store key and cmpd.conf, and starts cmpd. The first
    three merge keys into that group of the configuration (top: the top level, "limits" and "control" included);
    policy is the chain of the endpoint; endpoints, profiles and cas replace whole lists. server.write() writes the
    file again after a change of server.config, server.reload() sends SIGHUP.
    start(), stop() (SIGTERM, must end with 0), kill() (-9): by pid. stop() and the end of the with-block look
    for reports of the sanitizers in the log and fail the test if there are any.
    pass_time(seconds) moves the clock of cmpd-test; log(), wait_log(pattern), cpu_seconds(), rss_bytes(), pid, port, health_port, folder, conf, socket, ca
ctl(*args, code=0) runs cmpd-ctl and checks the exit status; json(*args) gives what --json prints.
enrol(command, ...) starts `openssl cmp` in the background: a Client with wait(), certificate, key, output().
    It trusts the server's CA, makes a new key and polls up to 60 s. Keywords: ref and secret, or cert and key (and
    untrusted); subject, implicit, path, more=[further options]; port for a proxy in front; openssl: another program.
post(body, path=..., port=...) sends bytes and returns (status, headers, body): for repeating recorded requests
    (more=["-reqout", FILE]) and for hostile ones.
Ca(folder, name) makes a CA with `openssl`; issue(subject) gives a (certificate, key) pair of files, for vendor
    certificates: Server(trust=[ca.certificate]).
Nginx(server, keepalive=False) is a proxy in front: with Nginx(server) as proxy: ... port=proxy.port
Relay(server, pass_on) is one too, made of Python: for each message of a client it calls pass_on(path, body), which
    gives the answer's bytes (None: the connection is closed), by default by one post() to the server.

The meson file gives the programs in the environment: CMPD, CMPD_TEST (cmpd-test, with a clock that can be moved: this
one is started), CMPD_CTL, CMPD_PLUGINS, and CMPD_SANITIZE (b_sanitize); OPENSSL may name another openssl. By hand:
    CMPD_TEST=build/src/daemon/cmpd-test CMPD_CTL=build/src/cmpd-ctl/cmpd-ctl python3 test_x.py [test_name]
CMPD_KEEP=1 keeps the folders.
"""
import atexit
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

CMPD = os.environ.get("CMPD", "cmpd")
CMPD_TEST = os.environ.get("CMPD_TEST", CMPD)
CTL = os.environ.get("CMPD_CTL", "cmpd-ctl")
PLUGINS = os.environ.get("CMPD_PLUGINS")
OPENSSL = os.environ.get("OPENSSL", "openssl")
SANITIZE = os.environ.get("CMPD_SANITIZE", "none")
PATIENCE = float(os.environ.get("CMPD_PATIENCE", "30"))
PATH = "/.well-known/cmp"
REPORTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"LeakSanitizer: detected|ERROR SUMMARY: [1-9]")


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def run(*argv, code=0, **options):
    """Runs a program to its end and checks the exit status (None: any)."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=4 * PATIENCE, **options)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit status {done.returncode}, not {code}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def wait_until(what, condition, patience=PATIENCE, pause=0.03):
    """Calls condition until it gives something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}")
        time.sleep(pause)


taken = set()


def free_port():
    """A port that nobody has, below those the system gives to clients."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            return port
    raise Skip("no free port")


def libconfig(value, indent=0):
    """A Python value in libconfig syntax: dict, list of dicts or of scalars, str, int, bool."""
    pad = "\t" * (indent + 1)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = "".join(f"{pad}{k} = {libconfig(v, indent + 1)};\n" for k, v in value.items())
        return "{\n" + inner + "\t" * indent + "}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(v, dict) for v in value):
            return "( " + ", ".join(libconfig(v, indent) for v in value) + " )"
        return "[ " + ", ".join(libconfig(v) for v in value) + " ]"
    if isinstance(value, int):
        return f"{value}L" if abs(value) > 2**31 - 1 else str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def second_openssl(folder):
    """A program that is the openssl of another root folder, with its own libraries, on these files."""
    root = os.environ.get("CMPD_OPENSSL2")
    if not root:
        raise Skip("CMPD_OPENSSL2 names no folder")
    libs = [p.parent for p in pathlib.Path(root, "usr/lib").glob("*/libcrypto.so.3")]
    loader = next(iter(pathlib.Path(root).glob("lib*/ld-linux*")), None)
    if not libs or not loader:
        raise Skip(f"no openssl in {root}")
    program = pathlib.Path(folder, "openssl2")
    program.write_text(f"#!/bin/sh\nexport OPENSSL_CONF={root}/etc/ssl/openssl.cnf OPENSSL_MODULES={libs[0]}/ossl-modules\n"
                       f"exec {loader} --library-path {libs[0]} {root}/usr/bin/openssl \"$@\"\n")
    program.chmod(0o755)
    return program


def openssl_version(program):
    return tuple(map(int, re.search(r"OpenSSL (\d+)\.(\d+)", run(program, "version").stdout).groups()))


def modern_openssl(folder):
    """An openssl from 3.5 on: the machine's own, or that of CMPD_OPENSSL2."""
    return OPENSSL if openssl_version(OPENSSL) >= (3, 5) else second_openssl(folder)


class Ca:
    """A certification authority made with the stock tool: certificate, key, issue()."""

    def __init__(self, folder, name="CA", subject=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self.count = 0
        self.subject = subject or f"/CN={name}"
        run(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.key, "-out", self.certificate, "-subj", self.subject, "-days", "30",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, subject, key="ec", days=10, usage="digitalSignature", extensions=""):
        """A certificate under this CA: (certificate file, key file). key: "ec", "ec:P-384", "rsa:2048"."""
        self.count += 1
        base = self.folder / f"{self.certificate.stem}-{self.count}"
        files = base.with_suffix(".pem"), base.with_suffix(".key")
        kind, _, size = key.partition(":")
        option = f"rsa_keygen_bits:{size or 2048}" if kind == "rsa" else f"ec_paramgen_curve:{size or 'P-256'}"
        run(OPENSSL, "genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", files[1])
        run(OPENSSL, "req", "-new", "-key", files[1], "-subj", subject, "-out", f"{base}.csr")
        extfile = pathlib.Path(f"{base}.ext")
        extfile.write_text(f"keyUsage=critical,{usage}\nsubjectKeyIdentifier=hash\n"
                           f"authorityKeyIdentifier=keyid\n{extensions}\n")
        run(OPENSSL, "x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey", self.key,
            "-set_serial", str(random.getrandbits(100)), "-days", days, "-extfile", extfile, "-out", files[0])
        return files


class Client:
    """One `openssl cmp` in the background."""

    def __init__(self, argv, base):
        self.certificate, self.key, self.log = base.with_suffix(".pem"), base.with_suffix(".key"), base.with_suffix(".log")
        self.argv = [str(a) for a in argv]
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env=environment)

    def wait(self, patience=2 * PATIENCE):
        """The exit status, when the client has ended; 0 is a certificate received and confirmed."""
        return self.process.wait(patience)

    def running(self):
        return self.process.poll() is None

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()

    def output(self):
        return self.log.read_text(errors="replace")


class Server:
    """cmpd in a folder of its own. See the text at the top of the file."""

    everyone = []

    def __init__(self, endpoint=None, profile=None, top=None, policy=None, trust=None, unix=False,
                 valgrind=False, start=True, **lists):
        if valgrind and not shutil.which("valgrind"):
            raise Skip("valgrind is not here")
        if valgrind and SANITIZE != "none":
            raise Skip("valgrind and sanitizers do not go together")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cmpd-"))
        self.process, self.clients, self.count = None, [], 0
        self.port, self.health_port = free_port(), free_port()
        self.conf, self.socket = self.folder / "cmpd.conf", self.folder / "ctl.sock"
        self.http_socket = self.folder / "http.sock" if unix else None
        self.log_file = self.folder / "cmpd.log"
        self.wrapper = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
                        "--errors-for-leak-kinds=definite", "--num-callers=30"] if valgrind else []
        self.clock = self.folder / "clock"
        self.clock.write_bytes(bytes(16))
        self.ca = Ca(self.folder / "ca", "ca", "/O=cmpd test/CN=Test CA")
        signer = self.ca.issue("/O=cmpd test/CN=CMP signer", extensions="extendedKeyUsage=1.3.6.1.5.5.7.3.28")
        self.signer = self.folder / "signer.pem"
        shutil.copy(signer[0], self.signer)
        (self.folder / "state").mkdir()
        store_key = self.folder / "state" / "store.key"
        store_key.touch(mode=0o600)
        store_key.write_bytes(os.urandom(32))
        self.config = self.default_config(signer[1], unix)
        self.merge(self.config["endpoints"][0], endpoint)
        self.merge(self.config["profiles"][0], profile)
        self.merge(self.config, top)
        if policy is not None:
            self.config["endpoints"][0]["policy"] = policy
        if trust is not None:
            self.config["endpoints"][0]["trust"] = [str(t) for t in trust]
        self.config.update(lists)
        self.write()
        self.everyone.append(self)
        if start:
            self.start()

    def default_config(self, signer_key, unix):
        config = {
            "state_dir": "state",
            "listen": [f"127.0.0.1:{self.port}"] + ([f"unix:{self.http_socket}"] if unix else []),
            "health": f"127.0.0.1:{self.health_port}",
            "workers": 2,
            "log_level": "debug",
            "control": {"socket": str(self.socket)},
            "store": {"map_size": 1 << 30},
            "cas": [{"name": "main", "certificate": str(self.ca.certificate), "key": str(self.ca.key)}],
            "profiles": [{"name": "device", "ca": "main", "validity": "90d",
                          "key_usage": ["digitalSignature"], "extended_key_usage": ["clientAuth"],
                          "allowed_keys": ["ec:P-256", "ec:P-384", "rsa:2048"], "san": ["dns"]}],
            "endpoints": [{"path": PATH, "profile": "device",
                           "signer": {"certificate": str(self.signer), "key": str(signer_key)},
                           "check_after": 1, "confirm": "implicit",
                           "same_key": ["ir", "cr", "kur", "p10cr"]}],
        }
        if PLUGINS:
            config["plugin_dir"] = PLUGINS
        return config

    @staticmethod
    def merge(group, extra):
        for key, value in (extra or {}).items():
            if isinstance(value, dict) and isinstance(group.get(key), dict):
                group[key].update(value)
            else:
                group[key] = value

    def write(self):
        """Writes cmpd.conf from self.config."""
        self.conf.write_text("".join(f"{k} = {libconfig(v)};\n" for k, v in self.config.items()))

    # -- the process

    def start(self, wait=True):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, CMPD_TEST, "-c", str(self.conf)], cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "CMPD_TEST_CLOCK": str(self.clock)})
        if wait:
            wait_until("cmpd is ready", self.ready, 4 * PATIENCE if self.wrapper else PATIENCE)
        return self

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def ready(self):
        if not self.running():
            raise AssertionError(f"cmpd ended with {self.process.returncode}\n{self.log()}")
        try:
            return self.get("/readyz", self.health_port)[0] == 200
        except OSError:
            return False

    def kill(self):
        """kill -9: what was promised must be there after start()."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; cmpd finishes what is under way and ends with 0."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(4 * PATIENCE if self.wrapper else PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("cmpd did not end after SIGTERM") from None
            assert self.process.returncode == 0, f"cmpd ended with {self.process.returncode}"
        found = REPORTS.search(self.log())
        assert not found, f"in the log: {found.group(0)}"

    def pass_time(self, seconds, wall=True, mono=True):
        """Moves the clocks of the running cmpd (and of later ones); timers of its event loop do not notice."""
        clocks = list(struct.unpack("=qq", self.clock.read_bytes()))
        for i, moves in enumerate((wall, mono)):
            clocks[i] += int(seconds * 1000) if moves else 0
        with open(self.clock, "r+b") as file:  # the same file: cmpd has it mapped
            file.write(struct.pack("=qq", *clocks))

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_log(self, pattern, patience=PATIENCE):
        """The first match of a regular expression in the log, waiting for it."""
        return wait_until(f"log line {pattern}", lambda: re.search(pattern, self.log(), re.M), patience)

    def cpu_seconds(self):
        """User and system time of cmpd so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        """Anonymous memory of cmpd: the page cache of the store does not count."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(re.search(r"RssAnon:\s*(\d+)", status).group(1))

    # -- the operator

    def ctl(self, *args, code=0):
        return run(CTL, "-s", self.socket, *args, code=code)

    def json(self, *args):
        return json.loads(self.ctl("--json", *args).stdout)

    def secret(self, ref, *args):
        """Adds a secret for a reference value and returns it."""
        return self.json("secret", "add", ref, *args)["secret"]

    def entries(self, **want):
        """What list --json shows, filtered by equal fields: entries(state="pending", subject="/CN=a")."""
        return [e for e in self.json("list", "-n", "10000") if all(e[k] == v for k, v in want.items())]

    def wait_entry(self, **want):
        return wait_until(f"an entry with {want}", lambda: self.entries(**want))[0]

    # -- clients

    def enrol(self, command, ref=None, secret=None, cert=None, key=None, untrusted=None, subject=None,
              implicit=False, path=PATH, port=None, newkey=True, patience=60, more=(), trusted=None,
              openssl=None):
        self.count += 1
        base = self.folder / f"client{self.count}"
        argv = [openssl or OPENSSL, "cmp", "-config", "", "-cmd", command,
                "-server", f"127.0.0.1:{port or self.port}",
                "-path", path.lstrip("/"), "-trusted", trusted or self.ca.certificate,
                "-total_timeout", patience, "-msg_timeout", min(30, patience), "-certout", base.with_suffix(".pem")]
        if ref is not None:
            argv += ["-ref", ref, "-secret", f"pass:{secret}"]
        if cert is not None:
            argv += ["-cert", cert, "-key", key]
            argv += ["-untrusted", untrusted or self.ca.certificate]
        if newkey and command in ("ir", "cr", "kur"):
            run(OPENSSL, "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", base.with_suffix(".key"))
            argv += ["-newkey", base.with_suffix(".key")]
        if subject is not None:
            argv += ["-subject", subject]
        if implicit:
            argv += ["-implicit_confirm"]
        if cert is None:
            argv += ["-recipient", "/O=cmpd test/CN=Test CA"]
        client = Client(argv + list(more), base)
        self.clients.append(client)
        return client

    def post(self, body, path=PATH, port=None, headers=None):
        """POSTs bytes on a fresh connection: (status, headers, body)."""
        return self.request("POST", path, port or self.port, body,
                            {"Content-Type": "application/pkixcmp", **(headers or {})})

    def get(self, path, port=None):
        return self.request("GET", path, port or self.port)

    @staticmethod
    def request(method, path, port, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def verify(self, certificate):
        """`openssl verify` accepts the certificate under the server's CA; its text is returned."""
        run(OPENSSL, "verify", "-CAfile", self.ca.certificate, certificate)
        return run(OPENSSL, "x509", "-in", certificate, "-noout", "-text").stdout

    # -- the end

    def close(self):
        for client in self.clients:
            client.kill()
        if self.running():
            self.kill()
        if not os.environ.get("CMPD_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.stop()
        except AssertionError as late:
            kind = error = late
            raise
        finally:
            if error is not None and kind is not Skip:
                error.harness_logs = self.tail()
            self.close()

    def tail(self, lines=40):
        """The ends of all logs, for the report of a failure."""
        text = f"--- {self.log_file}\n" + "\n".join(self.log().splitlines()[-lines:]) + "\n"
        for client in self.clients[-3:]:
            text += f"--- {' '.join(client.argv)}\n" + "\n".join(client.output().splitlines()[-12:]) + "\n"
        return text


class Nginx:
    """A real nginx in front of a server; by default with a new upstream connection for every message."""

    def __init__(self, server, keepalive=False):
        self.program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not self.program:
            raise Skip("nginx is not here")
        self.server, self.port = server, free_port()
        self.folder = server.folder / f"nginx{self.port}"
        self.folder.mkdir()
        upstream = f"unix:{server.http_socket}" if server.http_socket else f"127.0.0.1:{server.port}"
        keep = 'proxy_http_version 1.1; proxy_set_header Connection "";' if keepalive else ""
        temps = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {self.folder}/pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
{temps}access_log {self.folder}/access.log; client_max_body_size 256k;
upstream cmpd {{ server {upstream}; {"keepalive 8;" if keepalive else ""} }}
server {{ listen 127.0.0.1:{self.port}; location /.well-known/cmp {{ {keep} proxy_pass http://cmpd; }} }}
}}
""")
        with open(self.folder / "error.log", "wb") as log:
            self.process = subprocess.Popen([self.program, "-c", str(self.folder / "nginx.conf")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("nginx listens", self.listening)

    def listening(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "error.log").read_text())
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self):
        """Lines of the access log so far."""
        path = self.folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Relay:
    """A proxy in front whose way of passing messages on is the test's own."""

    def __init__(self, server, pass_on=None):
        self.server, self.pass_on, self.error = server, pass_on or self.plainly, None
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    answer = relay.pass_on(self.path, body)
                except Exception as error:  # pylint: disable=broad-except
                    relay.error, answer = error, None
                self.close_connection = True
                if answer is None:
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/pkixcmp")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def plainly(self, path, body):
        status, _, answer = self.server.post(body, path)
        assert status == 200, (status, answer)
        return answer

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.http.shutdown()
        self.http.server_close()
        if self.error and kind is None:
            raise self.error


@atexit.register
def clean_up():
    for server in Server.everyone:
        server.close()


def main(names):
    """Runs the tests of a script (all, or those named on the command line) and prints TAP."""
    sys.stdout.reconfigure(line_buffering=True)
    wanted = sys.argv[1:]
    tests = [f for n, f in names.items() if n.startswith("test_") and callable(f) and (not wanted or n in wanted)]
    bad = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        title = (test.__doc__ or test.__name__).strip().split("\n")[0]
        try:
            test()
            print(f"ok {number} - {title}")
        except Skip as why:
            print(f"ok {number} - {title} # SKIP {why}")
        except Exception as error:  # pylint: disable=broad-except
            bad += 1
            print(f"not ok {number} - {title}")
            text = traceback.format_exc() + getattr(error, "harness_logs", "")
            print(text, file=sys.stderr, flush=True)
    sys.exit(1 if bad else 0)
