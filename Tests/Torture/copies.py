#!/usr/bin/env python3
"""Kills `hrp backup copy` at random moments and goes on with it. Nothing half-arrived may be visible, and what has arrived
must not be sent again.

    copies.py HRP [KILLS] [SEED]

Each round makes a backup and copies it to a second place; the copy is killed after a random time, now and then more than
once. After each kill the place lists what it listed before. Then the copy is made to its end: it has the lists of the
backup, byte for byte, and the same files; sha256sum finds every file right; the bytes that were sent, linked and there
before are all its bytes; unchanged files have the inode of the copy before; nothing hidden is left. In every fourth round
one byte of what had arrived is changed while the copy is down: it must be found, and everything sent again.
"""
import collections, json, os, pathlib, random, shutil, signal, subprocess, sys, tempfile, time

MEGABYTE = 1 << 20


def main():
    hrp, kills = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    rng, total = random.Random(seed), collections.Counter()
    home = pathlib.Path(tempfile.mkdtemp(prefix="hrp-copies."))
    data, place = home / "data", home / "place"
    runs = data / "mlflow/mlruns/0"
    runs.mkdir(parents=True)
    for number in range(1000):
        (runs / f"file {number:04}").write_bytes(rng.randbytes(4000))
    (runs / "large").write_bytes(rng.randbytes(40 * MEGABYTE))
    (runs / "link").symlink_to("file 0001")
    import duckdb
    with duckdb.connect(str(data / "hrp.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT i, hash(i) AS h FROM range(3000000) t(i)")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "HRP_DATA_DIR": str(data)}
    # A file that was written within two seconds before it is read is copied again, since it could still have changed.
    time.sleep(2.1)

    def run(*words):
        done = subprocess.run([hrp, *words], env=environment, text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def bad(what):
        print(f"  bad: round {total['rounds']}: {what}", flush=True)
        total["bad"] += 1

    def listed():
        return [b["name"] for b in json.loads(run("backup", "list", "--at", str(place), "--json")[1])]

    def hidden():
        return [p for p in place.iterdir() if p.name.startswith(".backup_")]

    def begin():
        return subprocess.Popen([hrp, "backup", "copy", "latest", str(place), "-q"], env=environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # How long a whole copy takes, to spread the kills over it.
    run("backup", "create")
    began = time.monotonic()
    run("backup", "copy", "latest", str(place), "--new-place")
    seconds, before = 0.8 * (time.monotonic() - began), listed()

    while total["killed"] < kills:
        total["rounds"] += 1
        for number in rng.sample(range(1000), 20):
            (runs / f"file {number:04}").write_bytes(rng.randbytes(rng.randrange(8000)))
        if total["rounds"] % 3 == 0:
            (runs / "large").write_bytes(rng.randbytes(40 * MEGABYTE))
        time.sleep(1.1)
        code, said, errors = run("backup", "create", "--json")
        if code:
            bad(f"create: {code} {errors}")
            break
        backup = pathlib.Path(json.loads(said)["path"])
        for _ in range(rng.choice((1, 1, 2, 3))):
            process = begin()
            time.sleep(rng.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
            total["killed" if killed else "too late"] += 1
            # The rename may be done when the signal comes.
            if killed and listed() not in (before, [backup.name] + before):
                bad(f"listed after a kill: {listed()}")
        arrived = sum(f.stat().st_size for p in hidden() for f in p.rglob("*")
                      if f.is_file() and not f.is_symlink() and f.stat().st_nlink == 1)
        is_damaged = False
        if total["rounds"] % 4 == 0:
            # What is written again anyway (the lists, the beginning of a file) is no place for damage.
            for victim in [f for p in hidden() for f in sorted(p.rglob("*")) if f.is_file() and f.stat().st_nlink == 1
                           and f.stat().st_size > 100 and not f.is_symlink() and f.parent != p
                           and f.stat().st_size == (backup / f.relative_to(p)).stat().st_size
                           and abs(f.stat().st_mtime - (backup / f.relative_to(p)).stat().st_mtime) < 1][:1]:
                status = victim.stat()
                os.chmod(victim, 0o644)
                with open(victim, "r+b") as file:
                    file.seek(50)
                    byte = file.read(1)[0]
                    file.seek(50)
                    file.write(bytes([byte ^ 1]))
                os.chmod(victim, status.st_mode & 0o777)
                os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))
                is_damaged = True
                total["damaged while it was down"] += 1
        code, said, errors = run("backup", "copy", "latest", str(place), "--json")
        if code:
            bad(f"the copy failed: {code} {said} {errors}")
            continue
        result, copy = json.loads(said), place / backup.name
        if not result["was_there"]:
            sent, linked, there = (result[f"bytes_{key}"] for key in ("sent", "linked", "there_before"))
            if sent + linked + there < result["size_bytes"]:
                bad(f"bytes: {result}")
            if is_damaged != ("damaged, and is sent again" in errors):
                bad(f"damage while it was down: {is_damaged}, {errors}")
            if not is_damaged and arrived > 3 * MEGABYTE and there < arrived - 3 * MEGABYTE:
                bad(f"{arrived} bytes had arrived, and only {there} were taken: {result}")
            total["bytes sent"] += sent
            total["bytes linked"] += linked
            total["bytes there before"] += there
        if listed() != [backup.name] + before or hidden():
            bad(f"at the end: {listed()}, hidden: {hidden()}")
        compared = subprocess.run(["diff", "-r", "--no-dereference", str(backup), str(copy)], capture_output=True,
                                  text=True)
        if compared.returncode:
            bad(f"the copy differs: {compared.stdout[:300]}")
        summed = subprocess.run(["sha256sum", "--quiet", "-c", "checksums.txt"], cwd=copy, capture_output=True,
                                text=True)
        if summed.returncode:
            bad(f"sha256sum: {summed.stdout[:300]}")
        if before and not is_damaged:
            earlier = place / before[0]
            if total["rounds"] > 1:
                sources = backup.parent / before[0]
                for name in ("file 0001", "file 0500", "large"):
                    path = f"mlruns/mlruns/0/{name}"
                    is_same = (backup / path).stat().st_ino == (sources / path).stat().st_ino
                    if is_same and (copy / path).stat().st_ino != (earlier / path).stat().st_ino:
                        bad(f"{name} did not change, and was sent again")
        before = listed()
        # Room for the next ones: the oldest go, here and there.
        for old in before[3:]:
            shutil.rmtree(place / old)
            shutil.rmtree(backup.parent / old, ignore_errors=True)
        before = before[:3]
    code, said, errors = run("backup", "verify", f"{place}:latest")
    if code:
        bad(f"verify: {said}")
    shutil.rmtree(home)
    for key in ("bytes sent", "bytes linked", "bytes there before"):
        total[key] //= MEGABYTE
    print(f"copies: seed {seed}: {dict(total)} (bytes in MB)")
    sys.exit(1 if total["bad"] else 0)


main()
