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


def is_red(copy, tests):
    """Whether one of the tests fails."""
    bundle = copy / ".build/release/hrpPackageTests.xctest"
    words = [bundle, "--testing-library", "swift-testing", "--filter", "|".join(tests)]
    done = subprocess.run(words, cwd=copy, capture_output=True, text=True, timeout=900)
    ran = re.search(r"Test run with (\d+) tests?", done.stdout + done.stderr)
    if not ran or int(ran[1]) == 0:
        raise SystemExit(f"breaks: no test ran for {tests}")
    return done.returncode != 0


def main():
    copy = pathlib.Path(sys.argv[1]).resolve()
    wanted = {int(one) for one in sys.argv[2:]}
    items = json.loads((copy / "Tests/Guide/items.json").read_text(encoding="utf-8"))
    tests, bad, count = tests_of(copy), 0, 0
    for item in items:
        change, number = item.get("break"), item["item"]
        if change is None or (wanted and number not in wanted):
            continue
        began, file = time.monotonic(), copy / change["file"]
        text = file.read_text(encoding="utf-8")
        if text.count(change["old"]) != 1:
            print(f"item {number}: BAD: {change['old']} stands {text.count(change['old'])} times in {change['file']}")
            bad += 1
            continue
        file.write_text(text.replace(change["old"], change["new"]), encoding="utf-8")
        try:
            # A test that calls the library has it inside.
            what = ["--build-tests"] if change.get("rebuild") == "tests" else ["--product", "hrp"]
            built = subprocess.run([*BUILD, *what], cwd=copy, capture_output=True, text=True)
            if built.returncode != 0:
                verdict = "BAD: does not compile: " + (built.stdout + built.stderr)[-300:]
            else:
                verdict = "red" if is_red(copy, tests[number]) else "BAD: still green"
        finally:
            file.write_text(text, encoding="utf-8")
        count += 1
        bad += verdict != "red"
        print(f"item {number}: {verdict} ({time.monotonic() - began:.0f} s): {change['old']}", flush=True)
    print(f"breaks: {count} made, {bad} bad")
    return 1 if bad or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
