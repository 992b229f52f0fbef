"""Reproduces the table of promises: which level of verification finds which kind of damage, with real backups.

Live stacks (stack.py) are backed up by hrp; copies of the backups are spoilt, one fault each (faults.py), and judged at
every level, and by the Python tool's method. A kind is the promise of one level: that one and those above it must find
each fault of the kind. Where the promise is the level structure's or the engine's, checksums.txt, manifest.jsonl and
metadata.json are made anew after the fault, and it is seen to that the level checksums then finds nothing.
Then the stacks go on changing, and no backup of them may be blamed.
"""
import argparse, json, os, pathlib, random, shutil, signal, sqlite3, subprocess, sys, tempfile, time
from collections import Counter
import faults, formats
from stack import Stack

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = REPOSITORY / ".build/promises"
LEVELS = ["checksums", "structure", "engine"]
COLUMNS = [*LEVELS, "python"]
STACKS = [("2.0.1", ""), ("1.5.6", ""), ("1.4.5", ""), ("2.0.1", "(BLOCK_SIZE 16384)"),
          ("1.5.6", "(STORAGE_VERSION 'latest')"), ("1.4.5", "(STORAGE_VERSION 'latest')")]
MOST_TOLD = 3  # faults of one kind that are told, and kept, when they are not found
SECONDS = 180  # of one hrp; the engine is given up after 60 s of silence


class Base:
    """A backup that is right, and what is known of it."""

    def __init__(self, path, stack, library):
        self.path, self.stack, self.library, self.proof = path, stack, library, None
        self.database, log = formats.Database(path / "hrp.duckdb"), path / "hrp.duckdb.wal"
        self.log = formats.Log(log.read_bytes()) if log.exists() else None
        self.segments = stack.ask("segments", str(path / "hrp.duckdb"))
        self.named = {block for _, _, _, block, *_ in self.segments} - self.database.used

    def unlike(self, bases, *, of_stack=True):
        return [b for b in bases if b is not self and (b.stack is self.stack) == of_stack]

    def with_other_logs(self, bases):
        """Backups of the same stack at another checkpoint, with a log that can stand in for ours."""
        return [b for b in self.unlike(bases) if b.log and b.database.iteration != self.database.iteration]

    def ready_models(self):
        """Folders in the backup that records of READY models name."""
        store = sqlite3.connect(f"file:{self.path}/mlruns/mlflow.db?immutable=1", uri=True)
        rows = store.execute("SELECT artifact_location FROM logged_models WHERE status = 2 UNION "
                             "SELECT storage_location FROM model_versions WHERE status = 'READY'").fetchall()
        store.close()
        return sorted("mlruns/" + os.path.relpath(place, self.stack.mlflow) for (place,) in rows)


class Case:
    """A copy of a backup to be spoilt."""

    def __init__(self, base, bases, folder):
        self.base, self.bases, self.path, self.keeps_proof = base, bases, folder / base.path.name, True

    def files(self, lists=False):
        found = [p for p in sorted(self.path.rglob("*")) if p.is_file() and not p.is_symlink()]
        return [p for p in found if (p.parent == self.path and p.name in formats.LISTS) == lists]

    def name(self, path):
        return str(path.relative_to(self.path))

    def writable(self, path):
        """Lets others write to a file of which no other name is there."""
        formats.put(path, path.read_bytes())
        os.chmod(path, 0o644)
        return path

    def flip(self, path, byte, bit):
        data = bytearray(path.read_bytes())
        data[byte] ^= 1 << bit
        formats.put(path, data)

    @property
    def duckdb(self):
        return self.path / "hrp.duckdb"

    @property
    def wal(self):
        return self.path / "hrp.duckdb.wal"


