"""The kinds of strangers.py: each is one function that makes a backup of its own kind out of a harmless one."""
import json, os, shutil, socket, sqlite3, stat

ALL = []


def kind(name, needs_root=False):
    def add(make):
        ALL.append((name, make, needs_root))
        return make
    return add


def plan(outside, hidden=".victim.hrp-undo.1", **fields):
    """The plan of an undo whose second half lies where the stranger likes."""
    sites = [{"path": "/old/data", "hidden": ".hrp.duckdb.hrp-restore", "undo": ".hrp.duckdb.hrp-undo.1", "items": []},
             {"path": str(outside), "hidden": hidden, "undo": hidden,
              "items": [{"name": "secret.txt", "old": 1, "new": 2}]}]
    return json.dumps({"format": 1, "backup": "", "target": "/old/data", "at": "2020-01-01T00:00:00.000000+00:00",
                       "incoming": "a", "outgoing": "b", "sites": sites} | fields)


def old(b, *names):
    """Long over: whoever expires undo states expires these."""
    for name in names:
        os.utime(b.path / name, (1, 1))


# --- names

def planted(place, where, target, **fields):
    @kind(f"{place} in {where or 'the backup'} ({target}), its plan names another folder" + "".join(f", {key}" for key in fields))
    def make(b):
        if target == "flat":
            b.flat()
        for half in "ab":
            b.put(f"{where}{place}/{half}/x")
        b.put(f"{where}{place}/plan.json", plan(b.outside, **fields))
        old(b, f"{where}{place}/plan.json", f"{where}{place}")


for place in (".hrp.duckdb.hrp-undo.1", ".hrp.duckdb.hrp-restore", ".hrp.duckdb.hrp-restore.partial",
              ".HRP.DuckDB.hrp-UNDO.1"):
    planted(place, "mlruns/", "flat")
planted(".hrp.duckdb.hrp-undo.1", "mlruns/", "folder")
planted(".mlflow.hrp-undo.1", "mlruns/", "folder")
planted(".hrp.duckdb.hrp-undo.1", "", "flat")
planted(".hrp.duckdb.hrp-restore", "", "folder")
planted(".hrp.duckdb.hrp-undo.1", "mlruns/", "flat", hidden="docs")
planted(".hrp.duckdb.hrp-undo.1", "mlruns/", "flat", incoming="../..")

FLAT = {".bashrc": "evil", ".ssh/authorized_keys": "evil", "notes": "evil", "config/hrp.yaml": "evil",
        "backups/backup_20260101_000000/hrp.duckdb": "evil", "backups/.hrp-pins/backup_20260101_000000": "{}",
        "logs/backup.log": "evil", "scratch/hrp-scratch.1.1/x": "evil", "hrp.duckdb": "evil", "hrp.duckdb.wal": "evil",
        "hrp-catalogue.db": "evil", ".hrp-stack.lock": "1\tx\ty\tz\n", "metadata.json": "{}", "mlflow/x": "evil",
        ".123.partial": "x", "..x": "x", "…": "x"}
for name, data in FLAT.items():
    @kind(f"flat, with {name}")
    def _(b, name=name, data=data):
        b.flat().put("mlruns/" + name, data)

for name in (".bashrc", "backups/backup_1/x", "hrp.duckdbx", "hrp.duckdb.hrp-undo.1/plan.json", ".hrp-pins/x", "data/x"):
    @kind(f"at the top: {name}")
    def _(b, name=name):
        b.put(name)


@kind("flat, a tracking database of another name, and a metadata that names it")
def _(b):
    b.flat().metadata["mlflow"]["database"] = "notes"
    os.rename(b.store / "mlflow.db", b.store / "notes")


@kind("flat, two databases, neither of the target's name")
def _(b):
    b.flat()
    shutil.copy(b.store / "mlflow.db", b.store / "notes")
    os.rename(b.store / "mlflow.db", b.store / ".profile")


