"""Kills restores in place, and undos, again and again, and judges what is at the target without trusting hrp.

The stack, old or new: a DuckDB file with an index and with commits that are only in its log, and 5,000 MLflow files with
mlflow.db. Both databases come from one file by the same number of checkpoints: the log of one fits the other, and would
replay silently. A restore of the new stack over the old one is killed (SIGKILL)
  by time    at moments spread evenly over an undisturbed run
  by sight   soon after its journal was seen at the target
  by call    at each call of the swap that renames, links or syncs (strace), also where names cannot be exchanged
and so is an undo. After each kill, before hrp runs, the database's path must not be empty, and a real engine must read
from a copy the old or the new state, in the swap also one of them without its log. Then `hrp backup list` must finish
what was committed, and database and MLflow files must be wholly old or wholly new: new if it was committed. Every 20th
time the backup is verified, and an undo and a whole restore follow.

Traps, with each engine: logs that lie beside the target and are not the backup's, of the same checkpoint or of another;
a program that has the target open; an undo of a stack with two logs, killed at each of its renames.
"""
import argparse, contextlib, hashlib, itertools, json, multiprocessing, os, pathlib, re, shutil, signal, sqlite3
import statistics, subprocess, sys, tempfile, threading, time, zlib
from collections import Counter
from torture import REPOSITORY, iteration, newest_hrp

DATABASE, JOURNAL, LOGLESS = "hrp.duckdb", ".hrp.duckdb.hrp-restore", " without its log"
LOGS = [".wal", ".wal.checkpoint", ".wal.recovery"]
KEYS, FILES, OFTEN, KEPT, SECONDS = 100_000, 5000, 20, 3, 120
CALLS = "trace=renameat2,renameat,rename,fsync,syncfs,linkat"


# --- the engine's side: a server whose children open databases, since one may be damaged and crash or hang them


def rows(connection, sql):
    return connection.execute(sql).fetchall()


def connect(path, read_only=False):
    import duckdb
    return duckdb.connect(str(path), read_only=read_only, config={"threads": 2})


def keep_log(connection):
    rows(connection, "PRAGMA disable_checkpoint_on_shutdown")
    rows(connection, "SET checkpoint_threshold = '1TB'")


def do_base(path, keys):
    with connect(path) as connection:
        rows(connection, f"CREATE TABLE keys AS SELECT hash(i)::VARCHAR k, i, 0::HUGEINT v FROM range({keys}) t(i)")
        rows(connection, "CREATE INDEX keys_k ON keys(k)")
        rows(connection, "CREATE TABLE marker(state VARCHAR, part VARCHAR)")
        rows(connection, "CHECKPOINT")


def do_write(path, state, checkpoints, has_log, megabytes=0):
    salt = zlib.crc32(state.encode())
    with connect(path) as connection:
        if megabytes:
            columns = ", ".join(f"hash(i * 10 + {n} + {salt}) c{n}" for n in range(10))
            rows(connection, f"CREATE TABLE bulk AS SELECT {columns} FROM range({megabytes * 12_500}) t(i)")
        for n in range(checkpoints):
            rows(connection, f"INSERT INTO marker VALUES ('{state}', 'file {n}')")
            rows(connection, f"UPDATE keys SET v = v + {salt + n} WHERE i % 9 = {salt % 9}")
            rows(connection, "CHECKPOINT")
        keep_log(connection)
        if has_log:
            rows(connection, f"INSERT INTO marker VALUES ('{state}', 'log')")
            rows(connection, f"INSERT INTO keys SELECT '{state} ' || i, i, 1 FROM range(1000000, 1000300) t(i)")
            rows(connection, f"DELETE FROM keys WHERE i % 1000 = {salt % 997}")
            rows(connection, f"UPDATE keys SET v = v + 1 WHERE i % 1000 = {salt % 991}")


