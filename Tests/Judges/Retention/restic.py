#!/usr/bin/env python3
"""What restic keeps, against what `Retain` keeps.

    restic.py pool WORK              make one repository with all snapshots, by `restic backup --time`
    restic.py golden WORK FOLDER     write the tables of FOLDER from what restic keeps
    restic.py compare WORK PROBE [SEED]
                                     compare 200 random histories and policies; PROBE is the program `retain-probe`

WORK is a folder under /tmp. A snapshot has a tag for each history that it is part of. Every difference must be one of
the classes that `explained` names; the program fails when one is not.
"""
import base64, collections, datetime, hashlib, json, os, random, re, subprocess, sys
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
HISTORIES = 200
UNITS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
UTC = datetime.timezone.utc


def restic(work, *arguments, zone="Europe/Berlin"):
    environment = dict(os.environ, RESTIC_PASSWORD="x", TZ=zone, RESTIC_CACHE_DIR=f"{work}/cache")
    done = subprocess.run(["restic", "-r", f"{work}/repository", "--no-lock", *arguments], env=environment,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"restic {' '.join(arguments)}: {done.stderr}")
    return done.stdout


# The pool

def soften(work):
    """Makes the password of the throwaway repository cheap to check: 0.7 s for each call would be 30 minutes."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    def keys(note):
        raw = hashlib.scrypt(b"x", salt=base64.b64decode(note["salt"]), n=note["N"], r=note["r"], p=note["p"],
                             maxmem=1 << 30, dklen=64)
        return raw[:32], raw[32:48], raw[48:]

    def counter(key, nonce, data):
        return Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor().update(data)

    folder = f"{work}/repository/keys"
    name, = os.listdir(folder)
    note = json.load(open(f"{folder}/{name}"))
    data = base64.b64decode(note["data"])
    master = counter(keys(note)[0], data[:16], data[16:-16])
    note.update(N=2, r=1, p=1)
    encrypt, k, r = keys(note)
    nonce = os.urandom(16)
    sealed = counter(encrypt, nonce, master)
    mask = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update(nonce)
    note["data"] = base64.b64encode(nonce + sealed + Poly1305.generate_tag(r + mask, sealed)).decode()
    text = json.dumps(note).encode()
    os.chmod(folder, 0o700)
    os.remove(f"{folder}/{name}")
    open(f"{folder}/{hashlib.sha256(text).hexdigest()}", "wb").write(text)


def instants(dice):
    """Local times, each with the zone that restic is run in: daily ones, bursts, nights when clocks change."""
    day = datetime.datetime(2023, 11, 21, 2)
    pool = [(day + datetime.timedelta(days=n), "Europe/Berlin") for n in range(1096)]
    end = datetime.datetime(2026, 11, 20, 9)
    for _ in range(330):
        burst = end - datetime.timedelta(seconds=int(dice.random() ** 2 * 1000 * 86400))
        pool.append((burst, "Europe/Berlin"))
        if dice.random() < 0.2:
            pool += [(burst - datetime.timedelta(minutes=dice.choice([0, 1, 20, 50])), "Europe/Berlin")] * 2
    pool += [(end - datetime.timedelta(hours=n, minutes=20), "Europe/Berlin") for n in range(130)]
    for night in [datetime.datetime(2025, 10, 26), datetime.datetime(2026, 10, 25)]:
        # The hour from 2 to 3 comes twice: in summer time, then in winter time.
        pool += [(night + datetime.timedelta(hours=2, minutes=m), zone)
                 for m in (5, 35, 55) for zone in ("Etc/GMT-2", "Etc/GMT-1")]
    for night in [datetime.datetime(2025, 3, 30), datetime.datetime(2026, 3, 29)]:
        pool += [(night + datetime.timedelta(hours=h, minutes=40), "Europe/Berlin") for h in (0, 1, 3, 4)]
    # Years that begin in the middle of a week.
    for year in (2024, 2025, 2026):
        first = datetime.datetime(year, 1, 1)
        pool += [(first + datetime.timedelta(hours=n), "Europe/Berlin") for n in (-30, -1, 0, 30)]
    return pool


def make_pool(work):
    dice = random.Random(20261120)
    pool = instants(dice)
    tags = collections.defaultdict(list)
    for number in range(1096):
        tags[number].append("golden")
    order = sorted(range(len(pool)), key=lambda n: pool[n][0])
    for history in range(HISTORIES):
        size = dice.choice([0, 1, 2, 3, dice.randrange(4, 20), dice.randrange(20, 60), dice.randrange(60, 121)])
        # Everything, the last weeks, a window, or every so many.
        kind = dice.randrange(4)
        if kind == 0:
            chosen = dice.sample(order, min(size, len(order)))
        elif kind == 1:
            chosen = dice.sample(order[-400:], size)
        elif kind == 2:
            start = dice.randrange(0, len(order) - 130)
            chosen = order[start:start + size]
        else:
            chosen = order[dice.randrange(9)::dice.randrange(2, 25)][:size]
        for number in chosen:
            tags[number].append(f"h{history}")
    os.makedirs(f"{work}/folder")
    open(f"{work}/folder/file", "w").write("a\n")
    restic(work, "init", "-q")
    soften(work)
    for number, (time, zone) in enumerate(pool):
        if number in tags:
            restic(work, "backup", "-q", "--host", "h", "--time", str(time), "--tag", ",".join(tags[number]),
                   f"{work}/folder", zone=zone)
    snapshots = json.loads(restic(work, "snapshots", "--json"))
    times = collections.defaultdict(list)
    for snapshot in snapshots:
        for tag in snapshot["tags"]:
            times[tag].append(snapshot["time"])
    json.dump(times, open(f"{work}/times.json", "w"))
    print(f"{len(snapshots)} snapshots, {len(times)} histories that have any")


# Asking both

def nanoseconds(text):
    """Of `2026-11-20T02:00:00.5+01:00`."""
    whole, fraction, zone = re.fullmatch(r"(.{19})(?:\.(\d+))?(Z|[+-].*)", text).groups()
    seconds = int(datetime.datetime.fromisoformat(whole + (zone if zone != "Z" else "+00:00")).timestamp())
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))


def local(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, ZONE)


def forget(work, tag, policy):
    """The times that restic keeps, each with the reasons, newest first."""
    options = [f"--keep-{name}={value}" for name, value in policy.items()]
    groups = json.loads(restic(work, "forget", "--tag", tag, "--group-by", "", "--dry-run", "--json", *options) or "[]")
    return [(nanoseconds(reason["snapshot"]["time"]), reason["matches"])
            for group in groups or [] for reason in group["reasons"]]


def probe(program, cases):
    """What `Retain` decides: for each case a list of (time, is kept, reasons)."""
    text = ""
    for case in cases:
        policy = " ".join(f"{name}={value}" for name, value in case["policy"].items())
        text += f"case {case['now']} {policy}\n" + "".join(f"{ns}\n" for ns in case["times"])
    environment = dict(os.environ, TZ="Europe/Berlin")
    done = subprocess.run([program], input=text, env=environment, capture_output=True, text=True, check=True)
    results = []
    for line in done.stdout.splitlines():
        if line == "case":
            results.append([])
        else:
            ns, verdict, reasons = line.split("\t")
            results[-1].append((int(ns), verdict == "keep", reasons.split("; ")))
    return results


# Comparing

def random_policy(dice):
    policy = {}
    for unit in UNITS:
        if dice.random() < 0.35:
            policy[unit] = dice.choice([1, 1, 2, 3, 4, 7, 12, 24, 60])
    if dice.random() < 0.35 or not policy:
        policy["within"] = dice.choice(["2h", "26h", "7d", "1m", "2m", "1y", "1y5m7d2h", "3d5h", "1m1d", "11m", "400h"])
    return policy


def within_start(newest, age):
    """The first local hour that our window has, by the words of the documentation: whole days, then whole hours."""
    parts = {unit: int(number) for number, unit in re.findall(r"(\d+)([ymdh])", age)}
    if set(parts) == {"h"}:
        return None
    date = local(newest).date()
    months = date.year * 12 + date.month - 1 - parts.get("y", 0) * 12 - parts.get("m", 0)
    first = datetime.date(months // 12, months % 12 + 1, 1)
    length = ((first + datetime.timedelta(days=32)).replace(day=1) - first).days
    start = first + datetime.timedelta(days=min(date.day - 1, length) - parts.get("d", 0))
    hours = parts.get("h", 0)
    return datetime.datetime.combine(start, datetime.time()) - datetime.timedelta(hours=hours + 1 if hours else 0)


def bucket(unit, ns):
    time = local(ns)
    week = time.isocalendar()
    return {"last": ns, "hourly": (time.date(), time.hour), "daily": time.date(), "weekly": (week.year, week.week),
            "monthly": (time.year, time.month), "yearly": time.year}[unit]


def has_room(case, times):
    """Whether a rule could keep more than there are."""
    return any(len({bucket(unit, ns) for ns in times}) < count
               for unit, count in case["policy"].items() if unit != "within")


def explained(ns, case):
    """Why we keep what restic would delete; None when there is no reason to."""
    believable = sorted((t for t in case["times"] if t <= case["now"]), reverse=True)
    if ns > case["now"]:
        return "future: it is kept and counts for nothing"
    if len(believable) < 2:
        return "minimum: fewer than two, so nothing is deleted"
    if ns >= believable[1]:
        return "minimum: it is one of the newest two"
    age = case["policy"].get("within")
    start = within_start(believable[0], age) if age else None
    if start and local(ns).replace(tzinfo=None) >= start:
        return "within: the window begins with a whole day"
    if ns == believable[-1] and has_room(case, believable):
        return "oldest: a count is not used up (restic keeps it since 0.16, not in 0.14)"
    return None


def compare(work, program, seed=7):
    dice = random.Random(seed)
    times = json.load(open(f"{work}/times.json"))
    cases = []
    for history in range(HISTORIES):
        own = [nanoseconds(text) for text in times.get(f"h{history}", [])]
        now = max(own, default=10**18) + dice.choice([0, 1, 3600 * 10**9, 40 * 86400 * 10**9])
        case = {"tag": f"h{history}", "now": now, "policy": random_policy(dice), "times": list(own)}
        if dice.random() < 0.25:
            # Restic is asked without these: they must change nothing.
            case["times"] += [now + dice.choice([1, 10**9, 9 * 10**15]) for _ in range(dice.randrange(1, 4))]
        dice.shuffle(case["times"])
        cases.append(case)
    classes, snapshots, kept, wrong = collections.Counter(), 0, 0, []
    for case, ours in zip(cases, probe(program, cases), strict=True):
        theirs = collections.Counter(ns for ns, _ in forget(work, case["tag"], case["policy"]))
        snapshots += len(case["times"])
        kept += sum(theirs.values())
        ours = collections.Counter(ns for ns, is_kept, _ in ours if is_kept)
        for ns in (theirs - ours).elements():
            wrong.append((case["tag"], case["policy"], ns, "restic keeps it, we delete it"))
        for ns in (ours - theirs).elements():
            reason = explained(ns, case)
            if reason:
                classes[reason] += 1
            else:
                wrong.append((case["tag"], case["policy"], str(local(ns)), "we keep it, restic deletes it"))
    print(f"restic: {len(cases)} histories, {snapshots} backups, restic keeps {kept}, "
          f"{sum(classes.values())} explained differences, {len(wrong)} unexplained")
    for reason, count in sorted(classes.items()):
        print(f"  {count:5} {reason}")
    for line in wrong:
        print("  UNEXPLAINED", *line)
    sys.exit(1 if wrong else 0)


# Golden tables

GOLDEN = {
    "7-4-12": {"daily": 7, "weekly": 4, "monthly": 12},
    "7-4-12-3": {"daily": 7, "weekly": 4, "monthly": 12, "yearly": 3},
    "last-5": {"last": 5},
    "hourly-24-daily-7": {"hourly": 24, "daily": 7},
    "within-2m-yearly-3": {"within": "2m", "yearly": 3},
    "weekly-60": {"weekly": 60},
    "monthly-40": {"monthly": 40},
}


def golden(work, folder):
    """Restic's own decisions; only `keep-days-30`, which it does not have, is worked out here."""
    now = nanoseconds("2026-11-20T09:00:00+01:00")
    times = sorted((nanoseconds(t) for t in json.load(open(f"{work}/times.json"))["golden"]), reverse=True)
    tables = {name: (policy, forget(work, "golden", policy)) for name, policy in GOLDEN.items()}
    tables["keep-days-30"] = ({"days": 30}, [(ns, ["days"]) for ns in times if ns >= now - 30 * 86400 * 10**9])
    for name, (policy, rows) in tables.items():
        words = " ".join(f"{unit}={value}" for unit, value in policy.items())
        lines = [f"# {words}", "# A backup every day at 02:00, Europe/Berlin, from 2023-11-21 to 2026-11-20. It is now",
                 f"# 2026-11-20 09:00. Of 1096 these {len(rows)} stay; each with the rules that keep it."]
        for ns, reasons in sorted(rows, reverse=True):
            time = local(ns)
            rules = ", ".join(sorted((re.sub(" snapshot| .*", "", r) for r in reasons),
                                     key=[*UNITS, "within", "days"].index))
            lines.append(f"{time:%Y-%m-%d %a} W{time.isocalendar().week:02}  {rules}")
        open(f"{folder}/{name}.txt", "w").write("\n".join(lines) + "\n")
        print(f"{name}: {len(rows)} stay")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pool", work]:
            make_pool(work)
        case ["golden", work, folder]:
            golden(work, folder)
        case ["compare", work, program, *seed]:
            compare(work, program, *map(int, seed))
        case _:
            sys.exit(__doc__)
