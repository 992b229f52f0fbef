"""Moves stacks with real MLflow stores to other places by backup and restore, and judges them by stock MLflow.

Each case: one MLflow (the last 2.x or 3.x) fills a store in OLD, hrp backs it up, OLD goes away, hrp restores to NEW.
There the same MLflow must tell all that it told in OLD: runs with params, metrics and every artifact's bytes, models
that predict, traces. Only locations may differ: each must name in NEW what it named in OLD, in the same form, and none
that is remote or not of the data directory may differ. Whatever else still names OLD must be what users wrote (USERS).
To know that the scan for it sees locations at all, it is also run where `--no-relocate` left them.

Then the same from a backup copied by `cp -r`, from NEW, where work went on, to a third place, and back to OLD, where
nothing may be rewritten. `serve` is a process for each MLflow; what touches a store is done in a fork of it.
"""
import argparse, concurrent.futures, contextlib, hashlib, json, os, pathlib, re, shutil, signal, sqlite3, subprocess
import sys, tempfile, time, traceback
from collections import Counter
from urllib.parse import quote, unquote

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ENGINE, SECONDS = "2.0.0", 120
# Version of MLflow, store, where it is in the data directory, names of the three places.
PLAIN, ODD = ("old", "new", "third"), ("alt und früher, mit Absicht lang", "neu (größer), nicht weniger lang", "drittens")
CASES = [(version, *rest) for version in (2, 3) for rest in (
    ("sqlite", "mlflow", PLAIN), ("sqlite", "mlflow", ODD), ("file", "mlflow/mlruns", PLAIN), ("file", "mlruns", ODD),
    ("linked sqlite", "mlflow", PLAIN))]
LOCATIONS = re.compile(  # what a restore may rewrite, as `leaves` calls it
    r"(experiments|logged_models)\.artifact_location|runs\.artifact_uri|model_versions\.(storage_location|source)"
    r"|trace_tags\.value\[mlflow\.(artifactLocation|trace\.archiveLocation)\]"
    r"|workspaces\.(default_artifact_root|trace_archival_location)"
    r"|(.*/)?meta\.yaml:(artifact_location|artifact_uri|storage_location|source)|(.*/)?MLmodel:artifact_path"
    r"|(.*/)?traces/[^/]*/tags/mlflow\.(artifactLocation|trace\.archiveLocation)")
USERS = re.compile(  # what users wrote, and from where they took it
    r"(params|(model_version_|experiment_)?tags)\.value\[note\]|logged_model_params\.param_value\[note\]"
    r"|datasets\.dataset_source\.uri|spans\.content\..*|trace_info\.request_preview(\..*)?"
    r"|trace_request_metadata\.value\[mlflow\.traceInputs\].*|(.*/)?(params|tags)/note"
    r"|tags\.value\[mlflow\.log-model\.history\].*\.model_code_path|(.*/)?tags/mlflow\.log-model\.history:.*code_path"
    r"|(.*/)?datasets/[^/]*/meta\.yaml:source\.uri|(.*/)?request_metadata/mlflow\.traceInputs(:.*)?"
    r"|(.*/)?traces/.*/(trace_info\.yaml:request_preview|artifacts/traces\.(json:|pb)).*"
    r"|(.*/)?MLmodel:flavors\.python_function\.model_code_path|(.*/)?artifacts/logs/note\.log")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- serve: stock MLflow. What is below needs it, and runs in a fork.


