"""Copies a DuckDB file beside a writer that makes one checkpoint after the other, and reports whether each copy was right
and how long it took beside the copy of a quiet file.

One row for each engine, size and pause between two checkpoints. Each transaction changes a stretch of rows and counts
itself, so a copy of one moment can be told from a mixture. From DuckDB 1.5 on a second connection loads and drops tables
meanwhile: its blocks may lie where the header before still has others.
With --stall the writer is stopped now and then for a moment, also in the middle of a write.
With --lost-lock the writer opens and closes its own database file, which drops its lock.
The last line counts copies. Pause 0 must end with a plain sentence, and no copy.
"""
import argparse, json, os, pathlib, random, shutil, signal, statistics, subprocess, sys, tempfile, threading, time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
STRETCH, STRETCHES = 2000, 500
ROW_BYTES = 26  # three columns that do not compress; the others take next to nothing

WRITER = """
import duckdb, os, sys, threading, time
path, rows, pause, lost_lock, bulk, state = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == '1', sys.argv[5] == '1', sys.argv[6]
con = duckdb.connect(path, config={'threads': 1})
con.execute("SET checkpoint_threshold='100GB'")
if lost_lock: open(path, 'rb').close()
n = con.execute('SELECT n FROM seq').fetchone()[0]
def load():
    other, k = con.cursor(), 0
    while os.getppid() == parent:
        k += 1
        try:
            other.execute(f'CREATE OR REPLACE TABLE load AS SELECT range i, hash(range + {k}) h FROM range(130000)').fetchall()
            time.sleep(0.05)
        except duckdb.Error: pass
parent = os.getppid()
if bulk: threading.Thread(target=load, daemon=True).start()
while os.getppid() == parent:
    began = time.monotonic()
    r = (n + 1) % 500
    try:
        con.execute('BEGIN'); con.execute(f'UPDATE big SET v = v + 1 WHERE i >= {r * 2000} AND i < {r * 2000 + 2000}')
        con.execute('UPDATE seq SET n = n + 1'); con.execute('COMMIT')
    except duckdb.Error:
        try: con.execute('ROLLBACK')
        except duckdb.Error: pass
        continue
    n += 1
    try: con.execute('CHECKPOINT')
    except duckdb.Error: pass
    open(state, 'w').write(str(n))
    rest = pause - (time.monotonic() - began) if pause else 0
    if rest > 0: time.sleep(rest)
"""

MAKE = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
con.execute('CREATE TABLE seq AS SELECT 0::BIGINT n'); rows = int(sys.argv[2])
con.execute(f'CREATE TABLE big AS SELECT range i, 0::BIGINT v, hash(range) a, hash(range + 1) b, hash(range + 2) c FROM range({rows})')
con.close()
"""

JUDGE = """
import duckdb, sys
con = duckdb.connect(sys.argv[1]); rows = int(sys.argv[2])
n = con.execute('SELECT n FROM seq').fetchone()[0]
count, wrong = con.execute(f'''SELECT count(*), count(*) FILTER (a <> hash(i) OR b <> hash(i + 1) OR c <> hash(i + 2) OR
  v <> CASE WHEN i >= 1000000 THEN 0 ELSE
    (CASE WHEN {n} >= i // 2000 THEN ({n} - i // 2000) // 500 + 1 ELSE 0 END) - (CASE WHEN i < 2000 THEN 1 ELSE 0 END) END) FROM big''').fetchone()
