import Calendars
import Jobs
import Scheduling
import Testing

/// Z1 to Z9, one by one.
@Suite("When a job runs")
struct SlotRulesTests {
  private static let hour: Int64 = 3600 * 1_000_000_000
  private static let day = 24 * hour

  private let schedule: Schedule
  private let rules: SlotRules
  /// A Saturday at 02:00 in New York.
  private let due: Int64

  init() throws {
    schedule = try Schedule(.standard, in: .standard)
    rules = SlotRules(schedule, job: "weekly_backup")
    due = schedule.next(after: 1_800_000_000_000_000_000)
  }

  private func record(_ due: Int64, _ state: SlotRecord.State, deaths: Int = 0, beganAt: Int64? = nil) -> SlotRecord {
    SlotRecord(job: "weekly_backup", due: due, state: state, deaths: deaths, beganAt: beganAt ?? due)
  }

  private func decide(
    _ records: [SlotRecord] = [], verified: Int64? = nil, isRunning: Bool = false, now: Int64
  ) -> SlotDecision {
    rules.decide(SlotFacts(records: records, newestVerified: verified, isRunning: isRunning), now: now)
  }

  private func run(_ due: Int64, _ reason: SlotReason) -> SlotDecision {
    .run(Slot(job: "weekly_backup", due: due), reason)
  }

  @Test("a slot runs when it is due, and not a nanosecond before")
  func due_() {
    let before = schedule.latest(atOrBefore: due - 1)
    #expect(decide([record(before, .completed)], now: due - 1) == .wait)
    #expect(decide([record(before, .completed)], now: due) == run(due, .scheduled))
    #expect(decide([record(before, .completed)], now: due + Self.hour) == run(due, .missed))
  }

  @Test("Z1, Z4, Z6: a slot that was run is not run again, whatever became of it; the next one is")
  func once() {
    for state in [SlotRecord.State.completed, .partial, .failed] {
      #expect(decide([record(due, state)], now: due + Self.hour) == .wait, "\(state)")
      let next = schedule.next(after: due)
      #expect(decide([record(due, state)], now: next) == run(next, .scheduled), "\(state)")
    }
    #expect(decide([record(due, .running)], isRunning: true, now: due + Self.hour) == .running)
  }

  @Test("Z2: three weeks of sleep are one run, that of the newest slot")
  func missed() {
    let now = due + 21 * Self.day + Self.hour
    let newest = schedule.latest(atOrBefore: now)
    #expect(newest > due + 20 * Self.day)
    #expect(decide([record(due, .completed)], now: now) == run(newest, .missed))
    #expect(decide([record(due, .completed), record(newest, .completed)], now: now) == .wait)
  }

  @Test("Z3: a verified backup that was begun at the slot or later covers it; an older one, or one to come, does not")
  func covered() {
    let now = due + 8 * Self.hour
    #expect(decide(verified: due, now: now) == .wait)
    #expect(decide(verified: due + Self.hour, now: now) == .wait)
    #expect(decide(verified: due - 1, now: now) == run(due, .missed))
    #expect(decide(verified: now + 1, now: now) == run(due, .missed))
  }

  @Test("Z5: a run that was killed runs once more, and only once")
  func killed() {
    let now = due + Self.hour
    #expect(decide([record(due, .running)], now: now) == run(due, .killed))
    #expect(decide([record(due, .running, deaths: 1)], now: now) == .wait)
    // The slot after it is a new one.
    let next = schedule.next(after: due)
    #expect(decide([record(due, .running)], now: next) == run(next, .scheduled))
  }

  @Test("Z7: without a backup and without a record the newest slot is run at once")
  func first() {
    #expect(decide(now: due + 3 * Self.day) == run(due, .missed))
  }

  @Test("Z8: what is dated after now covers nothing, and is named")
  func future() {
    let year = 365 * Self.day
    let records = [record(schedule.next(after: due + year), .completed)]
    #expect(decide(records, now: due + Self.hour) == run(due, .missed))
    let facts = SlotFacts(records: records, newestVerified: nil, isRunning: false)
    #expect(rules.future(facts, now: due + Self.hour).count == 1)
    #expect(rules.future(facts, now: due + 2 * year).isEmpty)
    #expect(decide([record(due, .completed, beganAt: due + year)], now: due + Self.hour) == .wait, "it was run")
  }

  @Test("Z9: the next run is the first slot after now, also while a missed one waits")
  func next() {
    #expect(rules.next(after: due) == schedule.next(after: due))
    #expect(rules.next(after: due - 1) == due)
  }
}
