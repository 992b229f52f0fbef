#!/usr/bin/env python3
"""Deterministic generator of a realistic research stack: one DuckDB file + one MLflow directory.

Usage (needs: python3 >= 3.10, pip install duckdb==2.0.1 numpy):

    python make_data.py create DIR --size S|M|L [--seed 1] [--layout hrp|flat] [--indexes pk|none]
    python make_data.py week   DIR [--seed 1] [--layout hrp|flat] [--batches 5]    # "one week later", in place
    python make_data.py info   DIR

`create` makes (layout hrp, the default: what hrp/data/backup.py expects)
    DIR/hrp.duckdb                     tables of HRP's own schema (PRIMARY KEYs + the secondary indexes; see --indexes)
    DIR/mlflow/mlflow.db               SQLite with the DDL of mlflow 3.17 (core tables), one row per run/metric/param/tag
    DIR/mlflow/mlruns/<exp>/<run>/...  MLflow's file-store layout: meta.yaml, params/*, metrics/*, tags/*, artifacts/model/*
  (layout flat: DIR/hrp.duckdb, DIR/mlflow.db, DIR/mlruns/...)
`week` changes that stack the way one week of use does: in 5 daily transactions (each followed by CHECKPOINT) it
  appends 1 % new rows to prices and features (5 further business days for every symbol, plus as many more days as
  make 1 %), recomputes features of the last 20 days of 2 % of the symbols (UPDATE), split-adjusts the whole
  adj_close history of 2 symbols (UPDATE), moves hypotheses on, appends lineage, deletes some old ingestion_log
  rows; 5 % new runs with new model files (one in five an exact copy of an older model), and appends a metric value
  to 10 old runs.

Sizes (see SIZES; measured figures in docs/operations/performance.md): S about 50 MB, M about 1 GB (20,000 small files, 100 models of
1-5 MB), L about 4 GB. --indexes pk (default) is HRP's schema: PRIMARY KEY (symbol, date, feature_name, version) plus
a secondary index; DuckDB stores these ART indexes in the file, and they are about nine tenths of it. --indexes none
leaves prices/features without indexes (rows scaled up so that the file stays large).
The same seed, size and duckdb version give the same rows and the same mlruns bytes. hrp.duckdb itself has the same
contents but not always the same bytes (DuckDB writes a random database id into its header, and loads in threads;
--threads 1 removes the second cause).
"""
import argparse, json, os, pathlib, random, sqlite3, sys, time, zlib
import numpy as np

SIZES = {
    #      symbols days features small-files models          (--indexes pk: ~200 bytes a features row, nine tenths of it index)
    "S": dict(sym=20, days=600, feat=9, small=1000, models=8),
    "M": dict(sym=400, days=1000, feat=8, small=20000, models=100),
    "L": dict(sym=500, days=2000, feat=16, small=40000, models=200),
}
SIZES_NONE = {  # --indexes none: ~15 bytes a features row, so more rows for the same bytes
    "S": dict(sym=60, days=1000, feat=18, small=1000, models=8),
    "M": dict(sym=500, days=4000, feat=16, small=20000, models=100),
    "L": dict(sym=1000, days=4000, feat=36, small=40000, models=200),
}
FEATURES = ["momentum_20d", "momentum_60d", "volatility_20d", "rsi_14d", "sma_50d", "volume_ratio", "atr_14d",
            "macd_histogram", "bb_width_20d", "obv", "cci_20d", "roc_10d", "stoch_k_14d", "trend", "vwap_20d",
            "market_cap", "pe_ratio", "pb_ratio"]
FEATURES += [f"alpha_{i:03d}" for i in range(1, 28)]