def of_model(factor):
    import mlflow

    class Model(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [x * factor for x in model_input["x"]]
    return Model()


CODE = """
import mlflow
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [x * 100 for x in model_input["x"]]
mlflow.models.set_model(Model())
"""


def log_run(experiment, number, data, logged):
    """A run with everything that one can have; LOGGED gets what must be read from it."""
    import mlflow, pandas
    files = {"logs/note.log": f"read from {data}\n" * number, "a b/ü.csv": "x,y\n" * number, "empty": "",
             "weights.bin": sha256(b"%d" % number) * 1000}
    code = data / "work" / "model.py"  # logged as code, which MLflow names by its basename only
    with mlflow.start_run(experiment_id=experiment, run_name=f"run {number}") as run:
        mlflow.log_params({"note": data, "factor": number})
        for step in range(3):
            mlflow.log_metric("loss", number / (step + 1), step=step)
        mlflow.set_tag("note", f"{data}/mlflow")
        mlflow.log_input(mlflow.data.from_pandas(pandas.DataFrame({"x": [number]}), source=str(data / "x.csv")))
        for path, text in files.items():
            mlflow.log_text(text, path)
        place = "name" if mlflow.__version__[0] > "2" else "artifact_path"
        for name, model in (("model", of_model(number)), ("code", str(code))):
            mlflow.pyfunc.log_model(**{place: name}, python_model=model, pip_requirements=["cloudpickle"],
                                    registered_model_name="momentum" if name == "model" else None)
    logged[run.info.run_id] = [number, {path: sha256(text.encode()) for path, text in files.items()}]


def make(data, home, uri, old):
    """Fills a store; OLD is how the data directory is called by the user. Answers what was logged."""
    import mlflow
    (data / "work").mkdir()
    (data / "work" / "model.py").write_text(CODE)
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(old / home.relative_to(data))  # an SQLite store's artifacts go to ./mlruns
    mlflow.set_tracking_uri(uri)
    client, here, logged = mlflow.MlflowClient(), old / home.relative_to(data), {}
    kept = [f"s3://bucket{old}/x", f"{old}-other/x", f"{old}/mlflow-other/x"]
    inside = [client.create_experiment("first", tags={"note": str(old)}),
              client.create_experiment("path", artifact_location=str(here / ".by path")),
              client.create_experiment("URI", artifact_location=(here / ".by URI").as_uri()),
              client.create_experiment("bare URI", artifact_location=f"file://{here}/.bare"),
              client.create_experiment("deleted")]
    for number, experiment in enumerate(inside + inside[:1], 1):
        log_run(experiment, number, old, logged)
    client.delete_run(list(logged)[-1])
    client.set_model_version_tag("momentum", "1", "note", str(old))
    for number, location in enumerate(kept):
        client.create_run(client.create_experiment(f"kept {number}", artifact_location=location), run_name="far")
    for experiment in (inside[0], inside[2]):
        mlflow.set_experiment(experiment_id=experiment)
        with mlflow.start_span("question") as span:
            span.set_inputs({"file": str(old)})
            span.set_outputs({"answer": int(experiment)})
    if mlflow.__version__[0] > "2":
        mlflow.flush_trace_async_logging()
        if uri.startswith("sqlite"):  # what a server can do: an archive of traces, and workspaces
            from mlflow.tracking._tracking_service.utils import _get_store
            from mlflow.store.workspace.sqlalchemy_store import SqlAlchemyStore
            client.set_experiment_tag(inside[2], "mlflow.trace.archiveNow", "{}")
            assert _get_store().archive_traces(
                resolved_trace_archival_location=(here / "archive").as_uri(), broader_retention="1d") == 1
            SqlAlchemyStore(uri).create_workspace(mlflow.entities.Workspace(
                name="team", default_artifact_root=str(here / "team"),
                trace_archival_location=(here / "archive").as_uri()))
    client.delete_experiment(inside[4])
    return {"logged": logged, "kept": kept}


def digests(folder):
    """What every file below holds; an MLmodel without its own place."""
    import yaml
    result = {}
    for file in sorted(x for x in folder.rglob("*") if x.is_file()):
        data = file.read_bytes()
        if file.name == "MLmodel":
            data = json.dumps(yaml.safe_load(data) | {"artifact_path": None}, sort_keys=True, default=str).encode()
        result[str(file.relative_to(folder))] = sha256(data)
    return result


def tell(uri, scratch, kept=()):
    """All that MLflow tells of a store, and apart from it the locations."""
    import mlflow, pandas
    from mlflow.entities import ViewType
    mlflow.set_tracking_uri(uri)
    client, three = mlflow.MlflowClient(), mlflow.__version__[0] > "2"
    told, locations, number = {}, {}, 0

    def attempt(name, body):  # what fails is told too
        try:
            told[name] = body()
        except Exception as error:
            told[name] = f"{type(error).__name__}: {error}"[:400]

    def download(artifact_uri):
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            return digests(pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri, dst_path=folder)))

    def predict(model):
        return list(mlflow.pyfunc.load_model(model).predict(pandas.DataFrame({"x": [1, 2, 3]})))

    experiments = client.search_experiments(view_type=ViewType.ALL)
    for experiment in experiments:
        locations[name := f"experiment {experiment.experiment_id}"] = experiment.artifact_location
        told[name] = [experiment.name, experiment.lifecycle_stage, experiment.tags]
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            identifier = run.info.run_id
            locations[f"run {identifier}"] = run.info.artifact_uri
            told[f"run {identifier}"] = [
                run.info.status, run.info.lifecycle_stage, run.data.params, run.data.tags,
                [[x.step, x.value, x.timestamp] for key in run.data.metrics
                 for x in client.get_metric_history(identifier, key)],
                [[x.dataset.name, x.dataset.source] for x in run.inputs.dataset_inputs]]
            if experiment.artifact_location in kept:
                continue
            attempt(f"artifacts {identifier}", lambda: download(f"runs:/{identifier}/"))
            for model in ("model", "code"):
                attempt(f"prediction runs:/{identifier}/{model}", lambda: predict(f"runs:/{identifier}/{model}"))
    for version in client.search_model_versions():
        name = f"{version.name}/{version.version}"
        locations[f"source {name}"] = version.source
        locations[f"model {name}"] = client.get_model_version_download_uri(version.name, version.version)
        told[f"version {name}"] = [version.run_id, version.tags]
        attempt(f"prediction models:/{name}", lambda: predict(f"models:/{name}"))
    active = [x.experiment_id for x in experiments if x.lifecycle_stage == "active"]
    if three:
        for model in client.search_logged_models(active):
            locations[f"model {model.model_id}"] = model.artifact_location
            told[f"model {model.model_id}"] = [model.name, str(model.status), model.source_run_id, model.params]
            attempt(f"artifacts {model.model_id}", lambda: download(f"models:/{model.model_id}"))
            attempt(f"prediction {model.model_id}", lambda: predict(f"models:/{model.model_id}"))
    for trace in client.search_traces(active, **({"include_spans": False} if three else {})):
        identifier, tags = trace.info.trace_id if three else trace.info.request_id, dict(trace.info.tags)
        for key in "mlflow.artifactLocation", "mlflow.trace.archiveLocation":
            if key in tags:
                locations[f"{key} {identifier}"] = tags.pop(key)
        told[f"tags {identifier}"] = tags
        attempt(f"trace {identifier}", lambda: [
            [x.name, x.inputs, x.outputs] for x in client.get_trace(identifier).data.spans])
    return {"told": told, "locations": locations}