@kind("names with escapes, line feeds and marks that turn the order of letters")
def _(b):
    for name in (b"\x1b[2J\x1b[31mred", b"a\nhrp: Restore complete!", b"\xc2\x9b2J", b"\xe2\x80\xaetxt.exe", b"\xff\xfe",
                 b"back\\slash", b"%1b", b"\r\rx", b"\x7f"):
        b.put(b"mlruns/mlruns/0/" + name)


@kind("names with escapes at the top, which are left out")
def _(b):
    b.flat()
    for name in (b"\x1b[2J\x1b[31mred", b"a\nhrp: done", b"\xe2\x80\xaetxt.exe"):
        b.put(b"mlruns/" + name)


# --- symlinks and hard links

for name, target in (("hrp.duckdb", "docs/live.duckdb"), ("hrp.duckdb.wal", "secret.txt"), ("mlruns", "docs"),
                     ("mlruns/mlflow.db", "neighbour.db"), ("mlruns/mlruns", "docs"), ("mlruns/mlruns/0", "docs"),
                     ("mlruns/mlruns/0/meta.yaml", "secret.txt"), ("mlruns/mlruns/0/MLmodel", "neighbour.yaml"),
                     ("mlruns/mlartifacts", "."), ("checksums.txt", "secret.txt")):
    for flat in (False, True):
        @kind(f"{name} is a symlink to {target}" + ", flat" * flat)
        def _(b, name=name, target=target, flat=flat):
            if flat:
                b.flat()
            b.link(name, b.outside / target)


@kind("symlinks that climb, loop, end nowhere, and have long targets")
def _(b):
    for number, target in enumerate(["../" * 40 + "etc/passwd", "loop", "/", "..", "x" * 4000, "/dev/zero", "/proc/self/mem"]):
        b.link(f"mlruns/mlruns/0/{number}", target)
    b.link("mlruns/mlruns/0/loop", "loop")


@kind("metadata.json is a symlink to /dev/zero")
def _(b):
    b.link("metadata.json", "/dev/zero")


@kind("manifest.jsonl is a symlink to /dev/zero")
def _(b):
    b.link("manifest.jsonl", "/dev/zero")


@kind("the manifest has a symlink where there is a folder")
def _(b):
    b.line("mlruns/mlruns", kind="link", target=str(b.outside), size=len(str(b.outside)))


@kind("the manifest has a folder where there is a symlink")
def _(b):
    b.link("mlruns/mlruns/0/r1", b.outside)
    b.line("mlruns/mlruns/0/r1", kind="directory")


