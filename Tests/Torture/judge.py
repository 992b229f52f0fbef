"""Decides whether one copy of the writer's database is right.

A copy is right when the same engine opens it read-write and finds exactly the state the live database
had after some transaction n, where n is at least the last transaction whose COMMIT had returned before
the copy began; and when it then takes writes, a checkpoint and a reopening without losing any of it.

What "exactly the state" means is not left to the copy: before each COMMIT the writer notes outside the
database (the journal) the fingerprint of every table as this transaction sees it. The invariants below
(sums, totals, contiguous numbers) hold whatever the engine believes, so they check the journal as well.

Runs as a server: one JSON request a line on stdin, one JSON verdict a line on stdout. Each copy is opened
in a forked child, because a bad copy may crash or hang the engine. This process never opens a database.
"""
import json, multiprocessing, os, sys
import duckdb

ACCOUNTS, BALANCE = 200, 1000
ROLLED_BACK = "rolled back"  # written only by transactions that never commit
CHILD_SECONDS = 60


def rows(con, sql, *parameters):
    # Always read to the end: an unread result keeps its transaction open and that blocks CHECKPOINT.
    return con.execute(sql, parameters).fetchall()


def fingerprint(con, table):
    """Row count and sum of row hashes: reads every column of every row, in any order."""
    count, total = rows(con, f'SELECT count(*), coalesce(sum(hash(t)), 0) FROM "{table}" t')[0]
    return [count, int(total)]


def tables(con):
    return [name for (name,) in rows(con, "SELECT table_name FROM duckdb_tables() ORDER BY 1")]


def schema(con):
    columns = rows(con, "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY 1, 2")
    indexes = rows(con, "SELECT table_name, index_name FROM duckdb_indexes() ORDER BY 1, 2")
    return json.dumps([columns, indexes])


def whole_state(con):
    state = {name: fingerprint(con, name) for name in tables(con)}
    state["schema"] = schema(con)
    return state


def last_number(con, stream):
    return rows(con, f"SELECT coalesce(max(n), 0) FROM seq{stream}")[0][0]


# Each query must return no row.
INVARIANTS = {
    "sequence {s} has a gap or a repeat": "SELECT 1 FROM seq{s} HAVING count(*) > 0 AND (count(*) <> max(n) - min(n) + 1 "
        "OR count(DISTINCT n) <> count(*) OR min(n) <> arg_max(low, n))",
    "derived rows of {s} do not fit their transaction": "SELECT 1 FROM seq{s} a FULL JOIN (SELECT n, count(*) c, sum(v) v FROM item{s} "
        "GROUP BY n) b ON a.n = b.n WHERE a.n IS NULL OR a.items <> coalesce(b.c, 0) OR a.total <> coalesce(b.v, 0)",
    "transaction of {s} without an earlier one of {other}": "SELECT 1 FROM seq{s} WHERE seen > (SELECT coalesce(max(n), 0) FROM seq{other})",
    "rolled back rows in stream {s}": f"SELECT 1 FROM seq{{s}} WHERE kind = '{ROLLED_BACK}' UNION ALL SELECT 1 FROM item{{s}} WHERE n < 0",
    "account total": f"SELECT 1 FROM account HAVING sum(balance) <> {ACCOUNTS * BALANCE} OR count(*) <> {ACCOUNTS}",
    "bulk rows do not fit their load": "SELECT 1 FROM load a FULL JOIN (SELECT load, count(*) c, sum(v) v FROM bulk GROUP BY load) b "
        "ON a.load = b.load WHERE a.load IS NULL OR a.rows <> coalesce(b.c, 0) OR a.total <> coalesce(b.v, 0)",
    "rolled back bulk rows": "SELECT 1 FROM bulk WHERE load = -1",
    "rolled back table": "SELECT 1 FROM duckdb_tables() WHERE table_name = 'rolled_back'",
}


def invariant_problems(con):
    problems = []
    for name, sql in INVARIANTS.items():
        for stream in (0, 1) if "{s}" in sql else (0,):
            names = {"s": stream, "other": 1 - stream}
            if rows(con, sql.format(**names) + " LIMIT 1"):
                problems.append(name.format(**names))
    return problems


