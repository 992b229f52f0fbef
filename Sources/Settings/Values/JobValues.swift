internal import Calendars
internal import Files

/// The group `jobs` of the configuration: which backups are made when.
package struct JobValues: Sendable {
  /// How often a job comes round, as it is written.
  private enum Every: String, CaseIterable {
    case hour, day, week, month

    init?(written text: String) {
      switch text.lowercased() {
      case "hour", "hourly": self = .hour
      case "day", "daily": self = .day
      case "week", "weekly": self = .week
      case "month", "monthly": self = .month
      default: return nil
      }
    }
  }

  /// The jobs in the order of the file; the guide's weekly one when the file names none.
  package let jobs: [JobSettings]
  /// The line of each job; empty when the file names none.
  package let lines: [String: Int]

  /// - Parameter map: the group; when it is nil, the guide's job holds.
  init(_ map: SettingsMap?, zone: Zone) {
    var (jobs, lines): ([JobSettings], [String: Int]) = ([], [:])
    for name in map?.names ?? [] {
      guard let (job, line) = map?.group(name) else { continue }
      lines[name] = line
      guard JobSettings.isID(name) else {
        job.note(
          "the name of a job has small letters, digits, _ and -, at most 64, and '\(name)' has not", line: line)
        continue
      }
      if let job = Self.job(name, in: job, zone: zone) { jobs.append(job) }
    }
    if jobs.isEmpty, lines.isEmpty, let schedule = parsed({ try Schedule(.standard, in: zone) }) {
      jobs = [JobSettings(id: JobSettings.standardID, schedule: schedule)]
    }
    self.jobs = jobs
    self.lines = lines
  }

  private static func job(_ id: String, in map: SettingsMap, zone: Zone) -> JobSettings? {
    let every = map.value("every", allowed: "hour, day, week or month") { Every(written: $0) }?.value ?? .week
    let isEnabled = map.value("enabled", allowed: "true or false", read: SettingsMap.truth)?.value ?? true
    let rule = rule(every, in: map)
    let allowed = "one of " + JobSettings.DrillPolicy.allCases.map(\.rawValue).joined(separator: ", ")
    let drill = map.value("drill", allowed: allowed) { JobSettings.DrillPolicy(rawValue: $0.lowercased()) }
    let mlflow = map.value("mlflow", allowed: "true or false", read: SettingsMap.truth)
    let rotate = map.value("rotate", allowed: "true or false", read: SettingsMap.truth)
    let copy = map.value("copy", allowed: "true or false", read: SettingsMap.truth)
    let timeout = map.value("timeout_minutes", allowed: "a number of minutes from 1 to 10000") { text in
      Int64(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
    }
    let retry = map.value("retry_seconds", allowed: "a number of seconds from 1 to 3600") { text in
      Int64(text).flatMap { (1...3600).contains($0) ? $0 : nil }
    }
    map.reportUnknown()
    guard isEnabled, let rule, let schedule = parsed({ try Schedule(rule, in: zone) }) else { return nil }
    return JobSettings(
      id: id, schedule: schedule, includesMLflow: mlflow?.value ?? true, drill: drill?.value ?? .weekly,
      rotates: rotate?.value ?? true, copies: copy?.value ?? true,
      timeoutMinutes: timeout?.value ?? JobSettings.standardTimeoutMinutes,
      retrySeconds: retry?.value ?? JobSettings.standardRetrySeconds)
  }

  /// The rule of a job; nil when a mistake in it was reported.
  private static func rule(_ every: Every, in map: SettingsMap) -> Rule? {
    // An hour has no time of day: there it is an unknown key.
    let time =
      every == .hour
      ? nil : map.value("time", allowed: "a time such as 02:00") { text in parsed { try TimeOfDay(parsing: text) } }
    let number = { (key: String, range: ClosedRange<Int>) in
      map.value(key, allowed: "a number from \(range.lowerBound) to \(range.upperBound)") { text in
        Int(text).flatMap { range.contains($0) ? $0 : nil }
      }?.value
    }
    switch every {
    case .hour: return .hourly(minute: number("minute", 0...59) ?? 0)
    case .day: return .daily(time?.value ?? .standard)
    case .week:
      let day = map.value("day", allowed: "a day of the week, such as sat") { Weekday(named: $0) }
      return .weekly(day?.value ?? .sat, time?.value ?? .standard)
    case .month: return .monthly(day: number("day", 1...31) ?? 1, time?.value ?? .standard)
    }
  }
}
