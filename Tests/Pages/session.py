"""Runs the blocks of one page: a home with a live stack, one shell for all commands, and programs that stand in for some."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import markdown
import match
import stack

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 60  # seconds that a command may take


class Failed(Exception):
    pass


class Session:
    """What the pages call /home/you, /mnt/usb and research-2 are folders of the work folder; texts are translated both ways."""

    def __init__(self, root, work, template, deps, is_alone):
        self.root, self.work, self.template, self.deps = root, work, template, deps
        self.is_alone = is_alone  # in namespaces of its own: nothing here can reach other processes
        self.homes, self.home, self.shell, self.writers = 0, None, None, []
        self.has_hrp, self.machine, self.names = True, "", {}
        self.python = str(deps / "python" / "bin" / "python")
        for name in ("tmp", "mnt/usb", "machines"):
            (work / name).mkdir(parents=True, exist_ok=True)
        self.begin()

    # --- places

    def begin(self, is_empty=False, disk=None):
        """A new home, with the stack in it."""
        self.end()
        self.home = self.work / f"home-{self.homes}"
        self.homes += 1
        self.home.mkdir(exist_ok=True)
        (self.home / ".local").symlink_to(self.work / "local")
        self.has_hrp, self.machine, self.names = True, "", {}
        if not is_empty:
            shutil.copytree(self.template, self.home / "hrp-data")
            stack.move(self.home / "hrp-data", self.template)
        for place in (self.work / "mnt").rglob("*"):
            if place.is_file() or place.is_symlink():
                place.unlink()
        for place in (self.work / "mnt").iterdir():
            for child in place.iterdir():
                shutil.rmtree(child, ignore_errors=True)
        self.start_shell()

    def end(self):
        self.stop_writer()
        if self.shell:
            self.shell.kill()
            self.shell.wait()
            # What the page started in the background.
            command = ["pkill", "-KILL", "-x", "hrp"]
            if not self.is_alone:
                command = [str(HERE / "stand-ins" / "pkill"), "-KILL", "-f", str(self.work / "local")]
            subprocess.run(command, env=self.environment, check=False)

    @property
    def environment(self):
        paths = [str(HERE / "stand-ins")]
        if self.is_alone:
            paths = [str(self.work / "stand-ins")]
        if self.has_hrp:
            paths.insert(0, str(self.work / "local" / "bin"))
        home = self.work / "machines" / self.machine if self.machine else self.home
        return {
            "HOME": str(home), "PATH": ":".join(paths + ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"]),
            "LANG": "C.UTF-8", "TZ": "America/New_York", "TMPDIR": str(self.work / "tmp"), "USER": "you",
            "PAGES_WORK": str(self.work), "PAGES_RUN": str(self.work), "PAGES_PYTHON": self.python,
            "PAGES_STACK": str(HERE / "stack.py"), "PAGES_ENGINE": str(self.deps / "duckdb" / "2.0.1"),
            "PAGES_PACKAGE": str(self.root / "integrations" / "python" / "src"),
            "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}

    def here(self, text):
        """Text of a page as it is on this machine."""
        home = self.work / "machines" / self.machine if self.machine else self.home
        for name, real in self.names.items():
            text = text.replace(name, real)
        return text.replace("/home/you/", f"{home}/").replace("/mnt/", f"{self.work}/mnt/")

    def there(self, text):
        """Text of this machine as a page has it."""
        for name, real in self.names.items():
            text = text.replace(real, name)
        for machine in (self.work / "machines").iterdir():
            text = text.replace(str(machine), "/home/you")
        for number in reversed(range(self.homes)):
            text = text.replace(str(self.work / f"home-{number}"), "/home/you")
        text = re.sub(re.escape(f"{self.work}/command") + r": line \d+: ", "bash: ", text)
        return (text.replace(str(self.work / "local"), "/home/you/.local").replace(str(self.work / "tmp"), "/tmp")
                .replace(str(self.work), ""))

    # --- the shell

    def start_shell(self):
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            text=True, env=self.environment, cwd=self.environment["HOME"])
        self.run('curl() { command curl -sS "$@"; }')  # on a terminal curl shows no progress beside its output

    def run(self, text, interrupt_after=None):
        """Runs a command in the shell; returns its exit code and its lines."""
        command = text
        (self.work / "command").write_text(self.here(text) + "\n")
        output, reply = self.work / "output", self.work / "reply"
        output.unlink(missing_ok=True)
        reply.unlink(missing_ok=True)
        before, began, interrupted = self.children(), time.monotonic(), False
        self.shell.stdin.write(
            f". '{self.work}/command' </dev/null >'{output}' 2>&1; echo $? >'{reply}.new'; mv '{reply}.new' '{reply}'\n")
        self.shell.stdin.flush()
        while not reply.exists() and self.shell.poll() is None and time.monotonic() - began < LIMIT:
            time.sleep(0.01)
            if interrupt_after and not interrupted and time.monotonic() - began > interrupt_after:
                self.interrupt(before)
                interrupted = True
        text = self.there(output.read_text(errors="replace")) if output.exists() else ""
        if not reply.exists():
            raise Failed(f"the shell ended, or this took more than {LIMIT} s: `{command}`; it had printed:\n{text}")
        lines = [line.rstrip() for line in text.splitlines()]
        if not self.is_alone:  # without rights to mount one, the second disk is a folder
            lines = [line for line in lines if "is on the same disk as the data: a broken disk" not in line]
        while lines and not lines[-1]:
            lines.pop()
        return int(reply.read_text()), lines

    def children(self):
        found = subprocess.run(["pgrep", "-P", str(self.shell.pid)], capture_output=True, text=True, check=False)
        return set(found.stdout.split())

    def interrupt(self, before):
        for process in self.children() - before:
            os.kill(int(process), signal.SIGINT)

    def hidden(self, text):
        """A preparation that the page does not show, with the command `stack`."""
        code, lines = self.run(f"PATH={HERE}/hidden:$PATH\n{text}\n")
        self.run("PATH=${PATH#*:}")
        if code != 0:
            raise Failed(f"the preparation failed with {code}: {text}\n" + "\n".join(lines))

    # --- programs that use the stack

    def start_writer(self):
        self.stop_writer()
        log = self.work / "writer"
        log.write_text("")
        environment = self.environment | {"PYTHONPATH": str(self.deps / "duckdb" / "2.0.1")}
        data = self.home / "hrp-data"
        with open(log, "w") as out:
            self.writers = [
                subprocess.Popen([self.python, "-B", str(HERE / "stack.py"), "write", str(data), "hrp.agents.run_scheduler"],
                                 env=environment, stdout=out, stderr=out, cwd=self.home),
                subprocess.Popen(["bash", "-c", "exec -a 'streamlit run hrp/dashboard/app.py' sleep 1000"],
                                 env=environment, cwd=self.home)]
        for _ in range(200):
            if log.read_text().strip():
                break
            time.sleep(0.05)
        if self.writers[0].poll() is not None:
            raise Failed("the writer does not run: " + log.read_text())

    def stop_writer(self):
        for process in self.writers:
            process.terminate()
        for process in self.writers:
            process.wait()
        self.writers = []

    # --- blocks

    def prepare(self, block):
        for text in block.directives:
            if text == "fresh" or text.startswith(("fresh ", "disk ")):
                self.begin(is_empty="empty" in text)
        machine = block.directive("on machine") or ""
        if machine != self.machine:
            self.machine = machine
            pathlib.Path(self.environment["HOME"]).mkdir(parents=True, exist_ok=True)
            self.run(f"HOME={self.environment['HOME']}; cd")
        for text in block.directives:
            if text == "with writer":
                self.start_writer()
            elif text == "without writer":
                self.stop_writer()
            elif text in ("without hrp", "with hrp"):
                self.has_hrp = text == "with hrp"
                self.run(f"PATH={self.environment['PATH']}; hash -r")
            elif text.startswith("before:"):
                self.hidden(text.removeprefix("before:").strip())
            elif found := re.fullmatch(r"(backup_\d{8}_\d{6}) is (trash )?(\d+)", text):
                folder = pathlib.Path(self.environment["HOME"]) / "hrp-data" / "backups" / (".hrp-trash" if found[2] else "")
                backups = sorted((path for path in folder.glob("backup_*") if path.is_dir()), reverse=True)
                self.names[found[1]] = backups[int(found[3]) - 1].name

    def commands(self, block, told, results):
        """Runs a console or bash block; tells what was wrong. `results` gets, for each command, what it printed."""
        commands = markdown.commands(block)
        codes = [int(code) for code in (block.directive("exit") or "0").split(",")]
        codes = [0] * (len(commands) - len(codes)) + codes
        interrupt_after = block.directive("interrupt after")
        for index, (command, code) in enumerate(zip(commands, codes)):
            is_last = index == len(commands) - 1
            seconds = float(interrupt_after) if interrupt_after and is_last else None
            exit_code, lines = self.run(command.text, seconds)
            results.append((command, lines))
            if exit_code != code and not (seconds and exit_code in (0, 130)):
                told(command.line, f"`{command.text}` ended with {exit_code}, not {code}\n"
                     + match.explain(command.expected, lines))
            elif command.expected is not None:
                expected = list(command.expected)
                while expected and not expected[-1].strip():
                    expected.pop()
                if not match.matches(expected, lines, block.directive("counts vary") is not None):
                    told(command.line, f"`{command.text}`\n" + match.explain(expected, lines))
        return len(commands), (results[-1][1] if results else [])

    def python_block(self, block, told):
        (self.work / "block.py").write_text(self.here("\n".join(block.lines)) + "\n")
        paths = f"{self.deps}/duckdb/2.0.1:{self.root}/integrations/python/src"
        if block.directive("with platform") is not None:
            paths += f":{HERE}/platform"
        seconds = block.directive("stop after")
        code, lines = self.run(
            f"PYTHONPATH={paths} {'timeout ' + seconds if seconds else ''} {self.python} -B {self.work}/block.py")
        if code != (124 if seconds else 0):
            told(block.line, f"the Python block ended with {code}\n" + "\n".join("      " + line for line in lines[-12:]))
        return lines

    def write(self, block, told):
        """Writes a block to the file that the directive names, or tries it as a configuration."""
        target = block.directive("write")
        text = self.here("\n".join(block.lines)) + "\n"
        if target:
            path = pathlib.Path(target.replace("~", self.environment["HOME"], 1))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            check = "hrp config validate" if path.name == "hrp.yaml" else "true"
        else:
            folder = self.work / "tried" / "config"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hrp.yaml").write_text(text)
            check = f"hrp config validate --data-dir {self.work}/tried"
        code, lines = self.run(check)
        if code != 0:
            told(block.line, "this configuration is refused:\n" + "\n".join("      " + line for line in lines))


def prepare_work(work, hrp, deps):
    """The folder of one page, with hrp where the pages install it."""
    (work / "local" / "bin").mkdir(parents=True)
    (work / "local" / "lib").mkdir()
    try:
        os.link(hrp, work / "local" / "bin" / "hrp")
    except OSError:
        shutil.copy2(hrp, work / "local" / "bin" / "hrp")
    (work / "local" / "lib" / "hrp").symlink_to(deps / "lib")
    shutil.copytree(HERE / "stand-ins", work / "stand-ins", symlinks=True)
    (work / "stand-ins" / "pkill").unlink()  # in a namespace of its own processes the real one is right


if __name__ == "__main__":
    sys.exit("run scripts/pages")
