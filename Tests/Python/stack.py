"""What the tests of the Python packages share: environments, homes with a live stack, the guide's snippets."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap
import time
import unittest

ROOT = pathlib.Path(os.environ["HRP_TEST_ROOT"])
WORK = pathlib.Path(os.environ["HRP_TEST_WORK"])
DUCKDB = ROOT / ".deps/duckdb/2.0.1"
PANDAS = ROOT / ".deps/mlflow2/pandas"
OWN_PYTHON = ROOT / ".deps/python/bin/python"
GUIDE = ROOT / "Tests/Guide/backup-restore-guide.md"

# Holds the database open and commits a row every 50 ms, until it is killed.
WRITER = """
import duckdb, os, sys, time
os.makedirs('hrp-data/mlflow/mlruns/0', exist_ok=True)
open('hrp-data/mlflow/mlruns/0/meta.yaml', 'w').write('name: Default\\n')
c = duckdb.connect('hrp-data/hrp.duckdb')
c.execute('CREATE TABLE universe(symbol VARCHAR, date DATE, in_universe BOOLEAN)')
c.execute("INSERT INTO universe VALUES ('AAPL', '2020-01-02', true), ('MSFT', '2020-01-02', true)")
c.execute('''CREATE TABLE prices(symbol VARCHAR, date DATE, open DECIMAL(12,4), high DECIMAL(12,4), low DECIMAL(12,4),
  close DECIMAL(12,4), adj_close DECIMAL(12,4), volume BIGINT, source VARCHAR)''')
c.execute('''INSERT INTO prices SELECT s, DATE '2020-01-01' + (d::INT), 1.5, 2.25, NULL, 2, 1.9375, 100 + d, 'x'
  FROM range(10) t(d), (VALUES ('MSFT'), ('AAPL')) u(s)''')
c.execute("CREATE TABLE hypotheses AS SELECT 'HYP-2026-001' AS hypothesis_id")
c.execute('CREATE TABLE ticks(i BIGINT)')
if sys.argv[1:] == ['once']:
    sys.exit()
print('ready', flush=True)
i = 0
while True:
    c.execute('INSERT INTO ticks VALUES (?)', [i])
    i += 1
    time.sleep(0.05)
"""


def in_path(*folders):
    return os.pathsep.join(str(folder) for folder in folders)


class StackCase(unittest.TestCase):
    """A home with a small stack in ``hrp-data``; ``environment`` names the Python environment that runs code."""

    environment = "plain"
    is_live = False

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="hrp-home.", dir=WORK)
        self.addCleanup(directory.cleanup)
        self.home = pathlib.Path(directory.name)
        self.variables = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        words = [OWN_PYTHON, "-c", WRITER] + ([] if self.is_live else ["once"])
        process = subprocess.Popen(
            words, cwd=self.home, env={**self.variables, "PYTHONPATH": str(DUCKDB)}, stdout=subprocess.PIPE, text=True
        )
        if self.is_live:
            self.writer = process
            self.addCleanup(self.end_writer)
            self.assertEqual(process.stdout.readline(), "ready\n")
        else:
            process.communicate()
            self.assertEqual(process.returncode, 0)

    def end_writer(self):
        """Ends the program that holds the database."""
        if self.writer.returncode is None:
            self.writer.kill()
            self.writer.communicate()

    def python(self, *arguments, check=True, path=(), cwd=None, **variables):
        """Runs Python of the environment in the home, and gives what it said."""
        done = subprocess.run(
            [WORK / self.environment / "bin/python", *arguments],
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            env={**self.variables, "PYTHONPATH": in_path(*path), **variables},
            timeout=120,
        )
        if check:
            self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def code(self, text, **options):
        """Runs lines of Python, and gives what they printed."""
        return self.python("-c", textwrap.dedent(text), **options).stdout

    def hrp(self, *arguments, check=True):
        """Runs the program itself."""
        done = subprocess.run(["hrp", *arguments], cwd=self.home, env=self.variables, capture_output=True, text=True)
        if check:
            self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    @property
    def backups(self):
        """The names of the finished backups, newest first."""
        folder = self.home / "hrp-data/backups"
        return sorted((path.name for path in folder.glob("backup_*")), reverse=True) if folder.exists() else []

    def damage(self, name):
        """Changes a byte in the database of a backup."""
        file = self.home / "hrp-data/backups" / name / "hrp.duckdb"
        content = bytearray(file.read_bytes())
        content[5000] ^= 1
        file.chmod(0o644)
        file.write_bytes(content)


def wait_until(condition, seconds=20):
    """Asks until it is so; False when it is not so in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_alive(pid):
    """Whether a process runs; one that is dead and not yet collected does not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def processes_in(folder):
    """The processes whose working directory is this folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if os.readlink(entry) == str(folder):
                found.append(entry.parent.name)
    return found


def snippets(language):
    """The guide's blocks of a language, each with the heading that it stands under."""
    heading, found = "", []
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S):
        if match[1]:
            heading = match[1]
        elif match[2] == language:
            found.append((heading, match[3]))
    return found


@contextlib.contextmanager
def guide_path(target):
    """The guide's example paths, such as /path/to/backup, lead to a backup; scripts/notebook gives us our own /path."""
    folder = pathlib.Path("/path/to")
    folder.mkdir()
    try:
        for name in ("backup_20260124_020000", "backup_YYYYMMDD_HHMMSS", "backup"):
            (folder / name).symlink_to(target)
        yield
    finally:
        shutil.rmtree(folder)
