"""The faults of promises.py: each is one function that spoils a copy of a backup and says in a line what it did."""
import hashlib, os, shutil, sqlite3, struct
from formats import COMMIT, LISTS, put
from stack import LOGGED_IDS


class Kind:
    """A kind of fault: the level that must find it, by which findings, and the bases that it can be done to."""

    all = []

    def __init__(self, level, name, fits=lambda base, bases: True, by="", drill=False):
        self.level, self.name, self.fits, self.by, self.drill = level, name, fits, by.split(), drill

    def __call__(self, spoil):
        self.spoil = spoil
        Kind.all.append(self)
        return spoil

    @property
    def is_sealed(self):
        """Whether the lists are made anew after it."""
        return self.level != "checksums"


def change_byte(case, random, path):
    data = bytearray(path.read_bytes())
    byte = random.randrange(len(data))
    old, data[byte] = data[byte], (data[byte] + random.randrange(1, 256)) % 256
    put(path, data)
    return f"{case.name(path)} byte {byte}: {old} made {data[byte]}"


@Kind("checksums", "a byte changed in a stored file")
def _(case, random):
    return change_byte(case, random, random.choice([p for p in case.files() if p.stat().st_size]))


@Kind("checksums", "a byte changed in a list (checksums.txt, manifest.jsonl, metadata.json)")
def _(case, random):
    return change_byte(case, random, random.choice(case.files(lists=True)))


def remove_one(case, random, paths):
    path = random.choice(paths)
    path.unlink()
    return f"{case.name(path)} removed"


Kind("checksums", "a stored file missing")(lambda case, random: remove_one(case, random, case.files()))
Kind("checksums", "a list missing")(lambda case, random: remove_one(case, random, case.files(lists=True)))


@Kind("checksums", "an unexpected file, symlink or folder")
def _(case, random):
    folder = random.choice([case.path, *[p for p in sorted(case.path.rglob("*")) if p.is_dir()]])
    # Not what an operating system leaves (.DS_Store): that is a notice, and nobody's fault.
    names = [f"x{random.randrange(10 ** 6)}", ".hidden", "equity (1).csv", "mlflow.db-wal", "hrp.duckdb.wal",
             "hrp.duckdb.wal.checkpoint", "checksums.txt~", "metadata.json"]
    path = random.choice([p for name in names if not (p := folder / name).exists()])
    kind = random.choice(["file", "file", "empty file", "copy", "link", "folder"])
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(random.choice(["hrp.duckdb", "/etc/hostname", "nowhere"]))
    else:
        path.write_bytes({"file": random.randbytes(100), "empty file": b"", "copy": case.duckdb.read_bytes()}[kind])
    return f"{kind} {case.name(path)} added"


@Kind("checksums", "a file renamed, moved, or exchanged with another")
def _(case, random):
    path, way = random.choice(case.files()), random.choice(["renamed", "moved", "exchanged"])
    others = [p for p in case.files() if p.read_bytes() != path.read_bytes()]
    if way == "exchanged" and others:
        other = random.choice(others)
        path.rename(case.path / "aside")
        other.rename(path)
        (case.path / "aside").rename(other)
        return f"{case.name(path)} and {case.name(other)} exchanged"
    folders = [p for p in (case.path, *sorted(case.path.rglob("*"))) if p.is_dir() and not (p / path.name).exists()]
    target = random.choice(folders) / path.name if way == "moved" else path.with_name(path.name + random.choice("1~_"))
    path.rename(target)
    return f"{case.name(path)} renamed to {case.name(target)}"


@Kind("checksums", "a line of checksums.txt dropped")
def _(case, random):
    lines = (case.path / "checksums.txt").read_bytes().splitlines(True)
    gone = lines.pop(random.randrange(len(lines)))
    put(case.path / "checksums.txt", b"".join(lines))
    return f"checksums.txt without {gone.decode().split()[1]}"


