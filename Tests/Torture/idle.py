"""Files that stand still and need a decision: a checkpoint that died before an idle program opened the database again,
entries of an unknown type, and damage. Each is made with a real engine; a copy must be right, or refused by its code."""
import json, os, struct, subprocess, time

MASK = (1 << 64) - 1
COMMIT = bytes([0x64, 0, 0x64, 0xFF, 0xFF])


def checksum(data):
    """DuckDB's, as docs/formats/duckdb.md §1.3 has it."""
    value, words = 5381, len(data) // 8
    for (word,) in struct.iter_unpack("<Q", data[:words * 8]):
        value ^= word * 0xBF58476D1CE4E5B9 & MASK
    tail = data[words * 8:]
    if tail:
        m = 0xC6A4A7935BD1E995
        x = 0xE17A1465 ^ (len(tail) * m & MASK)
        for index, byte in enumerate(tail):
            x ^= byte << 8 * index
        x = x * m & MASK
        x ^= x >> 47
        x = x * m & MASK
        value ^= x ^ x >> 47
    return value


def frame(payload):
    return struct.pack("<QQ", len(payload), checksum(payload)) + payload


def marker(pointer):
    varint = bytearray()
    while True:
        varint.append(pointer & 0x7F | (0x80 if pointer > 0x7F else 0))
        pointer >>= 7
        if not pointer:
            break
    return bytes([0x64, 0, 0x63, 0x65, 0, 0x64, 0]) + bytes(varint) + bytes([0x65, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])


MAKE = """
import duckdb, os, sys
c = duckdb.connect(sys.argv[1]); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)'); c.execute('CHECKPOINT')
for k in range(10): c.execute(f'INSERT INTO t VALUES ({k})')
os._exit(0)
"""
HOLD = """
import duckdb, sys
c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()
"""
COUNT = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute('SELECT count(*) FROM t').fetchone()[0])"


def traps(folder, hrp, python, environment, engine):
    """Yields a sentence for each trap that was met, or None when it was right."""
    def run(script, path):
        return subprocess.run([python, "-B", "-c", script, path], env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def made(name):
        path = folder / f"{name}.db"
        run(MAKE, path)
        return path, folder / f"{name}.db.wal"

    def refused(name, code, spoil):
        path, log = made(name)
        data = bytearray(log.read_bytes())
        spoil(data)
        log.write_bytes(data)
        done = subprocess.run([hrp, "duckdb", "copy", path, folder / f"{name}.copy", "--json"], capture_output=True, text=True)
        found = json.loads(done.stdout).get("error", {}).get("code")
        return None if found == code else f"{name}: exit {done.returncode}, {found} instead of {code}"

    for kind in (7, 15, 45, 97):
        yield refused(f"unknown{kind}", "duckdb.unknown-entry", lambda data: data.extend(frame(bytes([0x64, 0, kind, 0xFF, 0xFF])) + frame(COMMIT)))
    yield refused("flipped", "duckdb.wal-damaged", lambda data: data.__setitem__(len(data) // 2, data[len(data) // 2] ^ 4))
    if engine >= (1, 5):  # later engines write the WAL anew when they open it
        return
    path, log = made("dead")
    with open(log, "ab") as file:
        file.write(frame(marker(0x777)) + frame(COMMIT))
    for name in (path, log):
        os.utime(name, (time.time() - 60, time.time() - 60))
    holder = subprocess.Popen([python, "-B", "-c", HOLD, path], env=environment, stdin=-1, stdout=-1, text=True)
    holder.stdout.readline()
    began = time.monotonic()
    done = subprocess.run([hrp, "duckdb", "copy", path, folder / "dead.copy", "--json"], capture_output=True, text=True)
    seconds = time.monotonic() - began
    holder.kill()
    holder.wait()
    rows = run(COUNT, folder / "dead.copy") if done.returncode == 0 else done.stdout
    yield None if rows == "10" and seconds < 10 else f"a dead checkpoint beside an idle writer: {rows} in {seconds:.1f} s"