class Judge:
    """Asks hrp about a backup."""

    def __init__(self, options, folder):
        self.options, self.calls = options, 0
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("HRP_", "MLFLOW_", "PYTHON"))}
        self.environment |= {"HRP_EXECUTABLE": str(options.hrp), "TMPDIR": str(folder), "HOME": str(folder)}

    def library(self, engine):
        return self.options.deps / "lib" / engine / "libduckdb.so"

    def run(self, *arguments, library=None):
        """The exit status and what it printed; of a crash, silence or a call that does not end, an error like hrp's."""
        self.calls += 1
        environment = self.environment | ({"HRP_DUCKDB_LIBRARY": str(library)} if library else {})
        try:
            done = subprocess.run([self.options.hrp, *map(str, arguments), "--json"], env=environment, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
            return done.returncode, json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            return None, {"error": {"message": f"hrp did not end within {SECONDS} seconds"}}
        except json.JSONDecodeError:
            return done.returncode, {"error": {"message": (done.stdout + done.stderr)[-500:] or "silence"}}

    def findings(self, *arguments, library=None):
        """What hrp blames; a string when it gave no verdict."""
        status, report = self.run("backup", *arguments, "--quiet", library=library)
        wanted = arguments[3] if arguments[0] == "verify" else "drill"
        if "error" in report:
            return report["error"]["message"] if status is None else f"exit {status}: {report['error']['message']}"
        if status != (0 if report["ok"] else 1) or report["ok"] == bool(report["findings"]):
            return f"exit {status}, ok {report['ok']}, {len(report['findings'])} findings"
        if report["ok"] and report["level"] != wanted:
            return f"right as far as the level {report['level']} sees, and no further: {report['notices']}"
        return report["findings"]

    def verify(self, backup, level, library=None):
        return self.findings("verify", backup, "--level", level, library=library)

    def drill(self, backup, library):
        return self.findings("drill", backup, library=library)


class Run:
    """Stacks, the backups of them that are spoilt, and what came of it."""

    def __init__(self, options):
        self.options, self.failures = options, 0
        place = options.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="promises-", dir=place))
        self.judge = Judge(options, self.folder)
        self.stacks, self.bases, self.rows = [], [], []

    def close(self):
        for stack in self.stacks:
            stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fail(self, words):
        self.failures += 1
        print(f"FAILED: {words}", flush=True)

    def say(self, words):
        if self.options.verbose:
            print(words, flush=True)

    def make_stacks(self):
        for number, (engine, options) in enumerate(STACKS):
            if engine in self.options.engines:
                self.stacks.append(Stack(self.folder / f"stack-{number}", engine, options, self.options.seed,
                                         self.options.deps, CACHE))
        for stack in self.stacks:
            stack.fill()

    def create(self, stack):
        status, report = self.judge.run("backup", "create", "--data-dir", stack.data, "--quiet")
        if status or not (report["verified"] and report["complete"]):
            raise SystemExit(f"promises: no backup of {stack}: exit {status}, {report}")
        return pathlib.Path(report["path"])

    def make_bases(self, each):
        """Backups to be spoilt. They must be right, at every level and by our own reading, and are drilled once."""
        newest = self.options.engines[0]
        for stack in self.stacks:
            for number in range(each):
                stack.change_for_faults(number)
                # Judged by the engine that wrote it, or by the newest one, as it may be years later.
                library = self.judge.library(newest if number % 2 else stack.engine)
                base = Base(self.create(stack), stack, library)
                self.check_reading(base)
                blamed = {level: self.judge.verify(base.path, level, library) for level in LEVELS}
                blamed["drill"] = self.judge.drill(base.path, library)
                if any(blamed.values()) or formats.python_tool_complains(base.path):
                    raise SystemExit(f"promises: {base.path.name} of {stack} is blamed before it is spoilt: {blamed}")
                base.proof = json.loads((base.path.parent / ".hrp-proofs" / f"{base.path.name}.json").read_text())
                self.bases.append(base)

    def check_reading(self, base):
        """Our reading of the format and hrp's must agree, or the faults would not be what they are called."""
        database, log = base.database, base.log
        _, seen = self.judge.run("duckdb", "inspect", base.path / "hrp.duckdb")
        ours = {"iteration": database.iteration, "block_size": database.size, "blocks_in_use": len(database.used),
                "blocks_free": len(database.free), "blocks_metadata": len(database.metadata & database.used)}
        wrong = [block for block in database.used if not database.is_right(database.block(block))]
        if {key: seen.get(key) for key in ours} != ours or wrong or log and (
                not log.is_whole or log.iteration != seen["wal"]["iteration"]):
            raise SystemExit(f"promises: {base.path} is read otherwise by hrp: {ours}, {wrong} wrong; hrp: {seen}")

    # One fault and its verdicts

    def spoil(self, kind, number):
        random_ = random.Random(f"{self.options.seed}/{kind.name}/{number}")
        fitting = [base for base in self.bases if kind.fits(base, self.bases)]
        engines = sorted({base.stack.engine for base in fitting}, reverse=True)
        engine = engines[(number + faults.Kind.all.index(kind)) % len(engines)]
        base = random_.choice([base for base in fitting if base.stack.engine == engine])
        folder = self.folder / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        subprocess.run(["cp", "-a", base.path, folder], check=True)
        case = Case(base, self.bases, folder)
        what = kind.spoil(case, random_)
        if kind.is_sealed:
            sealed = formats.make_lists_anew(case.path)
            if case.keeps_proof:
                (folder / ".hrp-proofs").mkdir()
                proof = base.proof | {"checksums_sha256": sealed}
                (folder / ".hrp-proofs" / f"{base.path.name}.json").write_text(json.dumps(proof))
        return case, what

    def verdicts(self, kind, case):
        """The findings at each level; a string where there was no verdict."""
        library = case.base.library
        found = {level: self.judge.verify(case.path, level) for level in LEVELS[:2]}
        if kind.level != "engine" or not kind.drill:
            found["engine"] = self.judge.verify(case.path, "engine", library)
        if kind.drill and not found.get("engine"):
            found["engine"] = self.judge.drill(case.path, library)
        found["python"] = ["found"] if formats.python_tool_complains(case.path) else []
        return found

    def problems(self, kind, found):
        """What is not as promised."""
        for level in LEVELS:
            must = kind.level != "none" and LEVELS.index(level) >= LEVELS.index(kind.level)
            if isinstance(found[level], str):
                yield f"no verdict at level {level}: {found[level]}"
            elif must and not found[level]:
                yield f"NOT FOUND at level {level}"
            elif found[level] and (kind.level == "none" or level == "checksums" and kind.is_sealed):
                yield f"blamed at level {level}: {found[level][:3]}"
            elif level == kind.level and kind.by and not {finding["kind"] for finding in found[level]} & {*kind.by}:
                yield f"found at level {level}, but by none of the kind {' or '.join(kind.by)}: {found[level][:3]}"

    def measure(self, kind, count):
        row = {"kind": kind, "n": count, "found": Counter(), "failed": 0}
        self.rows.append(row)
        for number in range(count):
            case, what = self.spoil(kind, number)
            found = self.verdicts(kind, case)
            for column in COLUMNS:
                row["found"][column] += bool(found[column]) and not isinstance(found[column], str)
            words = (f"{kind.level}: {kind.name}, {number + 1} of {count}, {case.base.path.name} of {case.base.stack}, "
                     f"read by {case.base.library.parent.name}: {what}")
            self.say(words + " -> " + ", ".join(
                f"{column} {'found' if found[column] else 'silent'}" for column in COLUMNS))
            if problems := list(self.problems(kind, found)):
                row["failed"] += 1
                if row["failed"] <= MOST_TOLD:
                    kept = self.keep(case.path.parent, f"{faults.Kind.all.index(kind)}-{number}")
                    self.fail(f"{words}\n  {'; '.join(problems)}\n  kept, with the proof of its first drill: "
                              f"{kept}; another like it: --seed {self.options.seed} --only '{kind.name}'")
        if row["failed"] > MOST_TOLD:
            self.fail(f"{row['failed']} of {count} in all: {kind.level}: {kind.name}")

    def keep(self, folder, name):
        shutil.copytree(folder, CACHE / "bad" / name, symlinks=True)
        return CACHE / "bad" / name

    def clean(self, count):
        """Backups of stacks that go on changing: none may be blamed."""
        row, older = {"kind": None, "n": count, "found": Counter(), "failed": 0, "engine": 0}, {}
        self.rows.append(row)
        for number in range(count):
            stack = self.stacks[number % len(self.stacks)]
            stack.change()
            backup = self.create(stack)
            blamed = {level: self.judge.verify(backup, level) for level in LEVELS[:2]}
            if (number + number // len(self.stacks)) % 4 == 0:  # every fourth, and every stack in turn
                row["engine"] += 1
                library = self.judge.library(stack.engine if row["engine"] % 2 else self.options.engines[0])
                blamed["engine"] = self.judge.verify(backup, "engine", library)
            blamed["python"] = formats.python_tool_complains(backup)
            row["found"].update({column: bool(findings) for column, findings in blamed.items()})
            self.say(f"clean: {backup.name} of {stack} -> {'blamed' if any(blamed.values()) else 'silent'}")
            if any(blamed.values()):
                row["failed"] += 1
                kept = self.keep(backup, f"clean-{number}")
                self.fail(f"clean backup {number} of {stack} is blamed: {blamed}; kept: {kept}")
            older.setdefault(stack, []).append(backup)
            if len(older[stack]) > 2:  # the newest ones stay: later ones may share files with them
                shutil.rmtree(older[stack].pop(0))


NOTE = """
Each cell: found, of so many. Bold: promised; a level contains those before it. From the level structure on, the lists
were made anew after the fault, so that the level checksums sees nothing: damage that was there before the sealing.
Engine: `hrp backup verify --level engine`; where rows themselves changed, `hrp backup drill`, held against the first
drill of the backup before it was spoilt. (Its proof names the hash of checksums.txt; the harness carried that over.)
An hrp log ends with its last commit, so there is no dead tail in which a change would be no damage."""


def table(rows):
    lines = ["| found by level | fault | checksums | structure | engine / drill | the Python tool's method |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        kind, cells = row["kind"], []
        level = kind.level if kind else "none"
        for column in COLUMNS:
            cell = f"{row['found'][column]} of {row['engine'] if not kind and column == 'engine' else row['n']}"
            is_promised = column in LEVELS[LEVELS.index(level) if level in LEVELS else 0 :]
            cells.append(f"**{cell}**" if is_promised else cell)
        name = kind.name if kind else "clean backups of stacks that change"
        lines.append(f"| {level if kind and level in LEVELS else 'none: no damage'} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def newest_hrp():
    built = [p for p in (REPOSITORY / ".build" / kind / "hrp" for kind in ("release", "debug")) if p.is_file()]
    return max(built, key=lambda p: p.stat().st_mtime, default=None)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=1000, metavar="N", help="in all, over all kinds (default 1000)")
    parser.add_argument("--clean", type=int, default=200, metavar="N", help="clean backups (default 200)")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--engines", default="2.0.1,1.5.6,1.4.5", help="DuckDB versions (default: %(default)s)")
    parser.add_argument("--only", metavar="WORDS", help="only the kinds of faults with these words in their names")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each fault and each clean backup")
    parser.add_argument("--hrp", type=pathlib.Path, default=newest_hrp(), help="default: the newest one built")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps", help="default: .deps here")
    parser.add_argument("--folder", help="where the stacks and backups go (default: memory)")
    chosen = parser.parse_args()
    chosen.deps, chosen.engines = chosen.deps.absolute(), chosen.engines.split(",")
    if not chosen.hrp or not chosen.hrp.is_file():
        parser.error("no hrp to test: build it (swift build -c release), or name it with --hrp")
    chosen.hrp = chosen.hrp.absolute()
    return chosen


def shares(total, kinds):
    return [total // len(kinds) + (number < total % len(kinds)) for number in range(len(kinds))] if kinds else []


def main():
    chosen, began = options(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the finally below ends the engines
    shutil.rmtree(CACHE / "bad", ignore_errors=True)
    run = Run(chosen)
    try:
        run.make_stacks()
        run.make_bases(each=4 if chosen.faults > 500 else 2)
        seconds = time.monotonic() - began
        print(f"{len(run.bases)} backups of {len(run.stacks)} stacks, to be spoilt: {seconds:.0f} s", flush=True)
        kinds = [kind for kind in faults.Kind.all if not chosen.only or chosen.only in kind.name]
        if not kinds:
            raise SystemExit(f"promises: no kind of fault has these words in its name: {chosen.only}")
        for kind in [k for k in kinds if not any(k.fits(base, run.bases) for base in run.bases)]:
            print(f"left out, since no backup of these engines is fit for it: {kind.name}")
            kinds.remove(kind)
        bad = [kind for kind in kinds if kind.level != "none"]
        harmless = [kind for kind in kinds if kind.level == "none"]
        for kind, count in zip(bad, shares(chosen.faults, bad)):
            run.measure(kind, count)
        for kind, count in zip(harmless, shares(max(chosen.faults // 20, len(harmless)), harmless)):
            run.measure(kind, count)
        for base in run.bases:  # whatever was done was done to copies
            if run.judge.verify(base.path, "structure"):
                run.fail(f"the harness itself spoilt {base.path.name} of {base.stack}")
        run.clean(chosen.clean)
    finally:
        run.close()
    print(f"\n{table(run.rows)}\n{NOTE}\n")
    print(f"{run.judge.calls} calls of hrp, {time.monotonic() - began:.0f} s")
    counted = {True: [0, 0], False: [0, 0], None: [0, 0]}
    for row in run.rows:
        which = None if row["kind"] is None else row["kind"].level != "none"
        counted[which][0] += row["n"] - row["failed"]
        counted[which][1] += row["failed"]
    print(f"{counted[False][1]} of {sum(counted[False])} harmless changes blamed")
    if run.failures:
        print(f"promises: {counted[True][1]} of {sum(counted[True])} faults not found as promised, "
              f"{counted[None][1]} of {sum(counted[None])} clean backups blamed")
    else:
        print(f"promises: {counted[True][0]} faults found at their level, {counted[None][0]} clean backups not blamed")
    sys.exit(1 if run.failures else 0)


if __name__ == "__main__":
    main()