def index_problems(con):
    """A lookup (the planner takes the index for an equality on few rows) must equal the scan."""
    keys = [("seq0", "n"), ("seq1", "n"), ("item0", "n"), ("account", "id")]
    keys += rows(con, "SELECT DISTINCT table_name, 'id' FROM duckdb_indexes() WHERE table_name LIKE 'extra%'")
    problems = []
    for table, key in keys:
        scan = {k: (c, h) for k, c, h in rows(con, f"SELECT {key}, count(*), sum(hash(t)) FROM {table} t GROUP BY {key}")}
        sample = sorted(scan)[:: max(1, len(scan) // 25)] + sorted(scan)[-2:] + [-5, 10**9]
        for k in sample:
            found = rows(con, f"SELECT count(*), sum(hash(t)) FROM {table} t WHERE {key} = {k}")[0]
            if found != scan.get(k, (0, None)):
                problems.append(f"index of {table}: key {k} gives {found[0]} rows, the scan {scan.get(k, (0,))[0]}")
                break
    return problems


def state_problems(con, found, journals):
    """Compares the copy with what the live database said inside the same transactions."""
    problems, expected = [], {}
    for stream, journal in enumerate(journals):
        n = last_number(con, stream)
        if n and n not in journal:
            problems.append(f"holds transaction {n} of stream {stream}, which was never written")
        expected.update(json.loads(journal[n])["state"] if n in journal else {})
    for name in sorted(set(found) | set(expected)):
        if name in ("seq1", "item1") and name not in expected:
            expected[name] = [0, 0]  # no second stream, or not begun
        if found.get(name) != expected.get(name):
            problems.append(f"{name}: copy has {str(found.get(name))[:60]}, live had {str(expected.get(name))[:60]}")
    return problems


def change(con):
    """An ordinary day's work on the copy, big enough to fill blocks which the copy believes to be free."""
    low, last = rows(con, "SELECT min(n), max(n) FROM seq0")[0]
    rows(con, "BEGIN")
    rows(con, "INSERT INTO seq0 VALUES (?, 'judge', 0, ?, 2, 30)", last + 1, low + 1)
    rows(con, "INSERT INTO item0 VALUES (?, 0, 10, 'judge'), (?, 1, 20, 'judge')", last + 1, last + 1)
    rows(con, "DELETE FROM item0 WHERE n = ?", low)
    rows(con, "DELETE FROM seq0 WHERE n = ?", low)
    rows(con, "INSERT INTO bulk SELECT -2, range, 1, hash(range), 'judge' FROM range(130000)")
    rows(con, "INSERT INTO load VALUES (-2, 130000, 130000)")
    rows(con, "UPDATE account SET last = ? WHERE id % 7 = 0", last + 1)
    after = whole_state(con)
    rows(con, "COMMIT")
    rows(con, "CHECKPOINT")
    return after


def examine(path, committed, journals, step):
    """The verdict on one copy: (kind, details), kind "good" or a way to be bad."""
    config = {"threads": 1}
    step("does not open")
    con = duckdb.connect(path, config=config)
    step("unreadable")
    found = whole_state(con)
    wrong = state_problems(con, found, journals) + invariant_problems(con) + index_problems(con)
    if wrong:
        return "silently wrong", wrong
    missing = [f"stream {s}: has {last_number(con, s)}, {n} was committed before the copy began"
               for s, n in enumerate(committed) if last_number(con, s) < n]
    if missing:
        return "misses commits", missing
    step("cannot be written")
    after = change(con)
    con.close()
    step("does not reopen")
    con = duckdb.connect(path, config=config)
    again = whole_state(con)
    wrong = [f"{name} differs after reopening" for name in after if again.get(name) != after[name]]
    wrong += invariant_problems(con) + index_problems(con)
    con.close()
    return ("wrong after writing", wrong) if wrong else ("good", [])


def judge_in_child(request, journals, answer):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a crashing engine is noisy
    step = ["not damaged"]
    try:
        if request.get("damage"):  # self-test: the harness asks for the copy to be spoiled first
            with duckdb.connect(request["copy"]) as con:
                con.execute(request["damage"])
        answer.send(examine(request["copy"], request["committed"], journals, lambda kind: step.__setitem__(0, kind)))
    except Exception as error:
        answer.send((step[0], [f"{type(error).__name__}: {error}"[:300]]))


def judge(request, journals):
    context = multiprocessing.get_context("fork")
    answer, theirs = context.Pipe(duplex=False)
    child = context.Process(target=judge_in_child, args=(request, journals, theirs))
    child.start()
    theirs.close()  # so that a child which dies without an answer ends the wait below
    try:
        if answer.poll(CHILD_SECONDS):
            return answer.recv()
        child.kill()
        return "hangs the engine", [f"no answer within {CHILD_SECONDS} s"]
    except EOFError:
        child.join()
        return "crashes the engine", [f"exit {child.exitcode}"]
    finally:
        child.join()


class Journal(dict):
    """The writer's notes of one stream, number -> line; a later line for a number replaces a failed attempt."""
    def __init__(self, path):
        self.path, self.offset = path, 0

    def read_on(self):
        if os.path.exists(self.path):
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                text = file.read()
            text = text[: text.rfind(b"\n") + 1]
            self.offset += len(text)
            for line in text.splitlines():
                head, _, rest = line.partition(b" ")
                if rest.endswith(b"}"):
                    self[int(head)] = rest


if __name__ == "__main__":
    journals = [Journal(f"{sys.argv[1]}.{stream}") for stream in (0, 1)]
    for line in sys.stdin:
        for journal in journals:
            journal.read_on()
        print(json.dumps(judge(json.loads(line), journals)), flush=True)
