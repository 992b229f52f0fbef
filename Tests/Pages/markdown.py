"""Reads a page: its fenced blocks with the directives above them, its headings, links and inline commands."""

import dataclasses
import re

FENCE = re.compile(r"^(\s*)(`{3,})\s*(\S*)\s*$")
DIRECTIVE = re.compile(r"^\s*<!-- pages: (.*?) -->\s*$")
KINDS = {"console", "bash", "python", "swift", "yaml", "json", "text", "mermaid"}
SUBCOMMAND_LIKE = re.compile(r"^\s*(?:\$ |# )?hrp [a-z]")


@dataclasses.dataclass
class Block:
    kind: str
    line: int  # of the first line of its contents, from 1
    lines: list[str]
    directives: list[str]
    indent: str = ""

    def directive(self, name):
        """What follows the name in the directive of that name ('' when nothing does); None when there is none."""
        for text in self.directives:
            if text == name or text.startswith(name + " ") or text.startswith(name + ":"):
                return text[len(name):].lstrip(":").strip()
        return None


@dataclasses.dataclass
class Page:
    path: str  # from the root of the checkout
    lines: list[str]
    blocks: list[Block]
    prose: list[tuple[int, str]]  # lines outside of blocks, with their numbers
    problems: list[str]

    @property
    def anchors(self):
        """As GitHub makes them from headings."""
        seen, found = {}, set()
        for _, line in self.prose:
            if match := re.match(r"^#{1,6}\s+(.*?)\s*#*\s*$", line):
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "")
                slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
                count = seen.get(slug, 0)
                seen[slug] = count + 1
                found.add(f"{slug}-{count}" if count else slug)
            found.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        return found

    @property
    def links(self):
        for number, line in self.prose:
            text = re.sub(r"`[^`]*`", "", line)
            for target in re.findall(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", text):
                if not re.match(r"^[a-z][a-z0-9+.-]*:", target):
                    yield number, target

    @property
    def quoted_commands(self):
        """The `hrp …` command lines in backticks."""
        text = "\n".join(line for _, line in self.prose)
        for match in re.finditer(r"`(hrp [^`]+)`", text):
            yield self.prose[text.count("\n", 0, match.start())][0], " ".join(match[1].split())


def read(path, text):
    page = Page(path, text.split("\n"), [], [], [])
    waiting, block, fence, blank = [], None, "", True
    for number, line in enumerate(page.lines, 1):
        if block is not None:
            if line.strip() == fence:
                page.blocks.append(block)
                block = None
            else:
                block.lines.append(line.removeprefix(block.indent))
            continue
        if match := FENCE.match(line):
            block, fence = Block(match[3], number + 1, [], waiting, match[1]), match[2]
            waiting, blank = [], True
            continue
        if match := DIRECTIVE.match(line):
            waiting.append(match[1])
            continue
        if waiting and line.strip():
            page.problems.append(f"{path}:{number}: the directive above stands above no block")
            waiting = []
        if "<!-- pages" in line:
            page.problems.append(f"{path}:{number}: a directive has a line of its own: <!-- pages: … -->")
        if blank and re.match(r"^ {4,}\S", line) and SUBCOMMAND_LIKE.match(line):
            page.problems.append(f"{path}:{number}: an indented block with a command is not run: make it a ```console block")
        blank = not line.strip() or (blank and line.startswith("    "))
        page.prose.append((number, line))
    if block is not None:
        page.problems.append(f"{path}:{block.line}: this block has no end")
    for block in page.blocks:
        page.problems += problems(path, block)
    return page


def problems(path, block):
    if block.kind not in KINDS:
        yield f"{path}:{block.line}: {'a block without a kind' if not block.kind else 'an unknown kind: ' + block.kind}"
    is_told = any(block.directive(name) is not None for name in ("output", "write", "not run"))
    if block.kind not in ("console", "bash") and not is_told and any(map(SUBCOMMAND_LIKE.match, block.lines)):
        yield f"{path}:{block.line}: a command in a block of kind {block.kind or 'none'} is not run: make it ```console"
    if block.kind == "console" and block.lines and not block.lines[0].startswith("$ "):
        yield f"{path}:{block.line}: a console block begins with a command: $ …"


@dataclasses.dataclass
class Command:
    line: int
    text: str
    expected: list[str]


def commands(block):
    """The commands of a console or bash block with the lines that each must print (None in a bash block)."""
    result, body, index = [], block.lines, 0
    while index < len(body):
        line, number = body[index], block.line + index
        if block.kind == "bash":
            if not line.strip() or line.lstrip().startswith("#"):
                index += 1
                continue
            text, expected = line, None
        else:
            if not line.startswith("$ "):
                result[-1].expected.append(line)
                index += 1
                continue
            text, expected = line[2:], []
        here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", text)
        while index + 1 < len(body) and (text.endswith("\\") or here):
            index += 1
            follower = body[index].removeprefix("> ") if block.kind == "console" else body[index]
            text += "\n" + follower
            if here and follower.strip() == here[1]:
                break
        result.append(Command(number, text, expected))
        index += 1
    return result
