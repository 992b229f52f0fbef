#!/usr/bin/env python3
"""`hrp ops` beside a live stack, judged from outside: curl, a browser, promtool, schemathesis, raw sockets, wrk.

    ops.py HRP [--short] [--pictures DIR] [--schemathesis PROGRAM]

A stack of 60 backups is made; a program writes to its database and commits all the time. Parts: the guide's steps before
and after a restore, word for word; the page in a headless Chromium, wide, on a phone and dark; requests of strangers over
raw sockets; the OpenAPI document against schemathesis; metrics and alerts by promtool; actions; 200 slow clients; what
readiness says of a flipped byte, a missing file and a foreign WAL; restores and engines beside a server that reads all blocks. What is not installed is said, and not judged.
--short makes 12 backups, fewer requests, and fewer cases.
"""
import argparse, concurrent.futures, html, http.client, json, os, pathlib, random, re, shutil, signal, socket, subprocess, sys
import tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "Tests/Acceptance"), str(ROOT / "Tests/Promises")]
TOKEN = "a-token-of-this-test-0123456789"
WRITER = """
import duckdb, sys, time
c = duckdb.connect(sys.argv[1])
c.execute("CREATE TABLE IF NOT EXISTS w(i INTEGER, t VARCHAR)")
print("begun", flush=True)
n = 0
while True:
    n += 1
    c.execute("INSERT INTO w VALUES (?, ?)", (n, "x" * 200))
    if n % 400 == 0: c.execute("CHECKPOINT")
    time.sleep(0.005)
"""
MAKE = """
import duckdb, sys
c = duckdb.connect(sys.argv[1])
for name in ("symbols", "prices", "features", "hypotheses", "lineage", "universe"):
    c.execute(f"CREATE TABLE {name} AS SELECT range i, random() r, 'AAPL' symbol FROM range(40000)")
"""


