"""Tortures hot copies of a live DuckDB file and reports, per engine and method, how many were bad.

A real engine writes without rest (writer.py); beside it this program copies the file again and again,
and the same engine judges each copy (judge.py). Methods:
  hrp      `hrp duckdb copy`, the tool under test
  cp       the database file alone, as plain copies do it
  cp-wal   the database file, then its log
  quiet    both files while the writer stands still between transactions: always good, so a bad one is a false alarm
  damaged  like quiet, then spoilt on purpose: always bad, so a good one is damage the judge does not see
The last two are run by --self-test. The last line of output counts hrp copies only (with --self-test: those two).
"""
import argparse, json, mmap, os, pathlib, random, shutil, signal, statistics, struct, subprocess, sys, tempfile, time
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(HERE))
import idle

COMMITTED, PAUSE, PAUSED = 0, 2, 3  # words of the shared memory, see writer.py
COPY_SECONDS = 120
CORNERS_EVERY = 10  # names that hide the WAL, and two copies with one PID, beside the busy writer
NAIVE_COPIES = 30  # enough to show what plain copies give
DAMAGES = [  # by SQL, which the engine itself finds in order, and on the files
    "UPDATE account SET balance = balance + 1 WHERE id = 7", "UPDATE bulk SET h = h + 1 WHERE k = 2999", "DROP INDEX item0_n",
    "INSERT INTO bulk SELECT * FROM bulk LIMIT 1", "DELETE FROM item0 WHERE n = (SELECT max(n) FROM item0)",
    "INSERT INTO seq0 SELECT -1, 'rolled back', 0, 0, 0, 0", "flip a bit of each block", "main file with a later log"]
FILES = {"cp": [""], "cp-wal": ["", ".wal"], "quiet": ["", ".wal", ".wal.checkpoint"]}


def iteration(path):
    """Number of checkpoints the file has had: the greater one of its two header slots. None while there is no file."""
    try:
        with open(path, "rb") as file:
            head = file.read(12288)
        return max(struct.unpack_from("<Q", head, slot + 8)[0] for slot in (4096, 8192))
    except (OSError, struct.error):
        return None