def do_crash(path):
    """Ends in the middle of a checkpoint beside which somebody commits: the database has two logs then."""
    connection, number = connect(path), itertools.count()
    keep_log(connection)

    def commit():
        own = connection.cursor()
        while True:
            rows(own, f"INSERT INTO marker VALUES ('crash', 'log {next(number)}')")

    def watch():
        while not all(os.path.exists(path + log) and os.path.getsize(path + log) > 200 for log in LOGS[:2]):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    rows(connection, "INSERT INTO keys SELECT 'crash ' || i, i, 2 FROM range(2000000, 2000300) t(i)")
    for work in (commit, watch):
        threading.Thread(target=work, daemon=True).start()
    while True:
        rows(connection, "UPDATE keys SET v = v + 1")
        with contextlib.suppress(Exception):  # "there are other transactions"
            rows(connection, "CHECKPOINT")


def do_read(path, read_only=False):
    """What the database holds: each table's rows and their hash, each key found by the index as by a scan."""
    with connect(path, read_only) as connection:
        state = {}
        for (name,) in rows(connection, "SELECT table_name FROM duckdb_tables() ORDER BY 1"):
            state[name] = rows(connection, f"SELECT count(*), coalesce(sum(hash(t)), 0)::VARCHAR FROM {name} t")[0]
        for key in rows(connection, "SELECT min(k), max(k), arg_max(k, i), arg_min(k, i) FROM keys")[0]:
            found = [rows(connection, f"SELECT count(*) FROM keys WHERE k{x} = '{key}'")[0][0] for x in ("", " || ''")]
            if found != [1, 1]:
                raise ValueError(f"key {key} is there {found[0]} times by the index, {found[1]} times by a scan")
        return json.dumps(state)


def serve():
    def answer(pipe, do, path, more):
        try:
            pipe.send({"result": globals()[f"do_{do}"](path, **more)})
        except Exception as error:
            pipe.send({"error": f"{type(error).__name__}: {error}"[:300]})

    context = multiprocessing.get_context("fork")
    for line in sys.stdin:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=answer, args=(theirs, *json.loads(line)))
        child.start()
        theirs.close()
        try:
            result = ours.recv() if ours.poll(SECONDS) else {"error": f"no answer in {SECONDS} s"}
        except EOFError:
            result = {"error": "the engine crashed"}
        child.kill()
        child.join()
        print(json.dumps(result), flush=True)


def hold(path, mode):
    connection = connect(path, mode == "reads")
    rows(connection, "FROM marker" if mode == "reads" else "INSERT INTO marker VALUES ('holder', 'log')")
    print("ready", flush=True)
    sys.stdin.read()


# --- a stack and what is known of it


class Engine:
    def __init__(self, options, version):
        library = options.deps / "duckdb" / version
        if not library.is_dir():
            raise SystemExit(f"kills: DuckDB {version} is not in {library}. Run scripts/setup.")
        self.environment = {**os.environ, "PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}
        self.server = self.start("serve")

    def start(self, *arguments):
        return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], env=self.environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, do, path, **more):
        """(What came of it, None), or (None, the error)."""
        print(json.dumps([do, str(path), more]), file=self.server.stdin, flush=True)
        answer = json.loads(self.server.stdout.readline())
        return answer.get("result"), answer.get("error")

    def need(self, do, path, **more):
        result, error = self.ask(do, path, **more)
        if error:
            raise SystemExit(f"kills: the engine cannot {do} {path}: {error}")
        return result


def tree(folder):
    """The hash of an MLflow directory: names, permissions, bytes, and of mlflow.db the rows."""
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in [".", *sorted(files)]:
            path = os.path.join(directory, name)
            content = b""
            if name == "mlflow.db":
                with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as store:
                    content = "\n".join(store.iterdump()).encode()
            elif name != ".":
                with open(path, "rb") as file:
                    content = file.read()
            about = f"{os.path.relpath(path, folder)} {os.stat(path).st_mode:o} {len(content)}\n"
            digest.update(about.encode() + content)
    return digest.hexdigest()


def make_store(folder, state, files):
    for n in range(files):
        file = folder / "artifacts" / f"run {n % 50}" / f"{state if n % 100 == 0 else 'file'} {n}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"{state} {n}\n".encode() * (1 + n % 40))
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as store:
        store.execute("CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT)")
        store.executemany("INSERT INTO experiments VALUES (?, ?)", [(n, f"{state} {n}") for n in range(500)])
        store.commit()


