"""The operations guide's module names, for environments without the package ``hrp``.

The modules lie in the folder ``modules`` and nowhere else, so no file of another package is ever overwritten. A line in
``hrp_backup_shim.pth`` registers the finders below whenever Python starts; this module imports nothing for that.
"""

import sys

__version__ = "0.1.0"


def register():
    """Asks our finder first for ``hrp``, and last for ``run_scheduler``; a second time changes nothing."""
    if GuideFinder not in sys.meta_path:
        sys.meta_path.insert(0, GuideFinder)
        sys.meta_path.append(RunnerFinder)


def modules():
    """The folder of the modules."""
    return __file__.rpartition("/")[0] + "/modules"


class GuideFinder:
    """Finds ``hrp`` here, when no other ``hrp`` is there."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """The place of our package ``hrp``; None for every other name.

        Raises:
            ImportError: when another package ``hrp`` is there: which of the two was meant cannot be guessed.
        """
        if name != "hrp":
            return None
        other = cls._other()
        if other:
            raise ImportError(
                f"hrp-backup-shim is for environments without the package hrp, and {other}.\n"
                "  try:     python -m pip uninstall hrp-backup-shim, then python -m hrp_backup install",
                name="hrp",
            )
        from importlib.util import spec_from_file_location

        folder = modules() + "/hrp"
        return spec_from_file_location(name, folder + "/__init__.py", submodule_search_locations=[folder])

    @classmethod
    def _other(cls):
        """Where another package ``hrp`` is, in words; None when there is none."""
        for finder in sys.meta_path:
            if finder is cls or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec("hrp", None)
            # A folder without __init__.py that only has that name is no package.
            if spec is not None and spec.loader is not None and spec.origin is not None:
                return f"one is in {spec.origin}"
        from importlib.metadata import distributions

        for distribution in distributions():
            for file in distribution.files or []:
                if file.parts[0] == "hrp" and file.suffix == ".py":
                    return f"the distribution {distribution.metadata['Name']} has one"
        return None


class RunnerFinder:
    """Finds ``run_scheduler`` here, when it is nowhere else."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The place of our module; None for every other name."""
        if name != "run_scheduler":
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, modules() + "/run_scheduler.py")
