"""The three Python roles of scripts/demo, each a process of its own: `write` keeps a live stack, `check` reads what a
restore made, `plain-copy` reads what cp made. Needs the environment of scripts/setup and an engine on PYTHONPATH."""

import argparse
import hashlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import time

import duckdb

SYMBOLS, DAYS, FEATURES = 20, 1000, ["momentum_20d", "volatility_20d"]
RUN_FILES = ["model/model.pkl", "equity_curve.csv"]  # logged in every run, before it is finished

TABLES = """
CREATE TABLE symbols (symbol VARCHAR PRIMARY KEY, name VARCHAR, exchange VARCHAR, sector VARCHAR(50));
CREATE TABLE universe (symbol VARCHAR REFERENCES symbols(symbol), date DATE, in_universe BOOLEAN,
  PRIMARY KEY (symbol, date));
CREATE TABLE prices (symbol VARCHAR REFERENCES symbols(symbol), date DATE, open DECIMAL(12,4), high DECIMAL(12,4),
  low DECIMAL(12,4), close DECIMAL(12,4) NOT NULL, volume BIGINT, PRIMARY KEY (symbol, date), CHECK (close > 0));
CREATE TABLE features (symbol VARCHAR, date DATE, feature_name VARCHAR, value DECIMAL(24,6),
  version VARCHAR DEFAULT 'v1', computed_at TIMESTAMP, PRIMARY KEY (symbol, date, feature_name, version));
CREATE TABLE hypotheses (hypothesis_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, status VARCHAR DEFAULT 'draft',
  created_at TIMESTAMP, metadata JSON);
CREATE TABLE hypothesis_experiments (hypothesis_id VARCHAR, experiment_id VARCHAR,
  relationship VARCHAR DEFAULT 'primary', created_at TIMESTAMP, PRIMARY KEY (hypothesis_id, experiment_id));
CREATE TABLE lineage (lineage_id INTEGER PRIMARY KEY, event_type VARCHAR NOT NULL, timestamp TIMESTAMP,
  actor VARCHAR DEFAULT 'system', hypothesis_id VARCHAR, experiment_id VARCHAR, details JSON);
CREATE INDEX idx_lineage_hypothesis ON lineage(hypothesis_id);
CREATE TABLE heartbeat (n BIGINT PRIMARY KEY, "at" TIMESTAMP, value BIGINT NOT NULL);
"""

ROWS = f"""
INSERT INTO symbols SELECT printf('S%03d', i), 'Company ' || i, 'NYSE', 'Technology' FROM range({SYMBOLS}) t(i);
INSERT INTO symbols VALUES ('LIVE', 'Written during the backup', 'NYSE', 'Technology');
CREATE TEMP TABLE days AS SELECT i AS day, DATE '2022-01-03' + i::INTEGER AS date FROM range({DAYS}) t(i);
INSERT INTO prices SELECT symbol, date, p, p + 1, p - 1, p + 0.5, 100000 + day * 37 % 9001
  FROM (SELECT *, 50 + hash(symbol, day) % 10000 / 100 AS p FROM symbols, days WHERE symbol <> 'LIVE')
  ORDER BY symbol, date;
INSERT INTO features
  SELECT symbol, date, feature, hash(symbol, day, feature) % 1000000 / 1e6, 'v1', TIMESTAMP '2026-01-24 07:00:00'
  FROM symbols, days, (SELECT unnest({FEATURES!r}) AS feature) WHERE symbol <> 'LIVE' ORDER BY ALL;
INSERT INTO universe SELECT symbol, date, true FROM symbols, days WHERE symbol <> 'LIVE' AND day % 20 = 0;
INSERT INTO hypotheses
  SELECT printf('HYP-2026-%04d', i), 'Momentum of sector ' || i, 'testing', TIMESTAMP '2026-01-02', '{{"tags": []}}'
  FROM range(40) t(i);
INSERT INTO lineage SELECT i, 'hypothesis_created', TIMESTAMP '2026-01-02', 'system',
  printf('HYP-2026-%04d', i % 40), NULL, '{{}}' FROM range(500) t(i);
"""


def heartbeat_value(n):
    return n * n % 10007


def table_rows(connection):
    names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL").fetchall()
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}


