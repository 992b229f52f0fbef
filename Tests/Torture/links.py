"""Backs up a live stack again and again, and judges each backup without hrp: no id that DuckDB names may dangle.

Beside the backups one process (`write`) does without rest what research code does: an MLflow run with params, metrics
and an artifact is finished, only then its id is inserted into DuckDB, which is open all the time. So at each moment
every id in DuckDB is in MLflow, every run named there is FINISHED, and every FINISHED run has its artifact. The same
must hold in each backup, which also must have every id that was committed before it began. The same engine reads the
backup's database (a copy of it, in a forked child that may crash), Python's SQLite its MLflow.

An id that dangles is allowed only if `hrp backup drill` names it. Every 25th backup and the last are drilled in any
case, and their artifacts are all read; else only what is not the same file as in the backup before. After each 50 the
judge is judged: from one backup's database with an older one's MLflow ids must dangle, and a drill must name them.
Then begins a new stack: the longer a backup takes, the more runs come beside it, and the longer takes the next.
"""
import argparse, contextlib, json, multiprocessing, os, pathlib, random, re, shutil, signal, sqlite3, statistics
import subprocess, sys, tempfile, time
from collections import Counter
from torture import REPOSITORY, newest_hrp

ARTIFACT = "model.pkl"
METRICS = 3  # of each run
STACK, MARK, HRP_SECONDS, READ_SECONDS = 50, 25, 600, 60
TABLES = """
CREATE TABLE hypothesis_experiments (hypothesis_id VARCHAR, experiment_id VARCHAR,
  relationship VARCHAR DEFAULT 'primary', created_at TIMESTAMP, PRIMARY KEY (hypothesis_id, experiment_id));
CREATE TABLE lineage (lineage_id INTEGER PRIMARY KEY, event_type VARCHAR NOT NULL, timestamp TIMESTAMP,
  actor VARCHAR DEFAULT 'system', hypothesis_id VARCHAR, experiment_id VARCHAR, details JSON);
CREATE INDEX idx_lineage_hypothesis ON lineage(hypothesis_id);
"""


