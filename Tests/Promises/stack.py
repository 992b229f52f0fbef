"""The stacks of promises.py: small, real and live.

Imported, it drives them. As a program it is one of two processes of its own:
  stack.py mlflow FOLDER     a store made by real MLflow: two runs, a logged model and a registered one, both READY
  stack.py engine            with a DuckDB on PYTHONPATH: keeps a database open and does what lines of JSON ask for
"""
import importlib.metadata, json, os, pathlib, random, shutil, sqlite3, subprocess, sys, tempfile, uuid

ROWS = 300_000
LOGGED_IDS = 20_000  # rows of big that updates touch which are left in the log: below this
LINK = "INSERT INTO hypothesis_experiments VALUES ('HYP-2026-0001', ?, 'primary', now()::TIMESTAMP)"
SCHEMA = f"""
CREATE TABLE big (id BIGINT, h UBIGINT, s VARCHAR);
INSERT INTO big SELECT i, hash(i), printf('%x', hash(i + 7) % 1000000) FROM range({ROWS}) t(i);
CREATE TABLE keyed (k BIGINT PRIMARY KEY, v VARCHAR, w INTEGER);
INSERT INTO keyed SELECT i * 3, 'value ' || hash(i) % 100000, i % 17 FROM range(6000) t(i);
CREATE INDEX keyed_v ON keyed (v);
CREATE TABLE hypotheses (hypothesis_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL);
INSERT INTO hypotheses SELECT printf('HYP-2026-%04d', i), 'Momentum of sector ' || i FROM range(40) t(i);
CREATE TABLE hypothesis_experiments (hypothesis_id VARCHAR REFERENCES hypotheses(hypothesis_id),
  experiment_id VARCHAR, relationship VARCHAR, created_at TIMESTAMP, PRIMARY KEY (hypothesis_id, experiment_id));
CREATE TABLE heartbeat (n BIGINT PRIMARY KEY, value BIGINT NOT NULL);
CREATE SEQUENCE numbers;
CREATE VIEW summary AS SELECT w, count(*) AS rows FROM keyed GROUP BY w;
CREATE TABLE spare AS SELECT i, hash(i + 1) AS h FROM range(70000) t(i)
"""


class Engine:
    """The engine's side: one database held open, changed on demand."""

    def __init__(self, database, options, seed):
        import duckdb

        self.duckdb, self.random, self.beats, self.loads = duckdb, random.Random(seed), 0, []
        self.connection = duckdb.connect()
        for statement in ("SET threads = 1", "SET checkpoint_threshold = '1GB'",
                          f"ATTACH '{database}' AS hrp {options}", "USE hrp"):
            self.connection.execute(statement)
        for statement in SCHEMA.split(";"):
            self.connection.execute(statement)
        self.checkpoint()
        self.connection.execute("DROP TABLE spare")  # its blocks are free from here on
        self.checkpoint()

    def checkpoint(self):
        self.connection.execute("CHECKPOINT hrp")

    def beat(self):
        """A few commits, each seen in the rows of a table, so that a log without its last one reads otherwise."""
        for _ in range(self.random.randint(3, 7)):
            self.beats += 1
            self.connection.execute("INSERT INTO heartbeat VALUES (?, ?)", [self.beats, self.beats ** 2 % 10007])

    def update(self):
        start = self.random.randrange(LOGGED_IDS - 1000)
        self.connection.execute("UPDATE big SET h = hash(h) WHERE id BETWEEN ? AND ?", [start, start + 500])
        self.connection.execute("UPDATE keyed SET w = w + 1 WHERE k % 41 = ?", [self.random.randrange(41)])
        self.connection.execute("DELETE FROM keyed WHERE k = ?", [self.random.randrange(6000) * 3])

    def rewrite(self):
        """New blocks for a row group, and free ones where it was."""
        start = self.random.randrange(3) * 122_880
        self.connection.execute("UPDATE big SET h = hash(h + 1) WHERE id BETWEEN ? AND ?", [start, start + 122_879])
        self.checkpoint()

    def load(self):
        """So many rows in one transaction go to the database file at once: the log only names their blocks."""
        name = f"load_{self.beats}_{self.random.randrange(10 ** 6)}"
        self.connection.execute(
            f"CREATE TABLE {name} AS SELECT i, hash(i + {self.beats}) AS h FROM range(125000) t(i)")
        self.loads.append(name)
        if len(self.loads) > 2:
            self.connection.execute(f"DROP TABLE {self.loads.pop(0)}")

    def link(self, experiment):
        self.connection.execute(LINK, [experiment])

    def segments(self, path):
        """Where the rows of a copy's tables lie: table, column, compression, block, offset, rows, row group, start."""
        copy, found = self.duckdb.connect(path, read_only=True), []
        try:
            for (table,) in copy.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
                found += [[table, *row] for row in copy.execute(
                    "SELECT column_name, compression, block_id, block_offset, count, row_group_id, start"
                    f" FROM pragma_storage_info('{table}') WHERE block_id >= 0 ORDER BY ALL").fetchall()]
        finally:
            copy.close()
        return found

    def link_copy(self, path, experiment):
        """Names an experiment in a copy, which is closed as a user would: its log goes into it."""
        copy = self.duckdb.connect(path)
        try:
            copy.execute(LINK, [experiment])
        finally:
            copy.close()


def serve_engine():
    engine, answer = Engine(*json.loads(sys.stdin.readline())), None
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(getattr(engine, command["do"])(*command["with"])), flush=True)


