"""Puts our module in the place of ``hrp.data.backup`` when that is imported.

This module is imported whenever Python starts in an environment with ``python -m hrp_backup install``. So it lies
beside the package and not in it, and imports nothing that takes time.
"""

import sys

NAME = "hrp.data.backup"


class ReplacementFinder:
    """Finds our module for the one name, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        """The place of our module; None for every other name."""
        if name != NAME:
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, __file__.rpartition("/")[0] + "/hrp_backup/_replacement.py")


def register() -> None:
    """Asks our finder first from now on; a second time changes nothing."""
    if ReplacementFinder not in sys.meta_path:
        sys.meta_path.insert(0, ReplacementFinder)


def unregister() -> None:
    """Takes our finder away."""
    if ReplacementFinder in sys.meta_path:
        sys.meta_path.remove(ReplacementFinder)