class Stack:
    """A data directory, its backups, and the names of the states that it may be in."""

    def __init__(self, home, options, engine):
        self.home, self.options, self.engine, self.states = home, options, engine, {}
        self.data, self.scratch, self.backups = home / "data", home / "scratch", home / "backups"
        self.database, self.journal = self.data / DATABASE, self.data / JOURNAL
        # Nothing may touch a stack that these point to.
        self.environment = {k: v for k, v in os.environ.items() if k[:4] != "HRP_" and k != "MLFLOW_TRACKING_URI"}

    def command(self, name, *arguments):
        places = ["--data-dir", self.data] + (["--backup-dir", self.backups] if name != "undo" else [])
        return list(map(str, [self.options.hrp, "backup", name, *arguments, *places]))

    def hrp(self, *arguments, expected=0):
        done = subprocess.run(self.command(*arguments), env=self.environment, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS)
        if expected is not None and done.returncode != expected:
            raise OSError(f"hrp backup {' '.join(map(str, arguments))}: exit {done.returncode}: {done.stderr[:300]}")
        return done

    def learn(self, state, folder):
        """Notes what the stack in a folder holds; the last of its kinds is the database without its log."""
        for name, logs in ((state, LOGS), (state + LOGLESS, [])):
            shown = self.read_copy(folder, logs)
            if self.states.setdefault(shown, name) != name:
                raise SystemExit(f"kills: {name} is as {self.states[shown]}: this proves nothing")
        self.states[tree(folder / "mlflow")] = state

    def read_copy(self, folder, logs=LOGS, logs_of=None):
        """What the engine shows of a copy of a database with logs, as whoever opens it would see it."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        for suffix in ["", *logs]:
            file = ((logs_of or folder) if suffix else folder) / (DATABASE + suffix)
            if file.exists():
                shutil.copyfile(file, self.scratch / file.name)
        if not (self.scratch / DATABASE).exists():
            return "nothing: the database's path is empty"
        result, error = self.engine.ask("read", self.scratch / DATABASE)
        return result or f"an error: {error}"

    def name(self, shown):
        return self.states.get(shown, shown)

    def state(self):
        """The states of the database and of the MLflow directory where they lie."""
        result, error = self.engine.ask("read", self.database, read_only=True)
        return self.name(result or f"an error: {error}"), self.name(tree(self.data / "mlflow"))


# --- kills


class Kills(Stack):
    """One large stack; what is counted goes into `total`."""

    def __init__(self, home, options, engine, total):
        super().__init__(home, options, engine)
        self.total, self.current = total, "old"
        base, self.pristine = home / "base.duckdb", home / "old"
        engine.need("base", base, keys=KEYS)
        for state in ("old", "new"):
            folder = home / state
            folder.mkdir()
            shutil.copyfile(base, folder / DATABASE)
            engine.need("write", folder / DATABASE, state=state, checkpoints=2, has_log=True,
                        megabytes=options.megabytes)
            make_store(folder / "mlflow", state, FILES)
            self.learn(state, folder)
        stale = self.read_copy(home / "new", logs_of=self.pristine)
        print(f"a stack of {os.path.getsize(home / 'new' / DATABASE) / 1e6:.0f} MB and {FILES} files, twice; checkpoint"
              f" {iteration(home / 'old' / DATABASE)} and {iteration(home / 'new' / DATABASE)}; the new one with the old"
              f" log would be: {'a mixture' if shown_silently(stale) else stale[:60]}")
        (home / "new").rename(self.data)
        self.hrp("create")
        self.backup = next(self.backups.glob("backup_*"))
        if not (self.backup / (DATABASE + ".wal")).exists():
            raise SystemExit("kills: the backup has no log: this proves nothing")
        self.reset()

    def reset(self):
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", "--reflink=auto", self.pristine, self.data], check=True)
        self.current = "old"

    def bad(self, what, problem, kept):
        self.total["problems"] += 1
        if self.total["problems"] <= 12:
            print(f"  bad: {what}: {problem}" + (f"\n       kept: {kept}" if kept else ""), flush=True)

    def keep(self, what):
        """Keeps the data directory as it is, for whoever looks into it."""
        if self.total["kept"] >= KEPT:
            return None
        self.total["kept"] += 1
        folder = self.options.keep_bad or pathlib.Path(tempfile.gettempdir()) / f"kills-bad-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", self.data, folder / re.sub(r"\W+", "-", what)], check=True)
        return folder / re.sub(r"\W+", "-", what)

    def kill(self, command, how, when, broken=()):
        """Runs hrp and kills it; false: it had ended before."""
        traced = ["strace", "-f", "-o", os.devnull, "-e", CALLS, *broken, "-e"] if how == "call" else []
        if traced:
            traced.append("inject={}:signal=SIGKILL:when={}".format(*when))
        began = time.monotonic()
        with open(self.home / "hrp.log", "wb") as log:
            process = subprocess.Popen(traced + command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log)
        if how == "sight":
            while not os.path.exists(self.journal) and process.poll() is None:
                pass
            began = time.monotonic()
        if how != "call":
            time.sleep(max(0, began + when - time.monotonic() - 0.002))
            while time.monotonic() < began + when:
                pass
            process.kill()
        code = process.wait(SECONDS)
        if code not in (0, -signal.SIGKILL, 128 + signal.SIGKILL):
            raise OSError(f"{' '.join(command)}: exit {code}: {(self.home / 'hrp.log').read_text()[-300:]}")
        return code != 0

    def judge(self, what, before, after):
        """Looks at the target; returns where the kill was, and what a program would have seen there."""
        pending, problems, kept = self.journal.exists(), [], None
        saw = self.name(self.read_copy(self.data))
        right = {before, after} | ({before + LOGLESS, after + LOGLESS} if pending else set())
        if saw not in right:
            kept = self.keep(what)
            problems.append(f"a program would see {saw}, {'in the swap' if pending else 'outside of the swap'}")
        said = self.hrp("list").stderr
        finished = not self.journal.exists()
        if pending and not (finished and "finished now" in said):
            self.total["unfinished"] += 1
            problems.append(f"hrp backup list {'says nothing of what it finished' if finished else 'finishes nothing'}")
            kept = kept or self.keep(what)
            self.hrp("restore", self.backup, "--dry-run")  # so that the rest can be judged
        state = self.state()
        if state not in ([(after, after)] if pending else [(before, before), (after, after)]) or self.journal.exists():
            problems.append(f"the database is {state[0]}, the MLflow directory {state[1]}")
            kept = kept or self.keep(what)
            self.total["half"] += 1
            self.reset()
            state = ("old", "old")
        elif not finished:
            self.total["half"] += 1
        self.current = state[0]
        for problem in problems:
            self.bad(what, problem, kept)
        return "in the swap" if pending else "after it" if state[0] == after else "before it", saw

    def whole(self, what):
        """The backup is still good, an undo brings the old state back, and a restore the new one."""
        self.hrp("verify", self.backup)
        for command, state in ([("undo",)] if self.current == "new" else []) + [("restore", self.backup), ("undo",)]:
            self.hrp(command, *state) if isinstance(state, tuple) else None
        self.total["followed"] += 1

    def calls(self, arguments, *broken):
        """The calls of a swap, each as (name, which of that name in its thread); and which ones exchange names."""
        log, counts, swap, exchanges = self.home / "strace", Counter(), [], []
        subprocess.run(["strace", "-f", "-o", log, "-e", CALLS, *broken, *self.command(*arguments)], check=True,
                       env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = [x for x in map(re.compile(r"(\d+) +(\w+)\((.*)").match, log.read_text().splitlines()) if x]
        marks = [n for n, x in enumerate(lines) if f'"{JOURNAL}"' in x[3]]  # the commit, and the end
        for n, (thread, name, rest) in enumerate(x.groups() for x in lines):
            counts[thread, name] += 1
            if "RENAME_EXCHANGE" in rest:
                exchanges.append(counts[thread, name])
            if marks[0] < n <= marks[-1] and thread == lines[marks[0]][1]:
                swap.append((name, counts[thread, name]))
        return swap, exchanges
