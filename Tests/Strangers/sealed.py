"""A backup as a stranger makes it: whatever lies in it, its lists and its seal are right.

Written after docs/formats and what hrp writes; nothing here is hrp's code.
"""
import hashlib, json, os, pathlib, stat

LISTS = {b"checksums.txt", b"manifest.jsonl", b"metadata.json"}


def readable(data):
    """Bytes as the lists name them: what is no text, a control character and % as % and two digits."""
    text = ""
    for part in data.decode("utf-8", "surrogateescape"):
        code = ord(part)
        if 0xDC80 <= code <= 0xDCFF:
            text += f"%{code - 0xDC00:02x}"
        elif code < 0x20 or 0x7F <= code <= 0x9F or part == "%":
            text += "".join(f"%{byte:02x}" for byte in part.encode())
        else:
            text += part
    return text


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sum_line(digest, path):
    if not any(byte in path for byte in b"\\\n\r"):
        return digest.encode() + b"  " + path + b"\n"
    escaped = path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return b"\\" + digest.encode() + b"  " + escaped + b"\n"


def contents(path):
    """What a reader would be given; of what never ends, nothing."""
    digest, status = hashlib.sha256(), os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        return digest.hexdigest()
    if status.st_size > 1 << 34:  # a hole: nobody can have hashed it
        return hashlib.sha256(b"hole").hexdigest()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class Sealed:
    """A backup in the making: a tree, and what its lists say otherwise than it is."""

    def __init__(self, path, outside, data):
        self.path, self.outside, self.data = path, outside, data
        self.store = path / "mlruns"
        self.lines = {}  # changes of single lines of the manifest, by path
        self.extra_lines, self.extra_sums = [], []
        self.metadata = {"mlflow": {"layout": "directory", "directory": "/old/data/mlflow"}, "source_dir": "/old/data",
                         "database": {"name": "hrp.duckdb"}, "include_mlflow": True, "verified": True,
                         "complete": True, "created_at": 1767225600.0, "timestamp": "2026-01-01T00:00:00.000000"}
        self.is_python_tools = False
        self.target = "folder"  # folder, flat: what the target's own store looks like
        self.raw_metadata = None

    def flat(self):
        """A store that lies among other things in its data directory, and so does the target's."""
        self.metadata["mlflow"]["layout"] = "flat"
        self.target = "flat"
        return self

    def put(self, name, data=b"x", mode=0o644):
        path = self.path / name if isinstance(name, str) else pathlib.Path(os.fsdecode(os.fsencode(self.path) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            path.unlink()
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        os.chmod(path, mode)
        return path

    def link(self, name, target):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            import shutil
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
        os.symlink(target, path)

    def line(self, name, **fields):
        self.lines.setdefault(name, {}).update(fields)

    def walk(self):
        found = []

        def visit(folder, prefix):
            for name in os.listdir(folder):
                path, status = folder + b"/" + name, os.lstat(folder + b"/" + name)
                below = prefix + name
                if not prefix and name in LISTS:
                    continue
                is_folder = stat.S_ISDIR(status.st_mode)
                found.append((below + b"/" * is_folder, below, path, status))
                if is_folder:
                    visit(path, below + b"/")

        visit(os.fsencode(self.path), b"")
        return sorted(found)

    def seal(self):
        """Lists and a seal that fit what lies there."""
        sums, lines, names, size = list(self.extra_sums), list(self.extra_lines), [], 0
        for _, name, path, status in self.walk():
            kind = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}.get(stat.S_IFMT(status.st_mode), "file")
            line = {"path": readable(name), "kind": kind, "mode": stat.S_IMODE(status.st_mode) if kind != "link" else 0o777,
                    "mtime_ns": status.st_mtime_ns, "size": status.st_size if kind == "file" else 0}
            if kind == "link":
                target = os.readlink(path)
                line |= {"target": readable(target), "size": len(target)}
            if kind == "file":
                sums.append(sum_line(contents(path), name))
                names.append(readable(name))
                size += status.st_size
            line |= self.lines.get(os.fsdecode(name), {})
            lines.append(self.text(line))
        sums, manifest = b"".join(sums), "".join(lines).encode("utf-8", "surrogateescape")
        (self.path / "checksums.txt").is_symlink() or self.write("checksums.txt", sums)
        if self.is_python_tools:
            return self.write("metadata.json", json.dumps(self.metadata).encode())
        (self.path / "manifest.jsonl").is_symlink() or self.write("manifest.jsonl", manifest)
        fields = {"format": 1, "name": self.path.name, "size_bytes": min(size, 2**63 - 1)} | self.metadata | {
            "files": names, "checksums_sha256": hashlib.sha256(sums).hexdigest(),
            "manifest_sha256": hashlib.sha256(manifest).hexdigest()}
        body = json.dumps(fields, indent=2, ensure_ascii=False).removesuffix("\n}") + ",\n"
        body = body.encode("utf-8", "surrogateescape")
        seal = hashlib.sha256(body).hexdigest()
        if not (self.path / "metadata.json").is_symlink():
            self.write("metadata.json", self.raw_metadata or body + f'  "metadata_sha256": "{seal}"\n}}\n'.encode())

    @staticmethod
    def text(line):
        values = {k: quoted(v) if isinstance(v, str) else str(int(v)) for k, v in line.items()}
        return "{" + ",".join(f'"{k}":{v}' for k, v in values.items()) + "}\n"

    def write(self, name, data):
        path = self.path / name
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        os.chmod(path, 0o644)
