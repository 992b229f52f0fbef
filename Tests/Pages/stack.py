"""A small research stack for the pages: made once with real DuckDB and real MLflow, then copied to each page's home.

    make DATA            the tables of the guide, two experiments with runs, artifacts and a registered model
    write DATA [WORDS]   hold the database open and commit without end; the words only make the process look like a program
    damage FILE          overwrite blocks of a database, or the middle of any other file
    delete ID            delete a hypothesis of ~/hrp-data, and its links
    judge DATA [TICKS]   DuckDB opens, reads and writes it, MLflow lists its runs and loads their artifacts; at least so
                         many rows of the writer are there
    old-backup DAYS…     backups as the guide's Python tool wrote them, of ~/hrp-data, so many days old
"""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
import time

TABLES = """
CREATE TABLE symbols (symbol VARCHAR PRIMARY KEY, name VARCHAR, exchange VARCHAR, asset_type VARCHAR, sector VARCHAR);
CREATE TABLE universe (symbol VARCHAR REFERENCES symbols(symbol), date DATE, in_universe BOOLEAN, sector VARCHAR,
  PRIMARY KEY (symbol, date));
CREATE TABLE prices (symbol VARCHAR REFERENCES symbols(symbol), date DATE, open DECIMAL(12,4), high DECIMAL(12,4),
  low DECIMAL(12,4), close DECIMAL(12,4) NOT NULL CHECK (close > 0), adj_close DECIMAL(12,4), volume BIGINT, source VARCHAR,
  PRIMARY KEY (symbol, date));
CREATE TABLE features (symbol VARCHAR, date DATE, feature_name VARCHAR, value DECIMAL(24,6),
  PRIMARY KEY (symbol, date, feature_name));
CREATE TABLE hypotheses (hypothesis_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, status VARCHAR, created_at TIMESTAMP);
CREATE TABLE hypothesis_experiments (hypothesis_id VARCHAR, experiment_id VARCHAR, relationship VARCHAR,
  created_at TIMESTAMP, PRIMARY KEY (hypothesis_id, experiment_id));
CREATE TABLE lineage (lineage_id INTEGER PRIMARY KEY, event_type VARCHAR, hypothesis_id VARCHAR, experiment_id VARCHAR);
CREATE TABLE ticks (n BIGINT PRIMARY KEY, "at" TIMESTAMP);
INSERT INTO symbols VALUES ('AAPL', 'Apple', 'NASDAQ', 'equity', 'Technology'), ('MSFT', 'Microsoft', 'NASDAQ', 'equity',
  'Technology'), ('JPM', 'JPMorgan Chase', 'NYSE', 'equity', 'Financials'), ('XOM', 'Exxon Mobil', 'NYSE', 'equity', 'Energy');
CREATE TEMP TABLE days AS SELECT i AS day, DATE '2022-01-03' + i::INTEGER AS date FROM range(1400) t(i)
  WHERE dayofweek(DATE '2022-01-03' + i::INTEGER) BETWEEN 1 AND 5;
INSERT INTO prices SELECT symbol, date, p, p + 1, p - 1, p + 0.5, p + 0.5, 100000 + day * 37 % 9001, 'yfinance'
  FROM (SELECT *, 50 + hash(symbol, day) % 10000 / 100 AS p FROM symbols, days) ORDER BY symbol, date;
INSERT INTO universe SELECT symbol, date, true, sector FROM symbols, days WHERE day % 28 = 0;
INSERT INTO features SELECT symbol, date, 'momentum_20d', hash(symbol, day) % 1000000 / 1e6 FROM symbols, days ORDER BY ALL;
INSERT INTO hypotheses SELECT printf('HYP-2026-%03d', i), 'Momentum of sector ' || i, 'testing', TIMESTAMP '2026-01-02'
  FROM range(1, 41) t(i);
INSERT INTO lineage SELECT i, 'hypothesis_created', printf('HYP-2026-%03d', 1 + i % 40), NULL FROM range(120) t(i);
"""


def make(data):
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
    import duckdb
    home = data / "mlflow"
    home.mkdir(parents=True)
    connection = duckdb.connect(str(data / "hrp.duckdb"))
    for statement in TABLES.split(";"):
        connection.execute(statement)
    os.chdir(home)  # MLflow keeps artifacts in ./mlruns
    import mlflow
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    client = mlflow.MlflowClient()
    for number, name in enumerate(("momentum", "mean reversion"), 1):
        experiment = mlflow.create_experiment(name)
        for run_number in range(2):
            with mlflow.start_run(experiment_id=experiment) as run:
                mlflow.log_params({"max_positions": 20, "sizing": "equal"})
                mlflow.log_metrics({"sharpe_ratio": 1.2, "max_drawdown": -0.12})
                mlflow.log_text("x" * 20_000 + name + str(run_number), "model/model.pkl")
                mlflow.log_text("date,equity\n2025-01-02,100000\n", "equity_curve.csv")
        connection.execute("INSERT INTO hypothesis_experiments VALUES (?, ?, 'primary', TIMESTAMP '2026-01-05')",
                           [f"HYP-2026-{number:03d}", experiment])
    client.create_registered_model("momentum")
    client.create_model_version("momentum", run.info.artifact_uri + "/model", run.info.run_id)
    connection.close()