@Kind("checksums", "a foreign line in checksums.txt")
def _(case, random):
    lines = (case.path / "checksums.txt").read_bytes().splitlines(True)
    donor = random.choice(case.base.unlike(case.bases, of_stack=random.random() < 0.5) or [case.base])
    foreign = [x for x in (donor.path / "checksums.txt").read_bytes().splitlines(True)
               if x[66:] not in {line[66:] for line in lines}]
    made = [b"%s  %s\n" % (hashlib.sha256(random.randbytes(9)).hexdigest().encode(), name)
            for name in (b"mlruns/x%d" % random.randrange(99), b"hrp.duckdb.wal.checkpoint", b"../outside")]
    line = random.choice(foreign if foreign and random.random() < 0.7 else made)
    lines.append(line)
    put(case.path / "checksums.txt",
             b"".join(sorted(lines, key=lambda x: x[66:-1]) if random.random() < 0.5 else lines))
    return f"checksums.txt with {line[66:-1].decode()}"


def foreign_list(name):
    def spoil(case, random):
        donor = random.choice([b for b in case.bases if b is not case.base])
        put(case.path / name, (donor.path / name).read_bytes())
        return f"{name} of {donor.path.name} of {donor.stack}"
    return spoil


Kind("checksums", "metadata.json of another backup")(foreign_list("metadata.json"))
Kind("checksums", "manifest.jsonl of another backup")(foreign_list("manifest.jsonl"))
Kind("checksums", "checksums.txt of another backup")(foreign_list("checksums.txt"))


def flip_in_block(case, random, blocks):
    database, block = case.base.database, random.choice(sorted(blocks))
    byte, bit = random.randrange(database.size), random.randrange(8)
    assert database.is_right(database.block(block)), f"block {block} was wrong before"
    case.flip(case.duckdb, database.offset(block) + byte, bit)
    return f"block {block}, byte {byte}, bit {bit} (byte {database.offset(block) + byte} of hrp.duckdb)"


Kind("structure", "a bit flipped in a block in use (tables, indexes)", by="block")(
    lambda case, random: flip_in_block(case, random, case.base.database.used - case.base.database.metadata))
Kind("structure", "a bit flipped in a metadata block in use", by="block")(
    lambda case, random: flip_in_block(case, random, case.base.database.used & case.base.database.metadata))


def flip_in_unit(case, random, offset):
    byte, bit = offset + random.randrange(random.choice([160, 4096])), random.randrange(8)
    case.flip(case.duckdb, byte, bit)
    return f"byte {byte}, bit {bit} of hrp.duckdb"


Kind("structure", "a bit flipped in the main header", by="block")(
    lambda case, random: flip_in_unit(case, random, 0))
Kind("structure", "a bit flipped in a database header, of either slot", by="block")(
    lambda case, random: flip_in_unit(case, random, random.choice([4096, 8192])))


@Kind("structure", "a bit flipped in the free list itself", lambda base, _: base.database.list_parts, by="block")
def _(case, random):
    every, hiding = case.base.database.list_flips()
    is_hiding = bool(hiding) and random.random() < 0.5
    byte, bit = random.choice(hiding if is_hiding else every)
    case.flip(case.duckdb, byte, bit)
    return f"byte {byte}, bit {bit} of hrp.duckdb{': the list calls its own block free' if is_hiding else ''}"


@Kind("structure", "hrp.duckdb cut short, blocks in use gone", by="block")
def _(case, random):
    end = case.base.database.offset(max(case.base.database.used) + 1)
    size = end - random.randrange(1, 5000) if random.random() < 0.3 else random.randrange(end)
    put(case.duckdb, case.duckdb.read_bytes()[:size])
    return f"hrp.duckdb cut to {size} bytes; blocks in use end at {end}"


def has_log(base, _):
    return base.log is not None


@Kind("structure", "a bit flipped in the WAL", has_log, by="log")
def _(case, random):
    log = case.base.log
    byte, bit = random.randrange(log.header if random.random() < 0.2 else log.end), random.randrange(8)
    case.flip(case.wal, byte, bit)
    return f"byte {byte}, bit {bit} of hrp.duckdb.wal (header {log.header} bytes, all {log.end})"


@Kind("structure", "the WAL cut within a transaction", has_log, by="log")
def _(case, random):
    log = case.base.log
    size = random.choice(sorted(set(range(log.end)) - {log.header, *log.commits}))
    put(case.wal, log.data[:size])
    return f"hrp.duckdb.wal cut to {size} of {log.end} bytes"


