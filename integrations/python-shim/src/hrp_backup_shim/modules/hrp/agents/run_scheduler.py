"""``python -m hrp.agents.run_scheduler``: becomes ``hrp scheduler run``, which makes backups and ingests no data."""

import sys

from hrp_backup._program import replace_process

# Flags of the platform's own runner that begin so are about data.
DATA_FLAGS = ("--price", "--universe", "--feature", "--fundamentals", "--symbols", "--with-")


def main():
    """Runs the scheduler, or says why not."""
    for word in sys.argv[1:]:
        if word.startswith(DATA_FLAGS):
            print(f"{word}: this scheduler makes backups; it does not ingest data", file=sys.stderr)
            print("  try:     leave the flag out, and run the platform's own scheduler for data", file=sys.stderr)
            raise SystemExit(2)
    replace_process(["scheduler", "run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
