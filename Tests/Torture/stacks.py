"""What `kills.py` knows of a stack: it makes one with a real engine, asks hrp, and reads what is there, state by state.

Run as a program it is the engine's side: a server (`serve`) whose forked children open databases, since one may be
damaged and crash or hang them; or a program that has a database open (`hold`).
"""
import contextlib, ctypes, hashlib, itertools, json, multiprocessing, os, pathlib, re, shutil, signal, sqlite3, struct
import subprocess, sys, tempfile, threading, zlib

DATABASE, JOURNAL, LOGLESS = "hrp.duckdb", ".hrp.duckdb.hrp-restore", " without its log"
LOGS = [".wal", ".wal.checkpoint", ".wal.recovery"]
CALLS = "trace=renameat2,renameat,rename,fsync,syncfs,linkat"
SECONDS, SHOWN = 120, 4  # of one question; so many of each kind of problem are shown


# --- the engine's side



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
    us = os.getpid()
    if os.fork() == 0:
        while os.getppid() == us:
            with contextlib.suppress(FileNotFoundError):
                if min(os.stat(path + log).st_size for log in LOGS[:2]) > 200:
                    os.kill(us, signal.SIGKILL)
        os._exit(0)
    connection = connect(path)
    keep_log(connection)

    def commit():
        own = connection.cursor()
        for number in itertools.count():
            rows(own, f"INSERT INTO marker VALUES ('crash', 'log {number}')")

    rows(connection, "INSERT INTO keys SELECT 'crash ' || i, i, 2 FROM range(2000000, 2100000) t(i)")
    threading.Thread(target=commit, daemon=True).start()
    while True:
        rows(connection, "UPDATE keys SET v = v + 1")
        with contextlib.suppress(Exception):  # "there are other transactions"
            rows(connection, "CHECKPOINT")


def do_visit(path):
    with connect(path) as connection:  # its end is a checkpoint
        rows(connection, "CREATE TABLE visitor AS SELECT 1 n")


def do_read(path, read_only=False):
    """What the database holds: each table's rows and their hash, each key found by the index as by a scan."""
    with connect(path, read_only) as connection:
        state = {}
        tables = rows(connection, "SELECT table_name FROM duckdb_tables() ORDER BY 1")
        for (name,) in tables:
            if name != "visitor":
                state[name] = rows(connection, f"SELECT count(*), coalesce(sum(hash(t)), 0)::VARCHAR FROM {name} t")[0]
        # DuckDB 1.4.5 and 1.5.6 lose keys from the index when they replay a log and then checkpoint, as a visitor does.
        last = [] if ("visitor",) in tables else ["max(k)", "arg_max(k, i)"]
        for key in rows(connection, f"SELECT {', '.join(['min(k)', *last])} FROM keys")[0]:
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


# --- ours


class Engine:
    """A server of one version."""

    def __init__(self, library):
        if not library.is_dir():
            raise SystemExit(f"kills: there is no DuckDB in {library}. Run scripts/setup.")
        self.environment = {**os.environ, "PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}
        self.server = self.start("serve")

    def start(self, *arguments):
        return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], env=self.environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, do, path, **more):
        print(json.dumps([do, str(path), more]), file=self.server.stdin, flush=True)
        answer = json.loads(self.server.stdout.readline())
        return answer.get("result", f"an error: {answer.get('error')}")

    def need(self, do, path, **more):
        if result := self.ask(do, path, **more):
            raise SystemExit(f"kills: cannot {do} {path}: {result}")


def tree(folder):
    """The hash of an MLflow directory: names, permissions, bytes, and of mlflow.db the rows."""
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in [".", *sorted(files)]:
            path, content = os.path.join(directory, name), b""
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


def at(call, count):
    """Options of strace: the process is killed before it makes a call for the so-manieth time."""
    return "-o", os.devnull, "-e", f"inject={call}:signal=SIGKILL:when={count}"


def forbid_exchange():
    """From now on names cannot be exchanged, as on file systems that have no RENAME_EXCHANGE: a seccomp filter."""
    call, flag = {"x86_64": 316, "aarch64": 276}[os.uname().machine], 2
    code = [(0x20, 0, 0, 0), (0x15, 0, 3, call), (0x20, 0, 0, 48), (0x15, 0, 1, flag),
            (6, 0, 0, 0x50016), (6, 0, 0, 0x7FFF0000)]  # EINVAL, else allowed
    filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *x) for x in code))
    kernel = ctypes.CDLL(None, use_errno=True)
    program = struct.pack("HP", len(code), ctypes.addressof(filter))
    if kernel.prctl(38, 1, 0, 0, 0) or kernel.prctl(22, 2, program):
        raise OSError(ctypes.get_errno(), "prctl")