def put(path, text):
    """Writes a small file so that a reader sees the old text or the new, never a part."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


# --- write: one process holds the database open and never stops committing


class Research:
    """What a research program does: it tracks runs with MLflow, then notes their ids in DuckDB."""

    def __init__(self, data, scratch):
        os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
        home, self.scratch = data / "mlflow", scratch
        home.mkdir(parents=True)
        os.chdir(home)  # MLflow keeps artifacts in ./mlruns
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
        self.mlflow, self.random, self.runs = mlflow, random.Random(1), 0
        self.connection = duckdb.connect(str(data / "hrp.duckdb"))
        for statement in (TABLES + ROWS).split(";"):
            self.connection.execute(statement)
        for name in ("momentum", "mean reversion"):
            self.experiment(name, runs=3)
        self.connection.execute("CHECKPOINT")

    def run(self, experiment):
        """One run with params, metrics of several steps and artifacts; a tag says what the model file must be."""
        model = self.random.randbytes(200_000)
        file = self.scratch / "model.pkl"
        file.write_bytes(model)
        with self.mlflow.start_run(experiment_id=experiment) as run:
            self.mlflow.set_tag("model_sha256", hashlib.sha256(model).hexdigest())
            self.mlflow.log_params({"max_positions": 20, "sizing": "equal", "spread_bps": 5})
            for step in range(10):
                self.mlflow.log_metric("train_loss", 1 / (step + 1), step=step)
            self.mlflow.log_metrics({"sharpe_ratio": self.random.gauss(1, 0.3), "max_drawdown": -0.12})
            self.mlflow.log_artifact(str(file), "model")
            self.mlflow.log_text("date,equity\n2025-01-02,100000\n2025-01-03,100412\n", "equity_curve.csv")
        self.runs += 1
        return run.info.run_id

    def experiment(self, name, runs=1):
        experiment = self.mlflow.create_experiment(name)
        hypothesis = f"HYP-2026-{int(experiment) % 40:04d}"
        done = [self.run(experiment) for _ in range(runs)]
        self.connection.execute("BEGIN")
        self.connection.execute(
            "INSERT INTO hypothesis_experiments VALUES (?, ?, 'primary', now()::TIMESTAMP)", [hypothesis, experiment])
        for run in done:
            self.connection.execute(
                "INSERT INTO lineage SELECT max(lineage_id) + 1, 'experiment_run', now()::TIMESTAMP, 'user', ?, ?, ?"
                " FROM lineage",
                [hypothesis, experiment, json.dumps({"run_id": run})])
        self.connection.execute("COMMIT")

    def heartbeat(self, n):
        """A heartbeat and its price are one transaction: a copy that has only one of them is torn."""
        self.connection.execute("BEGIN")
        self.connection.execute("INSERT INTO heartbeat VALUES (?, now()::TIMESTAMP, ?)", [n, heartbeat_value(n)])
        self.connection.execute(
            "INSERT INTO prices SELECT 'LIVE', DATE '2026-01-01' + ?::INTEGER, 10, 11, 9, 10, ?", [n, n])
        if n % 16 == 0:  # rewrites blocks that a copy may have read already
            self.connection.execute(
                "UPDATE features SET value = value + 1, computed_at = now()::TIMESTAMP WHERE symbol = ?",
                [f"S{n // 16 % SYMBOLS:03d}"])
        self.connection.execute("COMMIT")


def write(data, state):
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))  # an exception here would break off a transaction
    parent = os.getppid()
    research = Research(data, state)
    put(state / "rows.json", json.dumps(table_rows(research.connection)))
    n = 0
    while not stopped and os.getppid() == parent:  # the demo's shell may be killed: no writer stays behind
        n += 1
        research.heartbeat(n)
        put(state / "committed", f"{n} {research.runs}\n")  # only now: COMMIT has returned
        if n == 1:
            put(state / "ready", f"{duckdb.__version__} {research.mlflow.__version__}\n")
        if n % 64 == 0:
            research.connection.execute("CHECKPOINT")
        if n % 100 == 50:
            research.experiment(f"live {n}")
        time.sleep(0.02)
    research.connection.close()


# --- check: the restored stack, by the engines themselves


def heartbeats(connection):
    """The highest N for which 1…N are all there with their values, and the number of rows."""
    rows = connection.execute("SELECT n, value FROM heartbeat ORDER BY n").fetchall()
    whole = 0
    while whole < len(rows) and rows[whole] == (whole + 1, heartbeat_value(whole + 1)):
        whole += 1
    return whole, len(rows)


def check_database(file, committed, base, wrong):
    connection = duckdb.connect(str(file))  # read-write: it is a stack to work on
    rows, (whole, count) = table_rows(connection), heartbeats(connection)
    print(f"  DuckDB {duckdb.__version__} opens {file.name}: " + ", ".join(f"{name} {n:,}" for name, n in rows.items()))
    print(f"  {count} heartbeats, 1 to {whole} without a gap; 1 to {committed} were committed before the backup began")
    if whole < committed:
        wrong.append(f"heartbeats {whole + 1} to {committed} are missing or wrong")
    if whole != count:
        wrong.append(f"{count - whole} heartbeats after a gap")
    if rows.get("prices") != base["prices"] + count:
        wrong.append(f"prices has {rows.get('prices')} rows, not {base['prices']} and one for each of {count} heartbeats")
    for name, n in base.items():
        if rows.get(name, -1) < n:
            wrong.append(f"table {name} has {rows.get(name, 'no')} rows, not {n}")
    links = [x for (x,) in connection.execute("SELECT experiment_id FROM hypothesis_experiments").fetchall()]
    noted = [x for (x,) in connection.execute(
        "SELECT details->>'run_id' FROM lineage WHERE event_type = 'experiment_run'").fetchall()]
    connection.execute("INSERT INTO heartbeat VALUES (?, now()::TIMESTAMP, 0)", [count + 1])
    connection.execute("CHECKPOINT")
    connection.close()
    return links, noted


def check_mlflow(home, runs_before, links, noted, wrong):
    store = sqlite3.connect(home / "mlflow.db")
    integrity = store.execute("PRAGMA integrity_check").fetchone()[0]
    if integrity != "ok":
        wrong.append(f"mlflow.db: {integrity}")
    runs = store.execute("SELECT run_uuid, status, artifact_uri FROM runs").fetchall()
    experiments = {str(x) for (x,) in store.execute("SELECT experiment_id FROM experiments")}
    models = dict(store.execute("SELECT run_uuid, value FROM tags WHERE key = 'model_sha256'"))
    metrics, params = (store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("metrics", "params"))
    finished = [(run, uri) for run, status, uri in runs if status == "FINISHED"]
    files = here = 0
    for run, uri in finished:
        folder = home / uri[uri.rindex("/mlruns/") + 1 :]
        here += uri.removeprefix("file://").startswith(str(home))
        for name in RUN_FILES:
            file = folder / name
            if not file.is_file() or file.stat().st_size == 0:
                wrong.append(f"run {run} has no {name}")
            elif name.endswith(".pkl") and hashlib.sha256(file.read_bytes()).hexdigest() != models.get(run):
                wrong.append(f"run {run}: {name} is not the model that was logged")
            else:
                files += 1
    print(f"  MLflow's mlflow.db: integrity {integrity}; {len(experiments)} experiments, {len(runs)} runs,"
          f" {metrics} metrics, {params} params")
    print(f"  {files} artifacts of {len(finished)} finished runs are there, each model as it was logged;"
          f" {here} of {len(finished)} runs point into the restored directory")
    if len(finished) < runs_before:
        wrong.append(f"{len(finished)} finished runs, but {runs_before} were finished before the backup began")
    dangling = [f"experiment {x}" for x in links if x not in experiments]
    dangling += [f"run {x}" for x in noted if x not in {run for run, _, _ in runs}]
    wrong += [f"DuckDB names {x}, which MLflow does not have" for x in dangling]
    print(f"  of {len(links)} experiments and {len(noted)} runs named in DuckDB, {len(dangling)} are not in MLflow")


def check(target, state, committed, runs):
    wrong = []
    base = json.loads((state / "rows.json").read_text())
    try:
        links, noted = check_database(target / "hrp.duckdb", committed, base, wrong)
        check_mlflow(target / "mlflow", runs, links, noted, wrong)
    except Exception as error:  # what is damaged may fail in any way; that too is a finding
        wrong.append(f"{type(error).__name__}: {error}")
    for line in wrong:
        print(f"  MISSING: {line}")
    if wrong:
        sys.exit("Demo failed: the restored stack is not what was committed.")
    print("Demo passed: every row committed before the backup is there.")


def plain_copy(file, committed):
    try:
        whole, _ = heartbeats(duckdb.connect(str(file)))
    except Exception as error:
        print(f"it does not open: {str(error).splitlines()[0]}")
    else:
        print(f"it opens, and misses {max(0, committed - whole)} of the {committed} committed heartbeats")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    role = roles.add_parser("write", help="make a stack in DATA and keep committing; STATE is for the demo's notes")
    role.add_argument("data", type=pathlib.Path)
    role.add_argument("state", type=pathlib.Path)
    role = roles.add_parser("check", help="is everything committed before the backup in TARGET?")
    role.add_argument("target", type=pathlib.Path)
    role.add_argument("state", type=pathlib.Path)
    role.add_argument("committed", type=int)
    role.add_argument("runs", type=int)
    role = roles.add_parser("plain-copy", help="what does a copy by cp hold?")
    role.add_argument("file", type=pathlib.Path)
    role.add_argument("committed", type=int)
    options = vars(parser.parse_args())
    {"write": write, "check": check, "plain-copy": plain_copy}[options.pop("role")](
        **{name: value.resolve() if isinstance(value, pathlib.Path) else value for name, value in options.items()})


if __name__ == "__main__":
    main()
