"""Makes the committed seeds anew: small pieces of what real engines and hrp itself write.

    scripts/fuzz --seeds     with every DuckDB version of scripts/setup

One byte of flags comes before headers and logs, two of counts before free lists (see the targets).
"""
import hashlib, json, os, pathlib, struct, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path(__file__).resolve().parent / "Corpus"
ENGINE = r"""
import duckdb, os
c = duckdb.connect('x.duckdb')
c.execute("SET checkpoint_threshold='1GB'; CREATE TABLE t AS SELECT range i, range::VARCHAR s FROM range(50000)")
c.execute('CREATE INDEX k ON t(i); CHECKPOINT; DELETE FROM t WHERE i % 7 = 0; DROP INDEX k; CHECKPOINT')
c.execute("CREATE TABLE u(a INTEGER, b VARCHAR); INSERT INTO u VALUES (1, 'x'); UPDATE u SET a = 2; DELETE FROM u")
try:
    c.execute("PRAGMA debug_checkpoint_abort='before_header'"); c.execute('CHECKPOINT')
except Exception: pass
os._exit(0)
"""


def free_list(data):
    slots = [struct.unpack_from("<QQQQQQ", data, at) for at in (4096, 8192)]
    checksum, iteration, meta, pointer, count, size = slots[0] if slots[0][1] > slots[1][1] else slots[1]
    sub, stream = (size - 8) // 64 // 8 * 8, b""
    while pointer != 2**64 - 1 and len(stream) < 8192:
        at = 12288 + (pointer & (2**56 - 1)) * size + 8 + (pointer >> 56) * sub
        pointer = struct.unpack_from("<Q", data, at)[0]
        stream += data[at + 8:at + sub]
    return struct.pack(">H", count) + stream[:1024]


def put(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def main():
    work = pathlib.Path(sys.argv[1])
    for engine in sorted((ROOT / ".deps/duckdb").iterdir()):
        folder = work / engine.name
        folder.mkdir(parents=True)
        subprocess.run([ROOT / ".deps/python/bin/python", "-c", ENGINE], cwd=folder, check=True,
                       env=dict(os.environ, PYTHONPATH=str(engine)))
        data, log = (folder / "x.duckdb").read_bytes(), (folder / "x.duckdb.wal").read_bytes()
        put("headers", engine.name, b"\1" + data[:12288])
        put("freelist", engine.name, free_list(data))
        put("log", engine.name, b"\1\x40" + log[:4096])
    digest = hashlib.sha256(b"x").hexdigest()
    put("checksums", "plain", f"{digest}  hrp.duckdb\n{digest.upper()} *mlruns/0/meta.yaml\n\\{digest}  a\\nb\\\\c\n{digest}  ../x\n{digest}  /etc/passwd\n".encode())
    put("manifest", "plain", b'{"path":"hrp.duckdb","kind":"file","mode":420,"mtime_ns":1770000000123456789,"size":12288}\n'
        b'{"path":"mlruns/a%0ab","kind":"link","mode":511,"mtime_ns":-5,"size":3,"target":"a\\"b"}\n'
        b'{"path":"mlruns/0","kind":"directory","mode":493,"mtime_ns":1,"size":0}\n'
        b'{"path":"mlruns/f","kind":"file","mode":420,"mtime_ns":1,"size":2,"device":"1","inode":"18446744073709551615","ctime_ns":3,"read_ns":4}\n')
    fields = {"timestamp": "2026-01-24T14:30:52.123456", "created_at": 1769283052.123456, "size_bytes": 5, "size_mb": 0.0,
              "include_mlflow": True, "hrp_version": "0.1.0", "source_dir": "/data"}
    put("metadata", "python", json.dumps(fields | {"files": ["hrp.duckdb"]}, indent=2).encode())
    ours = json.dumps(fields | {"format": 1, "database": {"name": "x.db"}, "mlflow": {"layout": "flat"}, "verified": True,
                                "complete": True, "checksums_sha256": digest, "manifest_sha256": digest, "files": ["hrp.duckdb"]}, indent=2)[:-2]
    sealed = (ours + ",\n").encode()
    put("metadata", "ours", sealed + b'  "metadata_sha256": "' + hashlib.sha256(sealed).hexdigest().encode() + b'"\n}\n')
    put("metadata", "list", b"[1]")


main()
