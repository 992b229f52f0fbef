#!/usr/bin/env python3
"""What a writer feels of a backup: the time of each of its commits, alone, beside hrp, and beside cp -a + sync.

    Benchmarks/run latency                  size M, 3 rounds in rotation
    Benchmarks/run latency --rounds 5 --size S

A process holds the database of the stack open and commits a row every 5 ms (DuckDB 2.0.0; each commit is an fsync of the
log). Printed: commits, median, 99th percentile and worst of each round, then the medians over rounds and the ratios to the
writer alone. The stack is a copy of the benchmark's own, since the writer changes it.
"""
import argparse, os, pathlib, shutil, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".deps/python/bin/python"
WRITER = r"""
import duckdb, sys, time
c = duckdb.connect(sys.argv[1])
c.execute("CREATE TABLE IF NOT EXISTS beat(i BIGINT, began DOUBLE)")
c.execute("CHECKPOINT")
print("ready", flush=True)
i = 0
while True:
    i += 1
    began = time.monotonic()
    c.execute("INSERT INTO beat VALUES (?, ?)", (i, began))
    print(began, time.monotonic() - began, flush=True)
    time.sleep(0.005)
"""


def prepare(size, work):
    sys.path.insert(0, str(ROOT / "Benchmarks"))
    import compare
    source = compare.make_data(size, work)
    data = work / "latency"
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(data)], check=True)
    os.sync()
    return data


def commits(data, log, command, seconds):
    """Latencies in seconds of the commits begun while the command ran; alone: for so long."""
    process = subprocess.Popen([str(PYTHON), "-u", "-c", WRITER, str(data / "hrp.duckdb")], stdout=open(log, "w"),
                               env=dict(os.environ, PYTHONPATH=str(ROOT / ".deps/duckdb/2.0.1")))
    while "ready" not in log.read_text():
        time.sleep(0.05)
        if process.poll() is not None:
            sys.exit("the writer ended")
    time.sleep(1)
    start = time.monotonic()
    if command:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    else:
        time.sleep(seconds)
    end = time.monotonic()
    time.sleep(0.5)
    process.kill()
    process.wait()
    lines = [line.split() for line in log.read_text().splitlines()[1:]]
    return [float(l[1]) for l in lines if len(l) == 2 and start - float(l[1]) <= float(l[0]) <= end], end - start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", choices="SML", default="M")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--work", default=str(ROOT / ".build/benchmarks"))
    p.add_argument("--hrp", default=str(ROOT / ".build/release/hrp"))
    a = p.parse_args()
    work = pathlib.Path(a.work)
    data = prepare(a.size, work)
    kinds = ["alone", "hrp", "cp"]
    figures = {k: [] for k in kinds}
    for round in range(a.rounds):
        for kind in kinds[round % 3:] + kinds[:round % 3]:
            target = work / f"latency-{kind}-{round}"
            command = {"alone": None,
                       "hrp": [a.hrp, "backup", "create", "--data-dir", str(data), "--backup-dir", str(target), "-q"],
                       "cp": ["sh", "-c", f"mkdir '{target}' && cp -a '{data}/.' '{target}/' && sync -f '{target}'"]}[kind]
            os.sync()
            took, seconds = commits(data, work / "latency.log", command, 6)
            took.sort()
            row = [1000 * x for x in (statistics.median(took), took[len(took) * 99 // 100], took[-1])]
            figures[kind].append(row)
            print(f"round {round + 1} {kind}: {len(took)} commits in {seconds:.1f} s, median %.2f, 99 %% %.2f, worst %.2f ms" % tuple(row), flush=True)
            time.sleep(2)
    print("\n| beside | median ms | ratio | 99 % ms | worst ms |\n|---|---|---|---|---|")
    alone = statistics.median(r[0] for r in figures["alone"])
    for kind in kinds:
        rows = figures[kind]
        middle = [statistics.median(r[i] for r in rows) for i in range(2)]
        print(f"| {kind} | {middle[0]:.2f} | {middle[0] / alone:.2f} | {middle[1]:.2f} | {max(r[2] for r in rows):.2f} |")
    for path in work.glob("latency*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
