"""Restores backups that strangers made, and looks at everything that no restore may touch.

Every kind (kinds.py) is a backup of its own whose lists and seal are right (sealed.py). Each is restored over a stack and
to a new place, as root and as an ordinary user, in a sandbox with other things in it: a home's files, other backups, a
neighbour's databases. What lies outside of the stack is compared byte for byte, with owners, modes and times. Root's
restores also hand on no setuid bit, and leave everything to the stack's owner.
"""
import argparse, concurrent.futures, os, pathlib, shutil, signal, sqlite3, stat, subprocess, sys, tempfile, threading, time
import kinds, sealed

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
USER = 65534
SECONDS, MEGABYTES = 30, 256
NAME = "backup_20260101_000000"
STACK = ("hrp.duckdb", "mlflow", "mlruns", "mlartifacts", "mlflow.db")  # and what begins with them and a dot or a dash
OURS = ("logs", "scratch", "hrp-catalogue.db")


def listing(folder, skip=lambda path: False):
    """Everything below a folder: kind, mode, owner, size, time and contents by path."""
    found = {}

    def visit(path, prefix):
        for name in sorted(os.listdir(path)):
            here, below = path + b"/" + name, prefix + name
            if skip(below):
                continue
            s = os.lstat(here)
            what = (stat.S_IFMT(s.st_mode), stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid)
            if stat.S_ISDIR(s.st_mode):
                found[below] = what
                visit(here, below + b"/")
            elif stat.S_ISLNK(s.st_mode):
                found[below] = what + (os.readlink(here),)
            else:
                found[below] = what + (s.st_size, s.st_mtime_ns, sealed.contents(here))

    visit(os.fsencode(folder), b"")
    return found


def is_stack(path):
    first = path.split(b"/")[0].decode("utf-8", "replace")
    return any(first == name or first.startswith((name + ".", name + "-")) for name in STACK)


def is_ours(path):
    first = path.split(b"/")[0].decode("utf-8", "replace")
    return first.startswith(".hrp") or first.startswith(".mlflow.hrp-") or first.startswith(OURS)


def make_base(folder):
    """A harmless stack, and another one, of which every backup is made: once."""
    import duckdb
    for stack, rows in (("old", 50), ("live", 70)):
        (folder / stack / "mlflow/mlruns/0/r1/artifacts").mkdir(parents=True)
        c = duckdb.connect(str(folder / stack / "hrp.duckdb"))
        c.execute(f"CREATE TABLE t AS SELECT range AS i FROM range({rows})")
        c.close()
        store = folder / stack / "mlflow"
        (store / "mlruns/0/meta.yaml").write_text("artifact_location: /old/data/mlflow/mlruns/0\nname: x\n")
        (store / "mlruns/0/r1/artifacts/m").write_text(stack)
        c = sqlite3.connect(store / "mlflow.db")
        c.executescript("""
            CREATE TABLE experiments(experiment_id INTEGER, name TEXT, artifact_location TEXT);
            CREATE TABLE runs(run_uuid TEXT, experiment_id INTEGER, artifact_uri TEXT);
            CREATE TABLE tags(key TEXT, value TEXT, run_uuid TEXT);
            INSERT INTO experiments VALUES (0, 'x', '/old/data/mlflow/mlruns/0');
            INSERT INTO runs VALUES ('r1', 0, '/old/data/mlflow/mlruns/0/r1/artifacts');
            INSERT INTO tags VALUES ('k', 'v', 'r1')""")
        c.close()