class Stack:
    """A data directory, its backups, and the names of the states that it may be in."""

    def __init__(self, home, options, version, total):
        home.mkdir()
        self.home, self.options, self.version, self.total, self.states = home, options, version, total, {}
        self.engine = Engine(options.deps / "duckdb" / version)
        self.data, self.backups, self.scratch = (home / name for name in ("data", "backups", "scratch"))
        self.journal = self.data / JOURNAL
        # Nothing may touch a stack that these point to.
        self.environment = {k: v for k, v in os.environ.items() if k[:4] != "HRP_" and k != "MLFLOW_TRACKING_URI"}

    def make(self, state, files, base, **how):
        """Makes a stack in a folder and notes what it holds, with and without its log."""
        folder = self.home / state
        make_store(folder / "mlflow", state, files)
        shutil.copyfile(base, folder / DATABASE)
        self.engine.need("write", folder / DATABASE, state=state, **how)
        self.learn(state, folder)
        return folder

    def learn(self, state, folder):
        for name, logs in ((state, LOGS), (state + LOGLESS, []))[: 1 + (folder / (DATABASE + ".wal")).exists()]:
            shown = self.copied(folder, logs)
            if shown[0] != "{" or self.states.setdefault(shown, name) != name:
                raise SystemExit(f"kills: {name} is {self.states.get(shown, shown)}: this proves nothing")
        self.states[tree(folder / "mlflow")] = state

    def back_up(self, folder):
        """Makes the backup that is restored, where the stack lies that it is restored to."""
        self.put(folder)
        self.hrp("create")
        self.backup = next(self.backups.glob("backup_*"))
        if (folder / (DATABASE + ".wal")).exists() and not (self.backup / (DATABASE + ".wal")).exists():
            raise SystemExit("kills: the backup has no log: this proves nothing")

    def put(self, folder):
        shutil.rmtree(self.data, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", folder, self.data], check=True)

    def command(self, name, *arguments):
        places = ["--data-dir", self.data] + (["--backup-dir", self.backups] if name != "undo" else [])
        return list(map(str, [self.options.hrp, "backup", name, *arguments, *places]))

    def hrp(self, *arguments, expected=0):
        """What hrp says on stderr; with no status expected, any will do."""
        done = subprocess.run(self.command(*arguments), env=self.environment, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS)
        if expected is not None and done.returncode != expected:
            raise OSError(f"hrp backup {' '.join(map(str, arguments))}: exit {done.returncode}: {done.stderr[:300]}")
        return done.stderr

    def start(self, command, *trace, exchanges=True):
        """Starts hrp, with options of strace under strace."""
        tracer = ["strace", "-f", "-e", CALLS, *trace] if trace else []
        with open(self.home / "said", "wb") as said:
            return subprocess.Popen(tracer + self.command(*command), env=self.environment, stdin=subprocess.DEVNULL,
                                    stdout=said, stderr=said, preexec_fn=None if exchanges else forbid_exchange)

    def wait(self, process):
        """Whether it was killed before it ended."""
        if (code := process.wait(SECONDS)) not in (0, -signal.SIGKILL, 128 + signal.SIGKILL):
            raise OSError(f"hrp: exit {code}: {(self.home / 'said').read_text()[:300]}")
        return code != 0

    def copied(self, folder, logs=LOGS, logs_of=None):
        """What the engine shows of a copy of a database with its logs, as whoever opens it would see it."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        for suffix in ["", *logs]:
            file = (logs_of if suffix and logs_of else folder) / (DATABASE + suffix)
            if file.exists():
                shutil.copyfile(file, self.scratch / file.name)
        if not (self.scratch / DATABASE).exists():
            return "nothing: the database's path is empty"
        return self.engine.ask("read", self.scratch / DATABASE)

    def name(self, shown):
        return self.states.get(shown, f"a mixture: {shown}" if shown[0] == "{" else shown)

    def state(self):
        """The states of the database and of the MLflow directory where they lie."""
        database = self.engine.ask("read", self.data / DATABASE, read_only=True)
        return self.name(database), self.states.get(tree(self.data / "mlflow"), "a mixture")

    def bad(self, what, problem):
        """Says it, and keeps the data directory of the first one of each kind as it is."""
        kind = "bad: " + re.sub(r"\d+", "", str(problem))[:40]
        self.total.update(["bad", kind])
        if self.total[kind] <= SHOWN:
            print(f"  bad: {what}: {str(problem).strip()}", flush=True)
        if self.total[kind] == 1:
            place = self.options.keep_bad or pathlib.Path(tempfile.gettempdir(), f"kills-bad-{os.getpid()}")
            folder = place / f"{self.total['bad']}-{re.sub(r'[^a-z0-9]+', '-', what)}"
            place.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", "--reflink=auto", self.data, folder], check=True)
            print(f"       kept as {folder}", flush=True)

    def finish(self, what):
        """Has the next command finish a swap that was committed; false: it did not, or said nothing."""
        said, is_finished = self.hrp("list"), not self.journal.exists()
        if is_finished and "finished now" in said:
            return True
        self.total["unfinished"] += 1
        self.bad(what, "hrp backup list " + ("does not say that it finished" if is_finished else "does not finish it"))
        self.hrp("restore", self.backup, "--dry-run")  # so that the rest can be judged
        return False


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else hold(*sys.argv[2:])
