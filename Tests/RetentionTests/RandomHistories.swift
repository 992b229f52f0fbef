import Retention
import TestKit

/// A small generator of numbers that gives the same ones for the same seed.
struct Dice: RandomNumberGenerator {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678) }

  mutating func next() -> UInt64 { generator.next() }

  mutating func isOne(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func one<Value>(of values: [Value]) -> Value { values[number(0...values.count - 1)] }
}

/// Backups as they may lie in a directory, with a policy and a time.
struct RandomHistory {
  var backups: [RetentionFacts] = []
  var policy: RetentionPolicy
  var now: Int64
  private var dice: Dice

  init(seed: UInt64) throws {
    dice = Dice(seed: seed)
    policy = try Self.randomPolicy(&dice)
    // Nights in which clocks change come up often.
    now = dice.one(of: [
      Berlin.at("2026-11-20 18:00"), Berlin.at("2026-10-25 02:30") + Berlin.hour, Berlin.at("2026-03-29 03:10"),
      Berlin.at("2024-03-31 12:00"), Berlin.at("2025-01-01 00:30"), Berlin.at("2027-01-03 23:59"),
    ])
    now += Int64(dice.number(0...900)) * 60_000_000_000 * Int64(dice.number(0...40))
    let size = dice.one(of: [dice.number(0...6), dice.number(0...25), dice.number(0...60), dice.number(0...120)])
    let badness = dice.one(of: [1_000_000, 25, 6, 3])
    let span = dice.one(of: [2, 20, 90, 400, 1200])
    var time = now
    for place in 0..<size {
      switch dice.number(0...9) {
      case 0: break  // At the same moment as the one before.
      case 1...3: time -= Int64(dice.number(0...3000)) * 1_000_000_000
      default: time = now - Int64(dice.number(0...span * 24)) * Berlin.hour + Int64(dice.number(-1...1))
      }
      backups.append(backup("b\(place)", time: time, badness: badness))
    }
    if dice.isOne(in: 60), let some = backups.first { backups.append(some) }
    backups.shuffle(using: &dice)
  }

  private static func randomPolicy(_ dice: inout Dice) throws -> RetentionPolicy {
    if dice.isOne(in: 8) {
      return try RetentionPolicy(preset: dice.one(of: ["7/4/12", "7/4/12/3", "1/1/1", "3/2/2/2"]))
    }
    var counts: [Int?] = []
    for _ in RetentionPeriod.allCases {
      counts.append(dice.isOne(in: 4) ? dice.one(of: [1, 1, 2, 3, 5, 12, 30]) : nil)
    }
    let ages = ["2h", "30h", "1d", "9d", "1m", "2m", "1y", "1m1d", "1y5m7d2h", "3d5h", "13m", "700h"]
    return try RetentionPolicy(
      keepLast: counts[0], keepHourly: counts[1], keepDaily: counts[2], keepWeekly: counts[3],
      keepMonthly: counts[4], keepYearly: counts[5],
      keepWithin: dice.isOne(in: 4) ? RetentionAge(dice.one(of: ages)) : nil,
      keepDays: dice.isOne(in: 5) ? dice.number(1...60) : nil)
  }

  private mutating func backup(_ name: String, time: Int64, badness: Int) -> RetentionFacts {
    var facts = RetentionFacts(
      name: name, timestamp: time, timestampInName: time,
      databaseIdentity: .init(device: 1, inode: UInt64(dice.number(1...dice.one(of: [1, 3, 1000])))))
    if dice.isOne(in: 9) { facts.databaseIdentity = nil }
    if dice.isOne(in: badness * 3) { facts.pin = dice.one(of: [.pinned("kept"), .unreadable("EIO")]) }
    if dice.isOne(in: badness) { facts.condition = dice.one(of: [.failed("x"), .notVerified, .unreadable("EIO")]) }
    if dice.isOne(in: badness * 2) { facts.isComplete = false }
    if dice.isOne(in: badness * 5) { facts.problem = "EIO" }
    if dice.isOne(in: badness * 5) { facts.isBeingRead = true }
    if dice.isOne(in: badness * 3) {
      let ahead = Int64(dice.number(1...2000)) * Berlin.hour / 7
      switch dice.number(0...5) {
      case 0: facts.timestamp = nil
      case 1: facts.timestampInName = nil
      case 2: facts.timestampInName = time + dice.one(of: [-1, 1]) * (Berlin.day + Int64(dice.number(0...1)))
      default: (facts.timestamp, facts.timestampInName) = (now + ahead, now + ahead)
      }
    }
    return facts
  }

  /// One that cannot be relied on, made after all others or at the same moment as one of them, in any way.
  mutating func badNewcomer() -> RetentionFacts {
    let newest = backups.compactMap(\.timestamp).filter { $0 <= now }.max() ?? now - 1
    var facts = backup("c", time: dice.one(of: [newest, newest + (now - newest) / 2, now]), badness: 3)
    switch dice.number(0...5) {
    case 0: facts.condition = .failed("x")
    case 1: facts.condition = .notVerified
    case 2: facts.condition = .unreadable("EIO")
    case 3: facts.problem = "EIO"
    case 4: facts.timestampInName = nil
    default: facts.isComplete = false
    }
    return facts
  }

  /// The same backups, but one of them is worse or gone; and its name.
  mutating func worse() -> (backups: [RetentionFacts], name: String)? {
    guard !backups.isEmpty else { return nil }
    var changed = backups
    let place = dice.number(0...backups.count - 1)
    let name = backups[place].name
    // A damaged one would be better than it was if it became unverified.
    switch dice.number(backups[place].condition == .failed("x") ? 2...6 : 0...8) {
    case 0: changed[place].condition = .notVerified
    case 1: changed[place].condition = .unreadable("EIO")
    case 2: changed[place].isComplete = false
    case 3: changed[place].problem = "EIO"
    case 4: changed[place].timestampInName = nil
    case 5: changed[place].databaseIdentity = nil
    case 6: changed.remove(at: place)
    default: changed[place].condition = .failed("x")
    }
    if backups.count(where: { $0.name == name }) > 1 { return nil }
    return (changed, name)
  }

  mutating func shuffled() -> [RetentionFacts] { backups.shuffled(using: &dice) }

  mutating func some(of names: [String]) -> Set<String> {
    Set(names.shuffled(using: &dice).prefix(names.isEmpty ? 0 : dice.number(0...names.count)))
  }

  mutating func laterTime() -> Int64 { now + Int64(dice.number(0...dice.one(of: [3, 100, 20_000]))) * Berlin.hour / 2 }
}