for name, other in (("hrp.duckdb", "docs/live.duckdb"), ("mlruns/mlflow.db", "neighbour.db"),
                    ("mlruns/mlruns/0/meta.yaml", "neighbour.yaml"), ("mlruns/mlruns/0/r1/artifacts/m", "secret.txt")):
    @kind(f"{name} is a hard link to {other}")
    def _(b, name=name, other=other):
        (b.path / name).unlink(missing_ok=True)
        (b.path / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(b.outside / other, b.path / name)
        b.line(name, mode=0o4777)


# --- things that are no files

for name in ("hrp.duckdb", "mlruns/mlflow.db", "mlruns/mlruns/0/meta.yaml", "mlruns/mlruns/0/fifo", "hrp.duckdb.wal"):
    @kind(f"{name} is a FIFO")
    def _(b, name=name):
        (b.path / name).unlink(missing_ok=True)
        os.mkfifo(b.path / name)


@kind("a socket")
def _(b):
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(b.store)
        s.bind("socket")
        os.chdir(here)


@kind("a device that never ends", needs_root=True)
def _(b):
    os.mknod(b.store / "mlruns/0/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))


@kind("a device instead of the database", needs_root=True)
def _(b):
    (b.path / "hrp.duckdb").unlink()
    os.mknod(b.path / "hrp.duckdb", 0o666 | stat.S_IFCHR, os.makedev(1, 5))


# --- paths in the lists

for number, path in enumerate([b"../outside/secret.txt", b"/etc/passwd", b"mlruns//x", b"./hrp.duckdb", b"mlruns/../../x", b"",
                               b"mlruns/" + b"x" * 5000, b"/".join([b"d"] * 300), b"x\\q", b"\xff" * 100]):
    @kind(f"checksums.txt names a path that is none, {number}")
    def _(b, path=path):
        b.extra_sums.append(b"0" * 64 + b"  " + path + b"\n")


for number, line in enumerate(['{"path":"../x","kind":"file","mode":420,"mtime_ns":0,"size":1}\n', '{"path":"/etc/x"}\n', "{" * 5000 + "\n",
                               '{"path":"x","kind":"directory","mode":65535,"mtime_ns":0,"size":0}\n', '{"mode":' + "9" * 400 + "}\n",
                               '{"path":"%00","kind":"file","mode":1,"mtime_ns":0,"size":0}\n', "x" * 70000 + "\n",
                               '{"path":"hrp.duckdb","kind":"file","mode":420,"mtime_ns":0,"size":1}\n' * 3]):
    @kind(f"manifest.jsonl has a line that is none, {number}")
    def _(b, line=line):
        b.extra_lines.append(line)


@kind("two hundred levels of folders")
def _(b):
    b.put("mlruns/mlruns/0/" + "d/" * 110 + "x")
    os.makedirs(b.store / ("e/" * 190))


@kind("four thousand files in one folder")
def _(b):
    for number in range(4000):
        b.put(f"mlruns/mlruns/0/r1/artifacts/{number}")


@kind("lists in another order, as the Python tool's")
def _(b):
    b.is_python_tools = True
    b.extra_sums += [b"0" * 64 + b"  z%d\n" % (9999 - number) for number in range(2000)]


@kind("both mlruns/ and mlflow/")
def _(b):
    b.put("mlflow/mlruns/0/meta.yaml")
    b.put("mlflow/.hrp-stack.lock")


# --- modes and owners

for mode in (0o4755, 0o2755, 0o6777, 0o7777, 0, 0o222):
    @kind(f"files of mode {mode:04o}")
    def _(b, mode=mode):
        for name in ("hrp.duckdb", "mlruns/mlflow.db", "mlruns/mlruns/0/meta.yaml"):
            b.line(name, mode=mode)
        b.put("mlruns/mlruns/0/r1/artifacts/run", "#!/bin/sh\n")
        b.line("mlruns/mlruns/0/r1/artifacts/run", mode=mode)


for mode in (0, 0o555, 0o4777, 0o7777, 0o111):
    for name in ("mlruns", "mlruns/mlruns", "mlruns/mlruns/0/r1"):
        @kind(f"folder {name} of mode {mode:04o}")
        def _(b, name=name, mode=mode):
            b.line(name, mode=mode)
            if name == "mlruns/mlruns":
                b.flat()


@kind("files stored with setuid, from the Python tool")
def _(b):
    b.is_python_tools = True
    os.chmod(b.put("mlruns/mlruns/0/run"), 0o6755)
    os.chmod(b.path / "hrp.duckdb", 0o4444)


@kind("files of another owner", needs_root=True)
def _(b):
    os.chown(b.path / "hrp.duckdb", 12345, 12345)
    os.chown(b.store / "mlruns", 12345, 12345)


# --- sizes and times

@kind("the manifest has a size of 2^63 - 1")
def _(b):
    b.line("mlruns/mlruns/0/meta.yaml", size=2**63 - 1)


@kind("two files of nearly 2^44 bytes, without data")
def _(b):
    for name in ("a", "b"):
        os.truncate(b.put(f"mlruns/mlruns/0/{name}"), 2**44 - 2**20)


@kind("two files of 2^63 - 1 bytes, without data, as far as the file system takes them")
def _(b):
    for name in ("a", "b"):
        path = b.put(f"mlruns/mlruns/0/{name}")
        for size in (2**63 - 1, 2**63 - 4096, 2**62, 2**50, 2**43):
            try:
                os.truncate(path, size)
                break
            except OSError:
                pass


@kind("a database of 2^43 bytes, without data behind its first block")
def _(b):
    os.truncate(b.path / "hrp.duckdb", 2**43)


for number, fields in enumerate([{"mtime_ns": 2**63 - 1}, {"mtime_ns": -(2**63) + 1}, {"mtime_ns": 0}, {"size": -1},
                                 {"ctime_ns": 2**63 - 1, "read_ns": -(2**63) + 1, "device": "1", "inode": "1"}]):
    @kind(f"times and sizes at the end of their range, {number}: {next(iter(fields))}")
    def _(b, fields=fields):
        for name in ("hrp.duckdb", "mlruns/mlruns/0/meta.yaml", "mlruns/mlruns", "mlruns"):
            b.line(name, **fields)


@kind("stored files from the years 1901 and 2400")
def _(b):
    os.utime(b.path / "hrp.duckdb", (13_600_000_000, 13_600_000_000))
    os.utime(b.store / "mlruns/0/meta.yaml", (-2_147_483_648, -2_147_483_648))


# --- metadata

for number, fields in enumerate([
        {"size_bytes": 2**63 - 1, "created_at": 1e308}, {"size_bytes": -(2**63), "created_at": -1e308, "timestamp": "9" * 40},
        {"name": "\x1b[2J", "timestamp": "\x1b]0;x\x07"}, {"name": "../../../x", "files": "x"}, {"mlflow": 1, "database": []},
        {"mlflow": {"layout": "../../outside", "directory": "/"}, "source_dir": "/"},
        {"mlflow": {"layout": "directory", "directory": "%00%2e%2e"}, "source_dir": ""},
        {"database": {"name": "../../outside/docs/live.duckdb"}}, {"includes": "[" * 100_000}, {"snapshot": {"shares_storage": 1e400}},
        {"x": "y" * 900_000}, {"created_at": "1e999", "verified": "yes", "complete": 7}]):
    @kind(f"metadata that is odd, {number}")
    def _(b, fields=fields):
        b.metadata |= fields


for number, raw in enumerate([b"[" * 200_000, b"{" * 200_000, b"null", b"", b"\xff\xfe", b'{"a":' * 50_000, b"\0" * (5 << 20)]):
    @kind(f"metadata.json that is none, {number}")
    def _(b, raw=raw):
        b.raw_metadata = raw


@kind("the metadata has every place for the stack's old one")
def _(b):
    b.metadata |= {"source_dir": str(b.outside), "source_dir_real": "/"}
    b.metadata["mlflow"] |= {"directory": str(b.outside / "docs"), "directory_real": "/"}


# --- SQLite

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def sql(b, *statements, name="mlruns/mlflow.db"):
    database = sqlite3.connect(b.path / name, isolation_level=None)
    database.execute("PRAGMA trusted_schema = 1")
    for statement in statements:
        database.execute(statement)
    database.close()


TRACKED = [("experiments", "artifact_location"), ("runs", "artifact_uri")]

for event in ("BEFORE UPDATE", "AFTER UPDATE"):
    @kind(f"a trigger {event} with a query without an end")
    def _(b, event=event):
        sql(b, *[f"CREATE TRIGGER t{i} {event} ON {table} BEGIN SELECT * FROM ({ENDLESS}); END"
                 for i, (table, _) in enumerate(TRACKED)])


@kind("a trigger that changes what users wrote")
def _(b):
    sql(b, "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM experiments; UPDATE tags SET value = 'evil'; END")


for table, column in TRACKED + [("experiments", "name"), ("tags", "value")]:
    @kind(f"{table} is a view without an end, for its {column}")
    def _(b, table=table, column=column):
        sql(b, f"ALTER TABLE {table} RENAME TO real_{table}",
            f"CREATE VIEW {table} AS SELECT r.* FROM real_{table} r, ({ENDLESS.replace('count(*)', 'i')}) n")


SLOW = "length(hex(zeroblob(20000000))) > 0"


@kind("a generated column that takes long for every row")
def _(b):
    sql(b, "ALTER TABLE runs RENAME TO old_runs",
        f"CREATE TABLE runs(run_uuid TEXT, experiment_id INTEGER, artifact_uri TEXT GENERATED ALWAYS AS (CASE WHEN {SLOW} THEN "
        "'/old/data/mlflow/x' END) VIRTUAL)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO runs SELECT 'r' || i, 0 FROM n")


@kind("an index on an expression that takes long for every row, and a check that does")
def _(b):
    sql(b, "DROP TABLE tags", f"CREATE TABLE tags(key TEXT, value TEXT CHECK (length(hex(zeroblob(20000000 + length(key)))) > 0), run_uuid TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "INSERT INTO runs SELECT 'r' || i, 0, '/old/data/mlflow/' || i FROM n",
        "PRAGMA writable_schema = 1")
    sql(b, "DELETE FROM runs WHERE run_uuid LIKE 'r%' AND length(run_uuid) > 3",
        f"CREATE INDEX slow ON runs(length(hex(zeroblob(10000000 + length(artifact_uri)))))")


@kind("values of 60 MB")
def _(b):
    sql(b, "INSERT INTO runs VALUES ('big', 0, '/old/data/mlflow/' || hex(zeroblob(30000000)))",
        "INSERT INTO tags VALUES ('k', '/old/data/mlflow/' || hex(zeroblob(30000000)), 'big')")


@kind("values of 200 MB")
def _(b):
    sql(b, "INSERT INTO runs VALUES ('big', 0, '/old/data/mlflow/' || hex(zeroblob(100000000)))")


@kind("two thousand tables, and names with escapes")
def _(b):
    sql(b, "BEGIN", *[f'CREATE TABLE "\x1b[2Jt{i}"(a)' for i in range(2000)], "COMMIT",
        "INSERT INTO experiments VALUES (7, '\x1b[2J\x1b[31mred\nhrp: Restore complete!', '/old/data/mlflow/7')",
        "INSERT INTO runs VALUES ('r7', 7, '/old/data/mlflow/7/r7')")


@kind("runs is a virtual table")
def _(b):
    sql(b, "DROP TABLE runs", "CREATE VIRTUAL TABLE runs USING fts5(run_uuid, experiment_id, artifact_uri)",
        "INSERT INTO runs VALUES ('r1', 0, '/old/data/mlflow/x')")


@kind("foreign keys that hand an update on")
def _(b):
    sql(b, "DROP TABLE runs", "DROP TABLE experiments",
        "CREATE TABLE experiments(experiment_id INTEGER, name TEXT, artifact_location TEXT UNIQUE REFERENCES runs(artifact_uri) ON "
        "UPDATE CASCADE)",
        "CREATE TABLE runs(run_uuid TEXT, experiment_id INTEGER, artifact_uri TEXT UNIQUE REFERENCES experiments(artifact_location) ON "
        "UPDATE CASCADE)", "INSERT INTO experiments VALUES (0, 'x', '/old/data/mlflow/0')",
        "INSERT INTO runs VALUES ('r', 0, '/old/data/mlflow/0')")


@kind("a journal that names a file for SQLite to delete")
def _(b):
    victim = os.fsencode(b.outside / "secret.txt")
    page = (b.store / "mlflow.db").read_bytes()[:4096]
    count = len((b.store / "mlflow.db").read_bytes()) // 4096
    head = bytes.fromhex("d9d505f920a163d7") + (1).to_bytes(4, "big") + bytes(4) + count.to_bytes(4, "big") \
        + (512).to_bytes(4, "big") + (4096).to_bytes(4, "big")
    total = sum(page[4096 - 200 * i] for i in range(1, 20)) % 2**32
    body = head.ljust(512, b"\0") + (1).to_bytes(4, "big") + page + total.to_bytes(4, "big")
    tail = (4096 * 0 + (2**30 // 4096) + 1).to_bytes(4, "big") + victim + len(victim).to_bytes(4, "big") \
        + (sum(victim) % 2**32).to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7")
    b.put("mlruns/mlflow.db-journal", body + tail)


@kind("a journal and a log of SQLite that are none")
def _(b):
    b.put("mlruns/mlflow.db-journal", os.urandom(5000))
    b.put("mlruns/mlflow.db-wal", bytes.fromhex("377f0682") + os.urandom(5000))
    b.put("mlruns/mlflow.db-shm", os.urandom(40000))


for number, change in enumerate([(16, b"\0\1"), (18, b"\x7f\x7f"), (28, b"\xff\xff\xff\xff"), (100, os.urandom(400)), (20, b"\xff")]):
    @kind(f"an SQLite database whose header lies, {number}")
    def _(b, change=change):
        data = bytearray((b.store / "mlflow.db").read_bytes())
        data[change[0]:change[0] + len(change[1])] = change[1]
        b.put("mlruns/mlflow.db", bytes(data))


@kind("the schema is broken off")
def _(b):
    sql(b, "PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET sql = 'CREATE TABLE runs(' || hex(zeroblob(100000))"
        " WHERE name = 'runs'")


@kind("twenty databases with triggers without an end")
def _(b):
    sql(b, f"CREATE TRIGGER t AFTER UPDATE ON experiments BEGIN SELECT * FROM ({ENDLESS}); END")
    for number in range(20):
        shutil.copy(b.store / "mlflow.db", b.store / f"{number}.db")


# --- DuckDB

def duck(b, *statements):
    import duckdb
    database = duckdb.connect(str(b.path / "hrp.duckdb"))
    for statement in statements:
        database.execute(statement)
    database.close()


for number, view in enumerate([
        "SELECT count(*) FROM range(1000000000000) a, range(1000000000000) b",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/**')",
        "SELECT string_agg(repeat('x', 100000000), '') FROM range(1000)"]):
    @kind(f"a view of DuckDB that no one should read, {number}")
    def _(b, view=view):
        duck(b, f"CREATE VIEW v AS {view}", f"CREATE VIEW experiments AS {view}", "CREATE TABLE later(i INTEGER)")


@kind("tables of DuckDB whose names have escapes")
def _(b):
    duck(b, 'CREATE TABLE "\x1b[2J\x1b[31mred\nhrp: Restore complete!" AS SELECT 1 AS i', 'CREATE SCHEMA "a\x9bb"',
         'CREATE TABLE "a\x9bb"."\x07" AS SELECT 1 AS i')


@kind("a column that takes long to make")
def _(b):
    duck(b, "CREATE TABLE slow(i BIGINT, j BIGINT AS (length(repeat('x', 100000000)) + i))", "INSERT INTO slow SELECT range FROM range(1000)")


for number, size in enumerate([0, 100, 4096, 12288, 300_000]):
    @kind(f"a database that is noise, of {size} bytes")
    def _(b, size=size):
        head = (b.path / "hrp.duckdb").read_bytes()[: size // 2]
        b.put("hrp.duckdb", head + os.urandom(size - len(head)))


@kind("a log of DuckDB that is noise")
def _(b):
    b.put("hrp.duckdb.wal", os.urandom(100_000))


@kind("no database at all")
def _(b):
    (b.path / "hrp.duckdb").unlink()


# --- MLflow's files

for name in ("meta.yaml", "MLmodel"):
    for number, data in enumerate([b"\n" * (16 << 20), b"artifact_uri: /old/data/mlflow/" + b"x" * (15 << 20), b"a:" * (4 << 20),
                                   b"artifact_uri: '" + b"''" * 1000, b"artifact_uri: |\n" + b" /old/data/mlflow/x\n" * 100_000,
                                   b"name: \x1b[2Jred\nartifact_location: /old/data/mlflow/x\n\x00\xff"]):
        @kind(f"{name} that is odd, {number}")
        def _(b, name=name, data=data):
            b.put(f"mlruns/mlruns/0/{name}", data)
            b.put("mlruns/mlruns/0/r1/meta.yaml", "artifact_uri: /old/data/mlflow/x\n")


@kind("a symlink where a rewritten file is staged")
def _(b):
    b.put("mlruns/mlruns/0/meta.yaml", "artifact_location: /old/data/mlflow/x\n")
    b.link("mlruns/mlruns/0/.hrp-relocated.partial", b.outside / "secret.txt")


@kind("a thousand experiments in files")
def _(b):
    for number in range(1000):
        b.put(f"mlruns/mlruns/{number}/meta.yaml", f"name: x{number}\nartifact_location: /old/data/mlflow/{number}\n")


@kind("harmless, flat")
def _(b):
    b.flat()


@kind("harmless")
def _(b):
    pass
