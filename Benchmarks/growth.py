#!/usr/bin/env python3
"""What kept backups cost: `hrp backup create`, `list` and `find` beside 1 and beside many, of 20,000 small files.

    Benchmarks/run growth                  1 and 500 backups, 5 runs each
    Benchmarks/run growth --backups 100

The many have all that a list, a search and the next backup look at (metadata.json, the lists, the database) and no
artifacts. The stack is made once and unchanged: what is measured is an unchanged backup, with a warm cache and, as root on
Linux, with a cold one. Medians, with the ratio.
"""
import argparse, datetime, os, pathlib, resource, shutil, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def timed(command):
    """CPU s and wall s of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{command}: exit {done.returncode}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start


def can_cool():
    return os.geteuid() == 0 and os.path.exists("/proc/sys/vm/drop_caches")


def cool():
    """Empties the page cache and the caches of names."""
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def make_stack(place):
    for number in range(20_000):
        folder = place / f"mlflow/mlruns/0/r{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"m{number}").write_text("x" * 100)
    script = f"import duckdb; c = duckdb.connect('{place}/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT 1 i')"
    subprocess.run([ROOT / ".deps/python/bin/python", "-c", script], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT / ".deps/duckdb/2.0.1")})


def keep(backups, count):
    """As many older backups as a list sees."""
    first = min(backups.glob("backup_*"))
    now = datetime.datetime.now()
    for number in range(count):
        copy = backups / (now - datetime.timedelta(days=1, hours=6 * number)).strftime("backup_%Y%m%d_%H%M%S")
        copy.mkdir(exist_ok=True)
        for name in ("checksums.txt", "manifest.jsonl", "metadata.json", "hrp.duckdb"):
            shutil.copy(first / name, copy)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backups", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hrp", default=str(ROOT / ".build/release/hrp"))
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hrp-growth.") as folder:
        place = pathlib.Path(folder) / "data"
        make_stack(place)
        hrp = lambda *words: timed([a.hrp, "backup", *words, "-q", "--data-dir", str(place)])
        time.sleep(3)  # What changed within two seconds of its reading is copied, not linked.
        hrp("create")
        results = {}
        for count in (1, a.backups):
            if count > 1:
                keep(place / "backups", count)
            hrp("create")
            results[count] = {
                "create": [hrp("create") for _ in range(a.rounds)],
                "create, cold": [(cool(), hrp("create"))[1] for _ in range(a.rounds)] if can_cool() else [],
                "list": [hrp("list") for _ in range(a.rounds)],
                "find": [hrp("find", "m19999") for _ in range(2)],
            }
        median = lambda runs, part: statistics.median(run[part] for run in runs)
        print("| step | beside 1: CPU s, wall s | beside many | ratio |\n|---|---|---|---|")
        for step in results[1]:
            one, many = results[1][step], results[a.backups][step]
            if one:
                print(f"| {step} | {median(one, 0):.2f}, {median(one, 1):.2f} | {median(many, 0):.2f}, {median(many, 1):.2f} "
                      f"| {median(many, 0) / median(one, 0):.2f}, {median(many, 1) / median(one, 1):.2f} |")


main()
