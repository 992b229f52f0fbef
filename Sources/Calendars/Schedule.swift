/// A rule in a zone: the instants at which a job is due, its slots.
///
/// It reads no clock and no file. Instants are in nanoseconds since 1970 UTC, which reach from 1677 to 2262; a slot
/// beyond that is `Int64.max` (or `Int64.min`). These sentences hold, and the tests name them:
///
/// T1. `next` is strictly after its instant, and `latest` is at it or before it; no slot lies between the two.
///     At Saturday 02:00 sharp the latest slot is this one, and the next is in a week.
/// T2. Slots strictly increase; one instant is one slot, whatever number of local times it stands for.
///     Pacific/Apia had no 2011-12-30: the daily slots at 00:00 of the 30th and of the 31st are one.
/// T3. A local time that does not exist has its slot at the end of the gap.
///     New York, 2027-03-14 02:30: the slot is at 03:00 EDT.
/// T4. A local time that exists twice has its slot the first time, and only then.
///     New York, 2026-11-01 01:30: the slot is at 01:30 EDT, not at 01:30 EST.
/// T5. An hourly rule has a slot whenever the clock begins to show its minute, in both passes of a repeated hour.
///     New York, 2026-11-01, minute 30: slots at 01:30 EDT, at 01:30 EST, at 02:30 EST.
/// T6. Between two hourly slots goes never more than an hour; where the clock is set by part of an hour and it would be
///     more, the instant at which it is set is a slot as well.
///     Lord Howe, 2026-10-04, minute 15: 01:15, then 02:30 (the end of the gap), then 03:15.
/// T7. A month without the day of a monthly rule has its slot on its last day; every month has one.
///     Day 31 at 02:00: 2026-02-28 02:00, and 2028-02-29 02:00.
/// T8. `count` is the number of steps that `next` takes, and costs one look at the zone for each half day in between.
///     Thirty years of hourly slots are counted in some hundredths of a second.
/// T9. A name that is not in the tz database is an error, never UTC.
///     `PST` and `utc+foo` are errors, `US/Eastern` is not.
/// T10. The rules of Foundation differ from a file of the tz database, or do not, or there is no file to tell.
///     A missing file is not the same as no difference.
package struct Schedule: Sendable, Hashable {
  /// How often it comes round, and when.
  package let rule: Rule
  /// Whose clock tells the time.
  package let zone: Zone

  /// Takes a rule whose minute and day exist.
  package init(_ rule: Rule, in zone: Zone) throws(UnusableRule) {
    try rule.check()
    self.rule = rule
    self.zone = zone
  }

  /// The first slot that is strictly after an instant, both in nanoseconds since 1970 UTC.
  package func next(after instant: Int64) -> Int64 {
    Instant.nanoseconds(ofSecond: slots.next(afterSecond: Instant.wholeSeconds(of: instant)))
  }

  /// The last slot that is not after an instant, both in nanoseconds since 1970 UTC.
  package func latest(atOrBefore instant: Int64) -> Int64 {
    Instant.nanoseconds(ofSecond: slots.latest(atOrBeforeSecond: Instant.wholeSeconds(of: instant)))
  }

  /// How many slots are after one instant and not after another, both in nanoseconds since 1970 UTC.
  package func count(after instant: Int64, through last: Int64) -> Int {
    let (first, last) = (Instant.wholeSeconds(of: instant), Instant.wholeSeconds(of: last))
    return first < last ? slots.count(afterSecond: first, throughSecond: last) : 0
  }

  private var slots: any Slots {
    switch rule {
    case .hourly(let minute): HourlySlots(minute: minute, zone: zone)
    case .daily(let time): DatedSlots(dates: DateSequence(step: .day, time: time), zone: zone)
    case .weekly(let day, let time): DatedSlots(dates: DateSequence(step: .week(day), time: time), zone: zone)
    case .monthly(let day, let time): DatedSlots(dates: DateSequence(step: .month(day: day), time: time), zone: zone)
    }
  }
}
