"""Puts these functions in the place of ``hrp.data.backup``, for this process or for an environment."""

from __future__ import annotations

import importlib
import os
import site
import sys
import sysconfig
import tempfile
import warnings
from importlib.util import find_spec

import _hrp_backup_startup as _startup

PTH_NAME = "hrp_backup.pth"
# Where this package has gone, Python starts as without the file.
PTH_LINE = "import sys; exec('try: import _hrp_backup_startup as s\\nexcept ImportError: pass\\nelse: s.register()')\n"
_GUIDE_NAMES = ("create_backup", "list_backups", "restore_backup", "rotate_backups", "verify_backup")


def install() -> None:
    """Puts these functions in the place of the module ``hrp.data.backup``, for this process.

    Call it before other modules of ``hrp`` are imported: what they have imported already stays theirs, and a warning
    names them.
    """
    _startup.register()
    if find_spec("hrp") is None:
        warnings.warn(
            "The package hrp is not in this environment: install hrp-backup-shim for the guide's module names",
            stacklevel=2,
        )
        return
    old = sys.modules.pop(_startup.NAME, None)
    if old is None:
        return
    if _is_ours(old):
        sys.modules[_startup.NAME] = old
        return
    new = importlib.import_module(_startup.NAME)
    setattr(sys.modules["hrp.data"], "backup", new)
    holders = _holders(old)
    if holders:
        warnings.warn(
            "These modules were imported before hrp_backup.install(), and still use the old functions: "
            + ", ".join(holders)
            + ". Call install() first, or run: python -m hrp_backup install",
            stacklevel=2,
        )


def uninstall() -> None:
    """Takes back what ``install`` did for this process: what is imported from now on gets the platform's own module."""
    _startup.unregister()
    module = sys.modules.get(_startup.NAME)
    if module is not None and _is_ours(module):
        del sys.modules[_startup.NAME]
        parent = sys.modules.get("hrp.data")
        if getattr(parent, "backup", None) is module:
            delattr(parent, "backup")


def _is_ours(module: object) -> bool:
    return (getattr(module, "__file__", None) or "").endswith("hrp_backup/_replacement.py")


def _holders(old: object) -> list[str]:
    """The modules that took a function of the old module by its name."""
    functions = [value for name in _GUIDE_NAMES if (value := getattr(old, name, None)) is not None]
    found = []
    for name, module in list(sys.modules.items()):
        values = list(vars(module).values()) if module is not None and module is not old else []
        if any(value is function for value in values for function in functions):
            found.append(name)
    return sorted(found)


def install_in_environment() -> str:
    """Writes the file that makes it lasting, and gives its path; the file appears as a whole.

    Raises:
        OSError: when it cannot be written.
    """
    path = pth_path() or os.path.join(_site_directory(), PTH_NAME)
    with open(path, encoding="utf-8") if os.path.exists(path) else open(os.devnull, encoding="utf-8") as file:
        if file.read() == PTH_LINE:
            return path
    descriptor, temporary = tempfile.mkstemp(prefix=".hrp_backup.", suffix=".new", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(PTH_LINE)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def uninstall_from_environment() -> str | None:
    """Removes that file, and gives its path; None when there is none."""
    path = pth_path()
    if path is not None:
        os.unlink(path)
    return path


def pth_path() -> str | None:
    """Where the file is in this environment; None when it is not there."""
    for directory in _site_directories():
        path = os.path.join(directory, PTH_NAME)
        if os.path.lexists(path):
            return path
    return None


def _site_directories() -> list[str]:
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return list(dict.fromkeys([sysconfig.get_path("purelib"), *site.getsitepackages(), *user]))


def _site_directory() -> str:
    """Where this package lies, when Python reads .pth files there; else where packages are installed."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return own if own in _site_directories() else sysconfig.get_path("purelib")
