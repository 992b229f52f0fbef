"""Runs every command of the pages, and looks at their links: see scripts/pages."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import markdown
import session
import stack

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The page ends with this program, however that ends.
NAMESPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc",
              "--kill-child"]
ORDINARY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


# --- what needs no running


def all_pages(root):
    paths = [*sorted((root / "docs").rglob("*.md")), root / "README.md", *sorted(root.glob("integrations/*/README.md"))]
    return [markdown.read(str(path.relative_to(root)), path.read_text()) for path in paths if path.exists()]


def link_problems(root, pages):
    anchors = {page.path: page.anchors for page in pages}
    for page in pages:
        for line, target in page.links:
            name, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(page.path), name)) if name else page.path
            if not (root / path).exists():
                yield f"{page.path}:{line}: the link leads to nothing: {target}"
            elif anchor and path.endswith(".md"):
                known = anchors.get(path) or markdown.read(path, (root / path).read_text()).anchors
                if anchor not in known:
                    yield f"{page.path}:{line}: there is no such heading: {target}"


def file_problems(root, pages):
    """The files of the checkout that prose names in backticks must be there; `{A,B}` are alternatives."""
    for page in pages:
        for line, text in page.prose:
            for name in re.findall(r"`((?:Sources|Tests|scripts|docs|deploy|Benchmarks)/[\w./+{},-]+)`", text):
                options = re.search(r"\{([^}]*)\}", name)
                for word in options[1].split(",") if options else [""]:
                    path = name.replace(options[0], word) if options else name
                    if not (root / path).exists():
                        yield f"{page.path}:{line}: there is no {path}"


def missing_from_readme(pages):
    readme = next((page for page in pages if page.path == "README.md"), None)
    linked = {os.path.normpath(target.partition("#")[0]) for _, target in readme.links} if readme else set()
    return [page.path for page in pages if page.path.startswith("docs/") and page.path not in linked]


class Grammar:
    """The commands and options of hrp, as it says them itself."""

    # `hrp backup` takes the guide's flags without telling of them.
    GUIDE = {"--backup", "--list", "--verify", "--restore", "--rotate", "--no-mlflow", "--target-dir", "--keep-days"}

    def __init__(self, hrp):
        told = subprocess.run([hrp, "--experimental-dump-help"], capture_output=True, text=True, check=True)
        self.top = json.loads(told.stdout)["command"]

    @staticmethod
    def options(command):
        return {("--" if len(name["name"]) > 1 else "-") + name["name"]
                for argument in command.get("arguments", []) for name in argument.get("names", [])}

    def problem(self, line):
        """What is wrong with a command line in prose; nil when nothing is. `a|b` and `a\\|b` are alternatives."""
        command, words, known = self.top, line.replace("\\|", "|").split()[1:], {"-h", "--help", "--json"} | self.options(self.top)
        is_name = True
        for word in words:
            if word in ("|", "&&", "||", ";", "&", ">", "…", "..."):
                return None
            if word.startswith("-"):
                is_name = False
                if word.split("=")[0] not in known:
                    return f"`{line}`: no option {word} here"
            elif is_name:
                below = {child["commandName"]: child for child in command.get("subcommands", [])}
                if not below:
                    is_name = False
                    continue
                for name in word.split("|"):
                    if name not in below and command is not self.top and name.isupper():
                        return None
                    if name not in below:
                        return f"`{line}`: there is no command {name}"
                command = below[word.split("|")[-1]]
                known |= self.options(command) | (self.GUIDE if command["commandName"] == "backup" else set())
        return None


def static_problems(root, pages, hrp):
    grammar = Grammar(hrp)
    for page in pages:
        yield from page.problems
        for line, command in page.quoted_commands:
            if problem := grammar.problem(command):
                yield f"{page.path}:{line}: {problem}"
        for block in page.blocks:
            if (file := block.directive("compiled in")) is not None:
                if not (root / file).exists() or not follows(block.lines, (root / file).read_text()):
                    yield f"{page.path}:{block.line}: this is not in {file}"
    yield from link_problems(root, pages)
    yield from file_problems(root, pages)


def follows(lines, text):
    """Whether the lines stand in the text one after the other, however far they are indented there."""
    there = [line.strip() for line in text.splitlines()]
    wanted = [line.strip() for line in lines if line.strip()]
    return any(there[at:at + len(wanted)] == wanted for at in range(len(there)))


# --- one page, in its own process


class PageRun:
    def __init__(self, page, run, options):
        self.page, self.run, self.options = page, run, options
        self.problems, self.not_run, self.blocks, self.commands, self.written = [], [], 0, 0, {}
        self.last, self.is_without_disk = [], False

    def told(self, line, text):
        self.problems.append(f"{self.page.path}:{line}: {text}")

    def skip(self, block, reason):
        self.not_run.append(f"{self.page.path}:{block.line}: {reason}")

    def all(self):
        for block in self.page.blocks:
            try:
                self.one(block)
            except session.Failed as error:
                self.told(block.line, str(error))
                self.run.begin()
        self.run.end()
        return {"problems": self.problems, "not_run": self.not_run, "blocks": self.blocks, "commands": self.commands,
                "written": self.written}

    def one(self, block):
        reason = block.directive("not run")
        if reason is not None:
            return self.skip(block, reason or "no reason is given")
        if any(block.directive(name) is not None for name in ("disk", "fresh")):
            self.is_without_disk = block.directive("disk") is not None and not self.run.is_alone
        if self.is_without_disk:
            return self.skip(block, "a small disk can only be made by root on Linux")
        self.run.prepare(block)
        if (needed := block.directive("needs")) and not shutil.which(needed):
            return self.skip(block, f"no {needed}")
        if block.directive("output") is not None:
            if self.last is None:
                return self.skip(block, "the block above was not run")
            self.compare(block)
        elif block.kind in ("console", "bash"):
            results = []
            count, self.last = self.run.commands(block, self.told, results)
            self.commands += count
            self.written[str(block.line)] = [[command.line, command.text, lines] for command, lines in results]
        elif block.kind == "python":
            is_there = not self.options.no_python and (self.run.root / "integrations/python/src/hrp_backup").exists()
            if not is_there and any("hrp_backup" in line for line in block.lines):
                self.last = None
                return self.skip(block, "no package hrp_backup")
            self.last = self.run.python_block(block, self.told)
        elif block.kind == "yaml" or block.directive("write"):
            self.run.write(block, self.told)
        else:
            return
        self.blocks += 1
        if after := block.directive("after"):
            self.run.hidden(after)

    def compare(self, block):
        if not session.match.matches(block.lines, self.last, block.directive("counts vary") is not None):
            self.told(block.line, "the block above\n" + session.match.explain(block.lines, self.last))


def disks(page):
    """The sizes of the homes of a page, in their order; None is a home on the ordinary disk."""
    sizes = [None]
    for block in page.blocks:
        if block.directive("not run") is not None:
            continue
        for text in block.directives:
            if text == "fresh" or text.startswith("fresh "):
                sizes.append(None)
            elif text.startswith("disk "):
                sizes.append(text.split()[1])
    return sizes


def prepare_namespaces(page, work):
    """In new namespaces, as root: a network of its own, a second disk, and small disks where the page asks for them."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["hostname", "research"], check=True)
    mounts = [(work / "mnt" / "usb", "256m")]
    mounts += [(work / f"home-{number}", size) for number, size in enumerate(disks(page)) if size]
    for place, size in mounts:
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)], check=True)


