"""Keeps one DuckDB file busy until it is killed: writer.py DATABASE SHARED JOURNAL SEED [BLOCK_SIZE]

Each transaction carries the next number of its stream. Before COMMIT the state it will leave is noted in the
journal (see judge.py), after COMMIT has returned its number is stored in SHARED, four 64-bit words:
the last committed number of stream 0 and of stream 1, a request to pause, and how many streams have paused.
Stream 0 does everything. Stream 1 (DuckDB 1.5 and later) is a second connection in a thread of its own which
only inserts and deletes: that is what those engines let run, and commit, while a checkpoint is under way.
In one turn of three the writer opens and closes its own database file, which drops the lock of its engine.
"""
import json, mmap, os, random, sys, threading, time
import duckdb
from judge import ACCOUNTS, BALANCE, ROLLED_BACK, fingerprint, last_number, rows, schema, tables

COMMITTED, PAUSE, PAUSED = 0, 2, 3
KEPT_NUMBERS, KEPT_LOADS, KEPT_TABLES = 600, 3, 5

SCHEMA = f"""
CREATE TABLE seq0 (n BIGINT PRIMARY KEY, kind VARCHAR, seen BIGINT, low BIGINT, items BIGINT, total BIGINT);
CREATE TABLE seq1 (n BIGINT PRIMARY KEY, kind VARCHAR, seen BIGINT, low BIGINT, items BIGINT, total BIGINT);
CREATE TABLE item0 (n BIGINT, k BIGINT, v BIGINT, s VARCHAR);
CREATE TABLE item1 (n BIGINT, k BIGINT, v BIGINT, s VARCHAR);
CREATE INDEX item0_n ON item0 (n);
CREATE TABLE account (id INTEGER PRIMARY KEY, balance BIGINT, last BIGINT);
CREATE TABLE load (load BIGINT, rows BIGINT, total BIGINT);
CREATE TABLE bulk (load BIGINT, k BIGINT, v BIGINT, h UBIGINT, s VARCHAR);
INSERT INTO account SELECT range, {BALANCE}, 0 FROM range({ACCOUNTS});
"""


