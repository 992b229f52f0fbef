"""Makes the break of each item of the guide in a copy of the tree, and shows that the item's test turns red.

    breaks.py COPY [ITEM…]

COPY is a checkout of its own with everything built; it is changed, and put back after each item. A break is one change of
Tests/Guide/items.json: a piece of a file that is there once, and what it becomes.
"""

import json
import pathlib
import re
import subprocess
import sys
import time

BUILD = ["swift", "build", "-c", "release", "--enable-index-store", "--quiet"]


def tests_of(copy):
    """The tests that show each item, as suite and function."""
    found = {}
    for file in sorted((copy / "Tests").rglob("*Tests.swift")):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(r"\.guide\(([\d, ]+)\)[^{]*?func (\w+)\(", text, re.S):
            suites = re.findall(r"^(?:final )?(?:struct|class|actor) (\w+)", text[: match.start()], re.M)
            for item in match[1].split(","):
                found.setdefault(int(item), []).append(f"{suites[-1]}/{match[2]}\\(")
    return found


def failed(copy, tests):
    """The issue that a test records first; nothing when all pass."""
    bundle = copy / ".build/release/hrpPackageTests.xctest"
    words = [bundle, "--testing-library", "swift-testing", "--filter", "|".join(tests)]
    done = subprocess.run(words, cwd=copy, capture_output=True, text=True, timeout=900)
    said = done.stdout + done.stderr
    ran = re.search(r"Test run with (\d+) tests?", said)
    if done.returncode >= 0 and (not ran or int(ran[1]) == 0):
        raise SystemExit(f"breaks: no test ran for {tests}")
    if done.returncode == 0:
        return None
    issue = re.search(r" at (\w+\.swift:\d+)\S* (.*)", said)
    return f"{issue[1]} {issue[2]}"[:150] if issue else f"exit {done.returncode}"


def build(copy, what):
    """What the compiler says when it fails."""
    done = subprocess.run([*BUILD, *what], cwd=copy, capture_output=True, text=True)
    return None if done.returncode == 0 else (done.stdout + done.stderr)[-300:]


def changes(items, wanted):
    """The breaks with the items that share them. Those that a test has inside come last: what they leave in the tests' program
    would judge the others."""
    found = {}
    for item in items:
        change, number = item.get("break"), item["item"]
        if change is not None and (not wanted or number in wanted):
            shared = found.setdefault((change["file"], change["old"], change["new"]), {"items": [], "inside": False})
            shared["items"].append(number)
            shared["inside"] |= change.get("rebuild") == "tests"
    return sorted(found.items(), key=lambda one: one[1]["inside"])


def main():
    copy = pathlib.Path(sys.argv[1]).resolve()
    wanted = {int(one) for one in sys.argv[2:]}
    items = json.loads((copy / "Tests/Guide/items.json").read_text(encoding="utf-8"))
    tests, bad, count = tests_of(copy), 0, 0
    made = changes(items, wanted)
    problem = build(copy, ["--build-tests"])
    if problem is None and made:
        problem = failed(copy, [test for _, shared in made for number in shared["items"] for test in tests[number]])
    if problem is not None:
        raise SystemExit(f"breaks: without a break: {problem}")
    for (name, old, new), shared in made:
        began, file = time.monotonic(), copy / name
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            print(f"items {shared['items']}: BAD: {old} stands {text.count(old)} times in {name}")
            bad += len(shared["items"])
            continue
        file.write_text(text.replace(old, new), encoding="utf-8")
        try:
            problem = build(copy, ["--build-tests"] if shared["inside"] else ["--product", "hrp"])
            for number in shared["items"]:
                issue = failed(copy, tests[number]) if problem is None else None
                verdict = f"BAD: does not compile: {problem}" if problem else "red" if issue else "BAD: still green"
                count += 1
                bad += verdict != "red"
                print(f"item {number}: {verdict} ({time.monotonic() - began:.0f} s): {old}", flush=True)
                print(f"    {issue}", flush=True)
        finally:
            file.write_text(text, encoding="utf-8")
    print(f"breaks: {count} made, {bad} bad")
    return 1 if bad or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