class Sandbox:
    """A place for one kind and one user."""

    def __init__(self, folder):
        self.path, self.outside = folder, folder / "outside"
        self.data, self.safe, self.new = folder / "data", folder / "safe", folder / "new"
        self.backup = sealed.Sealed(self.safe / NAME, self.outside, self.data)

    def fill(self, base, make):
        """In a process of its own: what it takes to make a backup is no part of what hrp takes."""
        docs = self.outside / "docs"
        docs.mkdir(parents=True)
        self.safe.mkdir()
        for path, text in ((self.outside / "secret.txt", "secret"), (docs / "x", "x"), (docs / "secret.txt", "s"),
                           (self.outside / ".victim.hrp-undo.1/a/x", "mine"),
                           (self.outside / "neighbour.yaml", "artifact_location: /old/data/mlflow/x\n"),
                           (self.safe / "backup_20250101_000000/hrp.duckdb", "other")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        shutil.copy(base / "live/hrp.duckdb", docs / "live.duckdb")
        shutil.copy(base / "old/mlflow/mlflow.db", self.outside / "neighbour.db")
        self.backup.path.mkdir()
        shutil.copy(base / "old/hrp.duckdb", self.backup.path)
        shutil.copytree(base / "old/mlflow", self.backup.store)
        make(self.backup)
        self.backup.seal()
        shutil.copytree(base / "live", self.data)
        if self.backup.target == "flat":
            for name in ("mlruns", "mlflow.db"):
                os.rename(self.data / "mlflow" / name, self.data / name)
            (self.data / "mlflow").rmdir()
        for name in ("notes", ".bashrc", ".profile", ".ssh/authorized_keys", "config/hrp.yaml", "backups/backup_1/hrp.duckdb"):
            (self.data / name).parent.mkdir(parents=True, exist_ok=True)
            (self.data / name).write_text("the user's own")

    def give(self, owner):
        for folder in (self.path, *self.path.rglob("*")):
            if not folder.is_relative_to(self.backup.path) or owner != 0:
                os.chown(folder, USER, USER, follow_symlinks=False)

    def before(self):
        self.others = self.untouched()
        self.stack = listing(self.data, lambda path: not is_stack(path))

    def untouched(self):
        """Everything that is not the stack's, nor hrp's own."""
        found = {b"outside/" + k: v for k, v in listing(self.outside).items()}
        found |= {b"safe/" + k: v for k, v in listing(self.safe, is_ours).items()}
        found |= {b"data/" + k: v for k, v in listing(self.data, lambda path: is_stack(path) or is_ours(path)).items()}
        return found | {b"top/" + k: () for k in map(os.fsencode, os.listdir(self.path)) if not k.startswith((b".", b"new"))}


class Run:
    """Runs hrp on sandboxes and judges."""

    def __init__(self, options, maker):
        self.options, self.maker, self.lock = options, maker, threading.Lock()
        self.counts = dict.fromkeys(("restores", "restored", "changed", "hung", "crashed", "fat", "rights", "owners", "escapes", "half"), 0)
        self.slowest, self.fattest, self.told = (0, ""), (0, ""), []

    def hrp(self, who, sandbox, *arguments):
        """(status, what it printed, (seconds, how many it may take), megabytes)."""
        command = [str(self.options.hrp), *map(str, arguments)]
        if who == "namespace":
            command = ["unshare", "-r", *command]
        environment = {"PATH": os.environ["PATH"], "HOME": str(sandbox.path), "TMPDIR": str(sandbox.path / "new.tmp"),
                       "HRP_DUCKDB_LIBRARY": str(self.options.library), "LANG": "C.UTF-8",
                       "HRP_EXECUTABLE": str(self.options.hrp)}

        def become():
            os.setpgid(0, 0)
            if who == "user":
                os.setgroups([])
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)

        # Beside others a processor is a part of one.
        limit = self.options.seconds * max(1, os.getloadavg()[0] / os.cpu_count())
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(command, env=environment, cwd="/", preexec_fn=become, stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=subprocess.STDOUT)
            timer = threading.Timer(limit, lambda: os.killpg(child.pid, signal.SIGKILL))
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            seconds = time.monotonic() - began
            return child.returncode, output.read(), (seconds, limit), usage.ru_maxrss / 1024

    def note(self, what, who, name, words):
        with self.lock:
            self.counts[what] += 1
            self.told.append(f"{name}, as {who}: {words}")

    def judge(self, who, name, sandbox, result, is_in_place):
        status, output, (seconds, limit), megabytes = result
        with self.lock:
            self.counts["restores"] += 1
            self.counts["restored"] += status == 0
            self.slowest = max(self.slowest, (seconds, name))
            self.fattest = max(self.fattest, (megabytes, name))
        if seconds >= limit:
            self.note("hung", who, name, f"ended after {seconds:.0f} s")
        elif status < 0 or status in (132, 133, 134, 139):
            self.note("crashed", who, name, f"status {status}: {output[-300:]}")
        if megabytes > MEGABYTES:
            self.note("fat", who, name, f"{megabytes:.0f} MiB")
        if any(byte < 32 and byte not in b"\n\t" or byte == 127 for byte in output) or b"\xc2\x9b" in output or b"\xe2\x80\xae" in output:
            self.note("escapes", who, name, repr(output[:400]))
        now = sandbox.untouched()
        if now != sandbox.others:
            changed = sorted(k for k in set(now) | set(sandbox.others) if now.get(k) != sandbox.others.get(k))
            self.note("changed", who, name, f"{changed[:5]} by {' '.join(map(repr, output.splitlines()[-3:]))}")
        if is_in_place and status != 0 and listing(sandbox.data, lambda path: not is_stack(path)) != sandbox.stack:
            self.note("half", who, name, f"status {status}, and the stack is another: {output[-300:]}")
        for place in (sandbox.data, sandbox.new) if status == 0 else ():
            self.look_at_rights(who, name, place)

    def look_at_rights(self, who, name, place):
        for folder, folders, files in os.walk(os.fsencode(place)):
            for entry in folders + files:
                path = folder + b"/" + entry
                s = os.lstat(path)
                if s.st_mode & 0o6000 and not stat.S_ISDIR(s.st_mode) or s.st_mode & 0o4000:
                    return self.note("rights", who, name, f"{path} has mode {s.st_mode:o}")
                if not stat.S_ISDIR(s.st_mode) and not stat.S_ISREG(s.st_mode) and not stat.S_ISLNK(s.st_mode):
                    return self.note("rights", who, name, f"{path} is no file")
                if who == "root" and (s.st_uid, s.st_gid) != (USER, USER):
                    return self.note("owners", who, name, f"{path} belongs to {s.st_uid}:{s.st_gid}")

    def one(self, who, name):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="s.", dir=self.options.folder))
        os.chmod(folder, 0o755)
        try:
            sandbox = Sandbox(folder)
            made = subprocess.run([*self.maker, name, folder], capture_output=True, text=True)
            if made.returncode != 0:
                raise SystemExit(f"strangers: {name} cannot be made: {made.stderr[-2000:]}")
            (folder / "new.tmp").mkdir()
            sandbox.give(0 if who == "root" else USER)
            sandbox.before()
            place = ["--data-dir", sandbox.data, "--backup-dir", sandbox.safe]
            backup = sandbox.backup.path
            result = self.hrp(who, sandbox, "backup", "restore", backup, *place)
            self.judge(who, name, sandbox, result, True)
            if self.options.verbose:
                print(f"{name}, as {who}: {result[0]}, {result[2][0]:.1f} s, {result[3]:.0f} MiB\n  " +
                      "\n  ".join(map(repr, result[1].splitlines()[-6:])), flush=True)
            if result[0] == 0:
                self.undo(who, name, sandbox, place)
            if not self.options.short:
                self.judge(who, name, sandbox, self.hrp(who, sandbox, "backup", "restore", backup, "--target-dir", sandbox.new, *place), False)
                # Whoever looks at the stack next finishes and expires what he finds.
                # Verifying terabytes of holes takes its time, and ends at Ctrl-C: that is no hang.
                verify = [] if "without data" in name else [["backup", "verify", backup]]
                for words in (["backup", "list", *place], ["backup", "list", "--data-dir", backup], *verify):
                    self.judge(who, name, sandbox, self.hrp(who, sandbox, *words), False)
        finally:
            subprocess.run(["chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
            shutil.rmtree(folder, ignore_errors=True)

    def undo(self, who, name, sandbox, place):
        """What root restored, its owner takes back."""
        by = "user" if who == "root" else who
        status, output, *_ = self.hrp(by, sandbox, "backup", "undo", *place, "--json")
        stack = listing(sandbox.data, lambda path: not is_stack(path))
        if status != 0 or {k: v[-1] for k, v in stack.items()} != {k: v[-1] for k, v in sandbox.stack.items()}:
            self.note("half", who, name, f"the undo by {by} ended with {status}: {output[-300:]}")


def main():
    parser = argparse.ArgumentParser(prog="strangers", description=__doc__)
    parser.add_argument("--hrp", type=pathlib.Path, default=REPOSITORY / ".build/debug/hrp")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps")
    parser.add_argument("--short", action="store_true", help="as root only, and over a stack only")
    parser.add_argument("--as", dest="who", default=None, help="root, user, namespace: some of them, with commas (default: root,user)")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--make", nargs=3, metavar=("BASE", "KIND", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(sorted((options.deps / "duckdb").iterdir())[-1]))
    if options.make:
        base, name, folder = options.make
        if not name:
            return make_base(pathlib.Path(base))
        return Sandbox(pathlib.Path(folder)).fill(pathlib.Path(base), next(k[1] for k in kinds.ALL if k[0] == name))
    if os.geteuid() != 0:
        sys.exit("strangers: root is needed, to be somebody else")
    options.hrp = options.hrp.resolve()
    options.library = (options.deps / "lib/libduckdb.so").resolve()
    names = (options.who or ("root" if options.short else "root,user")).split(",")
    chosen = [k for k in kinds.ALL if options.only in k[0]]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="strangers.") as folder:
        os.chmod(folder, 0o755)
        options.folder = folder
        (base := pathlib.Path(folder) / "base").mkdir()
        maker = [sys.executable, "-B", __file__, "--deps", options.deps, "--make", base]
        subprocess.run([*maker, "", ""], check=True)
        run = Run(options, maker)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            jobs = [pool.submit(run.one, who, name) for name, *_ in chosen for who in names]
            for job in jobs:
                job.result()
    for words in run.told:
        print(words)
    c = run.counts
    bad = sum(v for k, v in c.items() if k not in ("restores", "restored"))
    print(f"strangers: {len(chosen)} kinds as {', '.join(names)}: {c['restores']} runs, {c['restored']} went through; {c['changed']} changed "
          f"something outside, {c['hung']} ran over {options.seconds:.0f} s, {c['crashed']} crashed, {c['fat']} took over {MEGABYTES} MiB, "
          f"{c['rights']} gave rights, {c['owners']} left another's files, {c['escapes']} reached the terminal, {c['half']} left half; "
          f"slowest {run.slowest[0]:.1f} s ({run.slowest[1]}), most memory {run.fattest[0]:.0f} MiB ({run.fattest[1]}); "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
