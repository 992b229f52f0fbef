#!/usr/bin/env python3
"""hrp beside its peers on the same data, in rotation: CPU, wall and peak memory, and ratios to the Python method.

    Benchmarks/run                      size M (1 GB), 5 rounds, every tool; makes the data first
    Benchmarks/run --size L --rounds 3
    Benchmarks/run --tools hrp,python --steps verify

Each round has a fresh ext4 file system of its own, in a loop file (this needs root; --place names a folder instead, and
then the figures depend on what was deleted there before). On it nothing is deleted.

Tools: hrp; python (the Python tool's method, python_method.py); cp (cp -a, then openssl dgst -sha256 of every file);
rsync (rsync -a --link-dest of the backup before, no hashes); restic and borg (their defaults; no encryption with borg).
Steps: full, same (a second backup, nothing changed), verify, restore (with verification, where the tool has one; to a new
place); and, of hrp alone, swap (the same into a folder that is there and empty: by the journal), in-place (over the stack
that the step before restored, with the survey of what will be lost) and undo. CPU is user + system of the whole process
tree; the peak is that of its largest process. Ratios are taken inside one round; medians are printed, with minimum and
maximum of the wall time.
"""
import argparse, contextlib, json, os, pathlib, platform, resource, shutil, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".deps/python/bin/python"
STEPS = ["full", "same", "verify", "restore", "swap", "in-place", "undo"]
OF_HRP_ALONE = {"swap", "in-place", "undo"}
HASH = "find . -type f -print0 | xargs -0 openssl dgst -sha256 > /dev/null"


def timed(command, cwd, env):
    """CPU s, wall s and peak MiB of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        sys.exit(f"{command}: exit {process.returncode}: {errors.decode(errors='replace')[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, usage.ru_maxrss / (1 if platform.system() == "Darwin" else 1024) / (1024 if platform.system() == "Darwin" else 1)


class Tool:
    """A tool in a work folder of its own; each step is one command."""
    def __init__(self, name, hrp, data, work):
        self.name, self.hrp, self.data, self.dir = name, hrp, data, work / name
        (self.dir / "there").mkdir(parents=True)
        self.env = dict(os.environ, RESTIC_REPOSITORY=str(self.dir / "repo"), RESTIC_PASSWORD="benchmark",
                        RESTIC_CACHE_DIR=str(self.dir / "cache"), BORG_REPO=str(self.dir / "repo"), BORG_BASE_DIR=str(self.dir),
                        BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")
        first = {"restic": ["restic", "-q", "init"], "borg": ["borg", "init", "-e", "none"]}.get(name)
        if first:
            subprocess.run(first, env=self.env, check=True, stdout=subprocess.DEVNULL)

    def command(self, step):
        data, d = self.data, self.dir
        if self.name == "hrp":
            base = [self.hrp, "backup"]
            place = ["--data-dir", str(data), "--backup-dir", str(d / "backups"), "-q"]
            return {"full": base + ["create"] + place, "same": base + ["create"] + place,
                    "verify": base + ["verify", "latest"] + place,
                    "restore": base + ["restore", "latest", "--target-dir", str(d / "restored")] + place,
                    "swap": base + ["restore", "latest", "--target-dir", str(d / "there")] + place,
                    "in-place": base + ["restore", "latest", "--target-dir", str(d / "there")] + place,
                    "undo": base + ["undo", "--target-dir", str(d / "there"), "-q"]}[step]
        if self.name == "python":
            base = [str(PYTHON), str(ROOT / "Benchmarks/python_method.py")]
            newest = lambda: str(max(p for p in d.iterdir() if p.name.startswith("backup_")))
            return {"full": lambda: base + ["backup", str(data), str(d)], "same": lambda: base + ["backup", str(data), str(d)],
                    "verify": lambda: base + ["verify", newest()],
                    "restore": lambda: base + ["restore", newest(), str(d / "restored")]}[step]()
        copy = "mkdir -p {0} && cp -a '%s' '%s' {0}/" % (data / "hrp.duckdb", data / "mlflow")
        sync = "mkdir -p {0} && rsync -a {1} '%s' '%s' {0}/" % (data / "hrp.duckdb", data / "mlflow")
        script = {
            "cp": {"full": copy.format("one") + " && cd one && " + HASH, "same": copy.format("two") + " && cd two && " + HASH,
                   "verify": "cd one && " + HASH, "restore": "cd one && " + HASH + " && cp -a . ../restored"},
            "rsync": {"full": sync.format("one", ""), "same": sync.format("two", "--link-dest=" + str(d / "one")),
                      "verify": "rsync -anc one/ two/", "restore": "rsync -a one/ restored/"},
            "restic": {"full": f"restic -q backup '{data}'", "same": f"restic -q backup '{data}'",
                       "verify": "restic -q check --read-data", "restore": "restic -q restore latest --target restored"},
            "borg": {"full": f"borg create ::one '{data}'", "same": f"borg create ::two '{data}'",
                     "verify": "borg check --verify-data", "restore": "mkdir restored && cd restored && borg extract ::one"},
        }[self.name][step]
        return ["sh", "-c", script]

    def run(self, step):
        os.sync()
        if step in ("full", "same"):
            # borg drops what it read from the page cache: whoever came next would find the stack on the disk only.
            subprocess.run(["sh", "-c", "find . -type f -print0 | xargs -0 cat > /dev/null"], cwd=self.data, check=True)
        return timed(self.command(step), self.dir, self.env)


def make_data(size, work):
    """The stack of that size, made when it is not there."""
    work.mkdir(parents=True, exist_ok=True)
    data = work / ("data-" + size)
    if not (data / "mlflow/mlflow.db").exists():
        shutil.rmtree(data, ignore_errors=True)
        env = dict(os.environ, PYTHONPATH=str(ROOT / ".deps/duckdb/2.0.1"))
        subprocess.run([str(PYTHON), str(ROOT / "Benchmarks/make_data.py"), "create", str(data), "--size", size], check=True, env=env)
    return data


@contextlib.contextmanager
def fresh_file_system(work):
    """A new ext4 in a sparse loop file, which is gone afterwards."""
    image = work / "image"
    image.unlink(missing_ok=True)
    with open(image, "wb") as file:
        file.truncate(40 << 30)
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    device = run("losetup", "--find", "--show", "--direct-io=on", str(image))
    place = pathlib.Path(tempfile.mkdtemp(prefix="hrp-bench."))
    try:
        run("mount", device, str(place))
        yield place
    finally:
        subprocess.run(["umount", str(place)])
        subprocess.run(["losetup", "--detach", device])
        place.rmdir()
        image.unlink()


@contextlib.contextmanager
def folder(place):
    """A folder of a file system that is there."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="round.", dir=place))
    yield place