def move(data, old):
    """Makes a copy of the stack at another place name that place in MLflow's records, as if it had always been there."""
    store = sqlite3.connect(data / "mlflow" / "mlflow.db")
    for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri"),
                          ("model_versions", "source"), ("model_versions", "storage_location")):
        store.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", [str(old), str(data)])
    store.commit()
    store.close()


def write(data):
    import duckdb
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    connection = duckdb.connect(str(data / "hrp.duckdb"))
    parent = os.getppid()
    n = connection.execute('SELECT coalesce(max(n), 0) FROM ticks').fetchone()[0]
    while not stopped and os.getppid() == parent:
        n += 1
        connection.execute("BEGIN")
        connection.execute("INSERT INTO ticks VALUES (?, now()::TIMESTAMP)", [n])
        connection.execute("COMMIT")
        print(n, flush=True)
        time.sleep(0.05)
    connection.close()


def damage(path):
    path = pathlib.Path(path).expanduser()
    mode, size = path.stat().st_mode, path.stat().st_size
    path.chmod(0o644)
    with open(path, "r+b") as file:
        if path.suffix == ".duckdb":  # blocks of 256 KiB behind three headers of 4 KiB; a run of bytes in each
            for block in range(12288, size, 262144):
                file.seek(block + 5000)
                file.write(b"\xde\xad\xbe\xef" * 64)
        else:
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 0xFF]))
    path.chmod(mode & 0o7777)


def delete(hypothesis):
    import duckdb
    connection = duckdb.connect(str(pathlib.Path.home() / "hrp-data" / "hrp.duckdb"))
    for table in ("hypothesis_experiments", "lineage", "hypotheses"):
        connection.execute(f"DELETE FROM {table} WHERE hypothesis_id = ?", [hypothesis])
    connection.close()


def old_backup(days, directory="backups"):
    """The layout that the Python tool has written: `mlflow/`, checksums.txt, metadata.json without our keys."""
    data = pathlib.Path.home() / "hrp-data"
    began = datetime.datetime.now() - datetime.timedelta(days=days)
    backup = data / directory / began.strftime("backup_%Y%m%d_%H%M%S")
    backup.mkdir(parents=True)
    shutil.copy2(data / "hrp.duckdb", backup)
    shutil.copytree(data / "mlflow", backup / "mlflow")
    files = sorted(str(p.relative_to(backup)) for p in backup.rglob("*") if p.is_file())
    with open(backup / "checksums.txt", "w") as sums:
        for file in files:
            sums.write(f"{hashlib.sha256((backup / file).read_bytes()).hexdigest()}  {file}\n")
    size = sum((backup / file).stat().st_size for file in files)
    (backup / "metadata.json").write_text(json.dumps({
        "timestamp": began.isoformat(), "created_at": began.timestamp(), "size_bytes": size,
        "size_mb": round(size / 1048576, 2), "files": files, "include_mlflow": True, "hrp_version": "0.1.0",
        "source_dir": str(data)}, indent=2))
    return backup


def judge(data, ticks):
    """What a stack must be after a restore, by the engines themselves; ends with 1 and says what is wrong."""
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
    import duckdb
    connection = duckdb.connect(str(data / "hrp.duckdb"))
    rows = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("prices", "hypotheses")]
    assert rows == [4000, 40], rows
    assert connection.execute("SELECT count(*) FROM ticks").fetchone()[0] >= ticks
    connection.execute("DELETE FROM symbols WHERE symbol = 'NEW'")
    connection.execute("INSERT INTO symbols VALUES ('NEW', 'Written by the judge', 'NYSE', 'equity', 'Energy')")
    connection.execute("CHECKPOINT")
    connection.close()
    import mlflow
    mlflow.set_tracking_uri(f"sqlite:///{data}/mlflow/mlflow.db")
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert len(runs) == 4, len(runs)
    for run in runs:
        assert run.info.artifact_uri.removeprefix("file://").startswith(str(data)), run.info.artifact_uri
        text = mlflow.artifacts.load_text(run.info.artifact_uri + "/model/model.pkl")
        assert text.startswith("x" * 20_000), text[:20]
    source = mlflow.MlflowClient().get_model_version("momentum", 1).source
    assert source.removeprefix("file://").startswith(str(data)), source


def main(words):
    role, rest = words[0], words[1:]
    if role == "make":
        make(pathlib.Path(rest[0]))
    elif role == "write":
        write(pathlib.Path(rest[0]))
    elif role == "damage":
        for path in rest:
            damage(path)
    elif role == "delete":
        for hypothesis in rest:
            delete(hypothesis)
    elif role == "judge":
        judge(pathlib.Path(rest[0]), int((rest + [0])[1]))
    elif role == "old-backup":
        for days in rest:
            old_backup(float(days))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
