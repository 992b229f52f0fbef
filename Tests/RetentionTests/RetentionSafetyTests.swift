import Retention
import Testing

/// What keeps a backup against the rules: K2 to K11.
@Suite("What no rule deletes")
struct RetentionSafetyTests {
  /// Three good ones of one day, newer than what a test looks at.
  private let newer = ["2026-11-20 12:00", "2026-11-20 11:00", "2026-11-20 10:00"].map { backup($0) }
  private let lastOne = Result { try RetentionPolicy(keepLast: 1) }
  private let old = "2026-10-01 02:00"

  private func clause(_ backup: RetentionFacts) throws -> String? {
    plan(newer + [backup], policy: try lastOne.get()).clause(backup.name)
  }

  @Test("K2: what is pinned stays, and so does what cannot be told")
  func unknown() throws {
    #expect(try clause(backup(old)) == "no rule keeps it")
    #expect(try clause(backup(old, pin: .pinned("thesis"))) == "it is pinned: thesis")
    #expect(try clause(backup(old, pin: .pinned(""))) == "it is pinned")
    #expect(try clause(backup(old, pin: .unreadable("EIO"))) == "it may be pinned: its pin cannot be read (EIO)")
    #expect(try clause(backup(old, problem: "EACCES")) == "it cannot be judged: EACCES")
    #expect(
      try clause(backup(old, condition: .unreadable("EIO"))) == "it cannot be told whether it is good (EIO)")
    #expect(
      try clause(backup(old, pin: .pinned("a"), condition: .failed("x"), isBeingRead: true))
        == "it is pinned: a; it is being read; for now")
  }

  @Test("K2: two backups with one name both stay and count for nothing")
  func sharedNames() throws {
    let twins = [backup("2026-11-20 13:00", name: "twin"), backup(old, name: "twin")]
    let plan = plan(newer + twins, policy: try lastOne.get())
    #expect(plan.deleted == ["2026-11-20 10:00"])
    #expect(plan.reasons("twin") == [.sharedName])
  }

  @Test("K3: the newest two good ones stay; with fewer than two nothing goes")
  func minimum() throws {
    #expect(plan(newer, policy: try lastOne.get()).deleted == ["2026-11-20 10:00"])
    #expect(plan(Array(newer.prefix(2)), policy: try lastOne.get()).deleted == [])
    let bad = [
      backup("2026-10-05 02:00", condition: .failed("bad block")), backup("2026-10-04 02:00", condition: .notVerified),
      backup("2026-10-03 02:00", isComplete: false), backup("2026-10-02 02:00", problem: "EIO"),
    ]
    let one = plan([newer[0]] + bad, policy: try lastOne.get())
    #expect(one.deleted == [])
    #expect(one.clause("2026-10-05 02:00") == "fewer than two verified backups exist")
    #expect(plan(bad, policy: try lastOne.get()).deleted == [])
    #expect(plan([], policy: try lastOne.get()).decisions.isEmpty)
    #expect(
      plan(Array(newer.prefix(2)) + bad, policy: try lastOne.get()).deleted
        == ["2026-10-05 02:00", "2026-10-04 02:00", "2026-10-03 02:00"])
  }

  @Test("K3: old good ones stay as the minimum when the newer ones are bad")
  func oldMinimum() throws {
    let backups =
      (1...9).map { backup("2026-11-0\($0) 02:00", condition: .failed("x")) }
      + (1...5).map { backup("2025-11-0\($0) 02:00") }
    let plan = plan(backups, policy: try RetentionPolicy())
    #expect(plan.deleted == ["2025-11-03 02:00", "2025-11-02 02:00", "2025-11-01 02:00"])
  }

  /// The number of each database, newest first, 0 for one that is not known; and the places that stay.
  @Test(
    "K4: two databases that are certainly not one stay",
    arguments: [
      ([1, 2, 3, 4], [0, 1]), ([1, 1, 2, 3], [0, 1, 2]), ([1, 1, 1, 2], [0, 1, 3]), ([1, 1, 1, 1], [0, 1]),
      ([0, 1, 2, 3], [0, 1, 2]), ([1, 0, 2, 3], [0, 1, 2]), ([0, 0, 1, 2, 3], [0, 1, 2, 3]),
      ([1, 1, 0, 2, 0], [0, 1, 3]), ([1, 1, 0, 1, 0], [0, 1, 2, 4]), ([0, 0, 0, 0], [0, 1, 2, 3]),
      ([0, 0, 1, 0, 1], [0, 1, 2, 3]),
    ])
  func copies(inodes: [UInt64], kept: [Int]) throws {
    let backups = inodes.enumerated().map { place, inode in
      backup("2026-11-20 0\(9 - place):00", name: "\(place)", inode: .some(inode == 0 ? nil : inode))
    }
    let plan = plan(backups, policy: try lastOne.get())
    #expect(plan.kept == kept.map(String.init))
    for place in kept.dropFirst(2) { #expect(plan.reasons("\(place)") == [.secondCopy]) }
  }

  @Test("K4: the same number on another file system is another database; a bad backup is no second copy")
  func otherDevice() throws {
    var other = backup("2026-11-19 02:00", inode: 7)
    other.databaseIdentity?.device = 2
    var links = ["2026-11-20 12:00", "2026-11-20 11:00"].map { backup($0, inode: 7) }
    links.append(backup("2026-11-20 10:00", condition: .failed("x"), inode: 8))
    let plan = plan(links + [other, backup(old)], policy: try lastOne.get())
    #expect(plan.deleted == ["2026-11-20 10:00", old])
  }

  @Test("K5: in a bucket the newest good one stays, and only it counts")
  func onlyGoodCount() throws {
    let backups = [
      backup("2026-11-20 12:00"), backup("2026-11-20 11:00"),
      backup("2026-11-19 20:00", condition: .failed("x")), backup("2026-11-19 19:00", condition: .notVerified),
      backup("2026-11-19 18:00", isComplete: false), backup("2026-11-19 17:00"), backup("2026-11-19 16:00"),
      backup("2026-11-18 16:00"), backup("2026-11-17 16:00"),
    ]
    let plan = plan(backups, policy: try RetentionPolicy(keepDaily: 3))
    #expect(plan.kept == ["2026-11-20 12:00", "2026-11-20 11:00", "2026-11-19 17:00", "2026-11-18 16:00"])
    #expect(plan.clause("2026-11-19 20:00") == "it is damaged (x), no rule keeps it, and a newer one is verified")
    #expect(
      plan.clause("2026-11-19 19:00") == "it was never verified, no rule keeps it, and a newer one is verified")
    #expect(plan.clause("2026-11-19 18:00") == "it is incomplete, no rule keeps it, and a newer one is verified")
  }

  @Test("K6: where none is good, all that are not damaged stay, and they use up nothing")
  func noneGood() throws {
    let backups = [
      backup("2026-11-20 12:00"), backup("2026-11-20 11:00"),
      backup("2026-11-19 20:00", condition: .notVerified), backup("2026-11-19 19:00", isComplete: false),
      backup("2026-11-19 18:00", condition: .failed("x")), backup("2026-11-18 16:00"),
      backup("2026-11-17 16:00", condition: .notVerified), backup("2026-11-17 10:00"),
      backup("2026-11-16 16:00", condition: .notVerified),
    ]
    let plan = plan(backups, policy: try RetentionPolicy(keepDaily: 2))
    #expect(
      plan.deleted
        == ["2026-11-19 18:00", "2026-11-17 16:00", "2026-11-17 10:00", "2026-11-16 16:00"])
    #expect(plan.clause("2026-11-19 19:00") == "daily: no backup of 2026-11-19 is verified, so all stay")
    let last = RetentionTests.plan(backups, policy: try RetentionPolicy(keepLast: 3)).kept
    #expect(last.contains("2026-11-19 20:00") && !last.contains("2026-11-17 16:00"))
  }

  @Test(
    "K7: what is as new as the newest good one stays",
    arguments: [RetentionFacts.Condition.failed("x"), .notVerified, .verified])
  func newest(condition: RetentionFacts.Condition) throws {
    let bad = { (time: String) in backup(time, name: "bad", condition: condition, isComplete: false) }
    for time in ["2026-11-20 13:00", "2026-11-20 12:00"] {
      let clause = try clause(bad(time))
      #expect(clause?.hasPrefix("no verified backup is newer") == true)
    }
    #expect(plan(newer + [bad("2026-11-20 11:59")], policy: try RetentionPolicy(keepDaily: 9)).deleted.contains("bad"))
  }

  @Test("K8: a date that is not believed keeps its backup and counts for nothing")
  func dates() throws {
    let now = Berlin.at("2026-11-20 18:00")
    let facts = { (name: String, time: Int64?, named: Int64?) in
      RetentionFacts(name: name, timestamp: time, timestampInName: named)
    }
    let doubtful: [(RetentionFacts, DateDoubt)] = [
      (facts("future", now + 1, now + 1), .future), (facts("absent", nil, now), .absent),
      (facts("renamed", now, nil), .foreignName), (facts("neither", nil, nil), .absent),
      (facts("later", now, now - Berlin.day - 1), .disagrees), (facts("far", .max, .min), .disagrees),
      (facts("earlier", now - 9 * Berlin.day - 1, now - 8 * Berlin.day), .disagrees),
    ]
    let plan = plan(newer + doubtful.map(\.0), policy: try lastOne.get())
    #expect(plan.deleted == ["2026-11-20 10:00"])
    for (backup, doubt) in doubtful { #expect(plan.reasons(backup.name) == [.doubtfulDate(doubt)]) }
    #expect(plan.clause("future") == "its date is in the future")
    #expect(plan.clause("absent") == "nothing says how old it is")
    #expect(plan.clause("renamed") == "its name is not one that hrp gives")
    #expect(plan.clause("far") == "its name and its metadata differ by more than a day")
    #expect(plan.decisions.prefix(2).map(\.name) == ["far", "future"])
    // A day's difference is that of a time zone.
    #expect(try clause(facts("zone", now - 9 * Berlin.day, now - 8 * Berlin.day)) == "no rule keeps it")
    #expect(try clause(facts("now", now, now))?.hasPrefix("it is one of the newest two verified") == true)
  }

  @Test("K9: a damaged one stays while days or within cover it")
  func damaged() throws {
    let damaged = backup("2026-11-10 02:00", condition: .failed("its drill failed"))
    let policy = try RetentionPolicy(preset: "7/4/12")
    #expect(
      plan(newer + [damaged], policy: policy).clause("2026-11-10 02:00")
        == "it is damaged (its drill failed), no rule keeps it, and a newer one is verified")
    for policy in [try RetentionPolicy(keepDays: 11), try RetentionPolicy(keepWithin: RetentionAge("10d"))] {
      #expect(plan(newer + [damaged], policy: policy).deleted.isEmpty)
    }
    #expect(plan(newer + [damaged], policy: try RetentionPolicy(keepDays: 9)).deleted == ["2026-11-10 02:00"])
  }

  @Test("K10: one that is being read stays, and counts as ever")
  func beingRead() throws {
    let backups = [newer[0], newer[1], backup("2026-11-20 10:00", isBeingRead: true), backup(old, isBeingRead: true)]
    let plan = plan(backups + [backup("2026-10-01 01:00")], policy: try RetentionPolicy(keepDaily: 2))
    #expect(plan.deleted == ["2026-10-01 01:00"])
    #expect(plan.clause("2026-11-20 10:00") == "it is being read; for now")
    #expect(plan.clause(old) == "it is being read; for now; daily: the last of 2026-10-01")
  }

  @Test("K11: when nobody watches, more than half as many as are good never go at once")
  func unattended() throws {
    let backups = daily(6, until: "2026-11-20")
    let half = plan(backups, policy: try RetentionPolicy(keepLast: 3), isUnattended: true)
    #expect(half.deleted.count == 3 && half.refusal == nil)
    let more = plan(backups, policy: try RetentionPolicy(keepLast: 2), isUnattended: true)
    #expect(more.deleted.isEmpty && more.refusal == .tooMany(deleting: 4, verified: 6))
    #expect(more.reasons("2026-11-15 02:00") == [.refused])
    #expect(
      more.refusal?.sentence
        == "The rules would delete 4 backups, more than half as many as are verified (6). "
        + "Run it by hand to confirm this."
    )
    #expect(plan(backups, policy: try RetentionPolicy(keepLast: 2)).deleted.count == 4)
    let failing = backups.prefix(3) + backups.dropFirst(3).map { failed($0) }
    let mass = plan(Array(failing), policy: try RetentionPolicy(keepLast: 6), isUnattended: true)
    #expect(mass.refusal == .tooMany(deleting: 3, verified: 3))
  }

  private func failed(_ backup: RetentionFacts) -> RetentionFacts {
    var backup = backup
    backup.condition = .failed("x")
    return backup
  }

  @Test("K11: when nobody watches and the clock jumped, nothing goes")
  func clockJumped() throws {
    let policy = try RetentionPolicy(keepLast: 5)
    let backups = daily(6, until: "2026-11-20")
    let jumped = plan(backups, policy: policy, isUnattended: true, clockJumped: true)
    #expect(jumped.deleted.isEmpty && jumped.refusal == .clockJumped(deleting: 1))
    #expect(
      jumped.refusal?.sentence == "The clock jumped, so nothing is deleted. The rules would have deleted 1 backup.")
    #expect(plan(backups, policy: policy, clockJumped: true).deleted.count == 1)
    let nothing = plan(backups, policy: try RetentionPolicy(keepLast: 6), isUnattended: true, clockJumped: true)
    #expect(nothing.refusal == nil)
  }
}