def work_on(uri, data):
    """One more run in the experiment that was there first."""
    import mlflow
    mlflow.set_tracking_uri(uri)
    log_run(mlflow.get_experiment_by_name("first").experiment_id, 50, data, logged := {})
    return {"logged": logged}


def serve():
    import mlflow.pyfunc, pandas, yaml
    for line in sys.stdin:
        role, answer, arguments = json.loads(line)
        if (child := os.fork()) == 0:
            try:
                typed = {k: pathlib.Path(v) if k in ("data", "home", "old") else v for k, v in arguments.items()}
                result = {"make": make, "tell": tell, "work_on": work_on}[role](**typed)
            except Exception:
                result = {"failed": traceback.format_exc()}
            pathlib.Path(answer).write_text(json.dumps(result))
            os._exit(0)
        os.waitpid(child, 0)
        print(mlflow.__version__, flush=True)


# --- the judge: reads stores without MLflow, and without hrp


def leaves(place, value):
    """The texts in a value, which may be JSON, each with its place."""
    if isinstance(value, str) and value[:1] in "[{":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(f"{place}.{key}", inner)
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
        place, data = str(file.relative_to(store)), file.read_bytes()
        if data[:15] == b"SQLite format 3":
            for where, value in cells(file):
                yield from leaves(where, value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
        elif file.name == "MLmodel" or file.suffix == ".yaml":
            yield from leaves(f"{place}:", yaml.load(data, yaml.BaseLoader))
        else:
            yield from leaves(place, data.decode("utf-8", "replace"))


def mentions(store, places, kept):
    """What names one of the places: (locations, what users wrote), each a list of (place, text)."""
    result, names = ([], []), [x for place in places for x in (str(place), quote(str(place)))]
    for place, text in texts(store):
        if any(x in text for x in names) and not text.startswith(tuple(kept)):
            place = place.replace(":.", ":")
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
    """A location as (its form, the path)."""
    form = re.match(r"file:(//)?(?=/)|", location)[0]
    return form, unquote(location[len(form):]) if form else location


def moved(location, pairs):
    form, path = path_of(location)
    for old, new in pairs:
        if f"{path}/".startswith(f"{old}/"):
            return form, f"{new}{path[len(str(old)):]}"
    return form, path