def log_kinds(path):
    """Types of the entries of a log; None when there is no log. Type 29 points at row groups in the database file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    # The header entry ends with the field number ffff; its other bytes never hold ff ff in a row.
    position, kinds = data.find(b"\xff\xff") + 2, Counter()
    while 2 <= position <= len(data) - 19:
        kinds[data[position + 18]] += 1
        position += 16 + struct.unpack_from("<Q", data, position)[0]
    return kinds


class Run:
    """One engine: its writer, its judge and the copies made beside them."""

    def __init__(self, engine, options):
        self.engine, self.options = engine, options
        self.random = random.Random(f"{options.seed}/{engine}")
        place = options.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="torture-", dir=place))
        self.live = self.folder / "live" / "live.db"
        self.live.parent.mkdir()
        shared = self.folder / "shared"
        shared.write_bytes(bytes(32))
        with open(shared, "r+b") as file:
            self.shared = memoryview(mmap.mmap(file.fileno(), 32)).cast("Q")
        self.streams = 2 if tuple(map(int, engine.split(".")[:2])) >= (1, 5) else 1
        self.judge = self.start("judge.py", self.folder / "journal", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.writer, self.restarts = None, 0

    def start(self, script, *arguments, **channels):
        library = self.options.deps / "duckdb" / self.engine
        if not library.is_dir():
            raise SystemExit(f"DuckDB {self.engine} is not in {library}. Run scripts/setup, or name its folder with --deps.")
        python = self.options.deps / "python" / "bin" / "python"
        environment = {**os.environ, "PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen([python, HERE / script, *map(str, arguments)], env=environment, **channels)

    def start_writer(self):
        self.restarts += 1
        self.shared[PAUSED] = 0
        goal, until = self.shared[COMMITTED] + 50, time.monotonic() + 60
        with open(self.folder / "writer.log", "ab") as log:
            self.writer = self.start("writer.py", self.live, self.folder / "shared", self.folder / "journal",
                                     f"{self.options.seed}/{self.restarts}", self.options.block_size, stdin=subprocess.DEVNULL, stderr=log)
        while self.shared[COMMITTED] < goal and self.writer.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def close(self):
        for process in (self.writer, self.judge):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Ways to copy

    def copy_hrp(self, target):
        environment = dict(os.environ)
        if self.options.slow:
            environment["HRP_TEST_DELAY_MS_PER_RUN"] = str(self.options.slow)
        result = subprocess.run([self.options.hrp, "duckdb", "copy", self.live, target], env=environment, text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=COPY_SECONDS)
        if result.returncode:
            raise OSError(f"hrp: exit {result.returncode}: {(result.stderr or result.stdout).strip()[:300]}")

    def copy_files(self, suffixes, target):
        for suffix in suffixes:
            if suffix and not os.path.exists(f"{self.live}{suffix}"):
                continue
            with open(f"{self.live}{suffix}", "rb") as old, open(f"{target}{suffix}", "wb") as new:
                while piece := old.read(1 << 20):
                    new.write(piece)
                    time.sleep(self.options.slow / 1000)  # as a larger file or a slower disk would

    def copy_quiet(self, target):
        until = time.monotonic() + COPY_SECONDS
        while time.monotonic() < until:
            self.shared[PAUSE], again = 1, time.monotonic() + 2
            while self.shared[PAUSED] < self.streams and time.monotonic() < again:
                time.sleep(0.001)
            try:
                if self.shared[PAUSED] == self.streams:
                    self.committed = self.shared[0:2].tolist()  # the sharpest demand: nothing was committed since
                    return self.copy_files(FILES["quiet"], target)
            finally:  # not all still: the writer is just reopening its database and needs its second stream for that
                self.shared[PAUSE] = 0
                while self.shared[PAUSED]:
                    time.sleep(0.001)
        raise OSError("the writer did not pause")

    def copy_damaged(self, target):
        self.copy_quiet(target)
        if self.damage.startswith("flip"):
            data = bytearray(target.read_bytes())
            for byte in range(12288 + 2000, len(data), 262144):
                data[byte] ^= 1
            target.write_bytes(data)
        elif self.damage.startswith("main"):
            now, then, until = self.committed[0], iteration(self.live), time.monotonic() + COPY_SECONDS
            while (iteration(self.live) == then or self.shared[COMMITTED] == now) and time.monotonic() < until:
                time.sleep(0.001)
            self.committed = self.shared[0:2].tolist()
            for suffix in FILES["quiet"][1:]:
                pathlib.Path(f"{target}{suffix}").unlink(missing_ok=True)
            self.copy_files(FILES["quiet"][1:], target)

    def make(self, method, target):
        if self.writer.poll() is not None and method == "quiet":
            self.copy_files(FILES["quiet"], target)  # killed: stiller than this it cannot be
        elif method in ("cp", "cp-wal"):
            self.copy_files(FILES[method], target)
        else:
            {"hrp": self.copy_hrp, "quiet": self.copy_quiet, "damaged": self.copy_damaged}[method](target)

    # Corners: what must be refused, and two copies at once

    def corners(self, row):
        """Names that hide the WAL must be refused; two copies with one PID must both be there, and good."""
        other = self.folder / "other"
        other.mkdir(exist_ok=True)
        linked, mounted = other / "linked.db", other / "mounted.db"
        os.link(self.live, linked)
        try:
            self.expect(row, "duckdb.other-name", [self.options.hrp, "duckdb", "copy", linked, other / "copy", "--json"])
        finally:
            linked.unlink()
        if os.geteuid() != 0:
            return
        mounted.touch()
        script = 'mount --bind "$1" "$2" && exec "$3" duckdb copy "$2" "$4" --json'
        self.expect(row, "duckdb.mounted-alone", ["unshare", "-m", "sh", "-c", script, "sh", self.live, mounted, self.options.hrp, other / "copy"])
        names, committed = [other / f"both{n}.db" for n in (1, 2)], self.shared[0:2].tolist()
        both = [subprocess.Popen(["unshare", "-pf", self.options.hrp, "duckdb", "copy", self.live, name], stdout=-3, stderr=-3) for name in names]
        for process, name in zip(both, names):
            if process.wait() or not name.exists():
                row["failures"].append(f"of two copies with one PID one ended with {process.returncode}, and its file is {'there' if name.exists() else 'missing'}")
                continue
            kind, details = self.ask_judge(name, committed)
            row["corners"] += 1
            if kind != "good":
                row["failures"].append(f"two copies with one PID: {kind}: {'; '.join(details[:3])}")
        shutil.rmtree(other)

    def idle_traps(self, row):
        place = self.folder / "idle"
        place.mkdir()
        python, library = self.options.deps / "python" / "bin" / "python", self.options.deps / "duckdb" / self.engine
        version = tuple(map(int, self.engine.split(".")[:2]))
        for wrong in idle.traps(place, self.options.hrp, python, {**os.environ, "PYTHONPATH": str(library)}, version):
            row["corners"] += 1
            if wrong:
                row["failures"].append(wrong)
        shutil.rmtree(place)

    def expect(self, row, code, command):
        done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=COPY_SECONDS)
        row["corners"] += 1
        if done.returncode == 0 or code not in done.stdout:
            row["failures"].append(f"{code} was expected, exit {done.returncode}: {done.stdout[:300]}{done.stderr[:300]}")

    def ask_judge(self, target, committed, damage=None):
        self.judge.stdin.write(json.dumps({"copy": str(target), "committed": committed, "damage": damage}) + "\n")
        self.judge.stdin.flush()
        return json.loads(self.judge.stdout.readline())

    # One copy and its verdict

    def one_copy(self, method, row):
        folder = self.folder / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        target = folder / self.live.name
        self.damage = DAMAGES[row["copies"] % len(DAMAGES)] if method == "damaged" else None
        self.committed, before, begin = self.shared[0:2].tolist(), iteration(self.live), time.monotonic()
        try:
            self.make(method, target)
            kind = None
        except (OSError, subprocess.TimeoutExpired) as error:
            kind, details = "no copy", [str(error)]
        seconds, after = time.monotonic() - begin, iteration(self.live)
        kept = self.keep_state(folder)
        kinds = log_kinds(pathlib.Path(f"{target}.wal"))
        if kind is None:
            by_sql = self.damage if self.damage and self.damage.split()[0].isupper() else None
            kind, details = self.ask_judge(target, self.committed, by_sql)
            row["copies"] += 1
        row["seconds"].append(seconds)
        row["with a checkpoint during it"] += before != after
        row["with log"] += kinds is not None
        row["with row-group entries"] += bool(kinds and kinds[29])
        if kind != "good":
            row["bad"][kind] += 1
            row["examples"].append({"copy": row["copies"], "kind": kind, "damage": self.damage, "details": details[:5]})
            if method in ("hrp", "quiet"):
                print(f"  bad: {self.engine} {method} copy {row['copies']}: {kind}: {'; '.join(details[:3])}", flush=True)
        if kept and kind != "good":
            shutil.move(kept, self.options.keep_bad / f"{self.engine}-{method}-{row['copies']}-{kind.replace(' ', '-')}")
        elif kept:
            shutil.rmtree(kept)
        return kind

    def keep_state(self, copy):
        """Only with --keep-bad: the copy before the judge writes to it, and the source as it is right after the copy."""
        if not self.options.keep_bad:
            return None
        kept = self.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        self.writer.send_signal(signal.SIGSTOP)  # does nothing to a writer that has ended
        try:
            shutil.copytree(self.live.parent, kept / "source")
        finally:
            self.writer.send_signal(signal.SIGCONT)
        shutil.copytree(copy, kept / "copy")
        return kept

    def measure(self, method, wanted):
        """Makes the copies of one method and returns its row of the report."""
        row = {"engine": self.engine, "method": method, "copies": 0, "bad": Counter(), "commits": 0, "checkpoints": 0,
               "kills": 0, "corners": 0, "with a checkpoint during it": 0, "with log": 0, "with row-group entries": 0, "seconds": [], "failures": [],
               "examples": []}
        if self.writer is None:
            self.start_writer()
        commits, checkpoints, began = sum(self.shared[0:2]), iteration(self.live), time.monotonic()
        for number in range(wanted):
            if time.monotonic() - began > self.options.time_limit:
                row["failures"].append(f"time limit reached after {row['copies']} copies")
                break
            time.sleep(self.random.random() * 0.2)
            every = self.options.kill_every
            if every and number % every == every - 1:  # a copy of a file whose writer died, then go on writing to it
                self.writer.kill()
                self.writer.wait()
                row["kills"] += 1
            if self.writer.poll() is not None and self.writer.returncode != -signal.SIGKILL:
                last = (self.folder / "writer.log").read_text(errors="replace").strip()[-600:]
                row["failures"].append(f"the writer died (exit {self.writer.returncode}): {last}")
                break
            self.one_copy(method, row)
            if method == "hrp" and number % CORNERS_EVERY == CORNERS_EVERY - 1 and self.writer.poll() is None:
                self.corners(row)
            if self.writer.poll() == -signal.SIGKILL:
                self.start_writer()
        if method == "hrp":
            self.idle_traps(row)
        row["commits"] = sum(self.shared[0:2]) - commits
        row["checkpoints"] = (iteration(self.live) or 0) - (checkpoints or 0)
        if row["commits"] < wanted:
            row["failures"].append(f"only {row['commits']} commits beside {wanted} copies prove nothing")
        if row["checkpoints"] <= 0:
            row["failures"].append("no checkpoint during the run: it proves nothing")
        return row


def line(row):
    bad = sum(row["bad"].values())
    kinds = ", ".join(f"{kind} {count}" for kind, count in row["bad"].most_common())
    kills = f"  writer killed {row['kills']}" if row["kills"] else ""
    kills += f"  corners {row['corners']}" if row["corners"] else ""
    return (f"{row['engine']:6} {row['method']:7} copies {row['copies']:4}  bad {bad:4}{f' ({kinds})' if bad else ''}  "
            f"commits {row['commits']}  checkpoints {row['checkpoints']}{kills}  copies: with a checkpoint during it "
            f"{row['with a checkpoint during it']}, with log {row['with log']}, with row-group entries {row['with row-group entries']}  "
            f"median {statistics.median(row['seconds'] or [0]):.3f} s")


def newest_hrp():
    built = [p for p in (REPOSITORY / ".build" / kind / "hrp" for kind in ("release", "debug")) if p.is_file()]
    return max(built, key=lambda p: p.stat().st_mtime, default=None)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="2.0.1,1.5.6,1.4.5", help="DuckDB versions, one after another (default: %(default)s)")
    parser.add_argument("--copies", type=int, default=200, help=f"copies of each engine (default 200; cp, cp-wal at most {NAIVE_COPIES})")
    parser.add_argument("--method", action="append", choices=["hrp", "cp", "cp-wal", "quiet", "damaged"], help="repeatable (default: hrp, cp, cp-wal)")
    parser.add_argument("--self-test", action="store_true", help="judge the judge: methods quiet and damaged instead")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--slow", type=int, default=0, metavar="MS", help="slow the copier down: pause per piece copied")
    parser.add_argument("--kill-every", type=int, default=0, metavar="N", help="kill -9 the writer before each N-th copy, restart it after")
    parser.add_argument("--block-size", type=int, default=0, metavar="BYTES", help="of the database, such as 16384 (default: the engine's)")
    parser.add_argument("--time-limit", type=float, default=1200, metavar="SECONDS", help="of one engine and method (default %(default)s)")
    parser.add_argument("--hrp", type=pathlib.Path, default=newest_hrp(), help="default: the newest one built")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps", help="default: .deps of the repository")
    parser.add_argument("--folder", help="where the database and its copies go, such as a file system with clones (default: memory)")
    parser.add_argument("--json", type=pathlib.Path, help="write the report here as well")
    parser.add_argument("--keep-bad", type=pathlib.Path, metavar="DIR", help="keep bad copies with the source as it was right after")
    chosen = parser.parse_args()
    chosen.method = ["quiet", "damaged"] if chosen.self_test else list(dict.fromkeys(chosen.method or ["hrp", "cp", "cp-wal"]))
    chosen.deps = chosen.deps.absolute()
    if chosen.copies < 1:
        parser.error("--copies must be at least 1")
    if "hrp" in chosen.method:
        if not chosen.hrp or not chosen.hrp.is_file():
            parser.error("no hrp to test: build it (swift build), name it with --hrp, or choose another --method")
        chosen.hrp = chosen.hrp.absolute()
    if chosen.keep_bad:
        chosen.keep_bad.mkdir(parents=True, exist_ok=True)
    return chosen


def main():
    chosen, report, hollow = options(), [], False
    passed = failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the finally below ends the writer
    for engine in chosen.engines.split(","):
        run = Run(engine, chosen)
        try:
            for method in chosen.method:
                wanted = min(chosen.copies, NAIVE_COPIES) if method in ("cp", "cp-wal") else chosen.copies
                row = run.measure(method, wanted)
                report.append(row)
                print(line(row), flush=True)
                for failure in row["failures"]:
                    print(f"  failed: {failure}", flush=True)
                bad = sum(row["bad"].values()) - row["bad"]["no copy"]
                good = bad - row["bad"]["not damaged"] if method == "damaged" else row["copies"] - bad
                if chosen.self_test or method == "hrp":
                    passed, failed = passed + good, failed + wanted - good
                hollow |= bool(row["failures"])
        finally:
            run.close()
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or hollow else 0)


if __name__ == "__main__":
    main()
