"""Backups, made by the program ``hrp``. ``python -m hrp.data.backup`` takes the operations guide's flags."""

from hrp_backup._replacement import *  # noqa: F401, F403
from hrp_backup._replacement import main

if __name__ == "__main__":
    main()
