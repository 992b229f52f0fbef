"""``python -m hrp.agents.cli``: the jobs of the scheduler, by ``hrp scheduler``."""

import sys

from hrp_backup._program import replace_process

HELP = """\
usage: python -m hrp.agents.cli COMMAND

  list-jobs             the jobs with their next run
  run-now --job backup  run the backup now
  job-status            what was run, and how it ended
"""

# What the platform's runner calls the job, and what hrp calls it.
JOBS = {"backup": "weekly_backup", "weekly_backup": "weekly_backup"}


def main():
    """Becomes the command of hrp that does the same."""
    command, rest = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if command == "list-jobs":
        replace_process(["scheduler", "list-jobs", *rest])
    if command == "job-status":
        replace_process(["scheduler", "history", *[word for word in rest if word == "--json"]])
    if command == "run-now":
        job = rest[1] if len(rest) == 2 and rest[0] == "--job" else rest[0].partition("=")[2] if rest else ""
        if job in JOBS:
            replace_process(["scheduler", "run-now", JOBS[job]])
        return refuse(f"'{job}' is no job of this scheduler, which makes backups and ingests no data")
    if command == "clear-history":
        return refuse("the history of backups is kept: hrp scheduler history shows it")
    print(HELP, end="", file=sys.stdout if command in ("-h", "--help") else sys.stderr)
    return 0 if command in ("-h", "--help") else 1


def refuse(why):
    """Says why not."""
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
