"""Becomes ``hrp ops``."""

import sys

from hrp_backup._program import replace_process

if __name__ == "__main__":
    replace_process(["ops", *sys.argv[1:]])
