"""Kills restores in place, and undos, again and again, and judges what is at the target without trusting hrp.

The stack, old or new: a DuckDB file with an index and with commits that are only in its log, and 5,000 MLflow files
with mlflow.db. Both databases come from one file by the same number of checkpoints: the log of one fits the other, and
would replay silently. A restore of the new stack over the old one is killed (SIGKILL)
  by time    at moments spread evenly over an undisturbed run
  by sight   soon after its journal was seen at the target
  by call    at each call of the swap that renames, links or syncs (strace), also where names cannot be exchanged
and so is an undo. After each kill, before hrp runs, the database's path must not be empty, and a real engine must read
from a copy the old or the new state, in the swap also one of them without its log. Then `hrp backup list` must finish
what was committed, and database and MLflow files must be wholly old or wholly new: new if it was committed. Every 20th
time the backup is verified, and an undo and a whole restore follow.

Traps, with each engine (in the short form with one): logs that lie beside the target and are not the backup's, of
the same checkpoint or of another; a program that has the target open; an undo of a stack with two logs, killed at each
of its renames; a program that writes to what a kill left before hrp comes; undo upon undo where names cannot be
exchanged.
"""
import argparse, itertools, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time
from collections import Counter
from stacks import DATABASE, JOURNAL, LOGLESS, LOGS, Stack, at
from torture import REPOSITORY, iteration, newest_hrp

ENGINES, KEYS, OFTEN, UNDO = ("2.0.1", "1.5.6", "1.4.5"), 100_000, 20, ".hrp.duckdb.hrp-undo.*"


# --- kills


