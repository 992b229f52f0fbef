"""Moves stacks with real MLflow stores to other places by backup and restore, and judges them by stock MLflow.

Each case: one MLflow (the last 2.x or 3.x) fills a store in OLD, hrp backs it up, OLD goes away, hrp restores to NEW.
There the same MLflow must tell all that it told in OLD: runs with params, metrics and every artifact's bytes, models
that predict, traces. Only locations may differ: each must name in NEW what it named in OLD, in the same form, and none
that is remote or not of the data directory may differ. Whatever else still names OLD must be what users wrote (USERS).
To know that the scan for it sees locations at all, it is also run where `--no-relocate` left them.

Then the same from a backup copied by `cp -r`, from NEW, where work went on, to a third place, and back to OLD, where
nothing may be rewritten. stores.py is the side of MLflow: one process for each version.
"""
import argparse, concurrent.futures, contextlib, json, os, pathlib, re, shutil, sqlite3, subprocess, sys, tempfile, time
from collections import Counter
from urllib.parse import quote, unquote
from stores import sha256

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(1, str(REPOSITORY / "Tests" / "Torture"))
from torture import newest_hrp

ENGINE, SECONDS, KINDS, ROWS = "2.0.1", 120, 25, (1000, 499500)
# Version of MLflow, store, where it is in the data directory, names of the three places.
PLAIN = "old", "new", "third"
ODD = "alt und früher, mit Absicht lang", "neu (größer), nicht weniger lang", "drittens"
CASES = [(version, *rest) for version in (2, 3) for rest in (
    ("sqlite", "mlflow", PLAIN), ("sqlite", "mlflow", ODD), ("file", "mlflow/mlruns", PLAIN), ("file", "mlruns", ODD),
    ("linked sqlite", "mlflow", PLAIN))]
LOCATIONS = re.compile(  # what a restore may rewrite, as `leaves` calls it
    r"(experiments|logged_models)\.artifact_location|runs\.artifact_uri|model_versions\.(storage_location|source)"
    r"|trace_tags\.value\[mlflow\.(artifactLocation|trace\.archiveLocation)\]"
    r"|workspaces\.(default_artifact_root|trace_archival_location)"
    r"|(.*/)?meta\.yaml:(artifact_location|artifact_uri|storage_location|source)|(.*/)?MLmodel:artifact_path"
    r"|(.*/)?traces/[^/]*/tags/mlflow\.(artifactLocation|trace\.archiveLocation):")
USERS = re.compile(  # what users wrote, and from where they took it
    r"(params|(model_version_|experiment_)?tags)\.value\[note\]|logged_model_params\.param_value\[note\]"
    r"|datasets\.dataset_source\.uri|spans\.content\..*|trace_info\.request_preview(\..*)?"
    r"|trace_request_metadata\.value\[mlflow\.traceInputs\].*|(.*/)?(params|tags)/note:"
    r"|tags\.value\[mlflow\.log-model\.history\].*\.model_code_path|(.*/)?tags/mlflow\.log-model\.history:.*code_path"
    r"|(.*/)?datasets/[^/]*/meta\.yaml:source\.uri|(.*/)?request_metadata/mlflow\.traceInputs:.*"
    r"|(.*/)?traces/.*/(trace_info\.yaml:request_preview|artifacts/traces\.(json|pb):).*"
    r"|(.*/)?MLmodel:flavors\.python_function\.model_code_path|(.*/)?artifacts/logs/note\.log:")


# --- the judge: reads stores without MLflow, and without hrp