@Kind("structure", "bytes after the WAL's last commit (torn or never committed)", has_log, by="log")
def _(case, random):
    log = case.base.log
    start, end, _ = random.choice([entry for entry in log.entries if entry[2] != COMMIT])
    entry = log.data[start:end]
    what, tail = random.choice([("an entry", entry), ("half an entry", entry[: random.randrange(1, len(entry))]),
                                ("zeros", bytes(64)), ("noise", random.randbytes(random.randint(1, 300)))])
    put(case.wal, log.data + tail)
    return f"{what}, {len(tail)} bytes, after hrp.duckdb.wal of {log.end} bytes"


def records_iteration(base, _):
    return base.log is not None and base.log.iteration is not None


@Kind("structure", "a WAL that records another checkpoint", records_iteration, by="log")
def _(case, random):
    log, donors = case.base.log, case.base.with_other_logs(case.bases)
    if donors and random.random() < 0.5:
        donor = random.choice(donors)
        put(case.wal, donor.log.data)
        return f"log of {donor.path.name} (checkpoint {donor.log.iteration}) beside checkpoint {log.iteration}"
    data = bytearray(log.data)
    data[log.iteration_at] = random.choice([x for x in range(128) if x != log.iteration])
    put(case.wal, data)
    return f"checkpoint {log.iteration} in the log's header made {data[log.iteration_at]}"


def has_log_donor(base, bases):
    return records_iteration(base, bases) and [b for b in base.unlike(bases, of_stack=False) if records_iteration(b, 0)]


@Kind("structure", "a WAL of another database at the same checkpoint", has_log_donor, by="log")
def _(case, random):
    donor = random.choice(has_log_donor(case.base, case.bases))
    data = bytearray(donor.log.data)
    data[donor.log.iteration_at] = case.base.log.iteration
    put(case.wal, data)
    return f"log of {donor.path.name} of {donor.stack}"


def sqlite_complains(path):
    """Whether SQLite itself sees anything: the judge of whether a flipped byte matters to it."""
    store = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return store.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",)
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # its complaint may hold bytes that are no UTF-8
        return True
    finally:
        store.close()