def table(tools, steps, figures):
    print("\n| step | tool | CPU s | ratio | wall s (min–max) | ratio | peak MiB |\n|---|---|---|---|---|---|---|")
    for step in steps:
        for tool in (t for t in tools if (t, step) in figures):
            rows = figures[tool, step]
            base = figures.get(("python", step))
            ratio = lambda i: f"{statistics.median(a[i] / b[i] for a, b in zip(rows, base)):.2f}" if base else "–"
            cpu, wall, peak = (statistics.median(r[i] for r in rows) for i in range(3))
            walls = [r[1] for r in rows]
            print(f"| {step} | {tool} | {cpu:.2f} | {ratio(0)} | {wall:.2f} ({min(walls):.2f}–{max(walls):.2f}) | {ratio(1)} | {peak:.0f} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", choices="SML", default="M")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--tools", default="hrp,python,cp,rsync,restic,borg")
    p.add_argument("--steps", default=",".join(STEPS))
    p.add_argument("--work", default=str(ROOT / ".build/benchmarks"), help="where the data and the loop file go; some 15 GB at size M")
    p.add_argument("--place", help="a folder to run in, in place of a fresh file system; some 15 GB a round at size M")
    p.add_argument("--hrp", default=None)
    p.add_argument("--json", default=None)
    a = p.parse_args()
    hrp = os.path.abspath(a.hrp or ROOT / ".build/release/hrp")
    work = pathlib.Path(a.work)
    made = make_data(a.size, work)
    tools, steps = a.tools.split(","), a.steps.split(",")
    programs = {"cp": "openssl", "rsync": "rsync", "restic": "restic", "borg": "borg"}
    missing = [programs[t] for t in tools if t in programs and not shutil.which(programs[t])]
    if missing:
        sys.exit(f"{', '.join(missing)}: not here; install them, or leave them out with --tools hrp,python")
    if not a.place and os.geteuid() != 0:
        sys.exit("a fresh file system needs root; --place names a folder to run in instead")
    # A step needs what the ones before it made.
    last = max(STEPS.index(s) for s in steps)
    figures = {(t, s): [] for t in tools for s in STEPS[:last + 1] if t == "hrp" or s not in OF_HRP_ALONE}
    for round in range(a.rounds):
        turn = tools[round % len(tools):] + tools[:round % len(tools)]
        # ext4 does not give out an inode again for minutes after its file was deleted, and searches past all of them for
        # every new file: whoever came next would pay for what we removed. So nothing is removed, and each round is anew.
        with (folder(a.place) if a.place else fresh_file_system(work)) as place:
            data = place / "data"
            subprocess.run(["cp", "-a", str(made), str(data)], check=True)
            time.sleep(3)  # What changed within two seconds of its reading is copied, not linked.
            runs = {t: Tool(t, hrp, data, place) for t in turn}
            for step in STEPS[:last + 1]:
                for t in (t for t in turn if (t, step) in figures):
                    figures[t, step].append(runs[t].run(step))
                    print(f"round {round + 1} {step} {t}: cpu %.2f wall %.2f peak %.0f" % figures[t, step][-1], file=sys.stderr, flush=True)
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor()) if os.path.exists("/proc/cpuinfo") else platform.processor()
    print(f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.release()}, {cpu}, {os.cpu_count()} cores; size {a.size}, {a.rounds} rounds")
    table(tools, steps, figures)
    for step in ("swap", "in-place"):
        if ("hrp", step) in figures:
            pairs = list(zip(figures["hrp", "restore"], figures["hrp", step]))
            cpu, wall = (statistics.median(b[i] / a[i] for a, b in pairs) for i in range(2))
            print(f"{step} beside restore: {cpu:.2f} of its CPU, {wall:.2f} of its wall time")
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps({f"{t} {s}": v for (t, s), v in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
