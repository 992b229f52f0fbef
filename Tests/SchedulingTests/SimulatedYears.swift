import Advice
import Calendars
import Jobs
import Scheduling
import Settings
import TestKit

/// Ten years of a machine that sleeps, crashes, fails, and whose clock jumps, beside one job.
struct SimulatedYears {
  /// What became of it all.
  struct Figures: Equatable {
    var looks = 0
    var runs = 0
    var completed = 0
    var failed = 0
    var killed = 0
    var manual = 0
    var sleeps = 0
    var jumps = 0
    /// Slots that passed while the machine was off, and that one later run caught up.
    var caughtUp = 0
    /// Slots that were run twice though their first run was not killed, or three times.
    var doubled = 0
    /// Awake times at which the newest slot was neither run, covered, being run, nor about to be.
    var missed = 0
    /// Times at which an awake scheduler saw that the newest backup had become too old.
    var gaps = 0
    /// How often people were told that protection was lost.
    var alarms = 0
    var reminders = 0
    /// Days on which people were told more than once, or alarms without a gap.
    var wrongAlarms = 0
  }

  private static let minute: Int64 = 60 * 1_000_000_000
  private static let hour = 60 * minute
  private static let day = 24 * hour

  private let schedule: Schedule
  private let rules: SlotRules
  private var random: SeededGenerator
  private(set) var figures = Figures()

  private var now: Int64
  private var records: [Int64: SlotRecord] = [:]
  private var backups: [Int64] = []
  private var alarm: AlarmState?
  private var isInGap = false
  private var lastTold: Int64?
  private let limits = Settings(environment: { _ in nil }).protection

  /// Every run of a slot that began, with the state it ended in.
  private var runs: [Int64: [SlotRecord.State]] = [:]

  init(_ schedule: Schedule, seed: UInt64) {
    self.schedule = schedule
    rules = SlotRules(schedule, job: "job")
    random = SeededGenerator(state: seed)
    now = 1_750_000_000_000_000_000
  }

  mutating func run() {
    let end = now + 3652 * Self.day
    while now < end {
      // The scheduler looks every minute; nothing changes between two looks but the clock, so most are left out.
      look()
      let next = schedule.next(after: now)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<60: now = min(next, now + Int64.random(in: 1...(6 * 60), using: &random) * Self.minute)
      case 60..<80: now = next
      case 80..<92: sleep()
      case 92..<97: makeBackup()
      default: jump()
      }
    }
    judge()
  }

  private mutating func look() {
    figures.looks += 1
    defer { watch() }
    let facts = SlotFacts(
      records: Array(records.values), newestVerified: backups.filter { $0 <= now }.max(), isRunning: false)
    guard case .run(let slot, let reason) = rules.decide(facts, now: now) else {
      checkNotMissed()
      return
    }
    if reason == .missed { figures.caughtUp += 1 }
    begin(slot, reason: reason)
  }

  private mutating func begin(_ slot: Slot, reason: SlotReason) {
    figures.runs += 1
    let deaths = reason == .killed ? (records[slot.due]?.deaths ?? 0) + 1 : 0
    var record = SlotRecord(job: "job", due: slot.due, state: .running, deaths: deaths, beganAt: now)
    records[slot.due] = record
    let began = now
    now += Int64.random(in: 1...90, using: &random) * Self.minute
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      figures.killed += 1
      runs[slot.due, default: []].append(.running)
      now += Int64.random(in: 0...(3 * 1440), using: &random) * Self.minute
      return
    case 1:
      figures.failed += 1
      record.state = .failed
    default:
      figures.completed += 1
      record.state = .completed
      backups.append(began)
    }
    record.endedAt = now
    records[slot.due] = record
    runs[slot.due, default: []].append(record.state)
  }

  /// What the scheduler tells people after a look, and what it should have told.
  private mutating func watch() {
    let newest = backups.filter { $0 <= now }.max()
    var facts = ProtectionFacts(intervalSeconds: Int64(schedule.rule.nominalSeconds))
    facts.newestBackup = newest.map { .init(name: "backup", timestamp: $0) }
    // A proof that is too old would be a reason of its own.
    facts.newestProof = newest.map { _ in .init(name: "backup", timestamp: now) }
    let protection = Protection(facts, limits: limits, now: now)
    let (next, told) = AlarmRules.decide(after: alarm, subjects: Set(protection.reasons.map(\.subject)), now: now)
    alarm = next
    // By itself: older than the time between two runs and a day, or none at all.
    let isTooOld = newest.map { now - $0 > Int64(schedule.rule.nominalSeconds) * 1_000_000_000 + Self.day } ?? true
    if isTooOld, !isInGap { figures.gaps += 1 }
    switch told {
    case .unprotected:
      figures.alarms += 1
      if isInGap || !isTooOld { figures.wrongAlarms += 1 }
    case .reminder:
      figures.reminders += 1
      if !isTooOld { figures.wrongAlarms += 1 }
      if let lastTold, now >= lastTold, now - lastTold < Self.day { figures.wrongAlarms += 1 }
    case .protected: if isTooOld || !isInGap { figures.wrongAlarms += 1 }
    case nil: break
    }
    if told != nil { lastTold = now }
    isInGap = isTooOld
  }

  private mutating func sleep() {
    figures.sleeps += 1
    now += Int64.random(in: 10...(20 * 1440), using: &random) * Self.minute
  }

  private mutating func makeBackup() {
    figures.manual += 1
    backups.append(now)
    now += 5 * Self.minute
  }

  private mutating func jump() {
    figures.jumps += 1
    now += Int64.random(in: -2000...2000, using: &random) * Self.minute
  }

  /// When nothing is to be done, the newest slot was run or is covered by what is known at this time.
  private mutating func checkNotMissed() {
    let due = schedule.latest(atOrBefore: now)
    let isRun = records.values.contains { $0.due >= due && $0.due <= now }
    let isCovered = backups.contains { $0 >= due && $0 <= now }
    if !isRun, !isCovered { figures.missed += 1 }
  }

  private mutating func judge() {
    for (_, states) in runs {
      // Once, or once more after it was killed.
      let isRight = states.count == 1 || (states.count == 2 && states[0] == .running)
      if !isRight { figures.doubled += 1 }
    }
  }
}
