"""The MLflow side of relocation.py: `python stores.py` is a process with one stock MLflow, which does what is asked on
stdin, each in a fork of its own: nothing that one store leaves in the process reaches another."""
import hashlib, json, os, pathlib, sys, tempfile, traceback

FAR = "far"  # a run without artifacts, whose place is not of the stack


def sha256(data):
    return hashlib.sha256(data).hexdigest()


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
    code = data / "work" / "model.py"  # logged as code: its path is noted, only its name is used
    code.parent.mkdir(exist_ok=True)
    code.write_text(CODE)
    with mlflow.start_run(experiment_id=experiment, run_name=f"run {number}") as run:
        mlflow.log_params({"note": data, "factor": number})
        for step in range(3):
            mlflow.log_metric("loss", number / (step + 1), step=step)
        mlflow.set_tag("note", f"{data}/mlflow")
        mlflow.log_input(mlflow.data.from_pandas(pandas.DataFrame({"x": [number]}), source=str(data / "x.csv")))
        for path, text in files.items():
            mlflow.log_text(text, path)
        place = "name" if mlflow.__version__[0] > "2" else "artifact_path"
        for name, model in (("model", of_model(number)), ("code", str(code)))[:2 if number == 1 else 1]:
            mlflow.pyfunc.log_model(**{place: name}, python_model=model, pip_requirements=["cloudpickle"],
                                    registered_model_name="momentum" if name == "model" else None)
    logged[run.info.run_id] = [number, {path: sha256(text.encode()) for path, text in files.items()}]


def make(data, here, uri):
    """Fills the store HERE in DATA. Answers what was logged."""
    import mlflow
    here.mkdir(parents=True, exist_ok=True)
    os.chdir(here)  # an SQLite store's artifacts go to ./mlruns
    mlflow.set_tracking_uri(uri)
    client, logged = mlflow.MlflowClient(), {}
    far = here / "0" / "datasets" / "far"  # in a file store too nothing is looked for there
    kept = [f"s3://bucket{data}/x", f"{data}-other/x"]
    inside = [client.create_experiment("first", tags={"note": str(data)}),
              client.create_experiment("path", artifact_location=str(far / "by path")),
              client.create_experiment("URI", artifact_location=(far / "by URI").as_uri()),
              client.create_experiment("bare URI", artifact_location=f"file://{far}/bare"),
              client.create_experiment("deleted")]
    for number, experiment in enumerate(inside[:4] + inside[:1], 1):
        log_run(experiment, number, data, logged)
    client.delete_run(list(logged)[-1])
    log_run(inside[4], 7, data, hidden := {})
    client.set_model_version_tag("momentum", "1", "note", str(data))
    for number, location in enumerate(kept):
        client.create_run(client.create_experiment(f"kept {number}", artifact_location=location), run_name=FAR)
    for experiment in (inside[0], inside[2]):
        mlflow.set_experiment(experiment_id=experiment)
        with mlflow.start_span("question") as span:
            span.set_inputs({"file": str(data)})
            span.set_outputs({"answer": int(experiment)})
    mlflow.flush_trace_async_logging()
    if mlflow.__version__[0] > "2" and uri.startswith("sqlite"):  # what a server can do: archived traces, workspaces
        from mlflow.tracking._tracking_service.utils import _get_store
        from mlflow.store.workspace.sqlalchemy_store import SqlAlchemyStore
        client.set_experiment_tag(inside[2], "mlflow.trace.archiveNow", "{}")
        assert _get_store().archive_traces(
            resolved_trace_archival_location=(here / "archive").as_uri(), broader_retention="1d") == 1
        SqlAlchemyStore(uri).create_workspace(mlflow.entities.Workspace(
            name="team", default_artifact_root=str(here / "team"),
            trace_archival_location=(here / "archive").as_uri()))
    client.delete_experiment(inside[4])
    return {"logged": logged, "hidden": hidden, "deleted": inside[4], "kept": kept}


def digests(folder):
    """What every file below holds; an MLmodel without its own place, and without what MLflow 2 leaves when it loads."""
    import yaml
    result = {}
    for file in sorted(x for x in folder.rglob("*") if x.is_file() and x.name != "registered_model_meta"):
        data = file.read_bytes()
        if file.name == "MLmodel":
            fields = yaml.load(data, yaml.CSafeLoader) | {"artifact_path": None}
            data = json.dumps(fields, sort_keys=True, default=str).encode()
        result[str(file.relative_to(folder))] = sha256(data)
    return result


def tell(uri, scratch):
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
            if run.info.run_name == FAR:
                continue
            attempt(f"artifacts {identifier}", lambda: download(f"runs:/{identifier}/"))
            for model in ("model", "code")[:2 if run.data.params["factor"] == "1" else 1]:
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


def work_on(uri, data, deleted):
    """One more run in the experiment that was there first, and the deleted one comes back."""
    import mlflow
    mlflow.set_tracking_uri(uri)
    mlflow.MlflowClient().restore_experiment(deleted)
    log_run(mlflow.get_experiment_by_name("first").experiment_id, 50, data, logged := {})
    return {"logged": logged}


def serve():
    import alembic.command, git, mlflow.data.pandas_dataset, mlflow.pyfunc, sqlalchemy.dialects.sqlite, yaml
    from mlflow.store.model_registry import file_store, sqlalchemy_store
    from mlflow.store.tracking import file_store, sqlalchemy_store  # all here, so that not each fork reads them again
    for line in sys.stdin:
        role, answer, arguments = json.loads(line)
        if (child := os.fork()) == 0:
            try:
                typed = {k: pathlib.Path(v) if k in ("data", "here") else v for k, v in arguments.items()}
                result = {"make": make, "tell": tell, "work_on": work_on}[role](**typed)
            except Exception:
                result = {"failed": traceback.format_exc()}
            pathlib.Path(answer).write_text(json.dumps(result))
            os._exit(0)
        os.waitpid(child, 0)
        print(mlflow.__version__, flush=True)


if __name__ == "__main__":
    serve()
