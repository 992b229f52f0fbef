#!/usr/bin/env python3
"""Writes the man pages of hrp from the program's own help, so that they never say anything else.

usage: scripts/manpages.py HRP DIRECTORY [--date YYYY-MM-DD]

One page for the program and one for each command that its help shows: hrp.1, hrp-backup.1, hrp-backup-create.1.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

PARSER_OPTIONS = {"version", "help"}


def escaped(text):
    """A text as roff takes it: nothing in it is a command, and a hyphen can be copied as one."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def sentence(text):
    return text.strip() if text.strip().endswith((".", "?", "!")) else text.strip() + "."


def shown(things):
    return [thing for thing in things or [] if thing.get("shouldDisplay", True)]


def path_of(command):
    return [*command.get("superCommands", []), command["commandName"]]


def option_names(argument):
    """The names as they are typed, the short one first."""
    names = argument.get("names", [])
    short = ["-" + n["name"] for n in names if n["kind"] != "long"]
    return short + ["--" + n["name"] for n in names if n["kind"] == "long"]


def synopsis(command):
    words = [f"\\fB{escaped(' '.join(path_of(command)))}\\fR"]
    for argument in shown(command.get("arguments")):
        if argument["kind"] == "positional":
            word = f"\\fI{escaped(argument['valueName'].upper())}\\fR" + (" ..." if argument["isRepeating"] else "")
        elif argument["valueName"] in PARSER_OPTIONS:
            continue
        else:
            word = f"\\fB{escaped(option_names(argument)[-1])}\\fR"
            if argument["kind"] == "option":
                word += f" \\fI{escaped(argument['valueName'])}\\fR"
            word += " ..." if argument["isRepeating"] else ""
        words.append(f"[{word}]" if argument["isOptional"] else word)
    if shown(command.get("subcommands")):
        words.append("\\fICOMMAND\\fR")
    return " ".join(words)


def described(argument):
    text = sentence(argument.get("abstract", ""))
    # The default stands in many sentences already.
    if argument.get("defaultValue") and argument["kind"] != "flag" and "default" not in text:
        text += f" Default: {argument['defaultValue']}."
    return escaped(text)


def entries(arguments, heading):
    lines = [f".SH {heading}"] if arguments else []
    for argument in arguments:
        if argument["kind"] == "positional":
            label = f"\\fI{escaped(argument['valueName'].upper())}\\fR"
        else:
            label = ", ".join(f"\\fB{escaped(name)}\\fR" for name in option_names(argument))
            if argument["kind"] == "option":
                label += f" \\fI{escaped(argument['valueName'])}\\fR"
        lines += [".TP", label, described(argument)]
    return lines


def discussion(text):
    """The paragraphs of a discussion, and what stands indented under `Examples:` and `Environment:` there."""
    body, sections, current = [], {}, None
    for line in (text or "").split("\n"):
        heading = re.fullmatch(r"(\w+):", line)
        if heading:
            current = heading[1].upper()
            sections[current] = []
        elif current and (line.startswith("  ") or not line):
            sections[current].append(line[2:])
        else:
            current = None
            body.append(line)
    paragraphs = [p for p in re.split(r"\n\s*\n", "\n".join(body)) if p.strip()]
    return paragraphs, {name: "\n".join(lines).strip("\n") for name, lines in sections.items()}


def listed(name, text):
    if name == "ENVIRONMENT":
        lines = []
        for line in text.split("\n"):
            variables, meaning = re.split(r"\s{2,}", line, maxsplit=1)
            label = re.sub(r"([A-Z_]{3,})", lambda m: f"\\fB{m[1]}\\fR", escaped(variables))
            lines += [".TP", label, escaped(sentence(meaning[0].upper() + meaning[1:]))]
        return [f".SH {name}", *lines]
    return [f".SH {name}", ".EX", *escaped(text).split("\n"), ".EE"]


def page(command, version, date):
    path = path_of(command)
    title = "-".join(path)
    subcommands = shown(command.get("subcommands"))
    arguments = shown(command.get("arguments"))
    paragraphs, sections = discussion(command.get("discussion"))
    abstract = command.get("abstract", "").rstrip(".")
    lines = [
        '.\\" Made by scripts/manpages.py from the help of hrp. Do not edit.',
        f'.TH "{escaped(title.upper())}" 1 "{date}" "hrp {version}" "hrp"',
        ".SH NAME", f"{escaped(title)} \\- {escaped(abstract)}",
        ".SH SYNOPSIS", synopsis(command),
        ".SH DESCRIPTION", escaped(sentence(command.get("abstract", ""))),
    ]
    for paragraph in paragraphs:
        lines += [".PP", *escaped(paragraph).split("\n")]
    lines += entries([a for a in arguments if a["kind"] == "positional"], "ARGUMENTS")
    lines += entries([a for a in arguments if a["kind"] != "positional"], "OPTIONS")
    if subcommands:
        lines.append(".SH COMMANDS")
        for sub in (s for s in subcommands if s["commandName"] != "help"):
            name = "-".join(path_of(sub))
            lines += [".TP", f"\\fB{escaped(name)}\\fR(1)", escaped(sentence(sub.get("abstract", "")))]
    for name, text in sections.items():
        lines += listed(name, text)
    lines += [".SH EXIT STATUS", ".TP", "0", "The command did what it was asked to do.", ".TP", "2",
              "The command line is wrong.", ".PP",
              "Every other code has a meaning of its own, which stands in", "\\fIexit\\-codes.md\\fR",
              "in the documents of hrp."]
    others = [path[:-1]] if len(path) > 1 else []
    others += [path_of(s) for s in subcommands if s["commandName"] != "help"]
    if others:
        lines.append(".SH SEE ALSO")
        lines.append(",\n".join(f"\\fB{escaped('-'.join(other))}\\fR(1)" for other in others))
    return title, "\n".join(lines) + "\n"


def commands(command):
    yield command
    for sub in shown(command.get("subcommands")):
        if sub["commandName"] != "help":
            yield from commands(sub)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("hrp", help="the program")
    options.add_argument("directory", type=pathlib.Path, help="where the pages go")
    options.add_argument("--date", help="the day that the pages name", required=True)
    given = options.parse_args()
    version = subprocess.run([given.hrp, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    dump = subprocess.run([given.hrp, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    given.directory.mkdir(parents=True, exist_ok=True)
    for command in commands(json.loads(dump)["command"]):
        title, text = page(command, version, given.date)
        (given.directory / f"{title}.1").write_text(text, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