def inner(options):
    """The process of one page: first as root of the new namespaces, then as an ordinary user in them."""
    page = markdown.read(options.inner, (pathlib.Path(options.root) / options.inner).read_text())
    work = pathlib.Path(options.work)
    if options.stage == "namespaces":
        prepare_namespaces(page, work)
        words = [*ORDINARY, sys.executable, "-B", str(HERE / "pages.py"), *sys.argv[1:], "--stage=alone"]
        child = subprocess.Popen(words).pid
        while True:  # as the first process of the namespace this one must bury the others
            process, status = os.wait()
            if process == child:
                os._exit(os.waitstatus_to_exitcode(status))
    run = session.Session(pathlib.Path(options.root), work, pathlib.Path(options.template), pathlib.Path(options.deps),
                          is_alone=options.stage == "alone")
    print(json.dumps(PageRun(page, run, options).all()))


def run_page(path, options, template):
    """Runs a page in a process of its own; returns what that said."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hrp-pages.", ignore_cleanup_errors=True) as folder:
        work = pathlib.Path(folder).resolve()
        session.prepare_work(work, options.hrp, options.deps)
        words = [sys.executable, "-B", str(HERE / "pages.py"), "--inner", path, "--root", str(options.root), "--work", str(work),
                 "--template", str(template), "--deps", str(options.deps), "--hrp", options.hrp]
        words += ["--no-python"] * options.no_python
        if options.is_isolated:
            words = [*NAMESPACES, *words, "--stage=namespaces"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        result = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        result = {"problems": [f"{path}: the runner failed:\n{done.stdout}{done.stderr}"], "not_run": [], "blocks": 0,
                  "commands": 0, "written": {}}
    return result | {"seconds": time.monotonic() - began}


# --- the program


def can_isolate():
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run([*NAMESPACES, *ORDINARY, "true"], capture_output=True, check=False).returncode == 0


def port_is_free():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            return False
    return True


def make_template(folder, deps):
    data = pathlib.Path(folder).resolve() / "template" / "hrp-data"
    environment = os.environ | {"PYTHONPATH": str(deps / "duckdb" / "2.0.1")}
    made = subprocess.run([sys.executable, "-B", str(HERE / "stack.py"), "make", str(data)], env=environment,
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        sys.exit("pages: the stack could not be made:\n" + made.stderr)
    return data


def put_into_page(root, path, written):
    """Puts what the commands printed into the page: to be read and judged before it is committed."""
    page = markdown.read(path, (root / path).read_text())
    lines = page.lines
    for block in reversed(page.blocks):
        if block.kind != "console" or str(block.line) not in written:
            continue
        body, counts_vary = [], block.directive("counts vary") is not None
        for command, (_, text, printed) in zip(markdown.commands(block), written[str(block.line)]):
            said = printed if not session.match.matches(command.expected, printed, counts_vary) else command.expected
            body += [line if number else "$ " + line for number, line in enumerate(text.split("\n"))] + said
        lines[block.line - 1:block.line - 1 + len(block.lines)] = [block.indent + line if line else "" for line in body]
    (root / path).write_text("\n".join(lines))


def run(options, pages):
    """Runs the pages, and prints what became of each; returns the problems, and what was not run for want of the package."""
    problems, lacking = [], 0
    with tempfile.TemporaryDirectory(prefix="hrp-pages.", ignore_cleanup_errors=True) as folder:
        template = getattr(options, "made", None) or make_template(folder, options.deps)
        pages = sorted(pages, key=lambda page: -len(page.blocks))
        with concurrent.futures.ThreadPoolExecutor(options.jobs if options.is_isolated else 1) as pool:
            results = pool.map(lambda page: run_page(page.path, options, template), pages)
            for page, result in zip(pages, results):
                problems += result["problems"]
                print(f"{page.path}: {result['blocks']} blocks run, {result['commands']} commands, "
                      f"{len(result['not_run'])} not run, {len(result['problems'])} problems, {result['seconds']:.0f} s")
                for line in result["not_run"]:
                    print(f"  not run: {line.removeprefix(page.path + ':')}")
                    lacking += line.endswith("no package hrp_backup") and not options.no_python
                for line in result["problems"]:
                    print("  WRONG " + line)
                sys.stdout.flush()
                if options.write:
                    put_into_page(options.root, page.path, result["written"])
    return problems, lacking


def parse():
    parser = argparse.ArgumentParser(prog="scripts/pages", description=__doc__)
    parser.add_argument("pages", nargs="*", help="pages, by a part of their path (default: all)")
    parser.add_argument("--hrp", default=str(ROOT / ".build" / "release" / "hrp"), help="the program (default: the built one)")
    parser.add_argument("--list", action="store_true", help="list the pages and their blocks, and run nothing")
    parser.add_argument("--self-test", action="store_true", help="show that lies of a page are caught")
    parser.add_argument("--no-python", action="store_true", help="do not ask for the package hrp_backup")
    parser.add_argument("--no-readme", action="store_true", help="leave README.md out, and do not ask that it links every page")
    parser.add_argument("--static", action="store_true", help="look at links and commands in prose only")
    parser.add_argument("--write", action="store_true", help="put what the commands print into the pages, to be read then")
    parser.add_argument("--jobs", type=int, default=2, help="pages at a time, as root on Linux (default: 2)")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="the checkout whose pages are meant")
    parser.add_argument("--deps", type=pathlib.Path, default=ROOT / ".deps", help=argparse.SUPPRESS)
    for name in ("--inner", "--work", "--template", "--stage"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    options.deps = options.deps.resolve()
    if options.inner:
        return inner(options)
    if not os.access(options.hrp, os.X_OK):
        sys.exit(f"pages: no {options.hrp}: swift build -c release --product hrp, or --hrp PATH")
    options.hrp = os.path.realpath(options.hrp)
    options.is_isolated = can_isolate()
    if not options.is_isolated and not options.static and not port_is_free():
        sys.exit("pages: the pages use port 8080, and a program listens there. Stop it, or run this as root on Linux.")
    if options.self_test:
        import self_test
        sys.exit(self_test.main(options))
    everything = all_pages(options.root)
    pages = [page for page in everything if (not options.pages or any(word in page.path for word in options.pages))
             and not (options.no_readme and page.path == "README.md")]
    if options.list:
        for page in pages:
            kinds = [block.kind for block in page.blocks]
            print(f"{page.path}: " + (", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "no blocks"))
        return None
    if not pages:
        sys.exit("pages: there is no such page")
    began = time.monotonic()
    problems = [text for text in static_problems(options.root, everything, options.hrp)
                if any(text.startswith(page.path + ":") for page in pages)]
    for text in problems:
        print("WRONG " + text)
    unlinked = [] if options.no_readme or options.pages else missing_from_readme(everything)
    for path in unlinked:
        print(f"WRONG README.md: no link to {path}")
    found, lacking = ([], 0) if options.static else run(options, [page for page in pages if page.blocks])
    total = len(problems) + len(found) + len(unlinked)
    print(f"pages: {len(pages)} pages, {total} problems, {time.monotonic() - began:.0f} s"
          + (f"; {lacking} Python blocks not run: no package" if lacking else ""))
    sys.exit(1 if total or lacking else 0)


if __name__ == "__main__":
    main()
