"""Does what a command printed match what a page shows? Literally, except for what differs from run to run."""

import re

SHAPES = [
    r"backup_\d{8}_\d{6}(?:_\d+)?",
    r"\d{8}_\d{6}",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d:?\d\d|Z)?",
    r"\d{4}-\d\d-\d\d",
    r"\b[0-9a-f]{64}\b",
    r"\b[0-9a-f]{16}\b",
    r"\b[0-9a-f]{32}\b",
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    r"\d[\d.,]* (?:bytes|byte|B|KB|MB|GB|TB|KiB|MiB|GiB)\b",
    r"\b\d+(?:\.\d+)?[KMGT]\b",
    r"\b\d+%",
    r"\d[\d.,]*(?: (?:s|ms|min|seconds?|minutes?)\b|s\b)",
    r"\b(?:\d+|an?) (?:hours?|days?|weeks?)(?= ago| old)",
    r"\b(?:process|PID|pid) \d+",
    r"(?<=\()\d+(?=\))",
]
# A size may become 1.0 GB where the page has 245.3 MB, so all units are one shape.
SAME = {len(SHAPES) - 1: r"\d+", 8: r"\d[\d.,]* (?:bytes|byte|B|KB|MB|GB|TB|KiB|MiB|GiB)\b"}
VARIES = re.compile("|".join(f"({shape})" for shape in SHAPES))
NUMBER = re.compile(r"\d[\d,]*")


def pattern(line, counts_vary=False):
    """The line as a regular expression."""
    pieces, last = [], 0
    for found in VARIES.finditer(line):
        pieces.append(literal(line[last:found.start()], counts_vary))
        index = found.lastindex - 1
        pieces.append(SAME.get(index, SHAPES[index]))
        last = found.end()
    pieces.append(literal(line[last:], counts_vary))
    return re.compile("".join(pieces) + r"\s*$")


def literal(text, counts_vary):
    parts = [re.escape(part) for part in text.rstrip("\n").split("...")]
    if counts_vary:
        parts = [re.sub(r"\d[\d,]*", lambda _: r"\\d[\\d,]*", part) for part in (p.replace(r"\,", ",") for p in parts)]
        parts = [part.replace("\\\\d[\\\\d,]*", r"\d[\d,]*") for part in parts]
    # Columns are as wide as the paths in them, and those are other ones here.
    return re.sub(r"(?<=\S)(?:\\ ){2,}", " {2,}", r".*".join(parts))


def matches(expected, actual, counts_vary=False):
    """Whether the lines match; `...` alone in a line matches any lines, also none."""
    lines = [line.rstrip() for line in expected]
    patterns = [None if line.strip() == "..." else pattern(line, counts_vary) for line in lines]
    reached = {0}
    for wanted in patterns:
        if wanted is None:
            reached = set(range(min(reached), len(actual) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(actual) and wanted.match(actual[at])}
    return len(actual) in reached


def explain(expected, actual):
    """The two texts, for a reader who must see the difference."""
    return "\n".join(["    the page says:"] + ["      " + line for line in expected or ["(nothing)"]]
                     + ["    it printed:"] + ["      " + line for line in actual or ["(nothing)"]])