def artifact(run):
    """What the artifact of a run must hold: its id again and again, up to 4 KB, or 256 KB in one of sixteen."""
    size = 1 << 18 if run[0] == "0" else 1 + int(run[1:4], 16)
    return (run.encode() * (size // len(run) + 1))[:size]


# --- write: the research program


def write(data, state):
    """Makes runs and names them in DuckDB until its parent is gone; STATE holds how many ids were committed."""
    import duckdb
    home, scratch, parent = data / "mlflow", state.with_name(ARTIFACT), os.getppid()
    os.chdir(home)  # MLflow keeps artifacts in ./mlruns
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    mlflow = MlflowClient(f"sqlite:///{home}/mlflow.db")
    connection = duckdb.connect(str(data / "hrp.duckdb"))
    connection.execute(TABLES).fetchall()
    chance, ids, runs = random.Random(1), 0, 0
    note = os.open(state, os.O_WRONLY | os.O_CREAT, 0o600)

    def name(event, identifier):  # in two transactions: between them only the first table has the id
        nonlocal ids
        hypothesis = f"HYP-2026-{ids % 40:04d}"
        connection.execute("INSERT INTO hypothesis_experiments VALUES (?, ?, 'primary', now()::TIMESTAMP)",
                           [hypothesis, identifier]).fetchall()
        connection.execute("INSERT INTO lineage VALUES (?, ?, now()::TIMESTAMP, 'user', ?, ?, '{}')",
                           [ids, event, hypothesis, identifier]).fetchall()
        ids += 1

    while os.getppid() == parent:
        if runs % 10 == 0:
            experiment = mlflow.create_experiment(f"experiment {runs // 10}")
            name("experiment_created", experiment)
        run = mlflow.create_run(experiment).info.run_id
        scratch.write_bytes(artifact(run))
        mlflow.log_batch(run, [Metric(f"m{n}", chance.random(), 0, n) for n in range(METRICS)],
                         [Param("max_positions", "20"), Param("sizing", "equal")])
        mlflow.log_artifact(run, str(scratch))
        mlflow.set_terminated(run)
        name("experiment_run", run)
        runs += 1
        os.pwrite(note, b"%16d%16d" % (ids, runs), 0)  # only now: the commit has returned
        if chance.random() < 0.05:
            connection.execute("CHECKPOINT").fetchall()


# --- the judge: reads a backup without hrp


def read_ids(database, answer):
    """Runs in a child. Opens read-write, so that the log replays as it does for a user."""
    import duckdb
    try:
        with duckdb.connect(str(database), config={"threads": 1}) as connection:
            answer.send({table: [x for (x,) in connection.execute(f"SELECT experiment_id FROM {table}").fetchall()]
                         for table in ("hypothesis_experiments", "lineage")})
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}"[:300])


def named_ids(database):
    """What DuckDB names, by table; read in a forked child, which a damaged file may crash or hang."""
    context = multiprocessing.get_context("fork")
    answer, theirs = context.Pipe(duplex=False)
    child = context.Process(target=read_ids, args=(database, theirs))
    child.start()
    theirs.close()
    try:
        result = answer.recv() if answer.poll(READ_SECONDS) else f"no answer in {READ_SECONDS} s"
    except EOFError:
        result = "the engine crashed"
    child.kill()
    child.join()
    if isinstance(result, str):
        raise OSError(f"the database in the backup: {result}")
    return result


def copy_database(backup, folder):
    for file in backup.glob("hrp.duckdb*"):  # with its log
        shutil.copyfile(file, folder / file.name)


class Judge:
    def __init__(self, home, scratch):
        self.home, self.scratch, self.read = home, scratch, set()  # files whose bytes the backup before showed

    def judge(self, backup, committed, thorough):
        """Returns (ids that dangle, with their table; what else is wrong; runs that DuckDB names)."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        copy_database(backup, self.scratch)
        named, wrong = named_ids(self.scratch / "hrp.duckdb"), []
        for table, ids in named.items():
            if not committed <= len(ids) == len(set(ids)):
                wrong.append(f"{table}: {len(set(ids))} ids in {len(ids)} rows, {committed} before the backup")
        wrong += [f"there is {x.name}" for x in (backup / "mlruns").glob("mlflow.db-*")]  # the copy is one file
        store = f"{(backup / 'mlruns' / 'mlflow.db').as_uri()}?immutable=1"
        with contextlib.closing(sqlite3.connect(store, uri=True)) as mlflow:
            wrong += [f"mlflow.db: {x}" for (x,) in mlflow.execute("PRAGMA quick_check(9)") if x != "ok"]
            experiments = {str(x) for (x,) in mlflow.execute("SELECT experiment_id FROM experiments")}
            runs = {run: about for run, *about in mlflow.execute(
                "SELECT run_uuid, status, artifact_uri, (SELECT count(*) FROM metrics WHERE run_uuid = r.run_uuid)"
                " FROM runs r")}
        in_mlflow = runs.keys() | experiments
        dangling = [(table, x) for table, ids in named.items() for x in ids if x not in in_mlflow]
        recorded = {x for ids in named.values() for x in ids if x in runs}
        wrong += [f"run {x} is {runs[x][0]}, but DuckDB names it" for x in recorded if runs[x][0] != "FINISHED"]
        finished = {run: about for run, about in runs.items() if about[0] == "FINISHED"}
        wrong += [f"run {x} has {about[2]} metrics" for x, about in finished.items() if about[2] != METRICS]
        self.read, before = set(), set() if thorough else self.read
        for run, (_, uri, _) in finished.items():
            place = uri.removeprefix("file://").removeprefix(f"{self.home}/")
            try:
                with open(f"{backup}/mlruns/{place}/{ARTIFACT}", "rb") as file:
                    status = os.fstat(file.fileno())
                    self.read.add(key := (status.st_ino, status.st_mtime_ns, status.st_size))
                    if key not in before and file.read() != artifact(run):
                        wrong.append(f"the artifact of run {run} is not what was logged")
            except OSError as error:
                wrong.append(f"the artifact of run {run} is missing: {error.strerror}")
        return dangling, wrong, len(recorded)


# --- the harness


class Links:
    """One stack, its backups and what was found; the sums go into `total`."""
    def __init__(self, options, total):
        self.options, self.total = options, total
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="links-", dir=options.folder)).resolve()
        self.data, self.backups, self.state = (self.folder / name for name in ("data", "backups", "state"))
        (self.data / "mlflow").mkdir(parents=True)
        self.judge = Judge(self.data / "mlflow", self.folder / "judged")
        sys.path.insert(0, str(library := options.deps / "duckdb" / options.engine))
        import duckdb  # once, for all the children
        # Nothing may touch a stack that these point to.
        ours = {k: v for k, v in os.environ.items() if not k.startswith("HRP_") and k != "MLFLOW_TRACKING_URI"}
        ours |= {"PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1", "MLFLOW_DISABLE_TELEMETRY": "true",
                 "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet", "HRP_EXECUTABLE": str(options.hrp),
                 "HRP_DUCKDB_LIBRARY": str(options.deps / "lib" / options.engine / "libduckdb.so")}
        self.environment, self.kept, self.seconds = ours, [], []
        with open(self.folder / "writer.log", "wb") as log:
            self.writer = subprocess.Popen([sys.executable, __file__, "write", self.data, self.state], env=ours,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def committed(self):
        """How many ids and runs were committed."""
        if self.writer.poll() is not None:
            raise SystemExit(f"links: the writer died: {(self.folder / 'writer.log').read_text()[-600:]}")
        text = self.state.read_text() if self.state.exists() else ""
        return (int(text[:16]), int(text[16:])) if text else (0, 0)

    def hrp(self, command, data, backups, *arguments):
        """What hrp says, as (exit status, JSON)."""
        result = subprocess.run(
            [self.options.hrp, "backup", command, *arguments, "--data-dir", data, "--backup-dir", backups, "--json"],
            env=self.environment, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=HRP_SECONDS)
        try:
            return result.returncode, json.loads(result.stdout)
        except ValueError:
            raise OSError(f"hrp backup {command}: exit {result.returncode}: {(result.stderr + result.stdout)[:300]}")

    def create(self, data, backups):
        code, said = self.hrp("create", data, backups)
        if code or not said["verified"] or not said["complete"]:
            raise OSError(f"hrp backup create: exit {code}: {json.dumps(said)[:600]}")
        return pathlib.Path(said["path"])

    def drill(self, backup, data, dangling):
        """The objections to the drill's verdict: it must name each id that dangles, and nothing else."""
        code, said = self.hrp("drill", data, backup.parent, backup)
        findings = {tuple(re.findall(r"\w+", x["detail"])[0:3:2]) if x["kind"] == "link" else str(x)
                    for x in said.get("findings", [])}
        agrees = findings == set(dangling) and (code, said.get("ok")) == ((1, False) if dangling else (0, True))
        return [] if agrees else [f"the drill says otherwise: {json.dumps(said.get('findings') or said)[:600]}"]

    def one(self, number):
        (before, _), began = self.committed(), time.monotonic()
        backup = self.create(self.data, self.backups)
        self.seconds.append(time.monotonic() - began)
        self.total["during"] += self.committed()[0] - before
        is_mark = number % MARK == 0 or number == self.options.backups
        dangling, wrong, runs = self.judge.judge(backup, before, thorough=is_mark)
        if dangling or is_mark:
            began, objections = time.monotonic(), self.drill(backup, self.data, dangling)
            wrong += objections
            self.total.update(drilled=not objections, named=0 if objections else len(dangling))
            print(f"{number:5} backups, {runs} runs in the last; create {statistics.median(self.seconds[-MARK:]):.2f} s"
                  f" (median), drill {time.monotonic() - began:.1f} s", flush=True)
        self.total.update(made=1, dangling=len(dangling), wrong=len(wrong))
        for problem in [f"{table} names {x}, which MLflow does not have" for table, x in dangling][:5] + wrong[:5]:
            print(f"  bad: backup {number}: {problem}", flush=True)
        if (dangling or wrong) and self.options.keep_bad:
            shutil.copytree(backup, self.options.keep_bad / f"{number}-{backup.name}")
        self.kept.append(backup)
        if len(self.kept) > 2:  # the next one links from the newest
            old = self.kept.pop(0)
            shutil.rmtree(old)
            (self.backups / ".hrp-proofs" / f"{old.name}.json").unlink(missing_ok=True)

    def judge_the_judge(self):
        """What is wrong with the verdicts on a stack whose MLflow is older than its database."""
        stack, (older, newer) = self.folder / "mixed", self.kept
        (stack / "mlflow").mkdir(parents=True)
        copy_database(newer, stack)
        shutil.copyfile(older / "mlruns" / "mlflow.db", stack / "mlflow" / "mlflow.db")
        backup = self.create(stack, self.folder / "mixed-backups")
        dangling, wrong, runs = self.judge.judge(backup, 0, thorough=True)
        self.total["mixed"] += len(dangling)
        seen = dangling and len(wrong) >= runs > 0  # it has no artifacts
        return self.drill(backup, stack, dangling) + ([] if seen else ["the judge does not see what is missing"])

    def run(self, numbers):
        chance = random.Random(f"{self.options.seed}/{numbers}")
        while self.committed()[1] < 10:
            time.sleep(0.05)
        for number in numbers:
            time.sleep(chance.random() * 0.2)
            try:
                self.one(number)
            except (OSError, sqlite3.Error, subprocess.TimeoutExpired) as error:
                print(f"  failed: backup {number}: {error}", flush=True)
        problems = self.judge_the_judge() if len(self.kept) == 2 else ["there are no two backups"]
        self.total.update(runs=self.committed()[1], hollow=len(problems))
        print("".join(f"  this proves nothing: {problem}\n" for problem in problems), end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backups", type=int, default=500, help="how many (default %(default)s)")
    parser.add_argument("--engine", default="2.0.1", help="DuckDB's version (default %(default)s)")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--hrp", type=pathlib.Path, default=newest_hrp(), help="default: the newest one built")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps", help="default: the repository's")
    parser.add_argument("--folder", help="where the stack and its backups go (default: TMPDIR)")
    parser.add_argument("--keep-bad", type=pathlib.Path, metavar="DIR", help="copy bad backups to here")
    options = parser.parse_args()
    options.deps = options.deps.absolute()
    if not options.hrp or not options.hrp.is_file() or not (options.deps / "duckdb" / options.engine).is_dir():
        parser.error("no hrp (swift build, or name it with --hrp), or no such engine in .deps (scripts/setup)")
    options.hrp = options.hrp.absolute()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the finally below ends the writer
    total, began, wanted = Counter(), time.monotonic(), options.backups
    for first in range(1, wanted, STACK):
        links = Links(options, total)
        try:
            links.run(range(first, first + STACK if first + STACK < wanted else wanted + 1))
        finally:
            links.writer.kill()
            links.writer.wait()
            shutil.rmtree(links.folder, ignore_errors=True)
    few = total["runs"] < wanted or total["during"] < wanted / 10  # then nothing was proven
    bad = total["dangling"] > total["named"] or total["wrong"] or total["hollow"] or total["made"] < wanted
    words = ("links: {made} backups beside {runs} runs, {dangling} dangling ids ({named} named by drills), {wrong}"
             " other problems; {during} ids came during backups, {drilled} drills right, {mixed} made to dangle seen")
    print(words.format_map(total), f"{time.monotonic() - began:.0f} s", sep=", ")
    sys.exit(1 if bad or few else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(*map(pathlib.Path, sys.argv[2:]))
    else:
        main()
