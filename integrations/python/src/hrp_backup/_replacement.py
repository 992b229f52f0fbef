"""Backups of the platform, made by the program ``hrp``: this module stands in the place of ``hrp.data.backup``.

``python -m hrp.data.backup`` takes the operations guide's flags: --backup, --list, --verify, --restore, --rotate.
"""

import os
import sys
from pathlib import Path

from hrp_backup import (  # noqa: F401
    BackupError,
    create_backup,
    list_backups,
    restore_backup,
    rotate_backups,
    verify_backup,
)

DEFAULT_BACKUP_DIR = Path(
    os.environ.get("HRP_BACKUP_DIR")
    or Path(os.environ.get("HRP_DATA_DIR") or Path.home() / "hrp-data").expanduser() / "backups"
).expanduser()


def main() -> None:
    """Becomes ``hrp backup`` with the same flags."""
    from hrp_backup._program import replace_process

    replace_process(["backup", *sys.argv[1:]])


if __name__ == "__main__":
    main()