def leaves(place, value):
    """The texts in a value, which may be JSON, each with its place."""
    if isinstance(value, str) and value[:1] in "[{":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(f"{place}{key}" if place[-1:] == ":" else f"{place}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(place, inner)
    elif isinstance(value, str):
        yield place, value


def cells(database):
    """Every text of every table, row after row."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid')
            columns = [x[0] for x in cursor.description]
            key = next((x for x in ("key", "tag_key", "param_key") if x in columns), None)
            for row in cursor:
                about = f"[{row[columns.index(key)]}]" if key else ""
                yield from ((f"{table}.{column}{about}", x) for column, x in zip(columns, row))


def texts(store):
    """Every text that a store holds, with its place."""
    import yaml
    for file in sorted(x for x in store.rglob("*") if x.is_file()):
        place, data = f"{file.relative_to(store)}:", file.read_bytes()
        if data[:15] == b"SQLite format 3":
            for where, value in cells(file):
                yield from leaves(where, value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
        elif file.name == "MLmodel" or file.suffix == ".yaml":
            yield from leaves(place, yaml.load(data, yaml.CBaseLoader))
        else:
            yield from leaves(place, data.decode("utf-8", "replace"))


def mentions(store, places, kept):
    """What names one of the places: (locations, what users wrote), each a list of (place, text)."""
    result, names = ([], []), [x for place in places for x in (str(place), quote(str(place)))]
    for place, text in texts(store):
        if any(x in text for x in names) and not text.startswith(tuple(kept)):
            result[USERS.fullmatch(place) is not None].append((place, text))
    return result


def tree(folder):
    """Bytes, permissions and time of everything below."""
    def about(x):
        status = x.lstat()
        data = sha256(x.read_bytes()) if x.is_file() else ""
        return data, status.st_mode, 0 if x.is_file() and x.suffix == ".db" else status.st_mtime_ns
    return {str(x.relative_to(folder)): about(x) for x in folder.rglob("*")}


def path_of(location):
    """A location as [its form, the path]."""
    form = re.match(r"file:(//)?(?=/)|", location)[0]
    return [form, unquote(location[len(form):]) if form else location]


def moved(location, pairs):
    """Where a location must be, as [its form, the path]."""
    form, path = path_of(location)
    for old, new in pairs:
        if f"{path}/".startswith(f"{old}/"):
            return [form, f"{new}{path[len(str(old)):]}"]
    return [form, path]


# --- the harness


class MLflow:
    """A process with one MLflow."""
    def __init__(self, options, version, folder):
        python = options.deps / ("python" if version == 3 else "mlflow2") / "bin" / "python"
        self.folder, self.answer, self.version = folder, folder / f"answer-{version}.json", f"MLflow {version}"
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("HRP_", "MLFLOW_", "PYTHON"))}
        ours |= {"PYTHONPATH": str(options.deps / "mlflow2" / "pandas"), "MLFLOW_ALLOW_FILE_STORE": "true",
                 "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
        with open(folder / f"mlflow-{version}.log", "wb") as log:
            self.process = subprocess.Popen(
                [python, "-B", pathlib.Path(__file__).with_name("stores.py")], env=ours, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)

    def __call__(self, role, **arguments):
        arguments = {k: str(v) if isinstance(v, pathlib.Path) else v for k, v in arguments.items()}
        print(json.dumps([role, str(self.answer), arguments]), file=self.process.stdin, flush=True)
        self.version = f"MLflow {self.process.stdout.readline().strip()}"
        result = json.loads(self.answer.read_text())
        self.answer.unlink()
        if "failed" in result:
            raise OSError(f"{role}: {result['failed'][-500:]}")
        return result


class Case:
    """One store that moves: what is told of it goes into `lines`, what is wrong into `found` by its kind."""
    def __init__(self, options, mlflow, number, store, place, names):
        self.options, self.mlflow, self.store, self.place, self.names = options, mlflow, store, place, names
        self.base, self.total, self.lines, self.found = mlflow.folder / str(number), Counter(cases=1), [], {}
        self.base.mkdir()

    def uri(self, data):
        home = data / self.place
        if "sqlite" in self.store:
            return f"sqlite:///{home}/mlflow.db"
        return str(home) if self.names == ODD else home.as_uri()

    def hrp(self, command, data, *arguments):
        result = subprocess.run(
            [self.options.hrp, "backup", command, *arguments, "--data-dir", data, "--backup-dir", self.base / "backups",
             "--json"], text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS,
            env={k: v for k, v in os.environ.items() if not k.startswith(("HRP_", "MLFLOW_"))})
        if result.returncode:
            raise OSError(f"hrp backup {command}: exit {result.returncode}: {(result.stderr + result.stdout)[:400]}")
        return json.loads(result.stdout)

    def bad(self, where, text):
        """Told once for each kind; those differ in more than ids."""
        self.total["bad"] += 1
        kind = re.sub(f"{re.escape(str(self.base))}/[^/]*(/data)?|tmp\\w+|[0-9a-f]{{16,}}|[0-9]+", "#", text)
        self.found.setdefault(kind, []).append(f"{where}: {text}")

    def differences(self, where, expected, found):
        for key in sorted(expected.keys() | found.keys()):
            old, new = expected.get(key), found.get(key)
            if isinstance(old, dict) and isinstance(new, dict):
                self.differences(f"{where}: {key}", old, new)
            elif old != new:
                self.bad(where, f"{key}: {new!r:.250}, not {old!r:.250}")

    def restore(self, backup, target, *options):
        """To a place that is not there; answers how many locations hrp says that it rewrote."""
        import duckdb
        place = [] if target == self.data else ["--target-dir", target]
        said = self.hrp("restore", self.data, backup, *place, *options)
        with duckdb.connect(str(target / "hrp.duckdb"), read_only=True) as database:
            if database.execute("SELECT count(*), sum(i) FROM t").fetchone() != ROWS:
                self.bad(target, "the table t is not what it was")
        return sum(x["count"] for x in said["relocated"])

    def truth(self, where, told, logged):
        """What was logged must be told: artifacts and predictions."""
        for run, (number, artifacts) in logged.items():
            for key, value in [("model", number), ("code", 100)][:2 if number == 1 else 1]:
                found = told.get(f"prediction runs:/{run}/{key}")
                if found != (wanted := [value, 2 * value, 3 * value]):
                    self.bad(where, f"{key} of run {run} predicts {found}, not {wanted}")
            found = told.get(f"artifacts {run}")
            self.differences(f"{where}: artifacts of {run}", artifacts,
                             {k: found.get(k) for k in artifacts} if isinstance(found, dict) else {"": found})

    def judge(self, where, data, before, pairs, logged={}):
        """MLflow tells of the store in DATA what it told BEFORE, and of what was LOGGED since; nothing there names an
        old place but what users wrote."""
        left, users = mentions(data / self.place, [old for old, _ in pairs], before["kept"])
        for place, text in left:
            self.bad(where, f"still the old place: {place} = {text!r:.300}")
        now = self.mlflow("tell", uri=self.uri(data), scratch=self.mlflow.folder)
        self.truth(where, now["told"], logged)
        expected = {k: path_of(v) if v.startswith(tuple(before["kept"])) else moved(v, pairs)
                    for k, v in before["locations"].items()}
        found = {k: path_of(v) for k, v in now["locations"].items()}
        for expected, found in (before["told"], now["told"]), (expected, found):
            self.differences(where, expected, {
                k: v for k, v in found.items() if k in expected or not logged and not isinstance(v, str)})
        runs = [x for x in now["told"] if x.startswith("run ")]
        artifacts = sum(len(x) for k, x in now["told"].items() if k.startswith("artifacts ") and isinstance(x, dict))
        self.total.update(runs=len(runs), artifacts=artifacts, left=len(left))
        predictions = sum(k.startswith("prediction") and not isinstance(x, str) for k, x in now["told"].items())
        traces = sum(k.startswith("trace") and bool(x) for k, x in now["told"].items())
        self.lines.append(
            f"  {where}: {len(runs)} runs, {artifacts} artifacts, {predictions} predictions, {traces} traces;"
            f" {len(found)} locations told, {len(left)} of the old place left; {len(users)} texts of users name it")

    def rewritten(self, untouched, new, count):
        """Between two restored stores of one backup only locations differ."""
        old, changed = list(texts(untouched / self.place)), 0
        if [x for x, _ in old] != [x for x, _ in texts(new / self.place)]:
            self.bad("restored", "other texts than without relocation")
        for (place, was), (_, text) in zip(old, texts(new / self.place)):
            changed += was != text
            if was != text and not LOCATIONS.fullmatch(place):
                self.bad("restored", f"rewritten, but no location: {place} = {text!r:.200}, was {was!r:.200}")
        if changed != count:
            self.bad("restored", f"hrp says that it rewrote {count} locations, but {changed} texts differ")
        here, there = ({k: x[1:] for k, x in tree(data / self.place).items()} for data in (untouched, new))
        self.differences("permissions and time", here, there)

    def run(self):
        import duckdb
        old, new, third = (self.base / name / "data" for name in self.names)
        places = [old]
        if "linked" in self.store:
            (self.base / "disk").mkdir()
            old.parent.symlink_to("disk")
            places.append(self.base / "disk" / "data")
        self.data, top = old, places[-1].parent
        made = self.mlflow("make", data=old, here=old / self.place, uri=self.uri(old))
        with duckdb.connect(str(old / "hrp.duckdb")) as database:
            database.execute("CREATE TABLE t AS SELECT i FROM range(1000) t(i)")
        before = made | self.mlflow("tell", uri=self.uri(old), scratch=self.mlflow.folder)
        self.truth("old", before["told"], made["logged"])
        # A file store does not find the artifacts of a deleted experiment. What failed there need not work elsewhere.
        before["told"] = {k: x for k, x in before["told"].items() if not isinstance(x, str)}
        self.lines.append(f"{self.mlflow.version}, {self.store} store in {self.names[0]}/data/{self.place}")
        backup = pathlib.Path(self.hrp("create", old)["path"])
        os.rename(top, gone := self.base / ".gone")
        old.parent.unlink(missing_ok=True)

        # Nothing is rewritten where it is not wanted, and at its own place.
        untouched, copied = self.base / "untouched", self.base / "copied"
        if "linked" in self.store:  # its own place is the one behind the link
            (self.base / "disk").mkdir()
            old.parent.symlink_to("disk")
        rewritten = self.restore(backup, untouched, "--no-relocate") + self.restore(backup, old)
        was, here = tree(gone / "data" / self.place), tree(untouched / self.place)
        self.differences("in the old place", here, tree(old / self.place))
        for name in (x for x in was if x.endswith(".db")):  # SQLite wrote the copy: the same rows, maybe other bytes
            if list(cells(gone / "data" / self.place / name)) == list(cells(untouched / self.place / name)):
                was[name] = here.get(name)
        self.differences("without relocation", was, here)
        if rewritten:
            self.bad("hrp", f"{rewritten} locations rewritten in the old place or without relocation")
        locations = mentions(untouched / self.place, places, made["kept"])[0]
        shutil.rmtree(old.parent.resolve())
        old.parent.unlink(missing_ok=True)

        count = self.restore(backup, new)
        self.rewritten(untouched, new, count)
        self.lines.append(f"  {len(locations)} locations name the old place; hrp rewrote {rewritten} there and"
                          f" with --no-relocate ({len(was)} files and folders), {count} in the new one")
        (plain := self.base / "sent" / backup.name).parent.mkdir()  # as it comes from scp: times and modes are lost
        subprocess.run(["cp", "-r", backup, plain], check=True)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", plain], check=True)
        self.restore(plain, copied)
        for (place, text), (there, other) in zip(texts(new / self.place), texts(copied / self.place), strict=True):
            if place != there or path_of(text) != moved(other, [(copied, new)]):
                self.bad("from a backup copied without times and modes", f"{there} = {other!r:.250}, not {text!r:.250}")
        self.judge("restored", new, before, [(place, new) for place in places])

        # Work goes on in the new place, and moves once more.
        logged = self.mlflow("work_on", uri=self.uri(new), data=new, deleted=made["deleted"])["logged"]
        before["told"] = {k: x for k, x in before["told"].items() if k != f"experiment {made['deleted']}"
                          and not any(run in k for run in made["hidden"])}
        self.data = new
        backup = pathlib.Path(self.hrp("create", new)["path"])
        os.rename(new.parent, self.base / ".gone too")
        self.restore(backup, third)
        self.judge("moved once more", third, before, [(place, third) for place in [*places, new]],
                   logged | made["hidden"])
        for place in (self.base / name for name in self.names[:2]):
            if place.exists():
                self.bad("MLflow", f"made {place} again")
        if len(locations) < 20 or len(before["told"]) < 36:
            self.bad("harness", "this proves nothing: too little was made")


def run_cases(options, folder, cases):
    """Takes from the cases until none is left; others may take from them too."""
    total, mlflows = Counter(), {}
    folder.mkdir()
    try:
        while cases:
            version, *about = cases.pop()
            if version not in mlflows:
                mlflows[version] = MLflow(options, version, folder)
            case = Case(options, mlflows[version], len(cases), *about)
            try:
                case.run()
            except Exception as error:  # what is damaged may fail in any way; that too is a finding
                case.bad(type(error).__name__, str(error))
            total += case.total
            bad = [f"  BAD, {len(x)} times: {x[0]:.600}" for x in case.found.values()]
            more = [f"  and {len(bad) - KINDS} other kinds"] if len(bad) > KINDS else []
            print("\n".join([*case.lines, *bad[:KINDS], *more]), flush=True)
    finally:
        for mlflow in mlflows.values():
            mlflow.process.kill()
            mlflow.process.wait()
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hrp", type=pathlib.Path, default=newest_hrp(), help="default: the newest one built")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps", help="default: the repository's")
    parser.add_argument("--folder", help="where the stacks and their backups go (default: TMPDIR)")
    parser.add_argument("--keep", action="store_true", help="leave them there, and say where")
    options = parser.parse_args()
    options.deps = options.deps.absolute()
    if not options.hrp or not options.hrp.is_file() or not (options.deps / "mlflow2").is_dir():
        parser.error("no hrp (swift build, or name it with --hrp), or no MLflow 2 in .deps (scripts/setup --mlflow2)")
    options.hrp = options.hrp.absolute()
    sys.path.insert(0, str(options.deps / "duckdb" / ENGINE))
    os.nice(10)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="relocation-", dir=options.folder)).resolve()
    try:
        cases = list(CASES)  # MLflow 3, which takes longest, first
        with concurrent.futures.ThreadPoolExecutor() as pool:
            total = sum(pool.map(lambda x: run_cases(options, folder / x, cases), "ab"), Counter())
    finally:
        print(f"kept: {folder}") if options.keep else shutil.rmtree(folder, ignore_errors=True)
    print("relocation: {cases} cases, {runs} runs, {artifacts} artifacts, {left} locations of the old place left"
          .format_map(total))
    sys.exit(1 if total["bad"] or total["cases"] < len(CASES) else 0)


if __name__ == "__main__":
    main()