class Run:
    def __init__(self, options):
        self.options, self.bad, self.hrp = options, [], options.hrp
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hrp-ops."))
        self.data = self.home / "lab"
        self.environment = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "HRP_DATA_DIR": str(self.data), "TZ": "UTC",
            "HRP_DUCKDB_LIBRARY": str(next((ROOT / ".deps/lib").glob("libduckdb.*"), "")), "LC_ALL": "C.UTF-8"}
        self.server = self.writer = None

    # --- saying

    def check(self, is_right, what):
        if not is_right:
            self.bad.append(what)
            print(f"  bad: {what}", flush=True)
        return is_right

    def part(self, words):
        print(f"- {words}", flush=True)

    # --- the stack

    def command(self, *words, at=None):
        prefix = ["faketime", at] if at else []
        done = subprocess.run([*prefix, self.hrp, *words], env=self.environment, text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def make_stack(self, count):
        (self.data / "mlflow/mlruns/0").mkdir(parents=True)
        (self.data / "config").mkdir()
        (self.data / "mlflow/mlruns/0/meta.yaml").write_text("name: Default\n")
        subprocess.run(["sqlite3", str(self.data / "mlflow/mlflow.db"), "CREATE TABLE experiments(id INTEGER)"], check=True)
        subprocess.run([sys.executable, "-c", MAKE, str(self.data / "hrp.duckdb")], check=True)
        now = time.time()
        for number in range(count):
            at = None
            if shutil.which("faketime") and number < count - 1:
                at = time.strftime("%Y-%m-%d 02:00:00", time.gmtime(now - (count - 1 - number) * 86400))
            elif number:
                time.sleep(1)
            code, _, errors = self.command("backup", "create", "-q", at=at)
            self.check(code == 0, f"backup {number} failed: {errors}")
        for name in ("latest", str(count // 2)):
            code, said, errors = self.command("backup", "drill", name)
            self.check(code == 0, f"drill of {name}: {said} {errors}")
        damaged = sorted((self.data / "backups").glob("backup_*"))[count // 3]
        os.chmod(damaged / "hrp.duckdb", 0o644)
        with open(damaged / "hrp.duckdb", "r+b") as file:
            file.seek(300_000)
            file.write(b"damage")
        self.command("backup", "verify", damaged.name)
        (self.data / "config/ops-token").write_text(TOKEN + "\n")
        os.chmod(self.data / "config/ops-token", 0o600)
        (self.data / "config/hrp.yaml").write_text("ops:\n  token_file: config/ops-token\n  allowed_hosts: box.example.org\n")
        (self.data / "config/thresholds.yaml").write_text("freshness_warning_days: 2\n")

    def start_writer(self):
        self.writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(self.data / "hrp.duckdb")], stdout=subprocess.PIPE, text=True)
        assert self.writer.stdout.readline() == "begun\n"

    def stop_writer(self):
        if self.writer:
            self.check(self.writer.poll() is None, "the writer ended by itself")
            self.writer.kill()
            self.writer.wait()
            self.writer = None

    # --- the server

    def start(self, port=0):
        self.server = subprocess.Popen(
            [self.hrp, "ops", "--port", str(port)], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        line = self.server.stdout.readline()
        found = re.fullmatch(r"Starting HRP Ops Server on 127\.0\.0\.1:(\d+)\n", line)
        if not self.check(found, f"the server said {line!r}"):
            sys.exit(1)
        self.port = int(found[1])
        self.address = f"http://127.0.0.1:{self.port}/"

    def stop(self, number=signal.SIGTERM):
        self.server.send_signal(number)
        try:
            self.check(self.server.wait(20) == 0, f"the server ended with {self.server.returncode}")
        except subprocess.TimeoutExpired:
            self.check(False, "the server did not end after a signal")
            self.server.kill()
        self.server.stdout.close()

    def get(self, path, method="GET", body=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict((k.lower(), v) for k, v in answer.getheaders())
        finally:
            connection.close()

    def ready(self, query=""):
        status, body, _ = self.get("/ready" + query)
        return status, json.loads(body)

    def raw(self, data, seconds=15):
        """What comes back for bytes as they are, up to the end of the connection or a pause."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.settimeout(seconds)
            answer = b""
            try:
                client.sendall(data)
                while True:
                    got = client.recv(1 << 16)
                    if not got:
                        break
                    answer += got
                    client.settimeout(0.5)
            except TimeoutError:
                pass
            except ConnectionError:
                answer += b"" if answer else b"reset"
            return answer.decode("latin-1")

    # --- the parts

    def guide(self):
        self.part("the guide's steps before and after a restore, with curl")
        # The guide's port, where nobody else has it.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", 8080))
                port = 8080
            except OSError:
                port = self.port
        script = f"""
set -e
hrp ops --port {port} & server=$!
sleep 2
echo "== before"
curl -s http://localhost:{port}/health; echo
curl -s http://localhost:{port}/ready; echo
hrp backup --verify "$BACKUP"
hrp backup --restore "$BACKUP"
kill $server; wait $server
hrp ops --port {port} & server=$!
sleep 2
echo "== after"
curl -s http://localhost:{port}/health; echo
curl -s http://localhost:{port}/ready; echo
hrp validate
kill $server; wait $server
"""
        backup = sorted((self.data / "backups").glob("backup_*"))[-1]
        (self.home / "bin").mkdir()
        (self.home / "bin/hrp").symlink_to(self.hrp)
        path = f"{self.home / 'bin'}:{self.environment['PATH']}"
        done = subprocess.run(["bash", "-c", script], env={**self.environment, "PATH": path, "BACKUP": str(backup)},
                              text=True, capture_output=True, timeout=120)
        self.check(done.returncode == 0, f"the steps ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        lines = done.stdout.splitlines()
        for mark in ("== before", "== after"):
            if not self.check(mark in lines, f"no {mark}"):
                return
            health, ready = lines[lines.index(mark) + 1], lines[lines.index(mark) + 2]
            self.check(health.startswith('{"status":"ok","timestamp":"'), f"health {mark}: {health}")
            self.check(ready.startswith('{"status":"ready","timestamp":"') and '"checks":{"database":"ok","api":"ok"' in ready,
                       f"ready {mark}: {ready}")
        for line in ("✓ Backup verified successfully", "Restoring from backup...", "✓ Restored hrp.duckdb",
                     "✓ Restored mlruns/", "Restore complete!", "Status: ok", "Database: ok"):
            self.check(line in lines, f"the steps did not say {line!r}")
        reports = sorted((self.data / "logs").glob("restore_*.json"))
        if not self.check(reports, "no report of the restore"):
            return
        report = json.loads(reports[-1].read_text())
        for key in ("answers_before", "answers_after"):
            answers = report.get(key, {})
            self.check(answers.get("health", {}).get("status") == "ok" and answers.get("ready", {}).get("status") == "ready"
                       and answers["ready"]["checks"]["database"] == "ok", f"{key} of the report: {answers}")

    def bodies(self):
        self.part("the platform's bodies, codes and fields")
        status, body, fields = self.get("/health")
        self.check(status == 200 and re.fullmatch(
            r'\{"status":"ok","timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"\}', body), f"/health: {body}")
        self.check(fields["content-type"] == "application/json", fields["content-type"])
        status, body, fields = self.get("/metrics")
        self.check(fields["content-type"] == "text/plain; version=1.0.0; charset=utf-8", fields["content-type"])
        for name in ("hrp_http_requests_total", "hrp_http_request_duration_seconds_bucket", "hrp_active_connections",
                     "hrp_system_cpu_percent", "hrp_system_memory_percent", "hrp_system_disk_percent", "hrp_protected",
                     "hrp_backup_last_success_timestamp_seconds", "hrp_backup_last_verified_timestamp_seconds",
                     "hrp_backup_last_drill_timestamp_seconds", "hrp_backup_size_bytes", "hrp_backup_duration_seconds",
                     "hrp_backup_age_seconds", "hrp_backups", "hrp_backup_failures_total",
                     "hrp_backup_next_run_timestamp_seconds", "hrp_backup_rpo_breached", "hrp_backup_free_bytes"):
            self.check(re.search(rf"^{name}[ {{]", body, re.M), f"no metric {name}")
        self.check("backup_2" not in body, "a backup's name is a label")
        for path, code, text in (("/nothing", 404, '{"detail":"Not Found"}'), ("/health/", 404, '{"detail":"Not Found"}')):
            status, body, _ = self.get(path)
            self.check((status, body) == (code, text), f"{path}: {status} {body}")
        for method in ("POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
            status, body, fields = self.get("/health", method)
            self.check(status == 405 and fields.get("allow") == "GET", f"{method} /health: {status} {fields}")
        for path in ("/docs", "/openapi.json", "/", "/page.css", "/page.js", "/api/v1/status", "/api/v1/backups?limit=3",
                     "/api/v1/system", "/api/v1/jobs"):
            status, body, fields = self.get(path)
            self.check(status == 200 and body, f"{path}: {status}")
            self.check("default-src 'none'" in fields["content-security-policy"] and fields["x-frame-options"] == "DENY"
                       and fields["x-content-type-options"] == "nosniff", f"{path}: {fields}")
        self.check(len(self.get("/")[1]) < 150_000, "the page has over 150 KB")
        shown = json.loads(self.get("/api/v1/backups")[1])
        code, listed, _ = self.command("backup", "list", "--json")
        self.check([backup["name"] for backup in shown] == [backup["name"] for backup in json.loads(listed)],
                   "/api/v1/backups and hrp backup list differ")
        self.check(any(backup["proof"] == "failed" for backup in shown) and any(b["proof"] == "proven" for b in shown),
                   "the proofs are not shown")
        failed = [job for job in json.loads(self.get("/api/v1/jobs")[1]) if job["status"] == "failed"]
        self.check(failed and all(job["remedy"] for job in failed) and failed[0]["remedy"] in html.unescape(self.get("/")[1]),
                   f"failed jobs and what to do: {failed}")
        status, body, _ = self.get("/api/v1/system")
        values = {t["key"]: (t["value"], t["source"]) for t in json.loads(body)["thresholds"]}
        self.check(values["freshness_warning_days"] == (2, "line 1") and len(values) == 11, f"thresholds: {values}")
        second = subprocess.run([self.hrp, "ops", "--port", str(self.port)], env=self.environment, text=True, capture_output=True)
        self.check(second.returncode == 1 and "another program listens on" in second.stderr, f"a port in use: {second}")

    def strangers(self):
        self.part("requests of strangers, byte by byte")
        host = f"Host: 127.0.0.1:{self.port}\r\n"
        before = len(list((self.data / "backups").iterdir()))

        def act(**request):
            body = json.dumps(request)
            return (f"POST /api/v1/actions HTTP/1.1\r\n{host}Authorization: Bearer {TOKEN}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")

        cases = [
            ("a foreign name", "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
            ("a foreign name with our port", f"GET / HTTP/1.1\r\nHost: evil.example:{self.port}\r\n\r\n", "403"),
            ("a name that looks like an address", "GET /health HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", "403"),
            ("an allowed name", "GET /health HTTP/1.1\r\nHost: BOX.example.org\r\n\r\n", "200"),
            ("localhost", "GET /health HTTP/1.1\r\nHost: localhost:1234\r\n\r\n", "200"),
            ("an address of version 6", "GET /health HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "200"),
            ("no Host", "GET /health HTTP/1.1\r\n\r\n", "400"),
            ("two Hosts", f"GET /health HTTP/1.1\r\n{host}Host: evil.example\r\n\r\n", "400"),
            ("an empty Host", "GET /health HTTP/1.1\r\nHost: \r\n\r\n", "403"),
            ("HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", "200"),
            ("HTTP/1.0 with a foreign name", "GET /health HTTP/1.0\r\nHost: evil.example\r\n\r\n", "403"),
            ("a path with ..", f"GET /api/v1/backups/../../../etc/passwd HTTP/1.1\r\n{host}\r\n", "404"),
            ("a path with %2e%2e", f"GET /api/v1/backups/%2e%2e%2fhrp.duckdb HTTP/1.1\r\n{host}\r\n", "404"),
            ("a path of ..", f"GET /api/v1/backups/.. HTTP/1.1\r\n{host}\r\n", "404"),
            ("a whole address", f"GET http://evil.example/health HTTP/1.1\r\n{host}\r\n", "403"),
            ("nonsense", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
            ("a field without a name", f"GET /health HTTP/1.1\r\n{host}: x\r\n\r\n", "400"),
            ("fields of 1 MB", f"GET /health HTTP/1.1\r\n{host}" + f"X: {'y' * 1000}\r\n" * 1000 + "\r\n", "4"),
            ("a body that is too large", f"POST /api/v1/actions HTTP/1.1\r\n{host}Content-Length: 10485760\r\n\r\n" + "z" * 10_485_760, "413"),
            ("a chunked body without end", f"POST /api/v1/actions HTTP/1.1\r\n{host}Authorization: Bearer {TOKEN}\r\n"
             "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + ("10000\r\n" + "z" * 65536 + "\r\n") * 8, "413"),
            ("a POST without a token", f"POST /api/v1/actions HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
             "Content-Length: 19\r\n\r\n{\"action\":\"backup\"}", "401"),
            ("a wrong token", f"POST /api/v1/actions HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
             "Authorization: Bearer wrong\r\nContent-Length: 19\r\n\r\n{\"action\":\"backup\"}", "401"),
            ("a form of another site", f"POST /api/v1/actions HTTP/1.1\r\n{host}Origin: https://evil.example\r\n"
             f"Authorization: Bearer {TOKEN}\r\nContent-Type: text/plain\r\nContent-Length: 19\r\n\r\n{{\"action\":\"backup\"}}", "403"),
            ("a request that a browser calls cross-site", f"POST /api/v1/actions HTTP/1.1\r\n{host}Sec-Fetch-Site: cross-site\r\n"
             f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n{{\"action\":\"backup\"}}", "403"),
            ("a form", f"POST /api/v1/actions HTTP/1.1\r\n{host}Authorization: Bearer {TOKEN}\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\naction=backup", "415"),
            ("a backup that is a path", act(action="drill", backup="/etc/../tmp/backup_1"), "404"),
            ("a backup that is a flag", act(action="pin", backup="--data-dir"), "404"),
            ("a reason with a line feed", act(action="pin", reason="a\nb"), "422"),
            ("a restore", act(action="restore"), "422"),
            ("a full pass through a proxy", f"GET /ready?blocks=all HTTP/1.1\r\n{host}X-Forwarded-For: 10.0.0.1\r\n\r\n", "403"),
        ]
        for words, request, code in cases:
            answer = self.raw(request.encode("latin-1"))
            self.check(answer.startswith(f"HTTP/1.1 {code}") or answer.startswith(f"HTTP/1.0 {code}"),
                       f"{words}: {answer[:120]!r}, expected {code}")
            self.check(TOKEN not in answer, f"{words}: the answer holds the token")
        many = self.raw(f"GET /health HTTP/1.1\r\n{host}\r\n".encode() * 50)
        self.check(many.count("HTTP/1.1 200") == 50, f"50 requests at once: {many.count('HTTP/1.1 200')} answers")
        half = self.raw(f"GET /health HTTP/1.1\r\n{host}".encode(), seconds=14)
        self.check(half == "", f"half a request: {half[:80]!r}")
        self.check(len(list((self.data / "backups").iterdir())) == before, "a stranger's request made or removed a backup")
        self.check(self.get("/health")[0] == 200, "no health after the strangers")

    def slow_clients(self, count=200):
        self.part(f"{count} slow clients")
        clients = []
        for number in range(count):
            client = socket.create_connection(("127.0.0.1", self.port), 10)
            client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "[: 10 + number % 40])
            clients.append(client)
        for _ in range(20):
            self.check(self.get("/health")[0] == 200, "no health beside slow clients")
        # A byte now and then does not begin their time anew.
        ended, end = 0, time.monotonic() + 25
        while clients and time.monotonic() < end:
            for client in list(clients):
                try:
                    client.sendall(b"x")
                    client.setblocking(False)
                    gone = client.recv(4096) == b""
                    client.setblocking(True)
                except BlockingIOError:
                    client.setblocking(True)
                    gone = False
                except OSError:
                    gone = True
                if gone:
                    client.close()
                    clients.remove(client)
                    ended += 1
            time.sleep(0.5)
        self.check(not clients, f"{len(clients)} of {count} slow clients were not dropped")
        for client in clients:
            client.close()

    def browser(self):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            return print("  not judged: there is no Chromium")
        self.part("the page in a headless Chromium")
        from browser import Browser
        pictures = self.options.pictures or self.home / "pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        chromium = Browser(program)
        try:
            for name, width, height, dark in (("wide", 1280, 1600, False), ("phone", 390, 1600, False), ("dark", 1280, 1600, True),
                                              ("phone-dark", 390, 1600, True)):
                problems, controls, least = chromium.look(
                    self.address, width, height, dark, pictures / f"{name}.png", phone=name.startswith("phone"))
                for problem in problems:
                    self.check(False, f"{name}: {problem}")
                print(f"  {name}: {controls} controls with names, least contrast {least:.1f} : 1, {pictures / (name + '.png')}")
        finally:
            chromium.close()

    def prometheus(self):
        if not shutil.which("promtool"):
            return print("  not judged: there is no promtool")
        self.part("promtool: metrics and alerts")
        metrics = self.get("/metrics")[1]
        rules = ROOT / "deploy/prometheus"
        for words, given in ((["check", "metrics"], metrics), (["check", "rules", str(rules / "hrp-alerts.yaml")], ""),
                             (["test", "rules", str(rules / "hrp-alerts-test.yaml")], "")):
            done = subprocess.run(["promtool", *words], input=given, text=True, capture_output=True)
            self.check(done.returncode == 0, f"promtool {words}: {done.stdout} {done.stderr}")
        # Every metric that an alert or the dashboard names is one that the server has, or may have.
        named = set(re.findall(r"\bhrp_[a-z_]+", (rules / "hrp-alerts.yaml").read_text() + (ROOT / "deploy/grafana/hrp.json").read_text()))
        known = set(re.findall(r"^# TYPE (\S+)", metrics, re.M)) | {"hrp_place_ok"}
        known |= {name + "_bucket" for name in known}
        self.check(named <= known, f"metrics that do not exist: {named - known}")

    def schema(self):
        program = self.options.schemathesis and self.options.schemathesis.absolute()
        if not program or not program.exists():
            return print("  not judged: there is no schemathesis")
        self.part("schemathesis against the OpenAPI document")
        done = subprocess.run(
            [str(program), "run", self.address + "openapi.json", "--max-examples", "10" if self.options.short else "100",
             "-H", f"Authorization: Bearer {TOKEN}", "--no-color", "--seed", "14"], text=True, capture_output=True,
            cwd=self.home)
        self.check(done.returncode == 0, f"schemathesis: {done.stdout[-4000:]} {done.stderr[-1000:]}")
        print("  " + next((line for line in done.stdout.splitlines() if "generated" in line), "").strip())
        self.settle()

    def settle(self):
        """Waits until no action runs."""
        fields = {"Authorization": f"Bearer {TOKEN}"}
        while any(a["state"] == "running" for a in json.loads(self.get("/api/v1/actions", **fields)[1])):
            time.sleep(0.2)

    def actions(self):
        self.part("actions")
        self.settle()
        fields = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        for request in ({"action": "backup"}, {"action": "verify", "level": "checksums"}, {"action": "drill"},
                        {"action": "pin", "reason": "a paper"}):
            status, body, answer = self.get("/api/v1/actions", "POST", json.dumps(request), **fields)
            if not self.check(status == 202, f"{request}: {status} {body}"):
                continue
            second, why, _ = self.get("/api/v1/actions", "POST", json.dumps(request), **fields)
            self.settle()
            record = json.loads(self.get(answer["location"], **fields)[1])
            self.check(record["state"] == "completed" and record["exit_code"] == 0, f"{request}: {record}")
            # A short action may be done before the second one comes.
            self.check(second in (409, 202), f"the second {request}: {second} {why}")
            json.loads(record["output"])
        newest = json.loads(self.get("/api/v1/backups?limit=1")[1])[0]
        self.check(newest["pinned"] and newest["proof"] == "proven", f"after the actions: {newest}")
        log = (self.data / "logs/backup.log").read_text()
        self.check(TOKEN not in log, "the token stands in a log")

    def truth(self):
        self.part("readiness beside a writer, and what it says of damage")
        from formats import Database
        states = set()
        for _ in range(40):
            status, ready = self.ready()
            self.check(status == 200, f"beside a writer: {ready['checks']}")
            states.add((ready["database"]["iteration"], ready["database"]["wal_bytes"]))
            time.sleep(0.05)
        self.check(len(states) > 5, f"the answer does not move with the data: {states}")
        holder = ready["database"]["holder"]
        self.check(holder and holder["pid"] == self.writer.pid and holder["may_write"], f"holder: {holder}")
        database = self.data / "hrp.duckdb"
        for _ in range(1 if self.options.short else 5):
            parsed = Database(database)
            block = random.choice(sorted(parsed.used - parsed.metadata))
            offset = parsed.offset(block) + random.randrange(100, parsed.size)
            with open(database, "r+b", buffering=0) as file:
                byte = os.pread(file.fileno(), 1, offset)
                os.pwrite(file.fileno(), bytes([byte[0] ^ 0x10]), offset)
                os.fsync(file.fileno())
                status, ready = self.ready("?blocks=all")
                named = ready["scrub"]["damaged_blocks"]
                # The writer may have let go of the block meanwhile.
                if status == 200 and block not in Database(database).used:
                    continue
                self.check(status == 503 and block in named and f"{block}" in ready["checks"]["blocks"],
                           f"block {block} is damaged: {status} {ready['checks']}")
                self.check(self.get("/health")[0] == 200, "no health with a damaged block")
                os.pwrite(file.fileno(), byte, offset)
                os.fsync(file.fileno())
            status, ready = self.ready("?blocks=all")
            self.check(status == 200, f"after the byte was put right: {ready['checks']}")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            codes = sorted(pool.map(lambda _: self.get("/ready?blocks=all")[0], range(4)))
        self.check(codes[0] == 200 and set(codes) <= {200, 429}, f"four full passes at once: {codes}")
        self.stop_writer()
        away, wal = self.home / "away.duckdb", pathlib.Path(str(database) + ".wal")
        kept = wal.rename(self.home / "kept.wal") if wal.exists() else None
        status, ready = self.ready()
        database.rename(away)
        status, ready = self.ready()
        self.check(status == 503 and "database does not exist" in ready["checks"]["database"], f"a missing file: {ready['checks']}")
        database.write_bytes(b"no database at all" * 1000)
        status, ready = self.ready()
        self.check(status == 503 and "not a valid DuckDB database file" in ready["checks"]["database"], f"garbage: {ready['checks']}")
        away.rename(database)
        self.check(self.ready()[0] == 200, "the file is back, and not ready")
        other = self.home / "other.duckdb"
        subprocess.run([sys.executable, "-c", "import duckdb,sys,os\nc=duckdb.connect(sys.argv[1],config={'storage_compatibility_version':'latest'})\n"
                        "c.execute('create table t(i int)')\nc.execute('insert into t values (1)')\nos._exit(0)", str(other)], check=True)
        shutil.copy(str(other) + ".wal", wal)
        status, ready = self.ready()
        version = Database(database)
        if not version.is_older_format:
            self.check(status == 503 and "does not belong" in ready["checks"]["wal"], f"a foreign WAL: {ready['checks']}")
        wal.write_bytes(b"nonsense" * 100)
        status, ready = self.ready()
        self.check(status == 503 and ready["checks"]["wal"].startswith("error"), f"a WAL of nonsense: {ready['checks']}")
        wal.unlink()
        if kept:
            kept.rename(wal)
        self.check(self.ready()[0] == 200, f"all is back, and not ready: {self.ready()[1]['checks']}")
        store = self.data / "mlflow/mlflow.db"
        whole = store.read_bytes()
        store.write_bytes(b"not SQLite" * 100)
        time.sleep(5.2)  # the answer is at most so old
        status, ready = self.ready()
        self.check(status == 503 and "mlflow.db" in ready["checks"]["mlflow"], f"an unreadable store: {ready['checks']}")
        store.write_bytes(whole)

    def restores(self):
        count = 3 if self.options.short else 15
        self.part(f"{count} restores, undos and backups while the server reads all blocks; engines that come and go")
        stop = False

        def poll():
            answers = []
            while not stop:
                answers += [self.get("/ready?blocks=all")[0], self.get("/ready")[0]]
            return answers

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            polls = [pool.submit(poll) for _ in range(2)]
            for number in range(count):
                for words in (("backup", "restore", "latest"), ("backup", "undo"), ("backup", "create", "-q"), ("backup", "drill", "-q")):
                    code, said, errors = self.command(*words)
                    self.check(code == 0, f"{' '.join(words)} beside the server: {code} {said} {errors}")
                    done = subprocess.run([sys.executable, "-c", "import duckdb,sys\nc=duckdb.connect(sys.argv[1])\n"
                                           "c.execute('CREATE TABLE IF NOT EXISTS s(i INT)')\nc.execute('INSERT INTO s VALUES (1)')\nc.close()",
                                           str(self.data / "hrp.duckdb")], text=True, capture_output=True)
                    self.check(done.returncode == 0, f"an engine beside the server: {done.stderr[-300:]}")
            stop = True
            answers = [answer for one in polls for answer in one.result()]
        self.check(set(answers) <= {200, 429, 503}, f"answers: {set(answers)}")
        self.check(self.ready()[0] == 200, f"after the restores: {self.ready()[1]['checks']}")
        self.check(not [name for name in os.listdir(f"/proc/{self.server.pid}/fd")
                        if "duckdb" in os.readlink(f"/proc/{self.server.pid}/fd/{name}")], "the server keeps the database open")

    def load(self):
        if not shutil.which("wrk"):
            return print("  not judged: there is no wrk")
        seconds = 2 if self.options.short else 10
        self.part(f"wrk, 2 connections for {seconds} s each, beside the writer")

        def memory():
            text = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024

        def drive(path, seconds):
            done = subprocess.run(["wrk", "-t1", "-c2", f"-d{seconds}s", "--latency", self.address + path], text=True, capture_output=True)
            figures = dict(re.findall(r"(50|99)%\s+(\S+)", done.stdout))
            number = int(re.search(r"(\d+) requests in", done.stdout)[1])
            wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
            self.check(not wrong, f"wrk {path}: {wrong and wrong[0]}")
            return number, figures

        drive("", seconds)
        drive("ready", seconds)
        before = memory()
        total = 0
        for path in ("health", "ready", "metrics", ""):
            number, figures = drive(path, seconds)
            total += number
            print(f"  /{path}: {number} requests, median {figures['50']}, 99 of 100 {figures['99']}")
        while total < (0 if self.options.short else 100_000):
            total += drive("ready", seconds)[0]
        after = memory()
        print(f"  memory: {before:.1f} MB, after {total} requests more {after:.1f} MB")
        self.check(after < before * 1.25 + 8, f"memory grew from {before:.1f} to {after:.1f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hrp")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--schemathesis", type=pathlib.Path)
    options = parser.parse_args()
    run = Run(options)
    try:
        run.part("a stack with its backups")
        run.make_stack(12 if options.short else 60)
        run.start()
        run.guide()
        run.start_writer()
        for part in (run.bodies, run.browser, run.prometheus, run.load, run.strangers, run.schema, run.actions, run.slow_clients,
                     run.truth, run.restores):
            part()
        run.stop()
        run.start()
        run.stop(signal.SIGINT)
    finally:
        if run.writer:
            run.writer.kill()
        if run.server and run.server.poll() is None:
            run.server.kill()
    print(f"ops: {len(run.bad)} bad" if run.bad else "ops: none bad")
    if not run.bad:
        shutil.rmtree(run.home, ignore_errors=True)
    sys.exit(1 if run.bad else 0)


if __name__ == "__main__":
    main()
