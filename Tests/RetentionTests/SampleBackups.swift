import Retention

/// A clock for tests: Central European time, worked out without the machine's own tables.
enum Berlin {
  static let hour: Int64 = 3_600_000_000_000
  static let day: Int64 = 24 * hour

  /// Every day from 1970 on, counted forward.
  static let days: [Date] = {
    var days: [Date] = []
    for year in 1970...2060 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for day in 1...length { days.append(Date(year: year, month: month + 1, day: day, number: days.count)) }
      }
    }
    return days
  }()

  /// The number of the first day of a month, in days since 1970.
  private static let firsts: [Int: Int] = Dictionary(
    uniqueKeysWithValues: days.filter { $0.day == 1 }.map { ($0.year * 12 + $0.month - 1, $0.number) })

  /// The time at which summer time begins and ends in each year: 01:00 UTC of the last Sunday of March and October.
  private static let summers: [Int: Range<Int64>] = Dictionary(
    uniqueKeysWithValues: (1970...2059).map { year in
      let change = { (month: Int) -> Int64 in
        let last = first(ofMonth: year * 12 + month) - 1
        // 1970-01-04 was a Sunday.
        return Int64(last - (last - 3) % 7) * day + hour
      }
      return (year, change(3)..<change(10))
    })

  struct Date: Equatable {
    let year: Int
    let month: Int
    let day: Int
    let number: Int
  }

  /// - Parameter month: months since the year 0.
  static func first(ofMonth month: Int) -> Int { firsts[month] ?? 0 }

  static func localHour(_ timestamp: Int64) -> LocalHour {
    let (date, hour) = wall(timestamp)
    return LocalHour(year: date.year, month: date.month, day: date.day, hour: hour)
  }

  /// The day and the hour that a clock in Berlin shows.
  static func wall(_ timestamp: Int64) -> (date: Date, hour: Int) {
    let hours = Int(timestamp / hour)
    let isSummer = summers[days[hours / 24].year]?.contains(timestamp) ?? false
    let local = hours + (isSummer ? 2 : 1)
    return (days[local / 24], local % 24)
  }

  /// The timestamp of a time such as `2026-11-20 14:30`; of the hour that comes twice it is the first one.
  static func at(_ text: String) -> Int64 {
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
    let number = first(ofMonth: numbers[0] * 12 + numbers[1] - 1) + numbers[2] - 1
    let wall = Int64(number) * day + Int64(numbers[3]) * hour + Int64(numbers[4]) * 60_000_000_000
    let summer = wall - 2 * hour
    return summers[numbers[0]]?.contains(summer) == true ? summer : wall - hour
  }
}

/// A good backup with a database of its own, made at a time in Berlin.
func backup(
  _ time: String, name: String? = nil, problem: String? = nil, pin: RetentionFacts.Pin = .none,
  condition: RetentionFacts.Condition = .verified, isComplete: Bool = true, inode: UInt64?? = nil,
  isBeingRead: Bool = false
) -> RetentionFacts {
  let timestamp = Berlin.at(time)
  let inode = inode ?? UInt64(timestamp / 60_000_000_000)
  return RetentionFacts(
    name: name ?? time, timestamp: timestamp, timestampInName: timestamp, problem: problem, pin: pin,
    condition: condition, isComplete: isComplete, databaseIdentity: inode.map { .init(device: 1, inode: $0) },
    isBeingRead: isBeingRead)
}

/// A good backup of each day at 02:00, the newest first.
func daily(_ count: Int, until last: String) -> [RetentionFacts] {
  let end = Berlin.wall(Berlin.at("\(last) 02:00")).date.number
  return (0..<count).map { back in
    let date = Berlin.days[end - back]
    let pad = { (number: Int) in (number < 10 ? "0" : "") + String(number) }
    return backup("\(date.year)-\(pad(date.month))-\(pad(date.day)) 02:00")
  }
}

/// Decides at a time in Berlin.
func plan(
  _ backups: [RetentionFacts], policy: RetentionPolicy, now: String = "2026-11-20 18:00",
  isUnattended: Bool = false, clockJumped: Bool = false
) -> RetentionPlan {
  RetentionPlan(
    of: backups, policy: policy,
    run: RetentionRun(
      now: Berlin.at(now), isUnattended: isUnattended, clockJumped: clockJumped, localHour: Berlin.localHour))
}

extension RetentionPlan {
  /// The names of the backups that stay, newest first.
  var kept: [String] { decisions.filter(\.outcome.isKept).map(\.name) }
  /// The names of the backups that go, newest first.
  var deleted: [String] { deletions.map(\.name) }

  /// Why a backup stays, or goes.
  func clause(_ name: String) -> String? { decisions.first { $0.name == name }?.outcome.clause }

  func reasons(_ name: String) -> [KeepReason] {
    if case .keep(let reasons)? = decisions.first(where: { $0.name == name })?.outcome { reasons } else { [] }
  }
}
