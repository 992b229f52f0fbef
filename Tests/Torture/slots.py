#!/usr/bin/env python3
"""Kills `hrp scheduler run --once`, or the process of its job, at random moments. The next start must carry on, and the
history must tell the truth.

    slots.py HRP [KILLS] [SEED]

Each round has a job of its own, whose newest slot was missed. The scheduler, its job, or both are killed after a random
time. A job that goes on alone is left alone: a second start finds nothing to do, and the job writes its own end down. Then
the scheduler is started again. Then:
the job has one record; it says completed, and a verified backup is there that was begun at the slot or later; a backup in
the list verifies; nothing half-made is listed; a third start finds nothing due.
"""
import collections, json, os, pathlib, random, shutil, signal, subprocess, sys, tempfile, time


def main():
    hrp, kills = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    rng, total = random.Random(seed), collections.Counter()
    home = pathlib.Path(tempfile.mkdtemp(prefix="hrp-slots."))
    data = home / "data"
    (data / "config").mkdir(parents=True)
    (data / "mlflow/mlruns/0").mkdir(parents=True)
    for number in range(200):
        (data / f"mlflow/mlruns/0/file {number}").write_bytes(rng.randbytes(2000))
    import duckdb
    with duckdb.connect(str(data / "hrp.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT i, hash(i) AS h FROM range(200000) t(i)")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def run(*words):
        done = subprocess.run([hrp, *words, "--data-dir", str(data)], env=environment, text=True, capture_output=True)
        return done.returncode, done.stdout

    def job_of(pid):
        """The process of the job: it may not be there yet, or not any more."""
        try:
            return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        except (OSError, IndexError):
            return None

    def alive(pid):
        """Whether any thread of a process has not ended yet: until then it holds its locks."""
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
            try:
                if (task / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    return True
            except OSError:
                pass
        return False

    def kill(pid):
        try:
            os.kill(pid, signal.SIGKILL)
            return True
        except ProcessLookupError:
            return False

    def bad(what):
        print(f"  bad: round {number}: {what}", flush=True)
        total["bad"] += 1

    began = time.monotonic()
    run("backup", "create", "--backup-dir", str(home / "first"))
    seconds = 1.5 * (time.monotonic() - began)

    for number in range(kills):
        job = f"job{number}"
        (data / "config/hrp.yaml").write_text(
            # A backup that was made this hour would cover the slot: so each round has a place of its own.
            f"backup_dir: ../backups{number}\njobs:\n  {job}:\n    every: hour\n    drill: never\n")
        if number:
            shutil.rmtree(home / f"backups{number - 1}", ignore_errors=True)
        process = subprocess.Popen([hrp, "scheduler", "run", "--once", "--data-dir", str(data)], env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, seconds))
        victim = ("scheduler", "job", "both")[number % 3]
        child = job_of(process.pid)
        hit = []
        if victim != "job":
            process.send_signal(signal.SIGKILL)
            hit.append(process.wait() == -signal.SIGKILL)
        if victim != "scheduler" and child:
            hit.append(kill(child))
        process.wait()
        while victim != "scheduler" and child and alive(child):
            time.sleep(0.01)
        total[f"killed {victim}" if any(hit) else "too late"] += 1
        if victim == "scheduler" and child and alive(child):
            total["job went on alone"] += 1
            if run("scheduler", "run", "--once")[1] != "Nothing is due\n" and alive(child):
                bad("a second run beside a job that went on alone")
            while alive(child):
                time.sleep(0.02)
        records = json.loads(run("scheduler", "history", "--json", "--limit", "1")[1])
        state = records[0]["state"] if records and records[0]["job"] == job else "not begun"
        if state == "running" and victim == "both" and not child:
            # It was started in the very moment in which its scheduler was killed.
            total["job went on alone"] += 1
            while state == "running":
                state = json.loads(run("scheduler", "history", "--json", "--limit", "1")[1])[0]["state"]
        total[f"then {state}"] += 1
        if state not in ("not begun", "interrupted", "completed"):
            bad(f"the history says {state}")
        code, said = run("scheduler", "run", "--once")
        if code != 0 or (state == "completed") != (said == "Nothing is due\n"):
            bad(f"after {state}: exit {code}: {said}")
        mine = [r for r in json.loads(run("scheduler", "history", "--json", "--limit", "10000")[1]) if r["job"] == job]
        if [r["state"] for r in mine] != ["completed"]:
            bad(f"records: {mine}")
        listed = json.loads(run("backup", "list", "--json")[1])
        if not listed or not all(b["verified"] and b["complete"] for b in listed) or run("backup", "verify", "latest")[0]:
            bad(f"backups: {listed}")
        if run("scheduler", "run", "--once")[1] != "Nothing is due\n":
            bad("it ran a third time")
    shutil.rmtree(home)
    print(f"slots: seed {seed}: {kills} kills: {dict(total)}")
    sys.exit(1 if total["bad"] else 0)


main()