class Stream:
    """One connection with its own numbers, its own tables and its own journal."""

    def __init__(self, number, path, shared, journal, seed):
        self.number, self.path, self.shared = number, path, shared
        self.random = random.Random(f"{seed}/{number}")
        self.journal = os.open(f"{journal}.{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self.journal, b"\n")  # ends a line cut short by a kill
        self.state = None

    def connect(self, connection):
        """After opening, the database must be what it was when it was closed: else the engine lost data, not a copier."""
        self.con = connection
        state = {t: fingerprint(connection, t) for t in tables(connection) if (t in ("seq1", "item1")) == (self.number == 1)}
        if self.number == 0:
            state["schema"] = schema(connection)
        if self.state is not None and state != self.state:
            sys.exit(f"the engine itself changed the data on reopening: {state} instead of {self.state}")
        self.state = state
        self.n = last_number(connection, self.number)
        self.low = rows(connection, f"SELECT coalesce(min(n), 1) FROM seq{self.number}")[0][0]
        self.shared[COMMITTED + self.number] = self.n

    def commit(self, kind, work):
        """Runs work(n) -> (tables it changed, derived rows, their sum) as transaction n."""
        n, seen = self.n + 1, self.shared[COMMITTED + 1 - self.number]
        rows(self.con, "BEGIN")
        changed, items, total = work(n)
        rows(self.con, f"INSERT INTO seq{self.number} VALUES (?, ?, ?, ?, ?, ?)", n, kind, seen, self.low, items, total)
        state = dict(self.state)
        for name in {*changed, f"seq{self.number}"}:
            state[name] = schema(self.con) if name == "schema" else fingerprint(self.con, name)
        if "schema" in changed:
            present = {*tables(self.con), "schema"}
            state = {name: value for name, value in state.items() if name in present}
        os.write(self.journal, f'{n} {json.dumps({"state": state})}\n'.encode())
        rows(self.con, "COMMIT")
        self.n, self.state = n, state
        self.shared[COMMITTED + self.number] = n

    def attempt(self, action):
        """An engine may refuse a transaction (a conflict, a forced checkpoint); anything else ends the writer."""
        low = self.low
        try:
            action()
        except duckdb.TransactionException:
            self.low = low
            try:
                rows(self.con, "ROLLBACK")
            except duckdb.TransactionException:
                pass  # it was rolled back already

    def rest(self):
        """Between transactions: stands still while the harness asks for it; ends when the harness is gone."""
        if os.getppid() != PARENT:
            os._exit(0)
        if self.shared[PAUSE]:
            with PAUSING:
                self.shared[PAUSED] += 1
            while self.shared[PAUSE] and os.getppid() == PARENT:
                time.sleep(0.001)
            with PAUSING:
                self.shared[PAUSED] -= 1

    # Transactions of both streams

    def forget(self, keep):
        """Deletes old numbers with their rows, which keeps the file small."""
        self.low = max(self.low, self.n + 1 - keep)
        for table in ("item", "seq"):
            rows(self.con, f"DELETE FROM {table}{self.number} WHERE n < {self.low}")

    def insert_items(self, n, count):
        rows(self.con, f"INSERT INTO item{self.number} SELECT {n}, range, (range * 7 + {n}) % 1000, "
                       f"concat('item ', hash(range + {n})) FROM range({count})")
        return [f"item{self.number}"], count, total_of(n, count)


def total_of(n, count):
    """Sum of (k * 7 + n) % 1000 for k < count, computed without the engine: 7 and 1000 have no common divisor."""
    return count // 1000 * 499500 + sum((k * 7 + n) % 1000 for k in range(count % 1000))


class Main(Stream):
    def small(self, n):
        return self.insert_items(n, self.random.randint(0, 6))

    def transfer(self, n):
        a, b = self.random.sample(range(ACCOUNTS), 2)
        amount = self.random.randint(1, 50)
        rows(self.con, "UPDATE account SET balance = balance - ?, last = ? WHERE id = ?", amount, n, a)
        rows(self.con, "UPDATE account SET balance = balance + ?, last = ? WHERE id = ?", amount, n, b)
        return ["account"], 0, 0

    def update_item(self, n):
        old = self.random.randint(self.low, max(self.low, n - 1))
        rows(self.con, f"UPDATE item0 SET v = v + 1 WHERE n = {old}")
        rows(self.con, f"UPDATE seq0 SET total = total + items WHERE n = {old}")
        return ["item0"], 0, 0

    def prune(self, n):
        self.forget(self.random.randint(KEPT_NUMBERS // 2, KEPT_NUMBERS))
        return ["item0"], 0, 0

    def insert_bulk(self, load, count):
        rows(self.con, f"INSERT INTO bulk SELECT {load}, range, (range * 7 + {load}) % 1000, hash(range + {load}), "
                       f"concat('text ', range % 97) FROM range({count})")

    def bulk_load(self, n):
        # More than 122,880 rows are written to the file at once, and the log then only points at the row groups.
        count = self.random.choice([3000, 30000, 125000, 140000, 200000, 250000])
        self.insert_bulk(n, count)
        rows(self.con, "INSERT INTO load VALUES (?, ?, ?)", n, count, total_of(n, count))
        for (old,) in rows(self.con, f"SELECT load FROM load ORDER BY load DESC OFFSET {KEPT_LOADS}"):
            rows(self.con, f"DELETE FROM bulk WHERE load = {old}")
            rows(self.con, f"DELETE FROM load WHERE load = {old}")
        return ["bulk", "load"], 0, 0

    def bulk_change(self, n):
        loads = rows(self.con, "SELECT load FROM load")
        if loads:
            where = f"load = {self.random.choice(loads)[0]}"
            some = f"{where} AND k % 11 = {self.random.randrange(11)}"
            count, total = rows(self.con, f"SELECT count(*), coalesce(sum(v), 0) FROM bulk WHERE {some}")[0]
            if self.random.random() < 0.6:
                rows(self.con, f"UPDATE bulk SET v = v + 3, h = hash(h) WHERE {some}")
                rows(self.con, f"UPDATE load SET total = total + {3 * count} WHERE {where}")
            else:
                rows(self.con, f"DELETE FROM bulk WHERE {some}")
                rows(self.con, f"UPDATE load SET total = total - {total}, rows = rows - {count} WHERE {where}")
        return ["bulk", "load"], 0, 0

    def change_schema(self, n):
        extra = [t for t in tables(self.con) if t.startswith("extra")]
        indexed = {t for (t,) in rows(self.con, "SELECT table_name FROM duckdb_indexes()")}
        plain = [t for t in extra if t not in indexed]
        what = self.random.choice(["create", "create", "drop", "index", "alter", "retype", "unindex"])
        if len(extra) >= KEPT_TABLES or (what == "drop" and extra):
            rows(self.con, f"DROP TABLE {self.random.choice(extra)}")
            return ["schema"], 0, 0
        if what == "unindex" and len(plain) < len(extra):
            rows(self.con, f"DROP INDEX {self.random.choice([t for t in extra if t in indexed])}_id")
            return ["schema"], 0, 0
        if what in ("index", "alter", "retype") and plain:
            table = self.random.choice(plain)
            rows(self.con, {"index": f"CREATE INDEX {table}_id ON {table} (id)",
                            "alter": f"ALTER TABLE {table} ADD COLUMN c{n} VARCHAR DEFAULT 'added by {n}'",
                            "retype": f"ALTER TABLE {table} ALTER a TYPE {self.random.choice(['BIGINT', 'VARCHAR'])}"}[what])
            return ["schema", table], 0, 0
        rows(self.con, f"CREATE TABLE extra{n} AS SELECT range AS id, range * {n} AS a FROM range({self.random.choice([10, 3000, 60000])})")
        return ["schema", f"extra{n}"], 0, 0

    def roll_back(self):
        rows(self.con, "BEGIN")
        rows(self.con, "INSERT INTO seq0 VALUES (-1, ?, 0, 0, 0, 0)", ROLLED_BACK)
        self.insert_items(-1, 5)
        rows(self.con, "UPDATE account SET balance = balance + 1 WHERE id < 50")
        if self.random.random() < 0.3:
            self.insert_bulk(-1, self.random.choice([1000, 130000, 250000]))
        if self.random.random() < 0.3:
            rows(self.con, "CREATE TABLE rolled_back AS SELECT 1")
        rows(self.con, "ROLLBACK")

    def checkpoint(self):
        rows(self.con, self.random.choice(["CHECKPOINT", "FORCE CHECKPOINT"]))

    def threshold(self):
        size = self.random.choice(["300KB", "1MB", "4MB", "16MB", "1GB"])
        rows(self.con, f"SET checkpoint_threshold = '{size}'")

    def run_one(self):
        kinds = {self.small: 40, self.transfer: 30, self.update_item: 12, self.prune: 2, self.bulk_load: 3, self.bulk_change: 2,
                 self.change_schema: 3, self.roll_back: 3, self.checkpoint: 1.5, self.threshold: 1}
        kind = self.random.choices(list(kinds), kinds.values())[0]
        alone = kind in (self.roll_back, self.checkpoint, self.threshold)
        self.attempt(kind if alone else lambda: self.commit(kind.__name__, kind))


class Second(Stream):
    def insert(self, n):
        count = self.random.choice([10, 5000, 40000, 125000, 150000])
        if n - self.low > 5:
            self.forget(3)
        return self.insert_items(n, count)

    def roll_back(self):
        rows(self.con, "BEGIN")
        self.insert_items(-1, self.random.choice([10, 130000]))
        rows(self.con, "ROLLBACK")

    def run_until(self, stop):
        try:
            while not stop.is_set():
                self.rest()
                self.attempt(self.roll_back if self.random.random() < 0.15 else lambda: self.commit("insert", self.insert))
                time.sleep(self.random.random() * 0.05)
        except BaseException as error:  # a thread's failure must end the process, not only the thread
            sys.stderr.write(f"stream 1: {type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(1)


def main(path, shared_path, journal, seed, *_):
    with open(shared_path, "r+b") as file:
        shared = memoryview(mmap.mmap(file.fileno(), 32)).cast("Q")
    first, second = Main(0, path, shared, journal, seed), Second(1, path, shared, journal, seed)
    concurrent = tuple(map(int, duckdb.__version__.split(".")[:2])) >= (1, 5)
    while True:  # one turn: open, work for a few seconds, close (which checkpoints)
        if BLOCK_SIZE and not os.path.exists(path):
            maker = duckdb.connect()
            maker.execute(f"ATTACH '{path}' AS made (BLOCK_SIZE {BLOCK_SIZE})")
            maker.close()
        con = duckdb.connect(path, config={"threads": 2})
        if first.random.random() < 1 / 3:
            open(path, "rb").close()  # as shutil.copy2 or a hash would: the engine's lock is gone, and it goes on writing
        if not tables(con):
            con.execute("BEGIN;" + SCHEMA + "COMMIT").fetchall()
        first.connect(con)
        second.connect(con.cursor())
        stop = threading.Event()
        thread = threading.Thread(target=second.run_until, args=(stop,), daemon=True)
        if concurrent:
            thread.start()
        until = time.monotonic() + first.random.uniform(2, 12)
        while time.monotonic() < until:
            first.rest()
            first.run_one()
        stop.set()
        if concurrent:
            thread.join()
        second.con.close()
        con.close()


if __name__ == "__main__":
    PARENT, PAUSING = os.getppid(), threading.Lock()
    BLOCK_SIZE = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    main(*sys.argv[1:])
