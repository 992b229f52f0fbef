#!/usr/bin/env python3
"""A few minutes of `hrp scheduler run`, as a plain process, with a run every minute, beside a live stack and a web server.

    schedule.py HRP

Five jobs are due at the next five minutes of the clock. Meanwhile a program writes to the database all the time. In the
first minute all is well; then the disk with the second place goes away, so a run fails after two more tries; in the minute
after that it comes back while a run waits for its second try; then all is well again. Judged by: the pings and the webhook
that the server got, the history, the exit code, what sha256sum finds in every backup and copy, and the writer, which must
not have failed once.
"""
import collections, http.server, json, os, pathlib, shutil, signal, subprocess, sys, tempfile, threading, time

WRITER = """
import duckdb, sys, time
c = duckdb.connect(sys.argv[1])
c.execute("CREATE TABLE IF NOT EXISTS w(i INTEGER)")
print("begun", flush=True)
while True:
    c.execute("INSERT INTO w VALUES (1)")
    time.sleep(0.005)
"""
requests = []


class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        requests.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    hrp, bad = sys.argv[1], []
    home = pathlib.Path(tempfile.mkdtemp(prefix="hrp-schedule."))
    data, disk, away = home / "data", home / "disk", home / "unplugged"
    (data / "config").mkdir(parents=True)
    (data / "mlflow/mlruns/0").mkdir(parents=True)
    for number in range(50):
        (data / f"mlflow/mlruns/0/file {number}").write_bytes(os.urandom(3000))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "HRP_DATA_DIR": str(data)}

    def run(*words):
        done = subprocess.run([hrp, *words], env=environment, text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def check(is_right, what):
        if not is_right:
            bad.append(what)
            print(f"  bad: {what}", flush=True)

    def wait_for(what, is_there, seconds=150):
        end = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > end:
                check(False, f"waited in vain for {what}")
                print("".join(log.read_text().splitlines(True)[-30:]), flush=True)
                for process in pathlib.Path("/proc").glob("[0-9]*"):
                    try:
                        words = (process / "cmdline").read_text().replace("\0", " ")
                        if "hrp" in words.split(" ")[0]:
                            print(words, *[(task / "syscall").read_text() + (task / "wchan").read_text()
                                           for task in (process / "task").iterdir()], sep="\n  ", flush=True)
                    except OSError:
                        pass
                return
            time.sleep(0.1)

    log = data / "logs/backup.log"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(data / "hrp.duckdb")], stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "begun\n"
    for words in (("backup", "create"), ("backup", "drill"), ("backup", "copy", "latest", str(disk), "--new-place")):
        code, said, errors = run(*words)
        assert code == 0, (words, said, errors)
    # At least ten seconds from now, so that the first run is one by the schedule and none that was missed.
    first = int(time.time() + 10) // 60 + 1
    minutes = [(first + number) % 60 for number in range(5)]
    jobs = "".join(f"  m{number}:\n    every: hour\n    minute: {minute}\n    drill: never\n    retry_seconds: 2\n"
                   for number, minute in enumerate(minutes))
    (data / "config/hrp.yaml").write_text(
        f"jobs:\n{jobs}places:\n  offsite:\n    path: {disk}\n"
        f"notices:\n  ping:\n    url: {address}/ping\n  webhook:\n    url: {address}/hook\n")
    scheduler = subprocess.Popen([hrp, "scheduler", "run"], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
    said = []
    threading.Thread(target=lambda: said.extend(scheduler.stdout), daemon=True).start()

    def pings(word):
        return sum(path == f"/ping{word}" for path, _ in requests)

    def tries():
        return log.read_text().count("[place.not-found]")

    wait_for("the first success", lambda: pings("") >= 1)
    disk.rename(away)
    wait_for("the failure", lambda: pings("/fail") >= 1)
    check(tries() == 3, f"a run that fails is tried {tries()} times")
    wait_for("the first try of the next run", lambda: tries() == 4)
    away.rename(disk)
    wait_for("the success after a retry", lambda: pings("") >= 2)
    check(tries() == 4, f"after the disk came back {tries() - 3} tries failed")
    wait_for("the next success", lambda: pings("") >= 3)
    scheduler.send_signal(signal.SIGTERM)
    check(scheduler.wait() == 0, f"the scheduler ended with {scheduler.returncode}")
    check(writer.poll() is None, "the writer failed")
    writer.kill()

    records = json.loads(run("scheduler", "history", "--json")[1])[::-1]
    check([r["state"] for r in records][:4] == ["completed", "failed", "completed", "completed"], f"history: {records}")
    check(records[1]["code"] == "place.not-found", f"code: {records[1]}")
    began = [path for path, _ in requests if path == "/ping/start"]
    check(len(began) == len(records), f"{len(began)} starts, {len(records)} runs")
    kinds = [json.loads(body)["kind"] for path, body in requests if path == "/hook"]
    check(kinds == ["unprotected", "protected"], f"the webhook got {kinds}; the scheduler said {said}")
    check(not any(str(home) in body for _, body in requests), "a body names a path")
    check(not any("catch" in line or "missed" in line for line in said), f"a run was late: {said}")
    copies = 0
    for folder in (data / "backups", disk):
        for backup in sorted(folder.glob("backup_*")):
            copies += 1
            summed = subprocess.run(["sha256sum", "--quiet", "-c", "checksums.txt"], cwd=backup, capture_output=True)
            check(summed.returncode == 0, f"{backup}: {summed.stdout}")
    check(run("status")[0] == 0, f"status: {run('status')}")
    shutil.rmtree(home)
    states = dict(collections.Counter(r["state"] for r in records))
    print(f"schedule: {states}, {len(requests)} requests, {copies} backups and copies, {len(bad)} bad")
    sys.exit(1 if bad else 0)


main()
