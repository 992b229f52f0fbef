// What is deleted is gone, so these statements hold. Tests name them by their numbers. "Good" means: verified,
// complete, readable, and with a date that is believed. "Bucket" means: an hour, a day, a week, a month or a year. A
// statement about two plans is about what the rules say, before K11 stops a run.
//
//   K1   A backup stays if any rule keeps it. Example: with "last 1, monthly 12" the last one of October stays, though
//        it is not the last one of all.
//   K2   "Cannot tell" is never "no". A pinned backup stays. One whose pin, metadata, proof or lock cannot be read
//        stays too, and so do two that have one name. Example: the pin of a backup gives EIO; the backup stays.
//   K3   The newest two good backups stay, whatever the rules say. While there are fewer than two, nothing is deleted.
//        Example: "last 1" with three good ones deletes one, not two.
//   K4   A second link is no second copy. Where the newest two good ones do not certainly have two databases, the
//        newest two good ones stay whose databases are known and differ. Where no two are known to differ, every good
//        one stays whose database is unknown: it may be the second copy. Example: Monday and Tuesday are links to one
//        file, and Sunday has its own; Sunday stays.
//   K5   Only good backups count. A rule keeps the newest good one of each bucket until its number is used up, and a
//        bucket without any backup does not count. Example: on Friday one at 10:00 is verified and one at 12:00 is
//        damaged; "daily 7" keeps that of 10:00.
//   K6   A bucket that has no good backup uses up nothing, and all in it that are not damaged stay, because none of
//        them can vouch for the others. This ends with the last bucket that the rule counts. Example: "daily 2", and
//        two of Thursday were never verified, while Friday, Wednesday and Tuesday have good ones. Friday and Wednesday
//        count, both of Thursday stay, and Tuesday goes.
//   K7   What is as new as the newest good backup, or newer, stays, even when it is damaged: nothing else may hold what
//        it holds. Example: the backup of tonight failed; it stays until a newer one is verified.
//   K8   A date is not believed when it is absent, later than now, or more than a day away from the name, or when the
//        name is not one that hrp gives. Such a backup stays and counts for nothing. Example: a backup is dated 2031;
//        it stays, and is neither one of the "last 5" nor one of the newest two.
//   K9   A damaged backup fills no bucket. It goes when neither "days", "within" nor any of K2, K3, K7, K8 and K10
//        keeps it, and the reason says so. Example: with "7/4/12" one that failed a drill goes when a newer one is
//        verified.
//   K10  A backup that is being read stays for now. It counts as if it were not being read. Example: one of 2024 is
//        being restored; it stays, and the next run deletes it.
//   K11  When nobody watches, nothing is deleted after a jump of the clock, nor when more would go than half as many as
//        are good. Example: 60 backups, and 50 of them begin to fail; nothing goes until somebody runs it by hand.
//   K12  The order of the list does not matter. Ties are broken by name. Example: two were made in one second; "last 1"
//        counts the one whose name comes later.
//   K13  Once more is no more: what a plan keeps, the same policy keeps again at the same time. Example: a run that is
//        stopped halfway and begun again deletes what the first one would have deleted.
//   K14  A later time keeps no backup that an earlier time gave up. Example: by the calendar alone, "within 1m" of
//        31 March begins on 3 March, and of 1 April on 1 March. Here it begins on 1 March for both.
//   K15  Another backup that is not good, or one that gets worse or disappears, never makes a further backup go.
//        Example: the only good one of Friday is found damaged; every other one that stayed still stays.
//   K16  "days 30" is 30 times 24 hours before now, and that moment itself is within. "within" is seen from the newest
//        good backup. Hours alone are exact. With days, months or years it begins with a whole local day, and then the
//        hours, and one more, go off. Where the month has no such day, it begins with the next month. Both keep also
//        what is not good. Example: "within 1m" of 2026-03-31 09:00 begins at 2026-03-01 00:00.
//   K17  While a rule could count more than there are, it keeps the oldest good one too, as restic does since 0.16.
//        Example: the first backup of all was made at 09:00 and the second one that evening; "daily 7" keeps both for a
//        week.
//
// K6 keeps all and not only the newest: else a new backup that nobody verified would push out an old one (K15).

