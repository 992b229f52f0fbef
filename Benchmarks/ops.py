#!/usr/bin/env python3
"""What the ops server takes, and how fast it answers beside a writer: see docs/operations/performance.md.

    Benchmarks/run ops                  size M, 60 backups, 3 rounds of 10 s for each path
    Benchmarks/run ops --size S --seconds 3

A process holds the database open and commits a row every 5 ms. `wrk` (Debian) asks over 2 connections on loopback. Printed for
each path: requests, median and 99th percentile of each round, and the medians over rounds; the memory of the server before
and after; the processor time of the server while nobody asks; and what the writer feels of it: its median commit without a
server, with an idle one, and under load, as ratios within the same run.
"""
import argparse, os, pathlib, re, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))
import latency


def commits(log, seconds):
    """Median and 99th percentile of the writer's commits for a while, in milliseconds."""
    begin = time.monotonic()
    time.sleep(seconds)
    return judged(log, begin)


def judged(log, begin):
    lines = [line.split() for line in log.read_text().splitlines()[1:]]
    took = sorted(float(line[1]) * 1000 for line in lines if len(line) == 2 and float(line[0]) >= begin)
    return statistics.median(took), took[len(took) * 99 // 100]


def load(address, path, seconds):
    done = subprocess.run(["wrk", "-t1", "-c2", f"-d{seconds}s", "--latency", address + path], text=True, capture_output=True, check=True)
    figures = dict(re.findall(r"(50|99)%\s+(\S+)", done.stdout))
    return int(re.search(r"(\d+) requests in", done.stdout)[1]), figures["50"], figures["99"]


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="M")
    parser.add_argument("--backups", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".build/benchmark")
    options = parser.parse_args()
    hrp = ROOT / ".build/release/hrp"
    options.work.mkdir(parents=True, exist_ok=True)
    data = latency.prepare(options.size, options.work)
    environment = {**os.environ, "HRP_DATA_DIR": str(data), "HRP_BACKUP_DIR": str(data / "backups")}
    have = len(list((data / "backups").glob("backup_*"))) if (data / "backups").exists() else 0
    for _ in range(options.backups - have):
        subprocess.run([hrp, "backup", "create", "-q", "--no-mlflow"], env=environment, check=True, stdout=subprocess.DEVNULL)
        time.sleep(1)
    log = options.work / "ops-writer.log"
    writer = subprocess.Popen(
        [latency.PYTHON, "-u", "-c", latency.WRITER, str(data / "hrp.duckdb")], stdout=open(log, "w"),
        env={**os.environ, "PYTHONPATH": str(ROOT / ".deps/duckdb/2.0.1")})
    while "ready" not in log.read_text():
        time.sleep(0.05)
    server = None
    try:
        alone = commits(log, options.seconds)
        server = subprocess.Popen([hrp, "ops", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True)
        address = f"http://127.0.0.1:{server.stdout.readline().rsplit(':', 1)[1].strip()}/"
        status = pathlib.Path(f"/proc/{server.pid}/status")
        memory = lambda: int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1]) / 1024
        used = lambda: sum(int(x) for x in pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
        before = used()
        idle = commits(log, options.seconds)
        print(f"idle: {(used() - before) / options.seconds * 100:.1f} % of a processor, {memory():.1f} MB")
        print(f"a commit, median and 99 of 100: alone {alone[0]:.2f} and {alone[1]:.2f} ms; beside an idle server "
              f"{idle[0] / alone[0]:.2f} and {idle[1] / alone[1]:.2f} times that")
        for path in ("health", "ready", "metrics", "api/v1/backups", ""):
            begin = time.monotonic()
            rounds = [load(address, path, options.seconds) for _ in range(options.rounds)]
            felt = judged(log, begin)
            print(f"/{path}: " + "; ".join(f"{n} requests, {a}, {b}" for n, a, b in rounds)
                  + f"; medians {statistics.median(milliseconds(a) for _, a, _ in rounds):.2f} and "
                    f"{statistics.median(milliseconds(b) for _, _, b in rounds):.2f} ms; a commit {felt[0] / alone[0]:.2f} and "
                    f"{felt[1] / alone[1]:.2f} times that alone")
        print(f"after the load: {memory():.1f} MB")
    finally:
        writer.kill()
        if server:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
