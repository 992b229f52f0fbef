"""``python -m hrp_backup_shim write FILE``: writes the file that ``python run_scheduler.py`` runs."""

import sys

from . import modules


def main():
    """Writes the file, and never over another one."""
    if len(sys.argv) != 3 or sys.argv[1] != "write":
        print("usage: python -m hrp_backup_shim write run_scheduler.py", file=sys.stderr)
        return 2
    with open(modules() + "/run_scheduler.py", encoding="utf-8") as source:
        text = source.read()
    try:
        with open(sys.argv[2], "x", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        print(f"hrp_backup_shim: {error}", file=sys.stderr)
        return 1
    print(f"✓ Wrote {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
