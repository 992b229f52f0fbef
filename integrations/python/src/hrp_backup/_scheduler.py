"""The guide's scheduler: a process of ``hrp`` that ends with this one."""

from __future__ import annotations

import logging
import subprocess
import threading
from typing import IO

from ._errors import BackupError
from ._program import PathLike, find_program, option, run
from ._types import JobInfo

log = logging.getLogger("hrp_backup.scheduler")

_WEEKLY = "weekly_backup"


class IngestionScheduler:
    """Makes backups when they are due, in a process of its own, which ends with this one however this one ends.

    Jobs of the configuration (``config/hrp.yaml``) run too. A scheduler that must outlive this program is a service:
    ``hrp service install``.

        scheduler = IngestionScheduler()
        scheduler.setup_weekly_backup(backup_time="02:00", day_of_week="sat", keep_days=30)
        scheduler.start()

    Args:
        data_dir: the stack; None: what HRP_DATA_DIR says, else ``~/hrp-data``.
    """

    def __init__(self, data_dir: PathLike | None = None) -> None:
        self._place = option("--data-dir", data_dir)
        self._weekly: list[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []

    def setup_weekly_backup(
        self,
        backup_time: str = "02:00",
        day_of_week: str = "sat",
        keep_days: int = 30,
        include_mlflow: bool = True,
    ) -> str:
        """Sets up the guide's backup: once a week; in place of one that was set up before.

        Args:
            backup_time: ``HH:MM``, of the configured timezone (New York unless configured).
            day_of_week: ``mon`` to ``sun``.
            keep_days: backups that are younger stay.
            include_mlflow: whether MLflow's directory is part of it.

        Returns:
            The id of the job, ``weekly_backup``.

        Raises:
            UsageError: (a ``ValueError``) for a time, a day or a number of days that does not exist.
        """
        if self.running:
            raise RuntimeError("The scheduler runs: shut it down before you set up a backup.")
        flags = [f"--backup-time={backup_time}", f"--backup-day={day_of_week}", f"--backup-keep-days={keep_days}"]
        if not include_mlflow:
            flags.append("--no-mlflow")
        # The program judges the words before anything is kept.
        run(["scheduler", "list-jobs", *flags, *self._place], False)
        self._weekly = flags
        return _WEEKLY

    def start(self) -> None:
        """Begins to run what is due; returns when the scheduler stands.

        Raises:
            BackupError: ``locked`` while another scheduler runs for the stack; what keeps it from starting.
        """
        if self.running:
            return
        words = [find_program(), "scheduler", "run", "--while-stdin-is-open", *self._flags, *self._place]
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        assert process.stdout is not None
        errors: list[str] = []
        reader = threading.Thread(target=_pass_on, args=(process.stderr, logging.WARNING, errors), daemon=True)
        reader.start()
        first = process.stdout.readline()
        if not first:
            status = process.wait()
            reader.join()
            self._close(process)
            message = _plain(errors[0] if errors else f"hrp scheduler run ended with {status}")
            remedy = next((line.split("try:", 1)[1].strip() for line in errors if "try:" in line), "")
            raise BackupError("locked" if status == 11 else "scheduler.ended", message, remedy, "", status)
        log.info("%s", first.rstrip())
        results = threading.Thread(target=_pass_on, args=(process.stdout, logging.INFO, None), daemon=True)
        results.start()
        self._process, self._readers = process, [reader, results]

    def shutdown(self, wait: bool = True) -> None:
        """Ends the scheduler. A job that is running gets 20 seconds; one that is cut off runs once more later.

        Args:
            wait: whether the end is waited for.
        """
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        if wait:
            process.wait()
            for reader in self._readers:
                reader.join()
            self._close(process)

    @property
    def running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._process is not None and self._process.poll() is None

    def list_jobs(self) -> list[JobInfo]:
        """The jobs with their next run."""
        return run(["scheduler", "list-jobs", *self._flags, *self._place], False)

    def get_job_info(self, job_id: str) -> JobInfo | None:
        """One of the jobs; None when none has this id."""
        return next((job for job in self.list_jobs() if job["id"] == job_id), None)

    def pause_job(self, job_id: str) -> None:
        """Keeps a job from running until it is resumed, by whatever program; that outlives this one."""
        run(["scheduler", "pause", *self._place, "--", job_id], False)

    def resume_job(self, job_id: str) -> None:
        """Lets a paused job run again; what was missed is caught up by one run."""
        run(["scheduler", "resume", *self._place, "--", job_id], False)

    def remove_job(self, job_id: str) -> None:
        """Takes back what ``setup_weekly_backup`` set up.

        Raises:
            BackupError: ``scheduler.no-job`` for another job: those of the configuration are removed there.
        """
        if self.running:
            raise RuntimeError("The scheduler runs: shut it down before you remove a job.")
        if job_id != _WEEKLY or self._weekly is None:
            raise BackupError(
                "scheduler.no-job", f"no job {job_id} was set up here", "Set enabled: false in config/hrp.yaml.", "", 10
            )
        self._weekly = None

    @property
    def _flags(self) -> list[str]:
        return ["--no-backup"] if self._weekly is None else self._weekly

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _pass_on(stream: IO[str], level: int, kept: list[str] | None) -> None:
    for line in stream:
        text = line.rstrip()
        # The first lines say why a scheduler did not start.
        if kept is not None and len(kept) < 10:
            kept.append(text)
        log.log(level, "%s", _plain(text))


def _plain(text: str) -> str:
    return text[5:] if text.startswith("hrp: ") else text
