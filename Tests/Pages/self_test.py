"""Shows that a page that lies is caught: one true page, and the same page with one lie each."""

import contextlib
import io
import pathlib
import tempfile

import pages

PAGE = """# A true page

```console
$ hrp backup create
Backup created successfully:
  Path: /home/you/hrp-data/backups/backup_20260124_143052
  Size: 5.3 MB
  Checksum: verified
$ hrp backup verify latest
✓ Backup verified successfully
  All 10 files match checksums
```

<!-- pages: exit 10 -->
```console
$ hrp backup find HYP-1999-001
No backup holds HYP-1999-001
```

```bash
hrp backup create
```

```yaml
retention:
  keep_days: 30
```

## A heading

See [the heading](#a-heading), [the other page](other.md#other), and `hrp backup rotate --keep-days 7`.
"""

LIES = [
    ("another word in the output", "Checksum: verified", "Checksum: checked"),
    ("another number in the output", "All 10 files", "All 2 files"),
    ("no expectation", "✓ Backup verified successfully\n  All 10 files match checksums\n", ""),
    ("one line too few", "  Checksum: verified\n", ""),
    ("one line too many", "  Checksum: verified\n", "  Checksum: verified\n  Drill: passed\n"),
    ("a command that is not there", "hrp backup verify latest", "hrp backup check latest"),
    ("another exit code", "exit 10", "exit 0"),
    ("a command in a bash block that fails", "```bash\nhrp backup create", "```bash\nhrp backup verify nothing"),
    ("a key that is not there", "keep_days: 30", "keep_dayly: 30"),
    ("a link to nothing", "(other.md#other)", "(another.md)"),
    ("a heading that is not there", "(#a-heading)", "(#a-headline)"),
    ("a heading of another page", "other.md#other", "other.md#nothing"),
    ("a file that is not there", "and `hrp backup rotate", "`scripts/nothing`, and `hrp backup rotate"),
    ("an unknown command in prose", "`hrp backup rotate", "`hrp backup prune"),
    ("an unknown option in prose", "--keep-days 7`", "--keep-weeks 7`"),
    ("a block without a kind", "```bash\n", "```\n"),
    ("a command in a block that is not run", "```bash\n", "```text\n"),
    ("an indented command", "```bash\nhrp backup create\n```", "    hrp backup create"),
    ("an unknown kind", "```bash\n", "```shell\n"),
    ("a directive that stands above nothing", "## A heading", "<!-- pages: exit 1 -->\n\n## A heading"),
]


def judge(options, text):
    """The number of problems of a page."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "docs" / "page.md").write_text(text)
        (root / "docs" / "other.md").write_text("# Other\n")
        options.root = root
        everything = pages.all_pages(root)
        problems = list(pages.static_problems(root, everything, options.hrp))
        if not problems:
            with contextlib.redirect_stdout(io.StringIO()):
                problems, _ = pages.run(options, [page for page in everything if page.blocks])
        return problems


def main(options):
    with tempfile.TemporaryDirectory() as folder:
        options.made = pages.make_template(folder, options.deps)
        return judge_all(options)


def judge_all(options):
    wrong = 0
    problems = judge(options, PAGE)
    print(f"{'✓' if not problems else '✗'} the true page: {len(problems)} problems")
    for problem in problems:
        print("    " + problem)
    wrong += bool(problems)
    for name, true, lie in LIES:
        assert true in PAGE, name
        problems = judge(options, PAGE.replace(true, lie, 1))
        print(f"{'✓' if problems else '✗ NOT CAUGHT'}: {name}" + (f": {problems[0].splitlines()[0]}" if problems else ""))
        wrong += not problems
    print(f"pages: {len(LIES)} lies, {wrong} not caught")
    return 1 if wrong else 0