DDL = """
CREATE TABLE symbols (symbol VARCHAR PRIMARY KEY, name VARCHAR, exchange VARCHAR, asset_type VARCHAR DEFAULT 'equity',
  sector VARCHAR(50), industry VARCHAR(100), created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  CHECK (asset_type IN ('equity','etf','index','other')));
CREATE TABLE data_sources (source_id VARCHAR PRIMARY KEY, source_type VARCHAR, api_name VARCHAR, last_fetch TIMESTAMP,
  status VARCHAR DEFAULT 'active');
CREATE TABLE hypotheses (hypothesis_id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, thesis TEXT NOT NULL,
  testable_prediction TEXT NOT NULL, falsification_criteria TEXT, status VARCHAR DEFAULT 'draft',
  pipeline_stage VARCHAR DEFAULT 'created', created_at TIMESTAMP, created_by VARCHAR DEFAULT 'user',
  updated_at TIMESTAMP, outcome TEXT, confidence_score DECIMAL(3,2), metadata JSON);
CREATE TABLE hypothesis_experiments (hypothesis_id VARCHAR NOT NULL, experiment_id VARCHAR NOT NULL,
  relationship VARCHAR DEFAULT 'primary', created_at TIMESTAMP, PRIMARY KEY (hypothesis_id, experiment_id));
CREATE TABLE prices (symbol VARCHAR NOT NULL, date DATE NOT NULL, open DECIMAL(12,4), high DECIMAL(12,4),
  low DECIMAL(12,4), close DECIMAL(12,4) NOT NULL, adj_close DECIMAL(12,4), volume BIGINT,
  source VARCHAR DEFAULT 'unknown', ingested_at TIMESTAMP {PK_PRICES});
CREATE TABLE features (symbol VARCHAR NOT NULL, date DATE NOT NULL, feature_name VARCHAR NOT NULL, value DECIMAL(24,6),
  version VARCHAR DEFAULT 'v1', computed_at TIMESTAMP {PK_FEATURES});
CREATE TABLE ingestion_log (log_id INTEGER PRIMARY KEY, source_id VARCHAR, started_at TIMESTAMP,
  completed_at TIMESTAMP, records_fetched INTEGER, records_inserted INTEGER, status VARCHAR, error_message VARCHAR);
CREATE TABLE lineage (lineage_id INTEGER PRIMARY KEY, event_type VARCHAR NOT NULL, timestamp TIMESTAMP,
  actor VARCHAR DEFAULT 'system', hypothesis_id VARCHAR, experiment_id VARCHAR, details JSON,
  parent_lineage_id INTEGER);
CREATE TABLE hyperparameter_trials (trial_id INTEGER PRIMARY KEY, hypothesis_id VARCHAR NOT NULL,
  model_type VARCHAR NOT NULL, hyperparameters JSON NOT NULL, metric_name VARCHAR NOT NULL,
  metric_value DECIMAL(10,6), created_at TIMESTAMP, fold_index INTEGER, notes VARCHAR);
CREATE VIEW latest_prices AS SELECT symbol, max(date) AS date FROM prices GROUP BY symbol;
CREATE SEQUENCE seq_agent_token_usage START 1;
"""
INDEXES = """
CREATE INDEX idx_prices_symbol_date ON prices(symbol, date);
CREATE INDEX idx_features_symbol_date ON features(symbol, date, feature_name);
"""
INDEXES_SMALL = """
CREATE INDEX idx_lineage_hypothesis ON lineage(hypothesis_id);
CREATE INDEX idx_lineage_timestamp ON lineage(timestamp);
CREATE INDEX idx_hypotheses_status ON hypotheses(status);
CREATE INDEX idx_hp_trials_hypothesis ON hyperparameter_trials(hypothesis_id);
"""
MLFLOW_DDL = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE TABLE "experiments" (experiment_id INTEGER NOT NULL, name VARCHAR(256) NOT NULL, artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, workspace VARCHAR(63) DEFAULT 'default' NOT NULL, CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name));
CREATE TABLE "runs" (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), source_type VARCHAR(20), source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9), start_time BIGINT, end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER, deleted_time BIGINT, CONSTRAINT run_pk PRIMARY KEY (run_uuid), FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id));
CREATE TABLE "latest_metrics" ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT, step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL, run_uuid VARCHAR(32) NOT NULL, CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), CHECK (is_nan IN (0, 1)));
CREATE TABLE "metrics" ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL, CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), CHECK (is_nan IN (0, 1)));
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, "key", step);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE TABLE "params" ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL, CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid));
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE TABLE "tags" ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000), run_uuid VARCHAR(32) NOT NULL, CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid));
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
CREATE TABLE "experiment_tags" ("key" VARCHAR(250) NOT NULL, value TEXT, experiment_id INTEGER NOT NULL, CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id));
CREATE TABLE "registered_models" (name VARCHAR(256) NOT NULL, creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000), workspace VARCHAR(63) DEFAULT 'default' NOT NULL, CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name));
CREATE TABLE "model_versions" (name VARCHAR(256) NOT NULL, version INTEGER NOT NULL, creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20), source VARCHAR(500), run_id VARCHAR(32), status VARCHAR(20), status_message VARCHAR(500), run_link VARCHAR(500), storage_location VARCHAR(500), workspace VARCHAR(63) DEFAULT 'default' NOT NULL, CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version));
CREATE TABLE "datasets" (dataset_uuid VARCHAR(36) NOT NULL, experiment_id INTEGER NOT NULL, name VARCHAR(500) NOT NULL, digest VARCHAR(36) NOT NULL, dataset_source_type VARCHAR(36) NOT NULL, dataset_source TEXT NOT NULL, dataset_schema TEXT, dataset_profile TEXT, CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest));
INSERT INTO alembic_version VALUES ('dc11669786a5');
"""


def paths(d, layout):
    d = pathlib.Path(d)
    return (d / "hrp.duckdb", d / "mlflow") if layout == "hrp" else (d / "hrp.duckdb", d)


def sym_names(n):
    r = random.Random(7)
    s = set()
    while len(s) < n:
        s.add("".join(r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(r.choice([2, 3, 3, 4, 4]))))
    return sorted(s)


def busdays(n, start="2010-01-04"):
    return np.busday_offset(np.datetime64(start), np.arange(n), roll="forward").astype("datetime64[D]")


def gen_prices(seed, nsym, day0, day1, last=None):
    """arrays [nsym, ndays] of OHLCV for days day0..day1; `last` carries the closes on."""
    rng = np.random.default_rng([seed, day0, 11])
    n = day1 - day0
    vol = np.random.default_rng([seed, 3]).uniform(0.008, 0.035, nsym)[:, None]
    mkt = rng.normal(0.0003, 0.009, n)[None, :]
    ret = 0.8 * mkt + rng.standard_t(4, (nsym, n)) * vol * 0.7 + 0.0002
    start = np.random.default_rng([seed, 4]).lognormal(3.7, 0.8, nsym) if last is None else last
    close = np.maximum(0.5, start[:, None] * np.exp(np.cumsum(np.clip(ret, -0.3, 0.3), axis=1)))
    prev = np.concatenate([start[:, None], close[:, :-1]], axis=1)
    op = prev * np.exp(rng.normal(0, 0.004, (nsym, n)))
    hi = np.maximum(op, close) * (1 + np.abs(rng.normal(0, 0.006, (nsym, n))))
    lo = np.minimum(op, close) * (1 - np.abs(rng.normal(0, 0.006, (nsym, n))))
    volm = np.exp(rng.normal(0, 0.45, (nsym, n)) + np.log(np.random.default_rng([seed, 5]).lognormal(14, 1.2, nsym))[:, None])
    cents = lambda x: np.maximum(0.01, np.round(x, 2))   # quotes are in cents
    return cents(op), cents(hi), cents(lo), cents(close), (volm // 100 * 100).astype(np.int64)


def rolling(x, w, f):
    out = np.empty_like(x)
    c = np.cumsum(x, axis=1)
    out[:, :w] = c[:, :w] / np.arange(1, min(w, x.shape[1]) + 1)
    out[:, w:] = (c[:, w:] - c[:, :-w]) / w
    return out


def feature(k, seed, close, vol, day0):
    rng = np.random.default_rng([seed, day0, 100 + k])
    name = FEATURES[k]
    r = np.diff(np.log(close), axis=1, prepend=np.log(close[:, :1]))
    w = [20, 60, 20, 14, 50, 20, 14, 26, 20, 5, 20, 10, 14, 30, 20, 5, 9, 9][k % 18]
    if name.startswith(("sma", "vwap")): v = rolling(close, w, None)
    elif name.startswith(("vol", "atr", "bb")): v = np.sqrt(rolling(r * r, w, None)) * (252 ** .5)
    elif name in ("obv", "market_cap"): v = np.cumsum(np.sign(r) * vol, axis=1) + 1e9
    elif name.startswith("rsi"): v = 50 + 40 * np.tanh(rolling(r, w, None) * 60)
    elif name == "trend": v = np.sign(rolling(r, w, None))
    elif name in ("pe_ratio", "pb_ratio"): v = np.repeat(np.abs(rng.normal(18, 6, (close.shape[0], close.shape[1] // 63 + 1))), 63, axis=1)[:, :close.shape[1]]
    else: v = rolling(r, w, None) * w
    return v


def load_block(con, seed, syms, day0, day1, nfeat, last=None, order="symbol", ts="2026-01-24 07:00:00"):
    nsym, n = len(syms), day1 - day0
    op, hi, lo, cl, vo = gen_prices(seed, nsym, day0, day1, last)
    sid = np.repeat(np.arange(nsym, dtype=np.int32), n)
    did = np.tile(np.arange(day0, day1, dtype=np.int32), nsym)
    adj = np.round(cl * 0.98, 4)
    p = {"sid": sid, "did": did, "op": op.ravel(), "hi": hi.ravel(), "lo": lo.ravel(), "cl": cl.ravel(), "adj": adj.ravel(), "vo": vo.ravel()}
    ob = "sid, did" if order == "symbol" else "did, sid"
    con.execute(f"INSERT INTO prices SELECT s.symbol, d.date, op, hi, lo, cl, adj, vo, 'polygon', TIMESTAMP '{ts}' "
                f"FROM p JOIN _s s USING (sid) JOIN _d d USING (did) ORDER BY {ob}")
    rows = nsym * n
    vals = {f"f{k}": feature(k, seed, cl, vo, day0) for k in range(nfeat)}
    # long format, sorted (symbol, date, feature), in slabs of symbols to bound memory
    step = max(1, int(4_000_000 // max(1, n * nfeat)))
    names = "CASE k " + " ".join(f"WHEN {k} THEN '{FEATURES[k]}'" for k in range(nfeat)) + " END"
    for a in range(0, nsym, step):
        b = min(nsym, a + step)
        m = (b - a) * n
        q = {"sid": np.repeat(np.arange(a, b, dtype=np.int32), n * nfeat),
             "did": np.tile(np.repeat(np.arange(day0, day1, dtype=np.int32), nfeat), b - a),
             "k": np.tile(np.arange(nfeat, dtype=np.int8), m),
             "v": np.round(np.stack([vals[f"f{k}"][a:b].ravel() for k in range(nfeat)], axis=1).ravel(), 6)}
        con.execute(f"INSERT INTO features SELECT s.symbol, d.date, {names}, v, 'v1', TIMESTAMP '{ts}' "
                    f"FROM q JOIN _s s USING (sid) JOIN _d d USING (did) ORDER BY {ob}, k")
    return cl[:, -1], rows


def lineage_rows(r, a, b, nh):
    ev = ["hypothesis_created", "experiment_run", "validation_passed", "agent_run_complete", "data_ingestion", "feature_computed", "ml_quality_sentinel_audit"]
    ac = ["system", "user", "agent:signal_scientist", "agent:ml_scientist", "agent:risk_manager"]
    for i in range(a, b):
        yield (i, r.choice(ev), f"2026-01-{1 + i % 24:02d} {i % 24:02d}:{i % 60:02d}:{i * 7 % 60:02d}", r.choice(ac), f"HYP-2026-{r.randrange(nh):04d}", f"{r.getrandbits(64):016x}",
               json.dumps({"sharpe": round(r.gauss(0.8, 0.5), 4), "ic": round(r.gauss(0.02, 0.03), 5), "n": r.randrange(10000), "note": r.choice(["ok", "weak signal", "leakage suspected", "unstable folds"])}), i - 1 if i and r.random() < .5 else None)


def bulk(con, table, cols, rows, tmp):
    """fast executemany: through a temporary CSV"""
    import csv
    f = tmp / f".{table}.csv"
    with open(f, "w", newline="") as h:
        csv.writer(h).writerows([["\\N" if x is None else x for x in r] for r in rows])
    con.execute(f"INSERT INTO {table} ({cols}) SELECT * FROM read_csv('{f}', header=false, nullstr='\\N', all_varchar=true)")
    f.unlink()


def create_db(db, cfg, seed, indexes, threads):
    import duckdb
    con = duckdb.connect(str(db), config={"threads": threads} if threads else {})
    pk = indexes == "pk"
    for st in DDL.replace("{PK_PRICES}", ", PRIMARY KEY (symbol, date), CHECK (close > 0)" if pk else "").replace("{PK_FEATURES}", ", PRIMARY KEY (symbol, date, feature_name, version)" if pk else "").split(";"):
        if st.strip(): con.execute(st)
    syms = sym_names(cfg["sym"])
    r = random.Random(seed)
    bulk(con, "symbols", "symbol,name,exchange,asset_type,sector,industry,created_at", [(s, s.title() + " Corp", r.choice(["NYSE", "NASDAQ"]), "equity", r.choice(["Tech", "Energy", "Health", "Financials"]), "n/a", "2025-06-01 00:00:00") for s in syms], db.parent)
    con.execute("INSERT INTO data_sources VALUES ('polygon','price','polygon.io','2026-01-24','active'),('simfin','fundamental','simfin','2026-01-24','active')")
    con.execute("CREATE TEMP TABLE _s AS SELECT row_number() OVER ()::INT-1 AS sid, symbol FROM (SELECT symbol FROM symbols ORDER BY symbol)")
    dd = {"did": np.arange(cfg["days"], dtype=np.int32), "date": busdays(cfg["days"]).astype("datetime64[s]")}
    con.execute("CREATE TEMP TABLE _d AS SELECT did, date::DATE AS date FROM dd")
    last, _ = load_block(con, seed, syms, 0, cfg["days"], cfg["feat"])
    if pk:
        for st in INDEXES.split(";"):
            if st.strip(): con.execute(st)
    nh = 400 if cfg["sym"] > 100 else 60
    words = "momentum value quality earnings drift volatility sector rotation mean reversion liquidity turnover accruals signal decay regime".split()
    txt = lambda n: " ".join(r.choice(words) for _ in range(n))
    bulk(con, "hypotheses", "hypothesis_id,title,thesis,testable_prediction,falsification_criteria,status,pipeline_stage,created_at,confidence_score,metadata",
         [(f"HYP-2026-{i:04d}", txt(6), txt(80), txt(40), txt(30), r.choice(["draft", "testing", "validated", "rejected"]), "created", "2026-01-02 00:00:00", round(r.random(), 2), json.dumps({"tags": [r.choice(words)]})) for i in range(nh)], db.parent)
    nl = cfg["sym"] * 250
    bulk(con, "lineage", "lineage_id,event_type,timestamp,actor,hypothesis_id,experiment_id,details,parent_lineage_id", lineage_rows(r, 0, nl, nh), db.parent)
    bulk(con, "hyperparameter_trials", "trial_id,hypothesis_id,model_type,hyperparameters,metric_name,metric_value,created_at,fold_index", [(i, f"HYP-2026-{r.randrange(nh):04d}", r.choice(["ridge", "lightgbm", "xgboost"]), json.dumps({"lr": round(r.random(), 5), "depth": r.randrange(3, 12), "leaves": r.randrange(8, 255)}), "ic", round(r.gauss(.02, .05), 6), "2026-01-10 00:00:00", i % 5) for i in range(nl // 4)], db.parent)
    bulk(con, "ingestion_log", "log_id,source_id,started_at,completed_at,records_fetched,records_inserted,status", [(i, "polygon", "2026-01-05 06:00:00", "2026-01-05 06:09:00", r.randrange(5000), r.randrange(5000), "completed") for i in range(cfg["days"])], db.parent)
    for st in INDEXES_SMALL.split(";"):
        if st.strip(): con.execute(st)
    con.execute("DROP TABLE _s"); con.execute("DROP TABLE _d")
    con.execute("CHECKPOINT")
    n = con.execute("SELECT (SELECT count(*) FROM prices), (SELECT count(*) FROM features)").fetchone()
    con.close()
    return n, last


# ---------------------------------------------------------------- mlflow

def model_bytes(r, kind, size):
    rng = np.random.default_rng(r.getrandbits(63))
    if kind == "random":        # float32 weights: practically incompressible
        b = rng.standard_normal(size // 4, dtype=np.float32).tobytes()
    elif kind == "text":        # LightGBM text dump
        out, n = [b"tree\nversion=v4\nnum_class=1\n"], 30
        t = 0
        while n < size:
            leaves = 31
            blk = (f"Tree={t}\nnum_leaves={leaves}\nsplit_feature=" + " ".join(map(str, rng.integers(0, 44, leaves - 1))) +
                   "\nthreshold=" + " ".join(f"{x:.17g}" for x in rng.normal(0, 1, leaves - 1)) +
                   "\nleaf_value=" + " ".join(f"{x:.17g}" for x in rng.normal(0, .01, leaves)) + "\nshrinkage=0.05\n\n").encode()
            out.append(blk); n += len(blk); t += 1
        b = b"".join(out)[:size]
    else:                       # random forest pickle: small ints + quantised thresholds
        a = np.zeros(size // 16, dtype=[("f", "<i4"), ("t", "<f4"), ("l", "<i4"), ("r", "<i4")])
        a["f"] = rng.integers(0, 44, len(a)); a["t"] = np.round(rng.normal(0, 1, len(a)), 2)
        a["l"] = np.arange(len(a)); a["r"] = a["l"] + rng.integers(1, 40, len(a))
        b = a.tobytes()
    return b"\x80\x04\x95" + b


PARAMS = ["symbols", "num_symbols", "start_date", "end_date", "sizing_method", "max_positions", "max_position_pct", "spread_bps", "slippage_bps", "model_type"]
METRICS = ["sharpe_ratio", "total_return", "max_drawdown", "volatility", "win_rate", "train_loss"]
TAGS = ["mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.runName", "mlflow.source.git.commit", "hypothesis_id"]


def make_runs(root, con, seed, first, count, models, nexp, old_models, tzero):
    mlruns = root / "mlruns"
    files = 0; msize = 0; newmodels = []
    every = max(1, count // max(1, models))
    made = 0
    for i in range(first, first + count):
        r = random.Random(f"{seed}-run-{i}")
        exp = 100000000000000000 + (i % nexp) * 7919
        rid = f"{r.getrandbits(128):032x}"
        d = mlruns / str(exp) / rid
        for s in ("params", "metrics", "tags", "artifacts/model"):
            os.makedirs(d / s)
        t0 = tzero + i * 60000
        name = r.choice(["bold", "calm", "wise", "swift", "rare"]) + "-" + r.choice(["fox", "owl", "ant", "carp", "lynx"]) + f"-{r.randrange(999)}"
        def w(p, b):
            nonlocal files
            with open(d / p, "wb") as f: f.write(b if isinstance(b, bytes) else b.encode())
            files += 1
        w("meta.yaml", f"artifact_uri: file:///home/u/hrp-data/mlflow/mlruns/{exp}/{rid}/artifacts\nend_time: {t0 + 41234}\nentry_point_name: ''\nexperiment_id: '{exp}'\nlifecycle_stage: active\nrun_id: {rid}\nrun_name: {name}\nrun_uuid: {rid}\nsource_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: {t0}\nstatus: 3\ntags: []\nuser_id: u\n")
        con.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,NULL)", (rid, name, "LOCAL", "run.py", "", "u", "FINISHED", t0, t0 + 41234, "", "active", f"/home/u/hrp-data/mlflow/mlruns/{exp}/{rid}/artifacts", exp))
        vals = [",".join(r.sample(sym_names(60), 10)), str(r.randrange(50, 500)), "2015-01-01", "2025-12-31", r.choice(["equal", "vol"]), str(r.randrange(10, 50)), "0.1", str(r.randrange(1, 9)), str(r.randrange(1, 9)), r.choice(["ridge", "lightgbm"])]
        for k, v in zip(PARAMS, vals):
            w(f"params/{k}", v); con.execute("INSERT INTO params VALUES (?,?,?)", (k, v, rid))
        for k in METRICS:
            steps = 60 if k == "train_loss" else 1
            rows = [(t0 + s, round(r.gauss(1, .5), 12), s) for s in range(steps)]
            w(f"metrics/{k}", "".join(f"{a} {b} {c}\n" for a, b, c in rows))
            con.executemany("INSERT INTO metrics VALUES (?,?,?,?,?,0)", [(k, b, a, rid, c) for a, b, c in rows])
            con.execute("INSERT INTO latest_metrics VALUES (?,?,?,?,0,?)", (k, rows[-1][1], rows[-1][0], rows[-1][2], rid))
        for k, v in zip(TAGS, ["u", "run.py", "LOCAL", name, f"{r.getrandbits(160):040x}", f"HYP-2026-{r.randrange(400):04d}"]):
            w(f"tags/{k}", v); con.execute("INSERT INTO tags VALUES (?,?,?)", (k, v, rid))
        w("artifacts/model/requirements.txt", "mlflow==3.17.2\nlightgbm==4.6.0\nnumpy==2.3.1\nscikit-learn==1.8.0\n")
        w("artifacts/model/MLmodel", f"artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\nmodel_uuid: {r.getrandbits(128):032x}\nrun_id: {rid}\nutc_time_created: '2026-01-24 07:{i % 60:02d}:00'\n")
        w("artifacts/equity_curve.csv", "date,equity\n" + "".join(f"2025-{1 + j // 21:02d}-{1 + j % 21:02d},{100000 * (1 + r.gauss(0.05, .1)):.2f}\n" for j in range(60)))
        if (i - first) % every == 0 and made < models:
            kind = ["random", "text", "forest"][made % 3]
            size = r.randrange(1_000_000, 5_000_000)
            b = model_bytes(r, kind, size)
            if old_models and made % 5 == 4:
                b = pathlib.Path(r.choice(old_models)).read_bytes()
            with open(d / "artifacts/model/model.pkl", "wb") as f: f.write(b)
            newmodels.append(str(d / "artifacts/model/model.pkl"))
            msize += len(b); made += 1
    return files, msize, newmodels


def create(a):
    cfg = (SIZES if a.indexes == "pk" else SIZES_NONE)[a.size]
    d = pathlib.Path(a.dir); d.mkdir(parents=True, exist_ok=True)
    db, ml = paths(d, a.layout); ml.mkdir(exist_ok=True)
    t = time.time()
    n, _ = create_db(db, cfg, a.seed, a.indexes, a.threads)
    t1 = time.time()
    (ml / "mlruns").mkdir()
    con = sqlite3.connect(ml / "mlflow.db"); con.executescript(MLFLOW_DDL)
    nexp = 12
    for e in range(nexp):
        x = 100000000000000000 + e * 7919
        os.makedirs(ml / "mlruns" / str(x), exist_ok=True)
        (ml / "mlruns" / str(x) / "meta.yaml").write_text(f"artifact_location: file:///home/u/hrp-data/mlflow/mlruns/{x}\ncreation_time: 1769000000000\nexperiment_id: '{x}'\nlast_update_time: 1769000000000\nlifecycle_stage: active\nname: exp_{e}\n")
        con.execute("INSERT INTO experiments VALUES (?,?,?,?,?,?,'default')", (x, f"exp_{e}", f"/home/u/hrp-data/mlflow/mlruns/{x}", "active", 1769000000000, 1769000000000))
    (ml / "mlruns" / ".trash").mkdir()
    per = 1 + len(PARAMS) + len(METRICS) + len(TAGS) + 3
    runs = cfg["small"] // per
    files, ms, _ = make_runs(ml, con, a.seed, 0, runs, cfg["models"], nexp, [], 1769000000000)
    con.commit(); con.close()
    st = dict(size=a.size, seed=a.seed, runs=runs, weeks=0, days=cfg["days"], indexes=a.indexes)
    (d / ".make_data.json").write_text(json.dumps(st)) if a.keep_state else None
    print(f"prices {n[0]} features {n[1]} rows, db {db.stat().st_size / 1e6:.1f} MB in {t1 - t:.1f} s; {files + nexp} small files, {cfg['models']} models {ms / 1e6:.1f} MB, mlflow.db {(ml / 'mlflow.db').stat().st_size / 1e6:.1f} MB in {time.time() - t1:.1f} s")


def week(a):
    import duckdb
    d = pathlib.Path(a.dir); db, ml = paths(d, a.layout)
    con = duckdb.connect(str(db), config={"threads": a.threads} if a.threads else {})
    syms = [x[0] for x in con.execute("SELECT symbol FROM symbols ORDER BY symbol").fetchall()]
    ndays = con.execute("SELECT count(DISTINCT date) FROM prices").fetchone()[0]
    nfeat = con.execute("SELECT count(DISTINCT feature_name) FROM features").fetchone()[0]
    before = db.stat().st_size
    new = max(5, ndays // 100)
    con.execute("CREATE TEMP TABLE _s AS SELECT row_number() OVER ()::INT-1 AS sid, symbol FROM (SELECT symbol FROM symbols ORDER BY symbol)")
    dd = {"did": np.arange(ndays + new, dtype=np.int32), "date": busdays(ndays + new).astype("datetime64[s]")}
    con.execute("CREATE TEMP TABLE _d AS SELECT did, date::DATE AS date FROM dd")
    last = np.array([float(x[0]) for x in con.execute("SELECT max_by(close, date) FROM prices GROUP BY symbol ORDER BY symbol").fetchall()])
    r = random.Random(f"{a.seed}-week-{ndays}")
    cuts = [ndays + new * i // a.batches for i in range(a.batches + 1)]
    nh = con.execute("SELECT count(*) FROM hypotheses").fetchone()[0]
    rows = 0
    for b in range(a.batches):
        con.execute("BEGIN")
        if cuts[b + 1] > cuts[b]:
            last, n = load_block(con, a.seed, syms, cuts[b], cuts[b + 1], nfeat, last, order="day", ts=f"2026-02-{1 + b:02d} 07:00:00")
            rows += n
        l0 = con.execute("SELECT max(lineage_id) + 1 FROM lineage").fetchone()[0]
        bulk(con, "lineage", "lineage_id,event_type,timestamp,actor,hypothesis_id,experiment_id,details,parent_lineage_id", lineage_rows(r, l0, l0 + max(20, l0 // 500), nh), d)
        con.execute("COMMIT")
        for h in r.sample(range(nh), 4):
            con.execute("UPDATE hypotheses SET updated_at = TIMESTAMP '2026-02-01 00:00:00', confidence_score = 0.5, outcome = 'reviewed' WHERE hypothesis_id = ?", [f"HYP-2026-{h:04d}"])
        if b == a.batches // 2:
            for s in r.sample(syms, max(1, len(syms) // 50)):
                con.execute("UPDATE features SET value = value * 1.0001 WHERE symbol = ? AND date >= (SELECT max(date) - 20 FROM prices)", [s])
            for s in r.sample(syms, 2):
                con.execute("UPDATE prices SET adj_close = adj_close / 2 WHERE symbol = ?", [s])
            con.execute("DELETE FROM ingestion_log WHERE log_id < (SELECT min(log_id) + 5 FROM ingestion_log)")
        con.execute("CHECKPOINT")
    con.execute("DROP TABLE _s"); con.execute("DROP TABLE _d"); con.close()
    lite = sqlite3.connect(ml / "mlflow.db")
    runs = lite.execute("SELECT count(*) FROM runs").fetchone()[0]
    models = sorted(str(p) for p in (ml / "mlruns").glob("*/*/artifacts/model/model.pkl"))
    files, ms, _ = make_runs(ml, lite, a.seed, runs, max(1, runs // 20), max(1, len(models) // 20), 12, models, 1769000000000)
    for (rid, exp) in lite.execute("SELECT run_uuid, experiment_id FROM runs ORDER BY start_time LIMIT 10").fetchall():
        with open(ml / "mlruns" / str(exp) / rid / "metrics" / "sharpe_ratio", "a") as f: f.write("1769900000000 1.234 1\n")
        lite.execute("INSERT INTO metrics VALUES ('sharpe_ratio', 1.234, 1769900000000, ?, 1, 0)", (rid,))
    lite.commit(); lite.close()
    print(f"week: +{rows} prices, +{rows * nfeat} features, db {before / 1e6:.1f} -> {db.stat().st_size / 1e6:.1f} MB; +{files} small files, +{ms / 1e6:.1f} MB models")


def info(a):
    d = pathlib.Path(a.dir); n = t = 0; small = 0
    for p in d.rglob("*"):
        if p.is_file() and not p.is_symlink():
            n += 1; s = p.stat().st_size; t += s; small += s < 65536
    print(f"{n} files ({small} under 64 KiB), {t / 1e6:.1f} MB; hrp.duckdb {(d / 'hrp.duckdb').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("cmd", choices=["create", "week", "info"]); ap.add_argument("dir")
    ap.add_argument("--size", choices="SML", default="S"); ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--layout", choices=["hrp", "flat"], default="hrp"); ap.add_argument("--indexes", choices=["pk", "none"], default="pk")
    ap.add_argument("--batches", type=int, default=5); ap.add_argument("--threads", type=int, default=0); ap.add_argument("--keep-state", action="store_true")
    a = ap.parse_args()
    {"create": create, "week": week, "info": info}[a.cmd](a)
