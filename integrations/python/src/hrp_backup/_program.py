"""Finds the program ``hrp`` and runs it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Union

from ._errors import BackupError, ProgramNotFoundError, UsageError
from ._progress import ProgressOption, progress_view

PathLike = Union[str, "os.PathLike[str]"]

log = logging.getLogger("hrp_backup")


def find_program() -> str:
    """The path of ``hrp``: what HRP_EXECUTABLE names, else the first on PATH, else ``~/.local/bin/hrp``.

    Raises:
        ProgramNotFoundError: when there is none.
    """
    named = os.environ.get("HRP_EXECUTABLE")
    if named:
        named = os.path.expanduser(named)
        if os.access(named, os.X_OK) and os.path.isfile(named):
            return named
        raise ProgramNotFoundError(
            "executable.not-found",
            f"HRP_EXECUTABLE names {named}, and no program is there",
            "Give the path of the program hrp, or unset HRP_EXECUTABLE.",
            exit_code=10,
        )
    beside = str(Path.home() / ".local" / "bin" / "hrp")
    found = shutil.which("hrp") or (beside if os.access(beside, os.X_OK) and os.path.isfile(beside) else None)
    if found is None:
        raise ProgramNotFoundError(
            "executable.not-found",
            "the program hrp was not found on PATH",
            "Install it (scripts/install or the Debian package), or set HRP_EXECUTABLE to its path.",
            exit_code=10,
        )
    return found


def option(name: str, value: PathLike | None) -> list[str]:
    """An option with its value as one word, so that no value is taken for an option; nothing for None."""
    return [] if value is None else [f"{name}={os.fspath(value)}"]


def reference(backup: PathLike) -> str:
    """A backup as an argument: a path stays a path, and no name is taken for an option."""
    text = os.fspath(backup)
    is_path = not isinstance(backup, str)
    return "./" + text if text.startswith("-") or (is_path and not text.startswith(("/", "~", "."))) else text


def run(arguments: Sequence[str], progress: ProgressOption = None) -> Any:
    """Runs ``hrp`` with ``--json`` and gives the value that it prints, as ``run_with_status`` does."""
    return run_with_status(arguments, progress)[0]


def run_with_status(arguments: Sequence[str], progress: ProgressOption = None) -> tuple[Any, int]:
    """Runs ``hrp`` with ``--json`` and gives the value that it prints, and its exit code.

    An interrupt (Ctrl-C, or a notebook's stop button) is passed on to the program, which leaves nothing half-made.

    Raises:
        BackupError: what the program could not do.
    """
    program = find_program()
    words = [program, *arguments[:2], "--json", "--progress=json", *arguments[2:]]
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True
        )
    except OSError as error:
        raise ProgramNotFoundError(
            "executable.not-found", f"{program} cannot be started", "Install hrp again.", str(error), 10
        ) from error
    assert process.stdout is not None and process.stderr is not None
    output: list[bytes] = []
    stdout, stderr = process.stdout, process.stderr
    reader = threading.Thread(target=lambda: output.append(stdout.read()), daemon=True)
    reader.start()
    try:
        rest = _follow(stderr, progress)
        status = process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        reader.join()
        stdout.close()
        stderr.close()
    return _answer(output[0], rest, status), status


def _follow(stderr: IO[bytes], progress: ProgressOption) -> str:
    """Shows progress while the program runs; gives what else it wrote to stderr."""
    rest = []
    with progress_view(progress) as view:
        for line in stderr:
            text = line.decode("utf-8", "replace").rstrip("\n")
            try:
                event = json.loads(text)
            except ValueError:
                rest.append(text)
                continue
            if not isinstance(event, dict):
                rest.append(text)
            elif "progress" in event:
                view.show(event["progress"])
            elif "warning" in event:
                log.warning("%s", _plain(event["warning"], "hrp: warning: "))
            elif "notice" in event:
                log.info("%s", _plain(event["notice"], "hrp: "))
    return "\n".join(rest)


def _plain(text: str, prefix: str) -> str:
    return text[len(prefix) :] if text.startswith(prefix) else text


def _answer(output: bytes, errors: str, status: int) -> Any:
    try:
        value = json.loads(output)
    except ValueError as error:
        said = errors.strip() or output.decode("utf-8", "replace").strip()
        raise BackupError(
            "internal", f"hrp ended with {status} and gave no answer", "Run: hrp doctor", said, status
        ) from error
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        failure = value["error"]
        kind = UsageError if status == 2 else BackupError
        raise kind(
            failure.get("code", "internal"),
            failure.get("message", ""),
            failure.get("remedy") or "",
            failure.get("cause") or "",
            status,
        )
    return value


def replace_process(arguments: Sequence[str]) -> None:
    """Becomes the program ``hrp``: for ``python -m``. Returns only by an error.

    Raises:
        SystemExit: with the program's own code for what was not found.
    """
    try:
        program = find_program()
    except ProgramNotFoundError as error:
        raise SystemExit(_say(error)) from None
    try:
        os.execv(program, [program, *arguments])
    except OSError as error:
        raise SystemExit(_say(f"hrp: {program} cannot be started: {error.strerror}")) from None


def _say(error: object) -> int:
    import sys

    print(error, file=sys.stderr)
    return 10