con.execute('UPDATE seq SET n = n + 1'); con.execute('CHECKPOINT'); con.close()
con = duckdb.connect(sys.argv[1]); again = con.execute('SELECT n, (SELECT count(*) FROM big) FROM seq').fetchone()
print(n, count == rows and again == (n + 1, rows), wrong)
"""


class Loop:
    def __init__(self, engine, megabytes, options):
        self.engine, self.options, self.rows = engine, options, megabytes * 1_000_000 // ROW_BYTES
        place = options.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="loops-", dir=place))
        (self.folder / "live").mkdir()
        self.live, self.state = self.folder / "live" / "live.db", self.folder / "state"
        self.python(MAKE, self.live, self.rows)

    def command(self, script, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(self.options.deps / "duckdb" / self.engine)}
        return [self.options.deps / "python/bin/python", "-B", "-c", script, *map(str, arguments)], environment

    def python(self, script, *arguments):
        command, environment = self.command(script, *arguments)
        return subprocess.run(command, env=environment, check=True, text=True, capture_output=True).stdout

    def copy(self):
        target = self.folder / "copy.db"
        for suffix in ("", ".wal"):
            pathlib.Path(f"{target}{suffix}").unlink(missing_ok=True)
        began = time.monotonic()
        done = subprocess.run([self.options.hrp, "duckdb", "copy", self.live, target, "--json"], text=True, capture_output=True)
        return target, done, time.monotonic() - began

    def quiet(self):
        self.copy()
        return statistics.median(self.copy()[2] for _ in range(3))

    def stall(self, writer, until):
        chance = random.Random(1)
        while not until.wait(chance.random() * 0.05):
            writer.send_signal(signal.SIGSTOP)
            time.sleep(chance.random() * 0.12)
            writer.send_signal(signal.SIGCONT)

    def run(self, pause_ms, quiet):
        self.state.unlink(missing_ok=True)
        bulk = self.options.bulk and tuple(map(int, self.engine.split(".")[:2])) >= (1, 5)
        command, environment = self.command(
            WRITER, self.live, self.rows, pause_ms / 1000, int(self.options.lost_lock), int(bulk), self.state)
        writer = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        times, bad, flips, failures, done, over = [], [], 0, [], 0, threading.Event()
        stalls = threading.Thread(target=self.stall, args=(writer, over)) if self.options.stall else None
        try:
            until = time.monotonic() + 30
            while not self.state.exists() and time.monotonic() < until:
                time.sleep(0.01)
            if stalls:
                stalls.start()
            for _ in range(1 if pause_ms == 0 else self.options.copies):
                committed = int(self.state.read_text() or 0)
                target, finished, seconds = self.copy()
                times.append(seconds)
                if finished.returncode:
                    failures.append((finished.returncode, json.loads(finished.stdout)["error"]["message"].replace(str(self.folder), "")))
                    continue
                done += 1
                flips += json.loads(finished.stdout)["flips"]
                n, is_whole, wrong = self.python(JUDGE, target, self.rows).splitlines()[-1].split()
                if is_whole != "True" or wrong != "0" or int(n) < committed:
                    bad.append(f"n {n} of at least {committed}, whole {is_whole}, wrong rows {wrong}")
        finally:
            over.set()
            if stalls:
                stalls.join()
            writer.kill()
            writer.wait()
        limit = 5 if pause_ms >= 300 else 10
        worst = max(times)
        print(f"{self.engine} {self.rows * ROW_BYTES // 1_000_000} MB, a checkpoint each {pause_ms} ms: copies {done}, bad {len(bad)}, failed {len(failures)}, "
              f"flips {flips}, median {statistics.median(times):.2f} s, worst {worst:.2f} s = {worst / quiet:.1f} x quiet ({quiet:.2f} s)", flush=True)
        for words in bad + [f"exit {code}: {message}" for code, message in failures]:
            print(f"  {words}", flush=True)
        if pause_ms == 0:
            return done, len(bad), 0 if worst < 60 else 1
        return done, len(bad), len(failures) + (worst > limit * quiet and not self.options.no_limit)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="2.0.1,1.5.6,1.4.5")
    parser.add_argument("--sizes", default="100,700", help="megabytes (default %(default)s)")
    parser.add_argument("--pauses", default="1000,300,150,75,0", help="milliseconds from one checkpoint to the next (default %(default)s)")
    parser.add_argument("--copies", type=int, default=5, help="for each row (default 5)")
    parser.add_argument("--bulk", action="store_true", help="a second connection loads tables meanwhile (1.5 and later)")
    parser.add_argument("--lost-lock", action="store_true", help="the writer drops its own lock")
    parser.add_argument("--stall", action="store_true", help="the writer stands still for a moment now and then")
    parser.add_argument("--folder", help="where the database goes (default: memory)")
    parser.add_argument("--no-limit", action="store_true", help="only wrong and missing copies count, not late ones")
    parser.add_argument("--hrp", type=pathlib.Path, default=REPOSITORY / ".build/release/hrp")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps")
    chosen = parser.parse_args()
    chosen.hrp, chosen.deps = chosen.hrp.absolute(), chosen.deps.absolute()
    return chosen


def main():
    chosen = options()
    copies = bad = slow = 0
    for engine in chosen.engines.split(","):
        for megabytes in map(int, chosen.sizes.split(",")):
            loop = Loop(engine, megabytes, chosen)
            try:
                quiet = loop.quiet()
                for pause in map(int, chosen.pauses.split(",")):
                    done, wrong, late = loop.run(pause, quiet)
                    copies, bad, slow = copies + done, bad + wrong, slow + late
            finally:
                shutil.rmtree(loop.folder, ignore_errors=True)
    print(f"loops: {copies} copies, {bad} bad, {slow} too late or failed")
    sys.exit(1 if bad or slow else 0)


if __name__ == "__main__":
    main()
