"""Compares Calendars with APScheduler, with croniter, and with a brute force that walks a clock.

usage: oracle.py ANSWERS [CASES] [SEED]; ANSWERS is the program calendar-answers (see scripts/calendar)

The brute force follows the rules at the head of Schedule.swift, but shares no thought with the Swift code: it walks
minutes and days with zoneinfo. It must agree with Swift except where Foundation's tz database differs from PyPI's
tzdata. APScheduler and croniter follow other rules in some places: each difference gets a class by what the slots
concerned are, never by how large it is. Whatever gets no class is printed, and the exit status is 1.
"""
import bisect, collections, json, os, random, subprocess, sys, time, warnings
from datetime import datetime, timedelta, timezone, tzinfo
import zoneinfo
import tzdata
zoneinfo.reset_tzpath([])  # PyPI's tzdata only
from zoneinfo import ZoneInfo
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

warnings.simplefilter("ignore")
ANSWERS = sys.argv[1]
BILLION = 10**9
UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = 946_684_800, 2_366_841_600  # 2000 to 2045
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NOMINAL = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400, "monthly": 31 * 86400}


def swift(questions):
    text = "".join(json.dumps(q) + "\n" for q in questions)
    out = subprocess.run([ANSWERS], input=text, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def offset(tz, second):
    return int(datetime.fromtimestamp(second, tz).utcoffset().total_seconds())


def offsets(tz, first, last):
    """The changes of a zone: looked at every three days, halved down to the second; no two are so near each other."""
    second, known = first, offset(tz, first)
    table = [[second, known]]
    while second < last:
        ahead = second + 3 * 86400
        if offset(tz, ahead) != known:
            low, high = second, ahead
            while high - low > 1:
                middle = (low + high) // 2
                if offset(tz, middle) == known: low = middle
                else: high = middle
            known = offset(tz, high)
            table.append([high, known])
        second = ahead
    return table


def differing_spans(ours, theirs, last):
    """Where two tables of offsets disagree, as pairs of seconds."""
    edges = sorted({s for s, _ in ours} | {s for s, _ in theirs}) + [last]
    def at(table, second): return table[bisect.bisect_right(table, [second, 10**9]) - 1][1]
    return [(a, b) for a, b in zip(edges, edges[1:]) if at(ours, a) != at(theirs, a)]


class TableZone(tzinfo):
    """A zone made of a table of offsets: Foundation's own, for the brute force to walk."""

    def __init__(self, table):
        self.offsets = [o for _, o in table]
        self.starts = [s for s, _ in table[1:]]
        pairs = list(zip(self.starts, self.offsets, self.offsets[1:]))
        # In a gap and in an overlap, fold 0 takes the offset before the change, and fold 1 the one after it (PEP 495).
        self.walls = [[s + max(a, b) for s, a, b in pairs], [s + min(a, b) for s, a, b in pairs]]

    def utcoffset(self, moment):
        second = int((moment.replace(tzinfo=UTC) - EPOCH).total_seconds())
        return timedelta(seconds=self.offsets[bisect.bisect_right(self.walls[moment.fold], second)])

    def fromutc(self, moment):
        second = int((moment.replace(tzinfo=UTC) - EPOCH).total_seconds())
        index = bisect.bisect_right(self.starts, second)
        shown = moment + timedelta(seconds=self.offsets[index])
        wall = second + self.offsets[index]
        is_second = index > 0 and wall < self.walls[0][index - 1] and self.offsets[index] < self.offsets[index - 1]
        return shown.replace(fold=int(is_second))


# ---- the brute force ----

def local(second, tz): return datetime.fromtimestamp(second, tz).replace(tzinfo=None)


def first_showing(naive, tz):
    """The instant of a local time by the rules, and whether the time is plain, in a gap or in an overlap."""
    utc = naive.replace(tzinfo=tz, fold=0).astimezone(UTC)
    second = int((utc - EPOCH).total_seconds())
    if local(second, tz) != naive:
        while local(second - 60, tz) >= naive: second -= 60
        return second, "gap"
    other = naive.replace(tzinfo=tz, fold=1).astimezone(UTC)
    return second, "plain" if other == utc else "overlap"


def dated_slots(case, first, last, tz):
    """All slots of a rule with a time of day whose date is near two instants: instant to tags."""
    day, end = local(first, tz).date() - timedelta(days=2), local(last, tz).date() + timedelta(days=2)
    slots = collections.defaultdict(set)
    while day <= end:
        tags = set()
        if case["kind"] == "daily": matches = True
        elif case["kind"] == "weekly": matches = DAYS[day.weekday()] == case["weekday"]
        else:
            is_last = (day + timedelta(days=1)).day == 1
            matches = day.day == case["day"] or (is_last and day.day < case["day"])
            if matches and day.day < case["day"]: tags.add("short month")
        if matches:
            naive = datetime(day.year, day.month, day.day, case["hour"], case["minute"])
            second, kind = first_showing(naive, tz)
            slots[second] |= tags | {kind}
        day += timedelta(days=1)
    return slots


def hourly_slots(case, first, last, tz):
    """All slots of an hourly rule between two instants, by walking the minutes of a clock."""
    start = (first // 60) * 60 - 7200
    walk = [local(s, tz) for s in range(start, last + 7200, 60)]
    shown = [i for i, clock in enumerate(walk) if clock.minute == case["minute"]]
    slots = collections.defaultdict(set)
    for i in shown: slots[start + 60 * i].add("plain")
    for i in range(1, len(walk)):
        if walk[i] - walk[i - 1] != timedelta(minutes=1):
            slots[start + 60 * i]  # seen below
            before = max((j for j in shown if j < i), default=None)
            after = min((j for j in shown if j >= i), default=None)
            if before is None or after is None or after - before <= 60:
                if not slots[start + 60 * i]: del slots[start + 60 * i]
            else: slots[start + 60 * i].add("set by part of an hour")
    # A slot that the clock also shows the first or second time, or that stands beside a change of the clock.
    changes = [i for i in range(1, len(walk)) if walk[i] - walk[i - 1] != timedelta(minutes=1)]
    for second in list(slots):
        i = (second - start) // 60
        for c in changes:
            back = walk[c - 1] + timedelta(minutes=1) - walk[c]
            if back > timedelta(0):
                if c <= i and walk[i] < walk[c] + back: slots[second].add("second pass")
                if i < c and walk[i] >= walk[c]: slots[second].add("first pass")
            elif c <= i and walk[i] - walk[c] < timedelta(hours=1): slots[second].add("after a gap")
    return slots


def brute(case, tz):
    """What Swift should answer, and our slots with their tags up to the next one."""
    floor, through = case["instant"] // BILLION, case["through"] // BILLION
    pad = {"hourly": 7200, "daily": 3 * 86400, "weekly": 10 * 86400, "monthly": 70 * 86400}[case["kind"]]
    make = hourly_slots if case["kind"] == "hourly" else dated_slots
    slots = make(case, floor - pad, max(through, floor) + pad, tz)
    after = [s for s in sorted(slots) if s > floor]
    before = [s for s in slots if s <= floor]
    return {"next": after[0], "latest": max(before), "count": sum(1 for s in after if s <= through)}, slots


# ---- the others ----

def apscheduler_trigger(case, tz):
    fields = {"minute": case["minute"], "timezone": tz}
    if "hour" in case: fields["hour"] = case["hour"]
    if case["kind"] == "weekly": fields["day_of_week"] = case["weekday"]
    if case["kind"] == "monthly": fields["day"] = case["day"]
    return CronTrigger(**fields)


def seconds(moment): return int((moment.astimezone(UTC) - EPOCH).total_seconds())


def apscheduler_next(trigger, case, tz):
    second = case["instant"] // BILLION + 1  # it takes a slot that is now as well
    fired = trigger.get_next_fire_time(None, datetime.fromtimestamp(second, tz))
    return seconds(fired)


def croniter_next(case, tz):
    hour = case.get("hour", "*")
    day = case.get("day", "*")
    weekday = case.get("weekday", "*")
    start = datetime.fromtimestamp(case["instant"] // BILLION, tz)
    return seconds(croniter(f"{case['minute']} {hour} {day} * {weekday}", start).get_next(datetime))


ON_THE_WAY, SECOND = "a change on the way", "it fires in the second pass as well"
WRONG_DAY = "a change on the way, and no slot by its own rule"
CLASSES = {
    "set by part of an hour": "the clock is set by half an hour: we add a slot so that no hour is without, it does not",
    "gap": "the local time is in a gap: we take the end of the gap, it takes another time or none",
    "overlap": "the local time exists twice: we take the first, it takes another or both",
    "short month": "the month does not have the day: we take its last day, it takes none",
    "second pass": "hourly in a repeated hour: we take both passes, it does not",
    "first pass": "hourly in a repeated hour: it misses the first pass",
    "after a gap": "hourly in the hour after a gap: it goes wrong beside the gap",
    ON_THE_WAY: "a plain slot that it loses because of a change before it: asked from that change on, it finds the slot",
    WRONG_DAY: "it fires at a time that its rule does not name; asked from the change on, it finds our slot",
    SECOND: "a local time that exists twice: we take the first only",
}


def local_kind(second, case, tz):
    """What an instant that is no slot of ours shows, if the other library fires there."""
    now = datetime.fromtimestamp(second, tz)
    naive = now.replace(tzinfo=None)
    shows = naive.minute == case["minute"] and naive.second == 0 and naive.hour == case.get("hour", naive.hour)
    if shows and now.fold: return SECOND
    day = datetime(naive.year, naive.month, naive.day)
    for shift in (-1, 0):
        if "hour" not in case: break
        wanted = day + timedelta(days=shift, hours=case["hour"], minutes=case["minute"])
        slot, kind = first_showing(wanted, tz)
        if kind == "gap" and slot < second: return "gap: it fires later than its end"
        if kind == "gap" and second < slot: return "gap: it fires before it"
    return None


def matches(case, naive):
    """Whether a local time is one that the rule names."""
    return (naive.minute == case["minute"] and naive.hour == case.get("hour", naive.hour)
            and naive.day == case.get("day", naive.day) and DAYS[naive.weekday()] == case.get("weekday", DAYS[naive.weekday()]))


def explain(case, theirs, slots, floor, tz, ask, changes):
    """The class of a difference: what our slot is that it misses, or what the instant is that it adds."""
    ours = min(s for s in slots if s > floor)
    def finds_after_change():
        return any(floor < change <= ours and ask({**case, "instant": change * BILLION - 1}) == ours
                   for change, _ in changes)
    if ours < theirs:
        tags = slots[ours] - {"plain"}
        for tag in CLASSES:
            if tag in tags: return tag
        return ON_THE_WAY if finds_after_change() else None
    label = local_kind(theirs, case, tz)
    if label is None and not matches(case, local(theirs, tz)) and finds_after_change(): return WRONG_DAY
    return label


# ---- the cases ----

def odd_changes(tables):
    """Changes by part of an hour or by more than three, each once whatever number of zones shares it."""
    pairs = [(name, new[0], new[1] - old[1]) for name, table in tables.items() for old, new in zip(table, table[1:])]
    return list({(change, shift): (name, change) for name, change, shift in pairs
                 if shift % 3600 or abs(shift) > 10800}.values())


def make_case(random, names, tables, odd):
    name = random.choice(names)
    near = random.random() < 0.3
    is_odd = near and random.random() < 0.15
    if is_odd:
        name, change = random.choice(odd)
        second = change + random.randrange(-2 * 86400, 2 * 86400)
    elif near:
        while len(tables[name]) < 2: name = random.choice(names)
        change, _ = random.choice(tables[name][1:])
        second = change + random.randrange(-2 * 86400, 2 * 86400)
    else: second = random.randrange(FIRST, LAST)
    tz = ZoneInfo(name)
    case = {"zone": name, "kind": random.choice(list(NOMINAL)), "minute": random.choice([0, 0, 30, random.randrange(60)])}
    wanted = datetime.fromtimestamp(second, tz)
    if is_odd and random.random() < 0.4: case["kind"] = "hourly"
    if case["kind"] != "hourly": case["hour"] = random.choice([0, 1, 2, 2, 3, random.randrange(24)])
    if case["kind"] == "monthly": case["day"] = random.choice([1, 28, 29, 30, 31, random.randint(1, 31), wanted.day])
    if case["kind"] == "weekly": case["weekday"] = random.choice(DAYS)
    if near and random.random() < 0.6:  # the wanted time is in the hours that the change skips or repeats
        before, after = local(change - 1, tz), local(change, tz)
        low, high = min(before, after) - timedelta(minutes=40), max(before, after) + timedelta(minutes=40)
        wanted = low + random.random() * (high - low)
        case["minute"] = wanted.minute if random.random() < 0.5 else case["minute"]
        if "hour" in case: case["hour"] = wanted.hour
        if "weekday" in case: case["weekday"] = DAYS[wanted.weekday()]
        if "day" in case: case["day"] = wanted.day
        if random.random() < 0.8: second = change - random.randrange(1, 7200)
    case["instant"] = second * BILLION + random.choice([0, 0, 1, random.randrange(BILLION)])
    span = random.randrange(0, {"hourly": 40, "daily": 20, "weekly": 8, "monthly": 6}[case["kind"]])
    case["through"] = case["instant"] + span * NOMINAL[case["kind"]] * BILLION + random.randrange(BILLION * 3600)
    if random.random() < 0.1:  # exactly at a slot
        case["instant"] = brute(case, tz)[0]["next"] * BILLION
    return case


def check_files(names, ours, tables, differing):
    """Our reader of TZif files, given PyPI's files, against zoneinfo; and where it sees the first difference."""
    first, last = FIRST - 86400 * 100, LAST + 86400 * 400
    folder = os.path.join(os.path.dirname(tzdata.__file__), "zoneinfo")
    answers = swift([{"zone": n, "kind": "rules", "file": os.path.join(folder, n), "instant": first * BILLION,
                      "through": last * BILLION} for n in names])
    wrong = [n for n, a in zip(names, answers) if a.get("offsets") != tables[n]]
    seen = {n: a["difference"] // BILLION for n, a in zip(names, answers) if "difference" in a}
    missed = [n for n in names if seen.get(n) != (differing[n][0][0] if n in differing else None)]
    print(f"TZif files read as zoneinfo reads them: {len(names) - len(wrong)}, wrong: {wrong}; "
          f"first difference from Foundation found: {len(seen)}, wrong: {missed}")
    if wrong or missed: sys.exit(1)


def main():
    begun = time.time()
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rng = random.Random(seed)
    names = sorted(zoneinfo.available_timezones())
    ask = [{"zone": n, "kind": "offsets", "instant": (FIRST - 86400 * 100) * BILLION,
            "through": (LAST + 86400 * 400) * BILLION} for n in names]
    answers = swift(ask)
    refused = [n for n, a in zip(names, answers) if "problem" in a]
    ours = {n: a["offsets"] for n, a in zip(names, answers) if "problem" not in a}
    names = [n for n in names if n in ours]
    tables, differing, by_file = {}, {}, {}
    folder = os.path.join(os.path.dirname(tzdata.__file__), "zoneinfo")
    for n in names:
        with open(os.path.join(folder, n), "rb") as file: text = file.read()
        if text not in by_file: by_file[text] = offsets(ZoneInfo(n), FIRST - 86400 * 100, LAST + 86400 * 400)
        tables[n] = by_file[text]
        spans = differing_spans(ours[n], tables[n], LAST + 86400 * 400)
        if spans: differing[n] = spans
    check_files(names, ours, tables, differing)
    inside = {n: [t for t in table if t[0] == table[0][0] or FIRST < t[0] < LAST] for n, table in tables.items()}
    print(f"PyPI tzdata {tzdata.IANA_VERSION}; zones both know: {len(names)}; zones that Swift refuses: {refused}")
    print(f"zones whose offsets differ between Foundation and PyPI tzdata: {len(differing)}")
    for n, spans in differing.items():
        print(f"  {n}: from {datetime.fromtimestamp(spans[0][0], UTC):%Y-%m-%d}, {len(spans)} spans")

    odd = odd_changes(inside)
    todo = [make_case(rng, names, inside, odd) for _ in range(cases)]
    made = time.time()
    replies = swift(todo)
    answered = time.time()
    classes = {"APScheduler": collections.Counter(), "croniter": collections.Counter()}
    examples, unexplained = {}, []
    wrong, data, equal = [], collections.Counter(), collections.Counter()
    for case, reply in zip(todo, replies):
        tz, floor = ZoneInfo(case["zone"]), case["instant"] // BILLION
        expected, slots = brute(case, tz)
        reach = (min(expected["latest"], floor) - 3 * 86400, max(expected["next"], case["through"] // BILLION) + 3 * 86400)
        by_data = any(a < reach[1] and reach[0] < b for a, b in differing.get(case["zone"], []))
        found = {k: reply.get(k) for k in ("next", "latest", "count")}
        for k in ("next", "latest"): found[k] = found[k] // BILLION if found[k] is not None else None
        clock = str(datetime.fromtimestamp(expected["next"], tz))
        if found != expected or reply.get("clock") != clock:
            if by_data:  # only if the same brute force agrees once it walks Foundation's offsets
                expected, _ = brute(case, TableZone(ours[case["zone"]]))
                if found == expected:
                    data[case["zone"]] += 1
                    continue
            wrong.append((case, expected, found, reply))
            continue
        equal["brute force"] += 1
        trigger = apscheduler_trigger(case, tz)
        if str(trigger) != reply["trigger"]: wrong.append((case, str(trigger), reply["trigger"], None))
        for name, ask in (("APScheduler", lambda case: apscheduler_next(trigger, case, tz)),
                          ("croniter", lambda case: croniter_next(case, tz))):
            theirs = ask(case)
            if theirs == expected["next"]:
                equal[name] += 1
                continue
            label = explain(case, theirs, slots, floor, tz, ask, tables[case["zone"]])
            if label is None: unexplained.append((name, case, clock, str(datetime.fromtimestamp(theirs, tz))))
            else:
                classes[name][label] += 1
                examples.setdefault((name, label), (case, clock, str(datetime.fromtimestamp(theirs, tz))))
    print(f"cases: {cases}, seed {seed}; near a change of the clock: "
          f"{sum(1 for c in todo if any(abs(c['instant'] // BILLION - t) <= 2 * 86400 for t, _ in inside[c['zone']][1:]))}")
    print(f"brute force: {equal['brute force']} equal, {len(wrong)} wrong, {sum(data.values())} by the tz database {dict(data)}")
    for item in wrong[:10]: print("  WRONG", *item)
    for name in classes:
        print(f"{name}: {equal[name]} equal, {sum(classes[name].values())} explained")
        for label, count in classes[name].most_common():
            case, clock, theirs = examples[name, label]
            print(f"  {count:5} {label}: {CLASSES.get(label, '')}")
            print(f"        {case['zone']} {croniter_text(case)}: ours {clock}, its {theirs}")
    print(f"unexplained: {len(unexplained)}")
    for item in unexplained[:15]: print("  ", *item)
    print(f"seconds: {time.time() - begun:.1f} (cases made after {made - begun:.1f}, Swift {answered - made:.1f})")
    sys.exit(1 if wrong or unexplained else 0)


def croniter_text(case):
    return f"{case['minute']} {case.get('hour', '*')} {case.get('day', '*')} * {case.get('weekday', '*')}"


if __name__ == "__main__":
    main()
