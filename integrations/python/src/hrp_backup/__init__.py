"""Backup and restore of a research stack: one DuckDB database in use, one MLflow directory.

Everything is done by the program ``hrp``; this package calls it and gives its answers as Python values. It needs
no other package. While a notebook or a dashboard holds the database open, backups go on: nothing has to be closed.

    >>> from hrp_backup import create_backup
    >>> result = create_backup()
    >>> result["path"], result["size_mb"], result["checksum_file"]

``install()`` puts these functions in the place of the module ``hrp.data.backup`` for this process;
``python -m hrp_backup install`` makes that lasting.
"""

from ._backups import (
    create_backup,
    drill_backup,
    find_backups,
    list_backups,
    restore_backup,
    rotate_backups,
    stack_status,
    undo_restore,
    verification_report,
    verify_backup,
)
from ._errors import BackupError, IncompleteBackupWarning, ProgramNotFoundError, UsageError
from ._install import install, uninstall
from ._platform import PlatformAPI, PriceTable
from ._progress import Progress
from ._scheduler import IngestionScheduler
from ._types import BackupInfo, BackupResult, Finding, JobInfo, VerificationReport

__version__ = "0.1.0"

__all__ = [
    "BackupError",
    "BackupInfo",
    "BackupResult",
    "Finding",
    "IncompleteBackupWarning",
    "IngestionScheduler",
    "JobInfo",
    "PlatformAPI",
    "PriceTable",
    "ProgramNotFoundError",
    "Progress",
    "UsageError",
    "VerificationReport",
    "create_backup",
    "drill_backup",
    "find_backups",
    "install",
    "list_backups",
    "restore_backup",
    "rotate_backups",
    "stack_status",
    "undo_restore",
    "uninstall",
    "verification_report",
    "verify_backup",
]
