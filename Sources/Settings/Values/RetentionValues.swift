internal import Calendars
internal import Files
package import Retention

/// The group `retention` of the configuration: which backups stay.
package struct RetentionValues: Sendable {
  private static let allowedCount = "a number from 1 to \(RetentionPolicy.maximum)"
  private static let allowedTrashDays: ClosedRange<Int64> = 0...3650

  /// The policy; the default one when no rule is given.
  package let policy: RetentionPolicy
  /// The keys of the rules that are given, each with its value and its line, in the order of the documentation.
  package let rules: [(key: String, value: String, line: Int)]
  /// For how many days a deleted backup can be brought back.
  package let trashDays: Setting<Int64>

  /// - Parameter map: the group; when it is nil, the defaults hold.
  init(_ map: SettingsMap?) {
    var rules: [(key: String, value: String, line: Int)] = []
    let count = { (period: String) -> Int? in
      let key = "keep_\(period)"
      let found = map?.value(key, allowed: Self.allowedCount) { text in
        Int(text).flatMap { (1...RetentionPolicy.maximum).contains($0) ? $0 : nil }
      }
      if let found { rules.append(("retention.\(key)", "\(found.value)", found.line)) }
      return found?.value
    }
    let (days, last, hourly) = (count("days"), count("last"), count("hourly"))
    let (daily, weekly, monthly, yearly) = (count("daily"), count("weekly"), count("monthly"), count("yearly"))
    let within = map?.value("keep_within", allowed: "an age such as 2m or 1y5m7d2h") { text in
      parsed { try RetentionAge(text) }
    }
    if let within { rules.append(("retention.keep_within", within.value.text, within.line)) }
    let preset = map?.value("keep_preset", allowed: "numbers of days, weeks, months and years, such as 7/4/12") {
      text in
      parsed { (try RetentionPolicy(preset: text), text) }
    }
    if let preset { rules.append(("retention.keep_preset", preset.value.1, preset.line)) }
    if let preset, rules.count > 1 {
      map?.note("retention.keep_preset stands for other rules: no other rule may stand beside it", line: preset.line)
    }
    let single = parsed {
      try RetentionPolicy(
        keepLast: last, keepHourly: hourly, keepDaily: daily, keepWeekly: weekly, keepMonthly: monthly,
        keepYearly: yearly, keepWithin: within?.value, keepDays: days)
    }
    policy = preset?.value.0 ?? single ?? .standard
    let trash = map?.value("trash_days", allowed: "a number of days from 0 to 3650") { text in
      Int64(text).flatMap { Self.allowedTrashDays.contains($0) ? $0 : nil }
    }
    trashDays = .first(file: trash, standard: RetentionSettings.standardTrashDays)
    self.rules = rules
    map?.reportUnknown()
  }
}
