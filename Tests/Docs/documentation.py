"""Judges the documentation that scripts/docs made: comments, topics, examples.

    documentation.py BUILD SITE MODULE...     BUILD: the folder of the release build
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCTS = ["HRP", "DuckDBFile"]
problems = []


def symbols(build, module):
    """The public symbols of a module, as the compiler knows them, but for those that it made itself."""
    # SwiftPM calls a package by the name of its folder.
    found = sorted((build.parent / "extracted-symbols" / ROOT.name.lower() / module).glob("*.symbols.json"))
    if not found:
        sys.exit(f"docs: no symbols of {module} beside {build}")
    for path in found:
        for symbol in json.loads(path.read_text())["symbols"]:
            if "::SYNTHESIZED::" not in symbol["identifier"]["precise"] and "location" in symbol:
                yield symbol


def comments(build, modules):
    """Each public symbol has a comment of its own."""
    count = 0
    for module in modules:
        for symbol in symbols(build, module):
            count += 1
            lines = symbol.get("docComment", {}).get("lines", [])
            if not any(line["text"].strip() for line in lines):
                problems.append(f"{module}: {'.'.join(symbol['pathComponents'])} has no comment")
    return count


def parameters():
    """Comments of public declarations name all parameters, what is returned and what is thrown, or none of these.

    The rule of swift-format knows no access levels: for what only the package sees, a comment may name the one parameter
    that is not plain.
    """
    rules = subprocess.run(["swift", "format", "dump-configuration"], capture_output=True, text=True, check=True)
    configuration = json.loads(rules.stdout)
    configuration["rules"] = {rule: rule == "ValidateDocumentationComments" for rule in configuration["rules"]}
    configuration["lineLength"] = 120
    found = subprocess.run(
        ["swift", "format", "lint", "--configuration", json.dumps(configuration), "--recursive", "Sources", "Tests"],
        capture_output=True, text=True, cwd=ROOT)
    for path, number, text in re.findall(
            r"^(\S+?):(\d+):\d+: \w+: \[ValidateDocumentationComments\] (.*)$", found.stderr, re.M):
        lines = (ROOT / path).read_text().split("\n")[int(number) - 1:]
        declaration = next(line for line in lines if not line.strip().startswith(("///", "@")))
        if re.match(r"\s*public ", declaration):
            problems.append(f"{path}:{number}: {text}")


def topics(site, modules):
    """Every symbol of a module stands under a topic that somebody chose; how many members stand in groups by kind."""
    automatic = 0
    for module in modules:
        folder = site / "data/documentation"
        pages = [folder / f"{module.lower()}.json"] + sorted((folder / module.lower()).rglob("*.json"))
        for page in pages:
            content = json.loads(page.read_text())
            for section in content.get("topicSections", []):
                if not section.get("generated"):
                    continue
                automatic += len(section["identifiers"])
                if page == pages[0]:
                    names = ", ".join(name.rsplit("/", 1)[-1] for name in section["identifiers"])
                    problems.append(f"{module}: under no topic: {names}")
    return automatic


def blocks(path, text):
    """The Swift examples of a text: where each begins, and its lines."""
    lines = text.split("\n")
    begun = None
    for number, line in enumerate(lines, 1):
        if line.strip() == "```swift":
            begun = number
        elif line.strip() == "```" and begun is not None:
            yield path, begun + 1, lines[begun:number - 1]
            begun = None


def examples():
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "Sources").rglob("*.md"))]
    for document in documents:
        yield from blocks(document, document.read_text())
    for product in PRODUCTS:
        for source in sorted((ROOT / "Sources" / product).rglob("*.swift")):
            # What is no comment becomes an empty line, so that numbers of lines stay right.
            text = "\n".join(
                re.sub(r"^\s*/// ?", "", line) if line.lstrip().startswith("///") else ""
                for line in source.read_text().split("\n"))
            yield from blocks(source, text)


def compile_examples(build):
    """Every example compiles against the built modules, as in a program outside of this package."""
    programs, manifests = {product: ["import " + product] for product in PRODUCTS}, []
    for path, number, lines in examples():
        if lines[0].startswith("// swift-tools-version"):
            manifests.append((path, number, lines))
            continue
        product = "DuckDBFile" if "import DuckDBFile" in lines or "DuckDBFile" in path.parts else "HRP"
        body = ["" if line.startswith("import ") else line for line in lines]
        count = len(programs[product])
        programs[product] += [
            f"func example{count}() throws {{", f'#sourceLocation(file: "{path.relative_to(ROOT)}", line: {number})', *body,
            "#sourceLocation()", "}"]
    maps = [*build.glob("*.build/module.modulemap"), *(ROOT / "Sources").glob("*/module.modulemap")]
    for place in ("module.modulemap", "include/module.modulemap"):
        maps += (build.parents[1] / "checkouts").glob(f"*/Sources/*/{place}")
    flags = [word for path in maps for word in ("-Xcc", f"-fmodule-map-file={path}")]
    with tempfile.TemporaryDirectory() as folder:
        for product, lines in programs.items():
            source = pathlib.Path(folder) / f"{product}Examples.swift"
            source.write_text("\n".join(lines) + "\n")
            done = subprocess.run(
                ["swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-parse-as-library",
                 "-module-name", "Examples", "-I", build / "Modules", *flags, source], capture_output=True, text=True)
            if done.returncode != 0:
                problems.append(f"examples for {product} do not compile:\n{done.stderr}")
        for path, number, lines in manifests:
            (pathlib.Path(folder) / "Package.swift").write_text("\n".join(lines) + "\n")
            done = subprocess.run(
                ["swift", "package", "--package-path", folder, "dump-package"], capture_output=True, text=True)
            if done.returncode != 0:
                problems.append(f"{path.relative_to(ROOT)}:{number}: no manifest:\n{done.stderr}")
    return sum(line.startswith("func example") for lines in programs.values() for line in lines) + len(manifests)


def codes():
    """Every code of an error that articles and comments name is in the table of all codes, with the exit code of its kind."""
    table = (ROOT / "docs/operations/exit-codes.md").read_text()
    exits = dict(re.findall(r"^\| `([A-Za-z.-]+)` \| ([\d, ]+) \|", table, re.M))
    groups = "|".join({code.split(".")[0] for code in exits if "." in code})
    kinds = {"failed": "1", "usage": "2", "notFound": "10", "busy": "11", "noSpace": "14"}
    files = [*(ROOT / "Sources").rglob("*.docc/*.md"), *(ROOT / "Sources/HRP").glob("*.swift")]
    for path in files:
        text = path.read_text()
        for code in re.findall(rf"`((?:{groups})\.[a-z-]+)`", text):
            if code not in exits and not code.endswith((".db", ".md")):
                problems.append(f"{path.relative_to(ROOT)}: there is no error {code}")
        for code, kind in re.findall(r"^\| `([a-z.-]+)` \| `(\w+)` \|", text, re.M):
            if exits.get(code) != kinds.get(kind):
                problems.append(f"{path.relative_to(ROOT)}: {code} is not {kind}")


def main():
    build, site, *modules = sys.argv[1:]
    build, site = pathlib.Path(build).resolve(), pathlib.Path(site).resolve()
    count = comments(build, modules)
    parameters()
    automatic = topics(site, modules)
    compiled = compile_examples(build)
    codes()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(
        f"docs: {len(modules)} modules, {count} public symbols with comments, {compiled} examples that compile, "
        f"{automatic} members in groups by kind, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
