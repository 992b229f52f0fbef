"""``python -m hrp_backup install | uninstall | status``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

from . import __version__, _install
from ._errors import ProgramNotFoundError
from ._program import find_program


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hrp_backup",
        description="Puts hrp's backups in the place of the Python module hrp.data.backup, in this environment.",
        epilog="Examples: python -m hrp_backup install; python -m hrp.data.backup --list",
    )
    parser.add_argument("--version", action="version", version=f"hrp_backup {__version__}")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("install", help="from now on, hrp.data.backup is ours, also for python -m")
    actions.add_parser("uninstall", help="take that back")
    actions.add_parser("status", help="say which module hrp.data.backup is, and which program hrp is used")
    try:
        return {"install": install, "uninstall": uninstall, "status": status}[parser.parse_args().action]()
    except ImportError as error:
        print(f"hrp_backup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"hrp_backup: {error}", file=sys.stderr)
        print(
            "  try:     python -m pip --version shows the environment; use one that you may write to", file=sys.stderr
        )
        return 1


def install() -> int:
    program = _program_line()
    path = _install.install_in_environment()
    print("✓ hrp.data.backup is hrp_backup in this environment")
    print(f"  {path}")
    print(f"  {program}")
    if importlib.util.find_spec("hrp") is None:
        print("  The package hrp is not in this environment: install hrp-backup-shim for the guide's module names")
    print("  Take it back: python -m hrp_backup uninstall")
    return 0


def uninstall() -> int:
    path = _install.uninstall_from_environment()
    print("hrp_backup was not installed in this environment" if path is None else f"✓ Removed {path}")
    return 0


def status() -> int:
    path = _install.pth_path()
    print(f"hrp.data.backup: {'hrp_backup, by ' + path if path else 'not replaced'}")
    print(_program_line())
    return 0


def _program_line() -> str:
    try:
        program = find_program()
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except ProgramNotFoundError as error:
        return f"! {error.message}: {error.remedy}"
    except subprocess.SubprocessError as error:
        return f"! {error}"
    return f"Program: {program}, version {done.stdout.strip()}"


if __name__ == "__main__":
    sys.exit(main())
