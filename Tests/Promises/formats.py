"""What promises.py knows of formats, by its own reading: the DuckDB file and its log after docs/formats/duckdb.md §1
and §2, the lists of a backup, and the Python tool's verification. Nothing here is hrp's code; which blocks are in use
is held against `hrp duckdb inspect`."""
import hashlib, json, os, struct
import numpy

HEAD, NONE, WORDS = 12288, 2**64 - 1, 2**64 - 1
LISTS = ["checksums.txt", "manifest.jsonl", "metadata.json"]
ROW_GROUPS, COMMIT = 29, 100


def checksum(data):
    """§1.3: of a block, a header or the payload of a log entry."""
    words, rest = numpy.frombuffer(data[: len(data) // 8 * 8], "<u8"), data[len(data) // 8 * 8 :]
    result = 5381 ^ int(numpy.bitwise_xor.reduce(words * numpy.uint64(0xBF58476D1CE4E5B9)))
    if rest:
        factor = 0xC6A4A7935BD1E995
        x = 0xE17A1465 ^ len(rest) * factor & WORDS
        for index in range(len(rest) - 1, 0, -1):
            x ^= rest[index] << 8 * index
        x = (x ^ rest[0]) * factor & WORDS
        x = (x ^ x >> 47) * factor & WORDS
        result ^= x ^ x >> 47
    return result


class Database:
    """Headers, geometry and the free list of a DuckDB file."""

    def __init__(self, path):
        self.data = path.read_bytes()
        self.slot = max((8192, 4096), key=lambda slot: self.word(slot + 8))  # a tie goes to the second one
        self.iteration, _, self.list, self.count, size = struct.unpack_from("<5Q", self.data, self.slot + 8)
        self.size = size or 262144
        self.free, self.metadata, self.list_parts = self.read_list(self.data)
        self.used = set(range(self.count)) - self.free
        # §10: logs record the checkpoint that they follow in the storage format of 1.4 and later
        self.is_older_format = self.word(12) < 67

    def word(self, offset):
        return struct.unpack_from("<Q", self.data, offset)[0]

    def offset(self, block):
        return HEAD + block * self.size

    def block(self, block):
        return self.data[self.offset(block) : self.offset(block + 1)]

    def is_right(self, data):
        return len(data) == self.size and struct.unpack_from("<Q", data)[0] == checksum(data[8:])

    def read_list(self, data):
        """§1.4: free blocks, metadata blocks, and where in the file the parts lie: (block, offset, bytes)."""
        pointer, stream, parts, wanted = self.list, b"", [], 8
        part = (self.size - 8) // 64 // 8 * 8
        while pointer != NONE and len(stream) < wanted <= 64 + 36 * self.count:
            block = pointer & 2**56 - 1
            if block >= self.count:
                raise ValueError(f"the free list goes on in block {block} of {self.count}")
            start = self.offset(block) + 8 + (pointer >> 56) * part
            pointer = struct.unpack_from("<Q", data, start)[0]
            stream += data[start + 8 : start + part]
            parts.append([block, start, part])
            wanted = 0
            for width in (8, 12, 16):  # what is needed, as far as the counts are there
                more = struct.unpack_from("<Q", stream, wanted)[0] * width if len(stream) >= wanted + 8 else 0
                wanted += 8 + more
        if not parts:
            return set(), set(), []
        if len(stream) < wanted:
            raise ValueError("the free list ends too early, or is no list")
        parts[-1][2] -= len(stream) - wanted
        free = [block for (block,) in self.entries(stream, 0, "<q")]
        after = 8 + 8 * len(free)
        after += 8 + 12 * struct.unpack_from("<Q", stream, after)[0]
        return set(free), {block for block, _ in self.entries(stream, after, "<qQ")}, parts

    @staticmethod
    def entries(stream, start, form):
        count, width = struct.unpack_from("<Q", stream, start)[0], struct.calcsize(form)
        return list(struct.iter_unpack(form, stream[start + 8 : start + 8 + count * width]))

    def list_flips(self):
        """Bits of the free list, and those of them after which the list calls the block that holds it free."""
        every, hiding, data = [], [], bytearray(self.data)
        for block, start, length in self.list_parts:
            for byte, bit in ((byte, bit) for byte in range(start, start + length) for bit in range(8)):
                every.append((byte, bit))
                data[byte] ^= 1 << bit
                try:
                    if block in self.read_list(data)[0]:
                        hiding.append((byte, bit))
                except (ValueError, struct.error):
                    pass  # no list any more: that shows by itself
                data[byte] ^= 1 << bit
        return every, hiding


class Log:
    """§2: header and entries of a log of version 2: each (start, end, type)."""

    def __init__(self, data):
        self.data, self.iteration, self.iteration_at, self.identifier = data, None, None, None
        assert data[:5] == b"\x64\0\x62\x65\0" and data[5] == 2, "not a log of version 2"
        at = 6
        if data[at : at + 3] == b"\x66\0\x10":
            start = at = at + 3
            for _ in range(16):
                at += 2 if data[at] > 127 else 1
            self.identifier = slice(start, at)
        if data[at : at + 2] == b"\x67\0":
            self.iteration, self.iteration_at = data[at + 2], at + 2
            assert self.iteration < 128, "an iteration of more than one byte"
            at += 3
        assert data[at : at + 2] == b"\xff\xff", "no end of the header"
        self.header, self.entries = at + 2, []
        at += 2
        while at + 16 <= len(data):
            size, stored = struct.unpack_from("<QQ", data, at)
            payload = data[at + 16 : at + 16 + size]
            if size < 5 or len(payload) < size or checksum(payload) != stored:
                break
            self.entries.append((at, at + 16 + size, payload[2]))
            at += 16 + size
        self.commits = [end for _, end, kind in self.entries if kind == COMMIT]
        self.end = at
        self.names_blocks = any(kind == ROW_GROUPS for _, _, kind in self.entries)

    @property
    def is_whole(self):
        return self.commits and self.commits[-1] == self.end == len(self.data)


# --- The lists of a backup


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(path, data):
    """Writes a file anew, so that no other name of it changes, with holes where there are zeros."""
    mode = path.stat().st_mode if path.exists() else 0o444
    path.unlink(missing_ok=True)
    with open(path, "wb") as file:
        for start in range(0, len(data), 1 << 14):
            piece = data[start : start + (1 << 14)]
            if piece.count(0) < len(piece):
                file.seek(start)
                file.write(piece)
        file.truncate(len(data))
    os.chmod(path, mode)


def make_lists_anew(backup):
    """Lists that fit what lies there now, as if the backup had been sealed with it: returns the hash of checksums.txt.

    What damage does before a backup is made, or somebody who can write all three lists, the level checksums can't see.
    """
    paths = [p for p in backup.rglob("*") if not (p.parent == backup and p.name in LISTS)]
    names = {p: str(p.relative_to(backup)) for p in paths}
    files = sorted((p for p in paths if p.is_file()), key=lambda p: names[p].encode())
    sums = "".join(f"{sha256(p)}  {names[p]}\n" for p in files)
    old = {(line := json.loads(text))["path"]: line for text in (backup / "manifest.jsonl").read_text().splitlines()}
    lines = []
    for path in sorted(paths, key=lambda p: names[p].encode() + b"/" * p.is_dir()):
        new = {"path": names[path], "kind": "directory" if path.is_dir() else "file",
               "mode": 0o755 if path.is_dir() else 0o644, "mtime_ns": path.stat().st_mtime_ns}
        line = old.get(names[path], new) | {"size": 0 if path.is_dir() else path.stat().st_size}
        lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    put(backup / "checksums.txt", sums.encode())
    put(backup / "manifest.jsonl", "".join(lines).encode())
    fields = json.loads((backup / "metadata.json").read_text())
    log = backup / "hrp.duckdb.wal"
    fields["snapshot"]["wal_bytes"] = log.stat().st_size if log.exists() else 0
    fields["size_bytes"] = sum(p.stat().st_size for p in files)
    fields |= {"files": [names[p] for p in files], "checksums_sha256": hashlib.sha256(sums.encode()).hexdigest(),
               "manifest_sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}
    del fields["metadata_sha256"]
    body = json.dumps(fields, indent=2, ensure_ascii=False).removesuffix("\n}") + ",\n"
    seal = hashlib.sha256(body.encode()).hexdigest()
    put(backup / "metadata.json", f'{body}  "metadata_sha256": "{seal}"\n}}\n'.encode())
    return fields["checksums_sha256"]


def python_tool_complains(backup):
    """The Python tool's verification: each file that checksums.txt names is hashed again, and nothing else is looked
    at. A file that is missing, or a line that is none, ends it with a traceback: it counts as found."""
    try:
        for line in open(backup / "checksums.txt"):
            digest, name = line.rstrip("\n").split("  ", 1)
            if sha256(os.path.join(backup, name)) != digest:
                return True
    except (OSError, ValueError):
        return True
    return False
