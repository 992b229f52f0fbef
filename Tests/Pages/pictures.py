"""Draws what a terminal showed: runs the commands on stdin, and writes their lines as an SVG file.

pictures.py FILE < COMMANDS
"""

import html
import os
import subprocess
import sys

WIDTH, LINE, MARGIN, TOP = 760, 19, 16, 44
COLOURS = {"$": "#8ab4f8", "✓": "#81c995", "✗": "#f28b82", "!": "#fdd663"}
STYLE = "font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre"


def transcript(commands):
    """The lines of all commands and of what they showed; the home directory is written as a user's."""
    for command in commands:
        yield "$ " + command
        done = subprocess.run(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )
        for line in done.stdout.splitlines():
            yield line.replace(os.environ["HOME"], "/home/you")
        yield ""


def drawing(lines):
    """The file."""
    height = TOP + len(lines) * LINE + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="hrp on a terminal">'
    )
    yield f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#202124"/>'
    for number, colour in enumerate(("#f28b82", "#fdd663", "#81c995")):
        yield f'<circle cx="{20 + number * 20}" cy="20" r="6" fill="{colour}"/>'
    yield f'<g style="{STYLE}" fill="#e8eaed">'
    for number, line in enumerate(lines):
        colour = COLOURS.get(line.lstrip()[:1])
        fill = f' fill="{colour}"' if colour else ""
        text = html.escape(line if len(line) <= 92 else line[:91] + "…", quote=False)
        yield f'<text x="{MARGIN}" y="{TOP + 12 + number * LINE}" xml:space="preserve"{fill}>{text}</text>'
    yield "</g>\n</svg>"


def main():
    commands = [line for line in sys.stdin.read().splitlines() if line.strip()]
    lines = list(transcript(commands))[:-1]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(drawing(lines)) + "\n")


if __name__ == "__main__":
    main()