/// Which backups stay and which may be deleted, each with the reasons.
package struct RetentionPlan: Sendable, Equatable {
  /// A decision for each backup, newest first; those without a date come last.
  package let decisions: [RetentionDecision]
  /// Why nothing is deleted though the rules would; nil when nothing stands in the way.
  package let refusal: RetentionRefusal?

  /// The decisions for the backups that may be deleted, newest first.
  package var deletions: [RetentionDecision] { decisions.filter { !$0.outcome.isKept } }

  /// Decides; it reads no file and no clock.
  package init(of backups: [RetentionFacts], policy: RetentionPolicy, run: RetentionRun) {
    let backups = backups.sorted { left, right in
      let (a, b) = (left.timestamp ?? .min, right.timestamp ?? .min)
      return a == b ? left.name > right.name : a > b
    }
    let shared = Self.sharedNames(of: backups)
    let dated = backups.indices.filter {
      !shared.contains(backups[$0].name) && backups[$0].doubtAboutDate(now: run.now) == nil
    }
    let rules = RetentionRules(
      policy: policy, candidates: dated.map { .init(backups[$0], localHour: run.localHour) }, run: run)
    var outcomes: [RetentionOutcome] = backups.map { backup in
      .keep(Self.own(backup, isShared: shared.contains(backup.name), now: run.now))
    }
    for (index, ruled) in zip(dated, rules.reasons) {
      guard case .keep(let own) = outcomes[index] else { continue }
      let reasons = own + ruled
      outcomes[index] = reasons.isEmpty ? .delete(Self.deleteReason(for: backups[index])) : .keep(reasons)
    }
    let deleting = outcomes.count { !$0.isKept }
    let refusal = Self.refusal(deleting: deleting, verified: rules.goodCount, run: run)
    decisions = zip(backups, outcomes).map { backup, outcome in
      RetentionDecision(
        name: backup.name, timestamp: backup.timestamp,
        outcome: refusal != nil && !outcome.isKept ? .keep([.refused]) : outcome)
    }
    self.refusal = refusal
  }

  /// What keeps a backup without a look at the others (K2, K8, K10).
  private static func own(_ backup: RetentionFacts, isShared: Bool, now: Int64) -> [KeepReason] {
    var reasons: [KeepReason] = []
    switch backup.pin {
    case .none: break
    case .pinned(let words): reasons.append(.pinned(words))
    case .unreadable(let why): reasons.append(.pinUnreadable(why))
    }
    if isShared { reasons.append(.sharedName) }
    if let problem = backup.problem { reasons.append(.unreadable(problem)) }
    if case .unreadable(let why) = backup.condition { reasons.append(.conditionUnreadable(why)) }
    if let doubt = backup.doubtAboutDate(now: now) { reasons.append(.doubtfulDate(doubt)) }
    if backup.isBeingRead { reasons.append(.beingRead) }
    return reasons
  }

  private static func deleteReason(for backup: RetentionFacts) -> DeleteReason {
    if case .failed(let why) = backup.condition { return .damaged(why) }
    guard backup.isComplete else { return .incomplete }
    return backup.condition == .verified ? .outlived : .notVerified
  }

  private static func refusal(deleting: Int, verified: Int, run: RetentionRun) -> RetentionRefusal? {
    guard run.isUnattended, deleting > 0 else { return nil }
    if run.clockJumped { return .clockJumped(deleting: deleting) }
    return deleting * 2 > verified ? .tooMany(deleting: deleting, verified: verified) : nil
  }

  private static func sharedNames(of backups: [RetentionFacts]) -> Set<String> {
    var (seen, shared): (Set<String>, Set<String>) = ([], [])
    for backup in backups where !seen.insert(backup.name).inserted { shared.insert(backup.name) }
    return shared
  }
}
