package import Calendars
package import Jobs

// When a job runs. Backups fail in silence when a machine slept at two o'clock, so what was missed is caught up; and
// nothing runs twice.
//
//   Z1  A run belongs to a slot: the job, and the time at which it was due. The slot is written down before the run
//       begins, and is not run again. Example: the machine loses power in the middle of the run of Saturday 02:00; the
//       slot is known as begun.
//   Z2  All slots that were missed become one run: that of the newest of them. Example: a laptop slept for three weeks;
//       one backup is made when it wakes up.
//   Z3  A verified backup that was begun at the time of the slot or later covers it, a manual one too. Example: you
//       run `hrp backup create` on Saturday at 09:00; the run of 02:00, which was missed, is not needed any more.
//   Z4  A slot whose run failed is not repeated: its retries are over. The next one is.
//   Z5  A slot whose run was killed runs once more, and only once.
//   Z6  A run whose backup is incomplete (exit 3) ends its slot: the next one may find the files readable.
//   Z7  Without any backup and without any record the newest slot counts as missed: the first run is made at once.
//   Z8  A slot or a backup that is dated after now covers nothing and is named: a clock is or was wrong. Example: the
//       clock is set back by a year; the runs of "next year" cover nothing. A slot that is not after now and was run
//       stays run (Z1), whatever the clock showed meanwhile.
//   Z9  The next run is the first slot after now. A run that waits is named as such beside it.

/// What to do about a job now.
package enum SlotDecision: Equatable, Sendable {
  /// Nothing: the newest slot was run, or is covered.
  case wait
  /// Its run is being made by another process.
  case running
  /// Run the slot: it is due now, was missed, or was killed.
  case run(Slot, SlotReason)
}

/// Why a slot is run.
package enum SlotReason: String, Sendable {
  case scheduled
  case missed = "catch_up"
  case killed
}

/// What is known of a job when it is decided.
package struct SlotFacts: Sendable {
  /// The records of the job, in any order.
  package var records: [SlotRecord]
  /// When the newest verified backup was begun, in nanoseconds since 1970 UTC, those after now left out; nil when there
  /// is none.
  package var newestVerified: Int64?
  /// Whether a process holds the lock of a running job.
  package var isRunning: Bool

  package init(records: [SlotRecord], newestVerified: Int64?, isRunning: Bool) {
    self.records = records
    self.newestVerified = newestVerified
    self.isRunning = isRunning
  }
}

/// Decides when a job runs, by Z1 to Z9; it reads no file and no clock.
package struct SlotRules: Sendable {
  /// A slot that is younger than this is no missed one: the clock is looked at once a minute.
  package static let punctualNanoseconds: Int64 = 120 * 1_000_000_000

  private let job: String
  private let schedule: Schedule

  package init(_ schedule: Schedule, job: String) {
    self.job = job
    self.schedule = schedule
  }

  /// What to do now, in nanoseconds since 1970 UTC.
  package func decide(_ facts: SlotFacts, now: Int64) -> SlotDecision {
    if facts.isRunning { return .running }
    let due = schedule.latest(atOrBefore: now)
    // Z8. What somebody ran by hand, or by another schedule, belongs to no slot.
    let records = facts.records.filter { $0.due <= now && schedule.latest(atOrBefore: $0.due) == $0.due }
    if let newest = records.max(by: { $0.due < $1.due }), newest.due >= due {
      // Z4 to Z6: it was run, unless its process died on the way.
      guard newest.state == .running, newest.deaths == 0 else { return .wait }
      return .run(Slot(job: job, due: newest.due), .killed)
    }
    if let verified = facts.newestVerified, verified >= due, verified <= now { return .wait }
    return .run(Slot(job: job, due: due), now - due < Self.punctualNanoseconds ? .scheduled : .missed)
  }

  /// The records of slots that are dated after now (Z8).
  package func future(_ facts: SlotFacts, now: Int64) -> [SlotRecord] {
    facts.records.filter { $0.due > now }
  }

  /// The first slot after now (Z9).
  package func next(after now: Int64) -> Int64 { schedule.next(after: now) }
}
