"""docs/guide-conformance.md: every item of the operations guide, with the test of this run that shows it.

    conformance.py RECORD EVENTS            compares the page with this run; 1 when an item is not shown, or the page is old
    conformance.py RECORD EVENTS --write    writes the page

RECORD has a line for each test that began with a guide trait (Tests/TestKit/GuideTrait.swift), EVENTS is the event stream of
Swift Testing, which says how each test ended. A test that was skipped, or did not pass, shows nothing.
"""

import collections
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/guide-conformance.md"
SECTIONS = [
    (1, 9, "Architecture"),
    (10, 23, "Automated backups"),
    (24, 37, "Manual backup"),
    (38, 45, "Verification"),
    (46, 71, "Restore and validation"),
    (72, 80, "Rotation"),
    (81, 87, "Disaster recovery"),
    (88, 105, "Troubleshooting, practices, quick reference"),
]
HEAD = """# The operations guide, item by item

What our user's guide says, what `hrp` does, and the test that shows it. This page is written by
`scripts/conformance --write` from tests that ran and passed; `scripts/test` compares it with its own run and fails when an item
is not shown. One test shows at most three items. Lines and names are read from the guide
(`Tests/Guide/backup-restore-guide.md`), not typed into the tests.

[The last table](#breaks) names, for each item, a change of one line that turns its test red. `scripts/breaks` makes each in a copy
of the tree, and prints whether the test saw it.
"""


def passed_tests(events):
    """The tests that passed, by the place where they stand, with the words they are called by."""
    places, issues, ended = {}, set(), {}
    for line in pathlib.Path(events).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        payload = event["payload"]
        if event["kind"] == "test" and payload["kind"] == "function":
            location = payload["sourceLocation"]
            place = (location["fileID"], location["line"])
            places[payload["id"]] = (place, payload.get("displayName") or payload["name"])
        elif event["kind"] == "event" and payload["kind"] == "issueRecorded":
            issues.add(payload.get("testID"))
        elif event["kind"] == "event" and payload["kind"] == "testEnded":
            ended[payload["testID"]] = {message["symbol"] for message in payload["messages"]}
    return {
        place: name
        for test, (place, name) in places.items()
        if test not in issues and "pass" in ended.get(test, set())
    }


def shown_items(record, passed):
    """The tests that show each item, as pairs of their file and their words, and what is wrong."""
    shown, problems = collections.defaultdict(set), []
    for line in sorted(set(pathlib.Path(record).read_text(encoding="utf-8").splitlines())):
        numbers, file, number, name = line.split("\t")
        items = [int(one) for one in numbers.split(",")]
        if len(items) > 3:
            problems.append(f"{file}:{number} {name} shows more than three items")
        words = passed.get((file, int(number)))
        if words is None:
            problems.append(f"{file}:{number} {name} did not pass")
            continue
        for item in items:
            shown[item].add((file, words))
    return shown, problems


def problem_of_break(item):
    """What is wrong with an item's break, as far as it can be told without making it."""
    change = item.get("break")
    if change is None:
        return f"item {item['item']} has no break"
    file = ROOT / change["file"]
    count = file.read_text(encoding="utf-8").count(change["old"]) if file.is_file() else 0
    return None if count == 1 else f"item {item['item']}: {change['old']} stands {count} times in {change['file']}"


def page(items, shown):
    """The whole page."""
    text = HEAD
    for first, last, title in SECTIONS:
        text += f"\n## {title}\n\n| item | the guide | `hrp` | shown by |\n|---|---|---|---|\n"
        for item in items[first - 1 : last]:
            ours = item["ours"] + (f"; we differ: {item['differs']}" if "differs" in item else "")
            tests = "; ".join(f"[{words}](../Tests/{file})" for file, words in sorted(shown[item["item"]]))
            cells = [item["guide"], ours, tests]
            text += f"| {item['item']} | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    text += "\n## Breaks\n\n| item | in | this | becomes |\n|---|---|---|---|\n"
    for item in items:
        change = {key: value.replace("|", "\\|") for key, value in item.get("break", {}).items()}
        if change:
            text += f"| {item['item']} | `{change['file']}` | `{change['old']}` | `{change['new']}` |\n"
    return text


def main():
    record, events, *options = sys.argv[1:]
    items = json.loads((ROOT / "Tests/Guide/items.json").read_text(encoding="utf-8"))
    shown, problems = shown_items(record, passed_tests(events))
    problems += [f"item {one['item']} is shown by no test" for one in items if not shown[one["item"]]]
    problems += [problem for problem in map(problem_of_break, items) if problem]
    text = page(items, shown)
    if "--write" in options:
        PAGE.write_text(text, encoding="utf-8")
    elif not problems and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text):
        problems.append("docs/guide-conformance.md is not what this run shows: run scripts/conformance --write")
    for problem in problems:
        print(f"conformance: {problem}")
    count = sum(1 for one in items if shown[one["item"]])
    print(f"conformance: {count} of {len(items)} items of the guide are shown")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
