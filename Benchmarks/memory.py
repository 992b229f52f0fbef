#!/usr/bin/env python3
"""Peak memory of hrp at 20,000 and at 100,000 small files: it must not grow with them.

    Benchmarks/run memory
"""
import argparse, os, pathlib, subprocess, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEPS = {"create": ["create"], "create, unchanged": ["create"], "verify": ["verify", "latest"],
         "restore": ["restore", "latest", "--target-dir", "restored"]}


def peak(command, folder):
    """MiB that the largest process of a command had."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_maxrss / 1024


def make_stack(place, files):
    for number in range(files):
        folder = place / f"mlflow/mlruns/{number // 10_000}/r{number // 20}/metrics"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"m{number}").write_text("x" * 100)
    script = f"import duckdb; c = duckdb.connect('{place}/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(1000000)')"
    subprocess.run([ROOT / ".deps/python/bin/python", "-c", script], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT / ".deps/duckdb/2.0.1")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hrp", default=str(ROOT / ".build/release/hrp"))
    a = parser.parse_args()
    peaks = {}
    for files in (20_000, 100_000):
        with tempfile.TemporaryDirectory(prefix="hrp-memory.") as folder:
            place = pathlib.Path(folder) / "data"
            make_stack(place, files)
            time.sleep(3)
            for step, words in STEPS.items():
                peaks[step, files] = peak([a.hrp, "backup", *words, "-q", "--data-dir", str(place)], folder)
    print("| peak MiB | 20,000 files | 100,000 files |\n|---|---|---|")
    for step in STEPS:
        print(f"| {step} | {peaks[step, 20_000]:.0f} | {peaks[step, 100_000]:.0f} |")


main()
