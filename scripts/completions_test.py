"""Types into real shells, presses the tab key, and reads what stands on the line then. Called by scripts/install-test.

usage: completions_test.py SHELL COMPLETION_FILE DATA_DIR OTHER_DATA_DIR

`hrp` is on PATH. DATA_DIR is a stack with two backups, of which the newer one is also at the place `offsite`, a backup in
the trash, a job `nightly`, and folders in the backup directory whose names a shell could take for a command.
OTHER_DATA_DIR is a stack with one backup, and its name has a space in it.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

# A key that prints the line, in the words of each shell; typed once, before the first case.
SETUP = {
    "bash": r"""bind -x '"\C-g": printf "<<%s>>\n" "$READLINE_LINE"'; bind 'set bell-style none'""",
    "zsh": "show() { print -r -- \"<<$BUFFER>>\" }; zle -N show; bindkey '^G' show; unsetopt beep",
    "fish": r"""bind \cg 'printf "<<%s>>\n" (commandline)'""",
}


def start(shell, file, home):
    # What the user's own settings would add is left out; a wide window keeps each line whole.
    environment = {**os.environ, "HOME": home, "TERM": "dumb", "PS1": "> ", "COLUMNS": "300", "LINES": "50"}
    if shell == "bash":
        # As bash-completion does: the file is sourced.
        pathlib.Path(home, "rc").write_text(f". {file}\nPS1='> '\n{SETUP[shell]}\necho re''ady\n")
        words = ["bash", "--noprofile", "--rcfile", f"{home}/rc", "-i"]
    elif shell == "zsh":
        # As an installation does: the folder of the file is in fpath.
        folder = pathlib.Path(home, "functions")
        folder.mkdir()
        shutil.copy(file, folder / "_hrp")
        pathlib.Path(home, ".zshrc").write_text(
            f"fpath=({folder} $fpath)\nautoload -Uz compinit && compinit -u\nPS1='> '\n{SETUP[shell]}\necho re''ady\n")
        words = ["zsh", "-d", "-i"]
    else:
        folder = pathlib.Path(home, ".config/fish/completions")
        folder.mkdir(parents=True)
        shutil.copy(file, folder / "hrp.fish")
        pathlib.Path(home, ".config/fish/config.fish").write_text(
            f"function fish_prompt; echo '> '; end\nset fish_greeting\n"
            f"function fish_user_key_bindings; {SETUP[shell]}; end\necho re''ady\n")
        words = ["fish", "-i"]
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(home)
        os.execvpe(words[0], words, environment)
    return process, terminal


def read_until(terminal, pattern, seconds=20):
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                text += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
        if re.search(pattern, text):
            return text
    raise AssertionError(f"no {pattern!r} within {seconds} s in: {text!r}")


def settle(terminal, seconds):
    text = ""
    while select.select([terminal], [], [], seconds)[0]:
        text += os.read(terminal, 65536).decode(errors="replace")
    return text


def line_after(terminal, typed):
    """The command line after `typed`; then the line is emptied."""
    # A shell takes one key after the other, so nothing has to be waited for in between.
    os.write(terminal, typed.encode() + b"\x07")
    text = read_until(terminal, r"<<[^>]*>>")
    os.write(terminal, b"\x05\x15")  # to the end of the line, and erase it
    settle(terminal, 0.1)
    return re.search(r"<<([^>]*)>>", text.replace("\r\n", ""))[1]


def cases(shell, data, other):
    newest, older = sorted((p.name for p in pathlib.Path(data, "backups").glob("backup_2*")), reverse=True)
    theirs = next(pathlib.Path(other, "backups").glob("backup_2*")).name
    deleted = next(p.name for p in pathlib.Path(data, "backups/.hrp-trash").glob("backup_2*") if p.is_dir())
    quoted = other.replace(" ", "\\ ")
    yield "hrp backup ver", "hrp backup verify "
    start = len(os.path.commonprefix([newest, older])) + 1
    yield f"hrp backup verify {newest[:start]}", f"hrp backup verify {newest} "
    yield f"hrp backup drill {older[:start]}", f"hrp backup drill {older} "
    yield "hrp backup verify latest-", "hrp backup verify latest-valid "
    yield "hrp backup verify off", "hrp backup verify offsite:"
    yield "hrp backup verify offsite:b", f"hrp backup verify offsite:{newest} "
    yield "hrp backup restore -q offsite:b", f"hrp backup restore -q offsite:{newest} "
    yield "hrp backup verify --level st", "hrp backup verify --level structure "
    yield "hrp backup list --at o", "hrp backup list --at offsite "
    yield "hrp backup copy latest o", "hrp backup copy latest offsite "
    yield "hrp backup trash restore b", f"hrp backup trash restore {deleted} "
    yield "hrp recover --backup latest-", "hrp recover --backup latest-valid "
    yield "hrp scheduler pause n", "hrp scheduler pause nightly "
    yield f"hrp backup verify --data-dir {quoted} b", f"hrp backup verify --data-dir {quoted} {theirs} "
    # What only the shell can tell offers nothing, and so does a stack that is not there.
    yield "hrp backup verify --data-dir $X b", "hrp backup verify --data-dir $X b"
    yield "hrp backup verify --data-dir /nowhere b", "hrp backup verify --data-dir /nowhere b"
    yield f"hrp backup show {data}/backu", f"hrp backup show {data}/backups/"
    if shell == "bash":
        yield "hrp backup verify --level=st", "hrp backup verify --level=structure "
        yield f"hrp backup verify --data-dir={quoted} b", f"hrp backup verify --data-dir={quoted} {theirs} "


def check_order(shell, terminal, data):
    """The list names the newest backup first, and no name that a shell could take for a command."""
    newest, older = sorted((p.name for p in pathlib.Path(data, "backups").glob("backup_2*")), reverse=True)
    if shell == "fish":  # what it shows is drawn all over the screen
        text = subprocess.run(["fish", "-c", "complete -C 'hrp backup verify '"], capture_output=True, text=True).stdout
    else:
        os.write(terminal, b"hrp backup verify \t\t")
        text = settle(terminal, 1)
        os.write(terminal, b"\x05\x15")
    places = [text.find(name) for name in ("latest-valid", newest, older)]
    assert -1 < places[0] < places[1] < places[2], f"{shell}: the list is in another order: {text!r}"
    assert "touch" not in text and "x y" not in text, f"{shell}: a hostile name is offered: {text!r}"


def main():
    shell, file, data, other = sys.argv[1:]
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, HRP_DATA_DIR=data)
        process, terminal = start(shell, file, home)
        read_until(terminal, "ready")
        settle(terminal, 1)
        count = 0
        for typed, expected in cases(shell, data, other):
            count += 1
            seen = line_after(terminal, typed + "\t")
            if seen != expected:
                failures += 1
                print(f"{shell}: after '{typed}' and the tab key\n  expected '{expected}'\n  found    '{seen}'")
        check_order(shell, terminal, data)
        assert not pathlib.Path(home, "pwned").exists(), f"{shell}: the name of a folder was run as a command"
        os.close(terminal)
        os.waitpid(process, 0)
    print(f"{shell}: {count - failures} of {count} lines are completed as they should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