def make_mlflow(folder):
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
    home = folder / "store"
    home.mkdir()
    os.chdir(home)
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    client, experiment = mlflow.MlflowClient(), mlflow.create_experiment("momentum")
    model = folder / "model"
    model.mkdir()
    (model / "MLmodel").write_text("flavors: {}\n")
    (model / "model.pkl").write_bytes(random.Random(1).randbytes(30_000))
    for number in range(2):
        with mlflow.start_run(experiment_id=experiment) as run:
            mlflow.log_params({"max_positions": 20, "sizing": "equal"})
            mlflow.log_metrics({"sharpe_ratio": 1.1 + number, "max_drawdown": -0.12})
            mlflow.log_artifacts(str(model), "model")
            mlflow.log_text("date,equity\n2025-01-02,100000\n", "equity_curve.csv")
    logged = mlflow.initialize_logged_model(name="prices", source_run_id=run.info.run_id, experiment_id=experiment)
    client.log_model_artifacts(logged.model_id, str(model))
    client.finalize_logged_model(logged.model_id, "READY")
    client.create_registered_model("prices")
    client.create_model_version("prices", source=f"models:/{logged.model_id}", run_id=run.info.run_id)
    client.create_model_version("prices", source=f"{run.info.artifact_uri}/model", run_id=run.info.run_id)


def cached_mlflow(cache):
    """The folder of the cached store and the place that its records name."""
    folder = cache / f"mlflow-{importlib.metadata.version('mlflow')}-1"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        made = pathlib.Path(tempfile.mkdtemp(prefix="making-", dir=cache))
        subprocess.run([sys.executable, "-B", __file__, "mlflow", made], check=True, capture_output=True)
        shutil.rmtree(made / "model")
        (made / "root").write_text(f"{made}/store")
        try:
            made.rename(folder)
        except OSError:  # another run was quicker
            shutil.rmtree(made)
    return folder / "store", (folder / "root").read_text()


class Stack:
    """A data directory with a live database and an MLflow store, as one engine writes it."""

    def __init__(self, folder, engine, options, seed, deps, cache):
        self.data, self.engine, self.options = folder, engine, options
        self.random = random.Random(f"{seed}/{folder.name}")
        folder.mkdir(parents=True)
        environment = {**os.environ, "PYTHONPATH": str(deps / "duckdb" / engine), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen([deps / "python/bin/python", __file__, "engine"], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps([str(folder / "hrp.duckdb"), options, f"{seed}/{folder.name}"]) + "\n")
        self.process.stdin.flush()
        self.mlflow = folder / "mlflow"
        self.cache = cache

    def fill(self):
        """Apart from the start, so that engines start side by side."""
        store, root = cached_mlflow(self.cache)
        shutil.copytree(store, self.mlflow)
        self._move_records(root)
        self._answer()
        for _ in range(2):  # named in DuckDB, and nothing in MLflow hangs on them
            self.link()

    def __str__(self):
        return f"DuckDB {self.engine}{' ' + self.options if self.options else ''}"

    def ask(self, what, *arguments):
        self.process.stdin.write(json.dumps({"do": what, "with": arguments}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"promises: {self}: the engine's process ended (exit {self.process.wait()})")
        return json.loads(line)

    def close(self):
        self.process.kill()
        self.process.wait()

    def _move_records(self, root):
        with sqlite3.connect(self.mlflow / "mlflow.db") as store:
            for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for column in store.execute(f'PRAGMA table_info("{table}")').fetchall():
                    if "CHAR" in column[2].upper() or "TEXT" in column[2].upper():
                        store.execute(f'UPDATE "{table}" SET "{column[1]}" = replace("{column[1]}", ?, ?)'
                                      f' WHERE instr("{column[1]}", ?)', [root, str(self.mlflow), root])
        store.close()

    def _copy_row(self, store, table, key, changed):
        """One row more, like the first one but for some columns."""
        names = [column[1] for column in store.execute(f"PRAGMA table_info({table})").fetchall()]
        row = dict(zip(names, store.execute(f"SELECT * FROM {table} ORDER BY {key} LIMIT 1").fetchone())) | changed
        store.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", [row[name] for name in names])

    def link(self):
        """A new experiment, named by DuckDB."""
        with sqlite3.connect(self.mlflow / "mlflow.db") as store:
            new = store.execute("SELECT max(experiment_id) + 1 FROM experiments").fetchone()[0]
            self._copy_row(store, "experiments", "experiment_id", {
                "experiment_id": new, "name": f"experiment {new}", "artifact_location": f"{self.mlflow}/mlruns/{new}"})
        store.close()
        self.ask("link", str(new))

    def run(self):
        """A new run with artifacts."""
        run = uuid.UUID(int=self.random.getrandbits(128)).hex
        folder = self.mlflow / "mlruns/1" / run / "artifacts"
        folder.mkdir(parents=True)
        (folder / "equity_curve.csv").write_bytes(self.random.randbytes(self.random.randint(1, 5000)).hex().encode())
        (folder / "empty").mkdir()
        with sqlite3.connect(self.mlflow / "mlflow.db") as store:
            self._copy_row(store, "runs", "run_uuid", {"run_uuid": run, "artifact_uri": str(folder)})
        store.close()

    def change(self):
        """What a day brings; now and then everything is in the database file, and there is no log."""
        for _ in range(self.random.randint(1, 3)):
            what = self.random.choices(["beat", "update", "rewrite", "load", "checkpoint", "link", "run"],
                                       [5, 4, 2, 1, 2, 1, 2])[0]
            getattr(self, what)() if what in ("link", "run") else self.ask(what)

    def change_for_faults(self, number):
        """A later checkpoint than before, free blocks, and a log of several commits; every second one names blocks."""
        self.link()
        self.run()
        for what in ["rewrite", "beat", "checkpoint", "update", *(["load"] if number % 2 else []), "beat"]:
            self.ask(what)


if __name__ == "__main__":
    if sys.argv[1] == "mlflow":
        make_mlflow(pathlib.Path(sys.argv[2]))
    else:
        serve_engine()