class Kills(Stack):
    """One large stack, and the kills of what is done to it."""

    def __init__(self, home, options, version, total):
        super().__init__(home, options, version, total)
        self.engine.need("base", home / "base", keys=KEYS)
        self.pristine, new = (self.make(state, options.files, home / "base", checkpoints=2, has_log=True,
                                        megabytes=options.megabytes) for state in ("old", "new"))
        stale = self.name(self.copied(new, logs_of=self.pristine))
        print(f"two stacks of {os.path.getsize(new / DATABASE) / 1e6:.0f} MB and {options.files} files, checkpoints"
              f" {iteration(self.pristine / DATABASE)} and {iteration(new / DATABASE)}; one with the other's log: "
              f"{stale[:50]}", flush=True)
        self.back_up(new)
        shutil.rmtree(new)
        self.put(self.pristine)
        self.current = "old"

    def fresh(self):
        """The new state in place, with nothing left of kills."""
        self.put(self.pristine)
        self.hrp("restore", self.backup)
        self.current = "new"

    def prepare(self, command):
        """Brings the target to where a command begins; returns the states before and after it."""
        kept = len(list(self.data.glob(UNDO)))
        if command != ["undo"] and kept > 4:  # each of them is a whole stack
            self.put(self.pristine)
            self.current = "old"
        if command == ["undo"] and kept == 0:
            self.fresh()
        if command != ["undo"] and self.current == "new":
            self.hrp("undo")
            self.current = "old"
        return self.current, "new" if self.current == "old" else "old"

    def undisturbed(self, command):
        """How long a run takes, and its swap."""
        _, self.current = self.prepare(command)
        began = seen = gone = time.monotonic()
        process = self.start(command)
        while process.poll() is None:
            if os.path.exists(self.journal):
                seen, gone = seen if seen > began else time.monotonic(), time.monotonic()
            time.sleep(5e-5)  # not to take hrp's processor
        self.wait(process)
        return time.monotonic() - began, gone - seen

    def calls(self, command, exchanges):
        """The calls of a swap, each as (name, which of that name in its thread, exchanges)."""
        _, self.current = self.prepare(command)
        log, counts, swap = self.home / "calls", Counter(), []
        self.wait(self.start(command, "--seccomp-bpf", "-o", log, exchanges=exchanges))
        lines = [x.groups() for x in map(re.compile(r"(\d+) +(\w+)\((.*)").match, log.read_text().splitlines()) if x]
        # Before the commit its rename is only probed, and fails.
        commit, *_, end = (n for n, line in enumerate(lines) if f'"{JOURNAL}"' in line[2] and "= 0" in line[2])
        for n, (thread, name, _) in enumerate(lines[: end + 1]):
            counts[thread, name] += 1
            if n > commit and thread == lines[commit][0]:
                swap.append((name, counts[thread, name], exchanges))
        return swap

    def moments(self, command, wanted, aimed):
        """When to kill, as (how, when)."""
        runs = [self.undisturbed(command) for _ in range(4)][1:]  # the first one has nothing to remove
        whole, swap = self.usual = tuple(min(x) for x in zip(*runs))
        calls = []
        if shutil.which("strace"):
            calls = self.calls(command, True)
            calls += self.calls(command, False)
            self.fresh()
        print(f"{command[0]}: {whole * 1000:.0f} ms undisturbed, {swap * 1000:.1f} ms of it the swap, in which strace "
              f"finds {len(calls)} calls, some where names cannot be exchanged", flush=True)
        some = min(len(calls), aimed * 5 // 6)
        return ([("time", whole * (n + 0.5) / (wanted - aimed)) for n in range(wanted - aimed)]
                + [("sight", swap * n / (aimed - some)) for n in range(aimed - some)]
                + [("call", calls[n * len(calls) // some]) for n in range(some)])

    def kill(self, command, how, when):
        """Runs hrp and kills it; false: it had ended before."""
        if how == "call":
            return self.wait(self.start(command, *at(*when[:2]), exchanges=when[2]))
        began, process = time.monotonic(), self.start(command)
        if how == "sight":
            while not os.path.exists(self.journal) and process.poll() is None:
                pass
            began = time.monotonic()
        time.sleep(max(0, began + when - time.monotonic() - 0.002))
        while time.monotonic() < began + when:
            pass
        process.kill()
        return self.wait(process)

    def judge(self, what, before, after):
        """Looks at the target; returns where the kill was, and what a program would have seen there."""
        pending = self.journal.exists()
        saw = self.name(self.copied(self.data))
        if saw not in {before, after} | ({before + LOGLESS, after + LOGLESS} if pending else set()):
            self.bad(what, f"{'in' if pending else 'outside of'} the swap a program would see {saw}")
        is_half = pending and not self.finish(what)
        if not pending:
            self.hrp("list")
        state = self.state()
        if state not in ([(after, after)] if pending else [(before, before), (after, after)]) or self.journal.exists():
            self.bad(what, f"the database is {state[0]}, the MLflow directory {state[1]}")
            is_half = True
            self.put(self.pristine)
            state = ("old", "old")
        elif not pending and saw != state[0]:
            self.bad(what, f"it was {saw} and is {state[0]}")
        self.total["half"] += is_half
        self.current = state[0]
        return "in the swap" if pending else "after it" if state[0] == after else "before it", saw

    def follow(self, what):
        """The backup is still good, an undo brings the old state back, a restore the new one, an undo the old one."""
        self.hrp("verify", self.backup)
        for command in (["undo"],) * (self.current == "new") + (["restore", self.backup], ["undo"]):
            _, self.current = self.prepare(command)
            self.hrp(*command)
            if self.state() != (self.current, self.current):
                self.bad(what, f"hrp backup {command[0]} after it: {self.state()}")
        self.total["followed"] += 1

    def one(self, what, command, how, when):
        if command == ["undo"] and how == "call" and not when[2]:
            self.fresh()
        for attempt in range(1, 31):
            states = self.prepare(command)
            if self.kill(command, how, when):
                return self.judge(what, *states)
            self.current = states[1]  # it had ended: once more, by time a little earlier
            if how == "time":
                when *= 0.9
            elif attempt == 4:  # a call that is not made this time, a swap too short to be seen
                how, when = "time", self.usual[0] * 0.9
        raise OSError("it always ended before the kill")

    def run(self, command, wanted, aimed):
        where, seen, began = Counter(), Counter(), time.monotonic()
        for number, (how, when) in enumerate(self.moments(command, wanted, aimed), 1):
            what = f"{command[0]} {number} by {how} {when if how == 'call' else f'{when * 1000:.1f} ms'}"
            try:
                place, saw = self.one(what, command, how, when)
                where[place] += 1
                seen[saw[:40]] += 1
                if number % OFTEN == 0:
                    self.follow(what)
            except (OSError, subprocess.TimeoutExpired) as error:
                self.bad(what, str(error))
                self.total["half"] += 1
                self.put(self.pristine)
                self.current = "old"
            if number % 50 == 0 or number == wanted:
                print(f"{number:4} kills of {command[0]}: {words(where)}; a program would have seen: {words(seen)}; "
                      f"{time.monotonic() - began:.0f} s", flush=True)
        self.total.update({command[0]: where.total(), f"{command[0]} swap": where["in the swap"]})


def words(counter):
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())


# --- traps


class Traps(Stack):
    """Small stacks of one engine; each trap is a fresh target."""

    def set(self, trap, *folders):
        try:
            trap(*folders)
        except (OSError, subprocess.TimeoutExpired) as error:
            self.bad(f"{self.version} {trap.__name__}", error)

    def check(self, what, right):
        self.total["traps"] += 1
        if not right:
            names = sorted(x.name for x in self.data.iterdir())
            self.bad(f"{self.version} {what}", "the database is {}, the MLflow directory {}; there are {}".format(
                *(x[:100] for x in self.state()), names))

    def files(self):
        """All that a restore could change, with the bytes."""
        paths = [x for x in self.data.rglob("*") if x.is_file() and not x.name.startswith(("hrp-cat", ".hrp-stack"))]
        return {x: (x.stat().st_ino, x.stat().st_mtime_ns, x.read_bytes()) for x in paths if "logs" not in x.parts}

    def logs(self):
        return {log: (self.data / (DATABASE + log)).read_bytes() for log in ["", *LOGS]
                if (self.data / (DATABASE + log)).exists()}

    def stale(self, source, target, layout):
        self.put(target)
        if layout == "three logs":
            for log in LOGS[1:]:
                shutil.copyfile(target / (DATABASE + ".wal"), self.data / (DATABASE + log))
        if layout == "no database":
            (self.data / DATABASE).unlink()
        before, what = self.logs(), f"{target.name}, {layout}, restored: {source.name}"
        self.hrp("restore", self.backup)
        self.check(what, self.state() == (source.name,) * 2 == (self.name(self.copied(self.data)), source.name)
                   and self.logs().keys() == {log for log in ["", *LOGS] if (self.backup / (DATABASE + log)).exists()})
        self.hrp("undo")
        self.check(f"{what}, undone", self.logs() == before)

    def holders(self, source, target):
        for mode, command in itertools.product(("reads", "writes"), ("restore", "undo")):
            self.put(target)
            self.hrp("restore", self.backup)
            holder = self.engine.start("hold", self.data / DATABASE, mode)
            try:
                holder.stdout.readline()
                before = self.files()
                for force in [[], ["--force"]] if command == "restore" else [[]]:
                    said = self.hrp(command, *[self.backup][: command == "restore"], *force, expected=11)
                    self.check(f"a program {mode}: {command}", f"PID {holder.pid}" in said and self.files() == before)
            finally:
                holder.kill()
                holder.wait()
            self.hrp(command, *[self.backup][: command == "restore"])
            right = source if command == "restore" else target
            self.check(f"no program {mode} any more: {command}", self.state() == (right.name, right.name))

    def two_logs(self, source, crashed):
        """An undo brings both logs of a stack back, wherever it is killed."""
        self.put(crashed)
        before = self.logs()
        for number in itertools.count(1) if shutil.which("strace") else ():
            self.hrp(*["restore", self.backup] if number == 1 else ["undo"])
            was_killed = self.wait(self.start(["undo"], *at("renameat2", number)))
            if self.journal.exists():
                self.finish(f"{self.version} undo of two logs, rename {number}")
            elif was_killed:
                self.hrp("undo")
            self.check(f"two logs, undone, killed at rename {number}", self.logs() == before)
            if not was_killed or self.logs() != before:
                return

    def visited(self, source, target):
        """A program writes to what a kill left, before hrp comes: no log gets beside another's database."""
        for number in itertools.count(2) if shutil.which("strace") else ():  # the first rename is the commit
            self.put(target)
            self.wait(self.start(["restore", self.backup], *at("renameat2", number)))
            if not self.journal.exists():
                return
            self.engine.need("visit", self.data / DATABASE)
            said = self.hrp("list", expected=None) + self.hrp("restore", self.backup, "--dry-run", expected=None)
            shown = self.name(self.copied(self.data))
            self.check(f"killed at rename {number}, then a program wrote", not self.journal.exists() and
                       (shown == source.name or "a program wrote" in said and shown == source.name + LOGLESS))
            self.hrp("undo")
            self.check(f"killed at rename {number}, then a program wrote, undone",
                       self.name(self.copied(self.data)) in (target.name, target.name + LOGLESS))

    def without_exchange(self, source, target):
        self.put(target)
        for number, right in enumerate((source, target, source, target)):
            self.wait(self.start(["undo"] if number else ["restore", self.backup], exchanges=False))
            self.check(f"names cannot be exchanged, undo {number}", self.state() == (right.name, right.name))

    def run(self):
        self.engine.need("base", base := self.home / "base", keys=2000)
        make = lambda name, n, log: self.make(name, 20, base, checkpoints=n, has_log=log)
        bare, logged = make("bare backup", 1, False), make("backup with log", 1, True)
        same, other = make("same checkpoint", 1, True), make("other checkpoint", 3, True)
        bite = {x.name: self.name(self.copied(bare, logs_of=x))[:9] for x in (same, other)}
        if bite[same.name] == bare.name[:9]:
            raise SystemExit("kills: a log of the same checkpoint does no harm: this proves nothing")
        crashed = None
        if self.version >= "1.5":
            crashed = self.home / "crashed"
            shutil.copytree(same, crashed)
            self.engine.ask("crash", crashed / DATABASE)
            if not all((crashed / (DATABASE + log)).exists() for log in LOGS[:2]):
                raise SystemExit("kills: the crashed database does not have two logs: this proves nothing")
        for source in (bare, logged):
            shutil.rmtree(self.backups, ignore_errors=True)
            self.back_up(source)
            for target, layout in itertools.product((same, other), ("plain", "three logs", "no database")):
                self.set(self.stale, source, target, layout)
            if crashed:
                self.set(self.two_logs, source, crashed)
        for trap in (self.holders, self.visited, self.without_exchange):
            self.set(trap, logged, same)
        print(f"traps with {self.version}: the bare backup with the log of {bite}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="of a restore (%(default)s); below 100: short")
    parser.add_argument("--traps", action="store_true", help="only the traps")
    parser.add_argument("--engine", default=ENGINES[0], help="DuckDB's version for the kills (%(default)s)")
    parser.add_argument("--megabytes", type=int, help="of the database (200, short 50)")
    parser.add_argument("--files", type=int, help="in the MLflow directory (5000, short 1000)")
    parser.add_argument("--hrp", type=pathlib.Path, default=newest_hrp(), help="default: the newest one built")
    parser.add_argument("--deps", type=pathlib.Path, default=REPOSITORY / ".deps", help="default: the repository's")
    parser.add_argument("--folder", help="where the stack and its backups go (default: memory)")
    parser.add_argument("--keep-bad", type=pathlib.Path, metavar="DIR", help="where bad targets go (default: TMPDIR)")
    options = parser.parse_args()
    options.deps = options.deps.absolute()
    if not options.hrp or not options.hrp.is_file() or options.kills < 10:
        parser.error("no hrp (swift build, or name it with --hrp), or fewer than 10 kills")
    is_long = options.kills >= 100
    options.megabytes, options.files = options.megabytes or (50, 200)[is_long], options.files or (1000, 5000)[is_long]
    options.hrp, total, began = options.hrp.absolute(), Counter(), time.monotonic()
    place = options.folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    home = pathlib.Path(tempfile.mkdtemp(prefix="kills-", dir=place)).resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the finally below removes what we made
    os.nice(5)
    wanted, undone, few = options.kills, max(10, options.kills // 5), False
    try:
        if not options.traps:
            kills = Kills(home / "kills", options, options.engine, total)  # the folders are theirs
            kills.run(["restore", kills.backup], wanted, aimed=wanted // 4)
            kills.run(["undo"], undone, aimed=undone * 3 // 4)
            few = total["restore swap"] < wanted / 10 or total["undo swap"] < undone / 2
            shutil.rmtree(kills.home)
        for version in ENGINES if is_long else [options.engine]:
            Traps(home / version, options, version, total).run()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(f"{total['traps']} looks at traps, {total['followed']} times verified, undone and restored, "
          f"{total['unfinished']} swaps that hrp backup list left unfinished, {total['bad']} problems, "
          f"{time.monotonic() - began:.0f} s")
    if few:
        print("this proves nothing: too few kills were in the swap")
    if not options.traps:
        print(f"kills: {total['restore']} of a restore ({total['restore swap']} in the swap), {total['undo']} of an"
              f" undo, {total['half']} targets neither old nor new")
    sys.exit(1 if total["bad"] or few else 0)


if __name__ == "__main__":
    main()
