"""The operations guide's functions, with the guide's names and defaults."""

from __future__ import annotations

import warnings
from typing import Any

from ._errors import BackupError, IncompleteBackupWarning
from ._program import PathLike, option, reference, run, run_with_status
from ._progress import ProgressOption
from ._types import BackupInfo, BackupResult, VerificationReport


def create_backup(
    backup_dir: PathLike | None = None,
    include_mlflow: bool = True,
    *,
    data_dir: PathLike | None = None,
    progress: ProgressOption = None,
) -> BackupResult:
    """Makes a backup of a stack in use; nothing has to be closed.

    Every byte is read back from the disk before the backup appears.

    Args:
        backup_dir: where backups are; None: what HRP_BACKUP_DIR or the configuration says, else ``~/hrp-data/backups``.
        include_mlflow: whether MLflow's directory is part of it.
        data_dir: the stack; None: what HRP_DATA_DIR says, else ``~/hrp-data``.
        progress: False: show none; a function: it is called with a ``Progress``.

    Returns:
        A dict; ``path``, ``size_mb`` and ``checksum_file`` are the guide's.

    Raises:
        BackupError: ``source.not-found``, ``disk.full``, ``duckdb.…``.

    Warns:
        IncompleteBackupWarning: some files of MLflow could not be read; the backup has all others.
    """
    flags = option("--backup-dir", backup_dir) + option("--data-dir", data_dir)
    if not include_mlflow:
        flags.append("--no-mlflow")
    result: BackupResult = run(["backup", "create", *flags], progress)
    if not result["complete"]:
        warnings.warn(
            f"{result['name']} is incomplete: see its 'unread' and 'unstable'", IncompleteBackupWarning, stacklevel=2
        )
    return result


def verify_backup(backup_path: PathLike, *, level: str = "checksums", progress: ProgressOption = None) -> bool:
    """Whether a backup is what was written; False also when it is not there, or when its lists are missing.

    Nothing in the backup is changed. ``verification_report`` says what is wrong.

    Args:
        backup_path: a path, a name, a number of the list, ``latest``.
        level: ``checksums``, ``structure`` or ``engine``: each contains the one before.

    Raises:
        BackupError: when it cannot be told, as when a file may not be read.
    """
    try:
        return verification_report(backup_path, level=level, progress=progress)["ok"]
    except BackupError as error:
        if error.code == "backup.not-found":
            return False
        raise


def verification_report(
    backup_path: PathLike, *, level: str = "structure", progress: ProgressOption = None
) -> VerificationReport:
    """Checks a backup, and says everything that is wrong with it.

    Raises:
        BackupError: ``backup.not-found``, or when it cannot be read. Damage is a finding.
    """
    return run(["backup", "verify", f"--level={level}", "--", reference(backup_path)], progress)


def restore_backup(
    backup_path: PathLike,
    target_dir: PathLike | None = None,
    *,
    wait: str | None = None,
    incomplete: bool = False,
    progress: ProgressOption = None,
) -> bool:
    """Restores a backup; a stack that is there is replaced in one step, and ``undo_restore`` takes that back.

    The backup is verified on the way. A database that any program has open is never replaced: close the connections of
    this notebook first.

    Args:
        backup_path: a path, a name, a number of the list, ``latest``, ``latest-valid``.
        target_dir: where the backup is restored to; None: the stack itself.
        wait: how long to wait for a program that has the database open, such as ``10m``.
        incomplete: replace what is there although the backup is incomplete.

    Returns:
        False when the backup is damaged: then nothing was restored.

    Raises:
        BackupError: ``backup.not-found``, ``restore.database-in-use``, ``restore.mlflow-in-use``, ``restore.incomplete``,
            ``disk.full``.
    """
    flags = option("--target-dir", target_dir) + option("--wait", wait) + (["--incomplete"] if incomplete else [])
    try:
        run(["backup", "restore", *flags, "--", reference(backup_path)], progress)
    except BackupError as error:
        if error.code == "verification.failed":
            return False
        raise
    return True


def undo_restore(target_dir: PathLike | None = None, *, progress: ProgressOption = None) -> dict[str, Any]:
    """Brings back what the last restore replaced; called again, it takes that back too.

    Raises:
        BackupError: ``undo.nothing``, ``restore.database-in-use``.
    """
    return run(["backup", "undo", *option("--target-dir", target_dir)], progress)


def rotate_backups(
    backup_dir: PathLike | None = None, keep_days: int | None = 30, *, progress: ProgressOption = None
) -> int:
    """Moves backups that are older than ``keep_days`` to the trash; the newest two verified ones always stay.

    What is deleted can be brought back for three days: ``hrp backup trash``.

    Args:
        keep_days: None: the rules of the configuration.

    Returns:
        How many were deleted; 0 for a directory that is not there.

    Raises:
        UsageError: ``rotation.keep-days`` for less than one day.
    """
    flags = option("--backup-dir", backup_dir) + option("--keep-days", None if keep_days is None else str(keep_days))
    try:
        return run(["backup", "rotate", *flags], progress)["deleted_count"]
    except BackupError as error:
        if error.code == "backup-directory.not-found":
            return 0
        raise


def list_backups(backup_dir: PathLike | None = None) -> list[BackupInfo]:
    """The finished backups, newest first; none where there is no backup directory yet."""
    try:
        return run(["backup", "list", *option("--backup-dir", backup_dir)], False)
    except BackupError as error:
        if error.code == "backup-directory.not-found":
            return []
        raise


def drill_backup(backup: PathLike = "latest", *, progress: ProgressOption = None) -> dict[str, Any]:
    """Restores a backup to scratch, has DuckDB read and write it, and records the proof; ``ok`` says how it went."""
    return run(["backup", "drill", "--", reference(backup)], progress)


def find_backups(text: str, *, progress: ProgressOption = None) -> list[dict[str, Any]]:
    """Which backups hold an id, an experiment, a run, a table or a file, newest first; none when no backup does.

    Raises:
        BackupError: when some backups could not be searched, and no other holds it.
    """
    found, status = run_with_status(["backup", "find", "--", text], progress)
    if not found and status == 3:
        raise BackupError(
            "find.incomplete", f"{text} was not found, and some backups could not be searched", "Run: hrp doctor", "", 3
        )
    return found


def stack_status(data_dir: PathLike | None = None) -> dict[str, Any]:
    """Is this stack protected? ``protected``, and the ``reasons`` when it is not."""
    return run(["status", *option("--data-dir", data_dir)], False)
