#!/usr/bin/env python3
"""What a copy to a second place costs, beside rsync.

    copies.py [--size S|M] [--rounds N] [--work DIR]        (root: each round is on two fresh ext4 file systems)

A stack is backed up, and the backup is copied to another file system: the first time, and again after some files have
changed. `hrp backup copy` compares every byte on its way, makes the copy durable, reads it back and publishes it by a
rename. Beside it:
    rsync            `rsync -aH`, then `sync -f`: durable, and nothing was read back; the second time with --link-dest
    rsync, checked   the same, then the page cache is dropped and sha256sum checks what is new in the copy
"""
import argparse, pathlib, statistics, subprocess, sys, time
from compare import ROOT, fresh_file_system, make_data, timed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="M", choices=("S", "M"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".bench")
    options = parser.parse_args()
    hrp = str(pathlib.Path(subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", str(ROOT), "--show-bin-path"], check=True, text=True,
        capture_output=True).stdout.strip()) / "hrp")
    data = make_data(options.size, options.work)
    figures = {}
    for number in range(options.rounds):
        (options.work / "places").mkdir(exist_ok=True)
        with fresh_file_system(options.work) as home, fresh_file_system(options.work / "places") as places:
            stack = home / "data"
            subprocess.run(["cp", "-a", str(data), str(stack)], check=True)
            time.sleep(2.1)  # what changed within two seconds before it is read is never taken for unchanged
            backups = []
            for step in ("first", "next"):
                if step == "next":
                    for file in sorted(stack.glob("mlflow/mlruns/**/metrics/*"))[:100]:
                        file.write_bytes(file.read_bytes() + b"1 2 3\n")
                subprocess.run([hrp, "backup", "create", "-q", "--data-dir", str(stack)], check=True,
                               stdout=subprocess.DEVNULL)
                backups.append(max((stack / "backups").glob("backup_*"), key=lambda path: path.stat().st_mtime))
                backup = backups[-1]
                for tool in ("hrp", "rsync", "rsync, checked")[:: 1 if number % 2 else -1]:
                    place = places / tool.replace(", ", "-")
                    subprocess.run("sync; echo 3 > /proc/sys/vm/drop_caches", shell=True, check=True)
                    if tool == "hrp":
                        new = ["--new-place"] if step == "first" else []
                        command = [hrp, "backup", "copy", backup.name, str(place), "-q", "--data-dir", str(stack), *new]
                    else:
                        link = f"--link-dest '{place}/{backups[0].name}'" if step == "next" else ""
                        words = f"rsync -aH {link} '{backup}' '{place}/' && sync -f '{place}'"
                        if tool != "rsync":
                            words += (f" && echo 3 > /proc/sys/vm/drop_caches && cd '{place}/{backup.name}' && "
                                      "find . -type f -links 1 ! -name '*.json*' ! -name checksums.txt -printf '%P\\n' | "
                                      "LC_ALL=C sort > /tmp/new && LC_ALL=C awk 'NR==FNR {new[$0]=1; next} "
                                      "substr($0, 67) in new' /tmp/new checksums.txt | sha256sum --quiet -c")
                        place.mkdir(exist_ok=True)
                        command = ["sh", "-c", words]
                    figures.setdefault((step, tool), []).append(timed(command, str(home), None))
    for step in ("first", "next"):
        base = statistics.median(cpu for cpu, _, _ in figures[step, "rsync, checked"])
        for tool in ("hrp", "rsync", "rsync, checked"):
            cpu, wall, peak = (statistics.median(row[i] for row in figures[step, tool]) for i in range(3))
            print(f"{step:6} {tool:15} {cpu:6.2f} CPU s ({cpu / base:4.2f})  {wall:6.2f} s  {peak:5.0f} MiB", flush=True)


main()