@Kind("structure", "a byte of mlflow.db changed, which PRAGMA integrity_check sees", by="sqlite")
def _(case, random):
    path = case.path / "mlruns/mlflow.db"
    old = path.read_bytes()
    in_header = random.random() < 0.2
    while True:
        page = random.randrange(len(old) // 4096) * 4096
        byte = random.randrange(100) if in_header else page + random.randrange(random.choice([16, 128, 4096]))
        data = bytearray(old)
        data[byte] = (data[byte] + random.randrange(1, 256)) % 256
        put(path, data)
        if sqlite_complains(path):
            return f"{case.name(path)} byte {byte}: {old[byte]} made {data[byte]}"


# --- What only the engine can see


def exchange(case, first, second):
    database, data = case.base.database, bytearray(case.base.database.data)
    for target, source in ((first, second), (second, first)):
        assert database.is_right(database.block(source)), f"block {source} was wrong before"
        data[database.offset(target) : database.offset(target + 1)] = database.block(source)
    put(case.duckdb, data)
    return f"blocks {first} and {second} exchanged"


@Kind("engine", "two blocks of table data exchanged", by="engine", drill=True)
def _(case, random):
    database = case.base.database
    place = {block: f"{table}.{column}" for table, column, _, block, *_ in case.base.segments if block in database.used}
    first = random.choice([b for b in sorted(place) if place[b] in ("big.h", "big.s")])
    second = random.choice([b for b in sorted(place) if database.block(b) != database.block(first)])
    return f"{exchange(case, first, second)}: {place[first]} and {place[second]}"


def index_blocks(base, _=None):
    found = base.database.used - base.database.metadata - {block for _, _, _, block, *_ in base.segments}
    return sorted(found) if len(found) > 1 else []


@Kind("engine", "two blocks of indexes exchanged", index_blocks, by="engine", drill=True)
def _(case, random):
    return exchange(case, *random.sample(index_blocks(case.base), 2))


@Kind("engine", "two values in a block exchanged: the block's checksum stays right", by="engine", drill=True)
def _(case, random):
    database = case.base.database
    plain = [(block, offset, max(0, LOGGED_IDS - group * 122_880 - start), rows)  # what the log updates is not read
             for table, column, compression, block, offset, rows, group, start in case.base.segments
             if [table, column, compression] == ["big", "h", "Uncompressed"] and block in database.used]
    block, offset, first, rows = random.choice([place for place in plain if place[2] + 1 < place[3]])
    data, (a, b) = bytearray(database.data), random.sample(range(first, rows), 2)
    a, b = (database.offset(block) + 8 + offset + 8 * value for value in (a, b))
    assert data[a : a + 8] != data[b : b + 8]
    data[a : a + 8], data[b : b + 8] = data[b : b + 8], data[a : a + 8]
    put(case.duckdb, data)
    assert database.is_right(data[database.offset(block) : database.offset(block + 1)])
    return f"block {block}: the words at bytes {a} and {b} of hrp.duckdb exchanged"


def is_older_format(base, bases):
    return base.database.is_older_format and base.with_other_logs(bases)


@Kind("engine", "a WAL of another checkpoint, in a format that records none", is_older_format, by="engine link",
      drill=True)
def _(case, random):
    donor = random.choice(case.base.with_other_logs(case.bases))
    put(case.wal, donor.log.data)
    return (f"log of {donor.path.name}, of checkpoint {donor.database.iteration}, beside checkpoint "
            f"{case.base.database.iteration}")


@Kind("engine", "the WAL cut after an earlier commit, or gone", has_log, by="engine", drill=True)
def _(case, random):
    log = case.base.log
    size = random.choice([None, log.header, *log.commits[:-1]])
    if size is None:
        case.wal.unlink()
        return "hrp.duckdb.wal removed"
    put(case.wal, log.data[:size])
    left = sum(end <= size for end in log.commits)
    return f"hrp.duckdb.wal cut to {size} of {log.end} bytes: {left} of {len(log.commits)} commits left"


@Kind("engine", "the database and its WAL of another time", lambda base, bases: base.unlike(bases),
      by="engine link", drill=True)
def _(case, random):
    donor = random.choice(case.base.unlike(case.bases))
    for path in (case.duckdb, case.wal):
        path.unlink(missing_ok=True)
        if (donor.path / path.name).exists():
            put(path, (donor.path / path.name).read_bytes())
    return f"hrp.duckdb and its log of {donor.path.name}"


@Kind("engine", "a bit flipped in a block that only the WAL names", lambda base, _: base.named, by="engine")
def _(case, random):
    return flip_in_block(case, random, case.base.named)


@Kind("engine", "the artifacts of a READY model gone", by="missing", drill=True)
def _(case, random):
    place = random.choice(case.base.ready_models())
    shutil.rmtree(case.path / place)
    return f"{place} removed"


@Kind("engine", "the artifacts of a READY model gone, their folder left", by="missing", drill=True)
def _(case, random):
    place = case.path / random.choice(case.base.ready_models())
    for path in place.iterdir():
        path.unlink()
    return f"{case.name(place)} emptied"


@Kind("engine", "DuckDB names an experiment that MLflow has not", by="link", drill=True)
def _(case, random):
    if random.random() < 0.5:
        case.keeps_proof = False  # the row that is new must not be what is found
        experiment = str(random.randrange(1000, 10 ** 6))
        for path in (case.duckdb, *[case.wal] * case.wal.exists()):
            case.writable(path)
        case.base.stack.ask("link_copy", str(case.duckdb), experiment)
        return f"experiment {experiment} named in hypothesis_experiments"
    store = sqlite3.connect(case.writable(case.path / "mlruns/mlflow.db"))
    with store:
        experiment = random.choice(store.execute(
            "SELECT experiment_id FROM experiments WHERE experiment_id > 1").fetchall())[0]
        store.execute("DELETE FROM experiments WHERE experiment_id = ?", [experiment])
    store.close()
    return f"experiment {experiment} deleted in mlflow.db"


# --- What is no damage: no level may blame it


def has_free_blocks(base, _):
    return harmless_blocks(base) and not (base.log and base.log.names_blocks)


def harmless_blocks(base):
    return [b for b in base.database.free - base.named if len(base.database.block(b)) == base.database.size]


@Kind("none", "a byte changed in a free block", has_free_blocks, drill=True)
def _(case, random):
    database, block = case.base.database, random.choice(sorted(harmless_blocks(case.base)))
    byte, data = database.offset(block) + random.randrange(database.size), bytearray(database.data)
    data[byte] = (data[byte] + random.randrange(1, 256)) % 256
    put(case.duckdb, data)
    return f"block {block}, byte {byte} of hrp.duckdb made {data[byte]}"


@Kind("none", "nothing but the lists made anew", drill=True)
def _(case, random):
    return "nothing"
